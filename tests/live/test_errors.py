# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a user sees who asks for what cannot be: one line that names it and says what to do, soon, and exit code 1."""

import os
import re
import time

import livetest
from livetest import EACH_SERVER, note
from support import clients, launch, processes, servers, tap

BOUND_S = 2.0
HANG_S = 20.0
# Words of which every helpful message has one: what to do now.
ADVICE = re.compile(r'\b(start|run|check|choose|list|set|unset|use|try|lower|raise|remove|leave|pactl|'
                    r'gst-device-monitor-1\.0|PULSE_SERVER|wait|restart)\b', re.IGNORECASE)


def gst_launch(env, *words, limit=None):
    """(result, seconds) of a gst-launch-1.0 that is expected to give up by itself."""
    before = time.monotonic()
    limited = ['prlimit', limit] if limit else []
    result = processes.run([*limited, 'gst-launch-1.0', *words], HANG_S, env={**env, 'LC_ALL': 'C.UTF-8'})
    return result, time.monotonic() - before


class ErrorTest(livetest.LiveTest):

    def setUp(self):
        super().setUp()
        _, self.process_start_s = gst_launch(os.environ, launch.ELEMENT, 'num-buffers=0', 'backend=simulated',
                                             '!', 'fakesink')

    def assert_one_error(self, env, description, names, advice=True, limit=None):
        """Fails soon, with one error line; the text has each of `names` in it. `limit`: of prlimit."""
        result, seconds = gst_launch(env, *description.split(), limit=limit)
        text = result.stdout + result.stderr
        self.assertNotEqual(result.returncode, 0, text)
        self.assertLess(seconds, BOUND_S + self.process_start_s, text)
        lines = launch.error_lines(text)
        self.assertEqual(len(lines), 1, text)
        self.assertNotIn('CRITICAL', text)
        self.assertNotIn('Internal data stream error', text)
        for name in names:
            self.assertIn(name.lower(), text.lower())
        if advice:
            self.assertRegex(said_by_the_element(text), ADVICE)
        note(f'{seconds:.2f} s: {lines[0]}')


def said_by_the_element(text):
    """The error's own text: not the pipeline's path, not gst-launch-1.0's chatter around it."""
    line = launch.error_lines(text)[0]
    debug = re.findall(r'Additional debug info:\n(.*(?:\n(?!ERROR|Setting|Freeing|Execution).*)*)', text)
    return ' '.join([line.split(': ', 2)[-1], *debug])


@tap.cases(EACH_SERVER)
class OnAServer(ErrorTest):

    def check_unknown_device(self, label):
        server = self.serve(label)
        self.assert_one_error(server.env, f'{launch.source(device="no-such-sink")} ! fakesink', ['no-such-sink'])

    def check_no_such_process(self, label):
        """Who plays is told: paplay is a link to pacat."""
        server = self.serve(label)
        path, _ = self.counting_file(server, 30)
        with clients.player(server, path, server.sink) as player:
            self.wait_for_clients(server, 'sink-inputs', 1)
            for properties in ({'process_name': 'paplay'}, {'process_id': 4194304}):
                self.assert_one_error(server.env, f'{launch.source(**properties)} ! fakesink',
                                      [*map(str, properties.values()), f'"pacat" ({player.pid})'])

    def check_too_many_channels(self, label):
        self.assert_impossible_caps(label, 'audio/x-raw,channels=33', ['caps'])

    def check_video(self, label):
        self.assert_impossible_caps(label, 'video/x-raw', ['video/x-raw'])

    def check_planar(self, label):
        self.assert_impossible_caps(label, 'audio/x-raw,layout=non-interleaved', ['caps'])

    def check_impossible_rate(self, label):
        self.assert_impossible_caps(label, 'audio/x-raw,rate=2000000', ['caps'])

    def check_pool_bounds_crossed(self, label):
        server = self.serve(label)
        self.assert_one_error(server.env,
                              f'{launch.source(pool_min_buffers=9, pool_max_buffers=3)} ! fakesink',
                              ['pool-min-buffers', 'pool-max-buffers'])

    def assert_impossible_caps(self, label, caps, names):
        """gst-launch-1.0 refuses what the pad's template rules out, the element the rest: one line either way."""
        server = self.serve(label)
        self.assert_one_error(server.env, f'{launch.source()} ! {caps} ! fakesink', names, advice=False)


class WithNothingToCapture(ErrorTest):

    def test_no_server(self):
        path = self.path('nobody-listens-here')
        env = {**os.environ, 'PULSE_SERVER': f'unix:{path}', 'HOME': self.directory}
        self.assert_one_error(env, f'{launch.source(backend="pulse")} ! fakesink', [path])

    def test_no_server_any_backend(self):
        path = self.path('nobody-listens-here')
        env = {**os.environ, 'PULSE_SERVER': f'unix:{path}', 'HOME': self.directory}
        self.assert_one_error(env, f'{launch.source()} ! fakesink', ['server'])

    def test_server_never_answers(self):
        with servers.MuteServer() as mute:
            self.assert_one_error(mute.env, f'{launch.source()} ! fakesink', ['server'])

    def test_server_without_a_sink(self):
        """A server without a single sink: there is no default one (pipewire-pulse always makes one)."""
        server = self.serve('pulseaudio')
        for row in server.pactl('list', 'short', 'modules').splitlines():
            if '\tmodule-null-sink' in row:
                server.pactl('unload-module', row.split('\t')[0])
        self.assert_one_error(server.env, f'{launch.source()} ! fakesink', ['sink'])

    def test_no_session_manager(self):
        """Nobody says which sink is the default one, and nobody links a stream to one that is named."""
        server = self.serve('pipewire')
        server.daemons[1].kill()
        server.daemons[1].wait()
        self.assert_one_error(server.env, f'{launch.source()} ! fakesink', ['default sink', 'wpctl'])
        self.assert_one_error(server.env, f'{launch.source(device=server.sink.name)} ! fakesink', ['session manager'])

    def test_no_memory(self):
        source = launch.source(backend='simulated', device='rate=192000', pool_strategy='fixed', latency_time=1000000,
                               pool_max_buffers=10000)
        self.assert_one_error(os.environ, f'{source} ! fakesink', ['memory', 'pool-max-buffers'], limit='--as=4000000000')

    def test_unknown_backend(self):
        self.assert_one_error(os.environ, f'{launch.source(backend="nonsense")} ! fakesink', ['backend', 'nonsense'],
                              advice=False)


if __name__ == '__main__':
    tap.main()
