# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real audio servers for tests: private, headless, and gone when the `with` block ends.

Nothing of the user's is read or written: runtime, configuration, state and home directories are one temporary
directory with a short path (a socket's path has a limit of 108 bytes). No hardware, no bus.

    with PulseServer(format='s16le', rate=44100) as server:
        server.pactl('list', 'short', 'sinks')
        subprocess.run(['pacat', ...], env=server.env)
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from . import poll, processes

STEREO = 'front-left,front-right'
START_BOUND_S = 15
PACTL_BOUND_S = 10


class Unavailable(Exception):
    """A program that the server needs is not installed; tests skip with this text."""


class Sink:
    """The format of a null sink, in PulseAudio's words; `map` is a channel map or None for the usual one."""

    def __init__(self, name='zc', format='float32le', rate=48000, map=STEREO):
        self.name, self.format, self.rate, self.map = name, format, rate, map

    @property
    def positions(self):
        return self.map.split(',')

    @property
    def channels(self):
        return len(self.positions)

    def module_arguments(self):
        return [f'sink_name={self.name}', f'format={self.format}', f'rate={self.rate}',
                f'channels={self.channels}', f'channel_map={self.map}']


class _Server:
    """What both servers share: directories, environment, daemons, pactl."""

    programs = ()
    mixes_in_float = False
    names_pulseaudio = True  # to its clients: PULSE_SERVER is set

    def __init__(self, sink=None, period_ms=10, **sink_arguments):
        self.sink = sink or Sink(**sink_arguments)
        self.period_ms = period_ms
        self.directory = None
        self.daemons = []

    def __enter__(self):
        missing = [program for program in (*self.programs, 'pactl', 'pacat') if not shutil.which(program)]
        if missing:
            raise Unavailable('not installed: ' + ', '.join(missing))
        self.directory = tempfile.mkdtemp(prefix='zc-', dir='/tmp')
        try:
            self._make_environment()
            self._configure()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.end()
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    @property
    def socket_path(self):
        return self.path('run', 'pulse', 'native')

    def start(self):
        """Starts the daemons, makes the sink the default one, and returns when the server says so itself."""
        self._start_daemons()
        self._wait_for_answer()
        self.add_sink(self.sink)
        poll.until(self._is_default, START_BOUND_S, f'default sink {self.sink.name}\n{self.log()}')

    def _is_default(self):
        """Asked for until it is: PipeWire says "Not supported" before its session manager has where to store it."""
        with contextlib.suppress(RuntimeError):
            self.pactl('set-default-sink', self.sink.name)
            return self.default_sink() == self.sink.name
        return False

    def restart(self):
        self.end()
        self.start()

    def end(self):
        for daemon in reversed(self.daemons):
            processes.end(daemon)
        self.daemons = []

    def kill(self):
        """What a crash is to its clients: no goodbye."""
        self._signal(signal.SIGKILL)
        for daemon in self.daemons:
            daemon.wait()

    def stop(self):
        """The server still has its sockets, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def cont(self):
        self._signal(signal.SIGCONT)

    @contextlib.contextmanager
    def standing_still(self):
        """Its clock goes on, and nothing is done: of PipeWire only what moves the sound is stopped."""
        self.daemons[0].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.daemons[0].send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def stopped(self):
        self.stop()
        try:
            yield
        finally:
            self.cont()

    def pactl(self, *arguments, check=True):
        result = processes.run(['pactl', *arguments], PACTL_BOUND_S, env=self.env)
        if check and result.returncode:
            raise RuntimeError(f'pactl {" ".join(arguments)}: {result.stderr.strip()}\n{self.log()}')
        return result.stdout

    def add_sink(self, sink):
        """A null sink; returns when clients can see it and its monitor (PipeWire makes them a little later)."""
        module = self.pactl('load-module', 'module-null-sink', *sink.module_arguments()).strip()
        poll.until(lambda: self._lists('sinks', sink.name) and self._lists('sources', sink.name + '.monitor'),
                   START_BOUND_S, f'sink {sink.name}\n{self.log()}')
        return module

    def default_sink(self):
        return self.pactl('get-default-sink', check=False).strip()

    def sample_specification(self, name):
        """(format, channels, rate) of a sink, as the server states them."""
        for row in self._rows('sinks'):
            if row[1] == name:
                fmt, channels, rate = row[3].split()
                return fmt, int(channels.rstrip('ch')), int(rate.rstrip('Hz'))
        raise KeyError(name)

    def count(self, kind):
        """How many there are of 'sink-inputs', 'source-outputs', 'clients' ..."""
        return len(self._rows(kind))

    @contextlib.contextmanager
    def activated(self):
        """This process's own libpulse talks to this server (for captures inside the test program)."""
        before = dict(os.environ)
        os.environ.update({key: self.env[key] for key in self.private_variables})
        try:
            yield self
        finally:
            for key in self.private_variables:
                os.environ.pop(key, None)
                if key in before:
                    os.environ[key] = before[key]

    def missed(self):
        """Turns that the server itself says its nodes missed, each a hole in somebody's sound."""
        return 0

    def log(self):
        """What the daemons said: goes into a failure's text."""
        texts = []
        for name in sorted(os.listdir(self.directory)):
            if name.endswith('.log'):
                with open(self.path(name), errors='replace') as log:
                    texts.append(f'{name}: ' + ''.join(log.readlines()[-15:]))
        return '\n'.join(texts)

    def _make_environment(self):
        for name in ('run', 'config', 'state', 'cache', 'home'):
            os.mkdir(self.path(name), 0o700)
        private = {
            'HOME': self.path('home'),
            'XDG_RUNTIME_DIR': self.path('run'),
            'XDG_CONFIG_HOME': self.path('config'),
            'XDG_STATE_HOME': self.path('state'),
            'XDG_CACHE_HOME': self.path('cache'),
            'LC_ALL': 'C.UTF-8',
        }
        if self.names_pulseaudio:
            private['PULSE_SERVER'] = 'unix:' + self.socket_path
        self.private_variables = list(private)
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith(('PULSE_', 'PIPEWIRE_', 'DBUS_', 'XDG_', 'DISPLAY'))}
        self.env.update(private)

    def _configure(self):
        pass

    def _start_daemons(self):
        raise NotImplementedError

    def _start_daemon(self, *argv):
        log = open(self.path(os.path.basename(argv[0]) + '.log'), 'ab')
        with log:
            daemon = processes.start(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     cwd=self.directory)
        self.daemons.append(daemon)

    def _wait_for_answer(self):
        def answers():
            ended = [daemon.args[0] for daemon in self.daemons if daemon.poll() is not None]
            if ended:
                raise RuntimeError(f'{ended} ended at start\n{self.log()}')
            return os.path.exists(self.socket_path) and self.pactl('info', check=False)
        poll.until(answers, START_BOUND_S, f'answer from the server\n{self.log()}')

    def _signal(self, signum):
        for daemon in self.daemons:
            if daemon.poll() is None:
                daemon.send_signal(signum)

    def _rows(self, kind):
        return [line.split('\t') for line in self.pactl('list', 'short', kind, check=False).splitlines()]

    def _lists(self, kind, name):
        return any(row[1] == name for row in self._rows(kind))


