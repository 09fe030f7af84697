# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one process plays is captured, or all but that: others play meanwhile, and not a frame of theirs gets in."""

import contextlib
import os
import shutil
import subprocess

import livetest
import numpy as np
from livetest import EACH_PULSE_SERVER, EACH_SERVER, LEAD_SECONDS, exact, note
from support import clients, launch, poll, processes, signals, tap
from support.inprocess import Capture

SECONDS = 2.0
NOISE = 0.2  # of full scale: two of them can be added without a clip
# A start of a stream on PipeWire may take two periods; what is played before it is heard by nobody.
LEAD_S = LEAD_SECONDS + 3 * livetest.STEADY_PERIOD_MS / 1000


class Held:
    """A process whose number is known before it plays; it plays, one file after the other, as often as it is told."""

    def __init__(self, server, *paths, program='pacat'):
        argv = ' '.join([program, *clients.play_argv(server.sink)[1:]])
        script = f'for path in "$@"; do read go && {argv} "$path"; done; read go'
        self._child = processes.start(['sh', '-c', script, 'sh', *paths], env=server.env, stdin=subprocess.PIPE,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self._child.pid
        self._server = server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.end(self._child)

    def play(self):
        self._child.stdin.write(b'go\n')
        self._child.stdin.flush()

    def end(self):
        processes.end(self._child)


class ProcessTest(livetest.LiveTest):

    def counting(self, server, tag):
        """As counting_file(), with a signal that no other tag has a stretch of."""
        sink = server.sink
        fmt = signals.FORMATS[sink.format]
        codes = signals.counting(fmt, sink.channels, int(sink.rate * SECONDS), livetest.FLOAT_BITS, tag)
        silence = signals.silence(fmt, sink.channels, int(sink.rate * LEAD_S))
        return signals.write_file(self.path(f'{tag}.raw'), silence + fmt.encode(codes)), codes

    def noise_file(self, server, seed, seconds):
        samples = np.random.default_rng(seed).uniform(-NOISE, NOISE, (int(server.sink.rate * seconds), 2))
        lead = np.zeros((int(server.sink.rate * LEAD_S), 2))
        return signals.write_file(self.path(f'noise{seed}.raw'), np.concatenate([lead, samples]).astype('<f4').tobytes())

    def players_gone(self, server):
        poll.until(lambda: server.count('sink-inputs') == 0, SECONDS + 20, 'end of the players')

    @contextlib.contextmanager
    def captured(self, server, name='captured', **properties):
        """The Launch of a capture of processes that runs."""
        with launch.Launch(server, launch.source(**properties), self.path(name + '.raw')) as running:
            running.wait_for_bytes(1)
            yield running
            self.capture_tail(running)
            running.finish()


@tap.cases(EACH_PULSE_SERVER)
class Processes(ProcessTest):

    @exact
    def check_include(self, label):
        self.assert_captured(label, 0, process_mode='include')

    @exact
    def check_exclude(self, label):
        self.assert_captured(label, 1, process_mode='exclude')

    def assert_captured(self, label, wanted, **properties):
        """Two play at once; process-id is that of the first."""
        server = self.serve_steady(label)
        files = [self.counting(server, tag) for tag in (0, 1)]
        with Held(server, files[0][0]) as first, Held(server, files[1][0]) as second, \
                self.captured(server, process_id=first.pid, **properties) as running:
            first.play()
            second.play()
            self.wait_for_clients(server, 'sink-inputs', 2)
            self.players_gone(server)
        self.assertEqual(running.caps.format, 'F32LE')
        report = self.account(running, server.sink, files[wanted][1])
        self.assert_perfect(report)
        note(f'{report.matched} frames: all exact, and nothing of the other')

    @exact
    def check_comes_back(self, label):
        """A process that plays no more is silence, of the right length; when it plays again, that is captured."""
        server = self.serve_steady(label)
        files = [self.counting(server, tag) for tag in (0, 1)]
        with Held(server, *(path for path, _ in files)) as held, \
                self.captured(server, process_id=held.pid) as running:
            for _ in files:
                held.play()
                self.wait_for_clients(server, 'sink-inputs', 1)
                self.players_gone(server)
                self.silence_follows(running)
            held.end()
            self.silence_follows(running)
        self.assert_one_after_the_other(running, [codes for _, codes in files])

    def silence_follows(self, running):
        size = running.bytes
        running.wait_for_bytes(size + running.caps.frame_bytes * running.caps.rate // 2)

    def assert_one_after_the_other(self, running, signals_played):
        captured = signals.read_raw(running.path, running.caps.sample, running.caps.channels)
        begins = [int(np.flatnonzero((captured == codes[0]).all(axis=1))[0]) for codes in signals_played[1:]]
        for codes, begin, end in zip(signals_played, [0, *begins], [*begins, len(captured)]):
            self.assert_perfect(signals.check_counting(captured[begin:end], codes))

    @exact
    def check_name(self, label):
        """All of one executable, as they come and go; one that is called otherwise plays all the time."""
        server = self.serve_steady(label)
        program = shutil.copy(shutil.which('pacat'), self.path('zc-player'))
        files = [self.counting(server, tag) for tag in (0, 1)]
        silence = signals.write_file(self.path('silence.raw'), bytes(8 * 60 * server.sink.rate))
        with Held(server, silence, program=program) as first, \
                Held(server, *(path for path, _ in files), program=program) as second, \
                Held(server, self.noise_file(server, 1, 60)) as other:
            first.play()
            other.play()
            self.wait_for_clients(server, 'sink-inputs', 2)
            with self.captured(server, process_name='zc-player') as running:
                for _ in files:
                    second.play()
                    self.wait_for_clients(server, 'sink-inputs', 3)
                    poll.until(lambda: server.count('sink-inputs') == 2, SECONDS + 20, 'end of the player')
                    self.silence_follows(running)
        self.assert_one_after_the_other(running, [codes for _, codes in files])

    @exact
    def check_all_is_the_monitor(self, label):
        """Two who play, added up by us, are what the sink has made of them, sample by sample, though the second
        begins in the midst of the first."""
        server = self.serve_steady(label)
        with Held(server, self.noise_file(server, 1, SECONDS)) as first, \
                Held(server, self.noise_file(server, 2, SECONDS / 2)) as second, \
                self.captured(server, name='monitor') as monitor, \
                self.captured(server, process_id=os.getpid()) as running:
            first.play()
            self.wait_for_clients(server, 'sink-inputs', 1)
            size = running.bytes
            running.wait_for_bytes(size + int((LEAD_S + SECONDS / 4) * running.caps.rate) * running.caps.frame_bytes, 10)
            second.play()
            self.wait_for_clients(server, 'sink-inputs', 2)
            self.players_gone(server)
        whole, mixed = (np.trim_zeros(signals.read_raw(each.path, each.caps.sample, 2)[:, 0])
                        for each in (monitor, running))
        self.assertEqual(len(whole), len(mixed))
        self.assertGreaterEqual(len(whole), int(server.sink.rate * SECONDS) - 10)
        self.assertEqual(int(np.abs(whole - mixed).max()), 0)
        note(f'{len(whole)} frames of a mix of two: as the sink made it')

    @exact
    def check_ourselves_excluded(self, label):
        """process-mode=exclude alone: who captures what others play, and plays something, does not hear itself."""
        server = self.serve_steady(label)
        path, codes = self.counting(server, 0)
        description = (f'audiotestsrc volume=0.3 ! audio/x-raw,format=F32LE,rate=48000,channels=2 ! pulsesink '
                       f'{launch.source(process_mode="exclude")}')
        with launch.Launch(server, description, self.path('captured.raw')) as running:
            running.wait_for_bytes(1)
            self.wait_for_clients(server, 'sink-inputs', 1)
            self.play(server, path)
            self.capture_tail(running)
            running.finish()
        self.assert_perfect(self.account(running, server.sink, codes))


@tap.cases(EACH_SERVER)
class Switched(ProcessTest):
    """Two programs play a tone each; whose is captured is set while playing."""

    HZ = {'zc-one': 600, 'zc-two': 997}
    AMPLITUDE = 0.3

    @exact
    def check_by_number_and_name(self, label):
        server = self.serve_steady(label)
        held = {name: self.enter(self.player_of(server, name)) for name in self.HZ}
        for player in held.values():
            player.play()
        self.wait_for_clients(server, 'sink-inputs', 2)
        steps = [({'process-id': held['zc-one'].pid}, ['zc-one']), ({'process-mode': 'exclude'}, ['zc-two']),
                 ({'process-id': 0, 'process-name': 'zc-one'}, ['zc-two']), ({'process-mode': 'include'}, ['zc-one']),
                 ({'process-name': 'zc-two'}, ['zc-two']), ({'process-name': None}, ['zc-one', 'zc-two'])]
        parts = []
        with server.activated(), Capture(f'filesink location={self.path("tones.raw")}') as capture:
            for properties, names in steps:
                for each, value in properties.items():
                    capture.source.set_property(each, value)
                capture.wait_for_packets(150, 8)  # the change, and what was on its way
                begin = sum(packet.size for packet in capture.packets)
                capture.wait_for_packets(110, 5)
                parts.append((begin, names))
            capture.send_eos()
        caps = capture.final_caps
        frames = np.fromfile(self.path('tones.raw'), '<f4').reshape(-1, caps.channels)
        for (begin, names), (properties, _) in zip(parts, steps):
            second = frames[begin // caps.frame_bytes:][:caps.rate, 0]
            levels = {each: self.level_db(second, caps.rate, hertz) for each, hertz in self.HZ.items()}
            note(f'{properties}: ' + ', '.join(f'{each} {level:.1f} dB' for each, level in levels.items()))
            wanted = 20 * np.log10(self.AMPLITUDE)
            for each, level in levels.items():
                if each in names:
                    self.assertAlmostEqual(level, wanted, delta=0.1)
                else:
                    self.assertLess(level, wanted - 60)

    def player_of(self, server, name):
        rate = server.sink.rate
        tone = signals.tone(rate, server.sink.channels, 60, self.AMPLITUDE, self.HZ[name])
        path = signals.write_file(self.path(name + '.raw'), signals.encode_level(signals.FORMATS[server.sink.format], tone))
        return Held(server, path, program=shutil.copy(shutil.which('pacat'), self.path(name)))

    def level_db(self, samples, rate, hertz):
        """Of one second: whole periods, so that one tone does not read as another."""
        turn = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / rate)
        return 20 * np.log10(2 * abs(turn @ samples) / len(samples) + 1e-12)


if __name__ == '__main__':
    tap.main()