def accepts(path):
    """Somebody listens there: the socket of a server that was killed is still in its place."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


class PulseServer(_Server):
    """PulseAudio with null sinks and nothing else."""

    label = 'pulseaudio'
    programs = ('pulseaudio',)

    def _start_daemons(self):
        os.makedirs(os.path.dirname(self.socket_path), 0o700, exist_ok=True)
        self._start_daemon('pulseaudio', '-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1',
                           '--realtime=no', '--high-priority=no',
                           '-L', f'module-native-protocol-unix socket={self.socket_path} auth-anonymous=1')


class PipeWireServer(_Server):
    """PipeWire, WirePlumber's policy and pipewire-pulse; the graph runs at the first sink's rate in steps of period_ms.

    Everything in PipeWire's graph is float32: a sink's own format is what its client asked for, and its monitor
    always says float32le. A client whose turn comes too late in a period loses that period, in the server, which says
    so in its log: a test of exactness wants a long one, where the machine may stand still for a moment. PulseAudio has
    no period."""

    label = 'pipewire-pulse'
    programs = ('pipewire', 'wireplumber', 'pipewire-pulse')
    mixes_in_float = True

    _NO_BUS = 'context.properties = { support.dbus = false }\n'
    _QUANTUM_LIMIT = 8192  # frames: PipeWire's own default.clock.quantum-limit

    def missed(self):
        count = 0
        for name in ('pipewire.log', 'pipewire-pulse.log'):
            with open(self.path(name), errors='replace') as log:
                count += sum('missed' in line and 'wakeups' in line for line in log)
        return count

    def _make_environment(self):
        super()._make_environment()
        self.env['PIPEWIRE_DEBUG'] = '2,pw.node:3'

    def _configure(self):
        step = min(self.sink.rate * self.period_ms // 1000, self._QUANTUM_LIMIT)
        self._write('config/pipewire/pipewire.conf.d/10-zc.conf', f'''
context.properties = {{
    support.dbus = false
    default.clock.rate = {self.sink.rate}
    default.clock.quantum = {step}
    default.clock.min-quantum = {step}
    default.clock.max-quantum = {step}
    clock.power-of-two-quantum = false
}}
''')
        self._write('config/pipewire/pipewire-pulse.conf.d/10-zc.conf', self._NO_BUS)
        if self._wireplumber_version() < (0, 5):
            self._configure_wireplumber_0_4()
        else:
            self._configure_wireplumber_0_5()

    def _configure_wireplumber_0_4(self):
        """The policy alone: no devices, no bus. It lacks the default sink, which its other profile would bring."""
        self._write('config/wireplumber/policy.lua.d/05-zc.lua',
                    'load_module("metadata")\n'
                    'load_module("default-nodes", { ["use-persistent-storage"] = false })\n')
        self._wireplumber = ('wireplumber', '-c', 'policy.conf')

    def _configure_wireplumber_0_5(self):
        self._write('config/wireplumber/wireplumber.conf.d/10-zc.conf', self._NO_BUS)
        self._wireplumber = ('wireplumber', '-p', 'policy')

    def _start_daemons(self):
        self._start_daemon('pipewire')
        poll.until(lambda: accepts(self.path('run', 'pipewire-0')), START_BOUND_S, f'PipeWire socket\n{self.log()}')
        self._start_daemon(*self._wireplumber)
        self._start_daemon('pipewire-pulse')

    def pw_link(self, *arguments):
        return processes.run(['pw-link', *arguments], PACTL_BOUND_S, env=self.env).stdout

    def links(self):
        """[(output port, input port)]: below each port stand those behind it, "|->", and before it, "|<-"."""
        pairs, port = [], None
        for line in self.pw_link('-l').splitlines():
            words = line.split()
            if len(words) == 1:
                port = words[0]
            elif len(words) == 2 and words[0] == '|->':
                pairs.append((port, words[1]))
        return pairs

    def _wireplumber_version(self):
        text = processes.run(['wireplumber', '--version'], PACTL_BOUND_S, env=self.env).stdout
        number = text.split('libwireplumber')[-1].split()[0]
        return tuple(int(part) for part in number.split('.')[:2])

    def _write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), 0o700, exist_ok=True)
        with open(self.path(name), 'w') as file:
            file.write(text)


class NativePipeWireServer(PipeWireServer):
    """The same, and who lets the element choose captures through PipeWire's own API: nobody names a PulseAudio."""

    label = 'pipewire'
    names_pulseaudio = False

    def sample_specification(self, name):
        """Of the graph, as which a monitor gives it; pactl of PipeWire 1.4 tells what the sink was made with."""
        _, channels, rate = super().sample_specification(name)
        return 'float32le', channels, rate


SERVERS = {server.label: server for server in (PulseServer, PipeWireServer, NativePipeWireServer)}


class MuteServer:
    """A socket that accepts every client and never answers: what a hung server is."""

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix='zc-', dir='/tmp')
        path = os.path.join(self.directory, 'native')
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(16)
        self._accepted = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        self.env = {**os.environ, 'PULSE_SERVER': 'unix:' + path, 'HOME': self.directory}
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for client in self._accepted:
            client.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _accept(self):
        while True:
            try:
                self._accepted.append(self._listener.accept()[0])
            except OSError:
                return
