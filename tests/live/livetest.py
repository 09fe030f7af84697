# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the live tests share: a server per test, a temporary directory, play-and-capture."""

import functools
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

from support import clients, launch, poll, servers, signals, tap  # noqa: E402  (the path above comes first)
from support.private import PrivateTest  # noqa: E402

FULL_SECONDS = float(os.environ.get('ZC_LIVE_SECONDS', '5'))
SHORT_SECONDS = min(FULL_SECONDS, 2.0)
# A server may change what it does when a stream starts (rewind, link, re-time); that falls into this silence.
LEAD_SECONDS = 0.5
TAIL_SECONDS = 0.3
FLOAT_BITS = 24
# PipeWire's period. A machine (a virtual one, say) that stands still for longer makes PipeWire lose periods: a
# recording by parec of what pacat plays has the same holes.
STEADY_PERIOD_MS = 160
TRIES = 5

note = tap.note


def exact(check):
    """A test of exactness judges what the server delivers: where the server says that it missed turns itself, the test
    is made anew, with a new server. What fails without that word fails at once."""
    @functools.wraps(check)
    def judged(self, *args):
        for _ in range(TRIES - 1):
            try:
                return check(self, *args)
            except AssertionError as error:
                missed = self.server.missed() if self.server else 0
                if not missed:
                    raise
                note(f'once more, since the server says that {missed} turns were missed: {str(error)[:300]}')
            self.doCleanups()
            self.setUp()
        return check(self, *args)
    return judged


EACH_SERVER = [(label.replace('-', '_'), (label,)) for label in servers.SERVERS]
# Processes are captured by PulseAudio's interface wherever they play.
EACH_PULSE_SERVER = [case for case in EACH_SERVER if case[0] != 'pipewire']


class LiveTest(PrivateTest):
    """A private server for each test, so that none inherits another's streams."""

    prefix = 'zc-live-'

    def setUp(self):
        if not shutil.which('gst-launch-1.0'):
            self.skipTest('not installed: gst-launch-1.0')
        super().setUp()
        self.server = None

    def run(self, result=None):
        """unittest leaves the cleanups out when a test is interrupted; a server's end is one."""
        try:
            return super().run(result)
        except KeyboardInterrupt:
            self.doCleanups()
            raise

    def serve(self, label, **sink):
        self.server = self.enter_server(servers.SERVERS[label](**sink))
        return self.server

    def serve_steady(self, label, **sink):
        """For tests of exactness: a server that does not lose sound by itself when the machine is busy."""
        return self.serve(label, period_ms=STEADY_PERIOD_MS, **sink)

    def counting_file(self, server, seconds, sink=None, lead_seconds=LEAD_SECONDS, tag=0):
        """(path, codes) of a counting signal in the sink's own format and channel order, after some silence."""
        sink = sink or server.sink
        fmt = signals.FORMATS[sink.format]
        kept = min(fmt.code_bits, FLOAT_BITS) if server.mixes_in_float else fmt.code_bits
        codes = signals.counting(fmt, sink.channels, int(sink.rate * seconds), kept, tag)
        silence = signals.silence(fmt, sink.channels, int(sink.rate * lead_seconds))
        return signals.write_file(self.path(f'{sink.name}-{tag}.raw'), silence + fmt.encode(codes)), codes

    def play(self, server, path, sink=None):
        """Plays to the end; bounded by what the file holds."""
        sink = sink or server.sink
        with clients.player(server, path, sink) as player:
            if player.wait(self.seconds_of(path, sink) * 1.5 + 15):
                self.fail(f'pacat ended with {player.returncode}\n{server.log()}')

    def seconds_of(self, path, sink):
        frame_bytes = signals.FORMATS[sink.format].bytes * sink.channels
        return os.path.getsize(path) / frame_bytes / sink.rate

    def capture(self, server, path, description, sink=None):
        """Captures with gst-launch-1.0 what pacat plays from `path`; returns the ended Launch."""
        with launch.Launch(server, description, self.path('captured.raw')) as running:
            running.wait_for_bytes(1)
            self.play(server, path, sink)
            self.capture_tail(running)
            running.finish()
        return running

    def capture_tail(self, running):
        """What is on its way when the player has ended is part of the capture."""
        frames = int(TAIL_SECONDS * running.caps.rate)
        running.wait_for_bytes(running.bytes + frames * running.caps.frame_bytes)

    def wait_for_clients(self, server, kind, count):
        """Until the server itself says that so many 'sink-inputs' or 'source-outputs' are there."""
        poll.until(lambda: server.count(kind) == count, 5, f'{count} {kind}')

    def account(self, running, sink, codes):
        """The Report of a capture of `codes` (in the sink's order), judged by the order that its caps promise."""
        caps = running.caps
        captured = signals.read_raw(running.path, caps.sample, caps.channels)
        reference = signals.convert_codes(codes, signals.FORMATS[sink.format], caps.sample)
        return signals.check_counting(captured, reference[:, signals.canonical_order(sink.positions)])

    def assert_perfect(self, report, noise_bound=0):
        """`noise_bound`: frames of noise that the *server* is known to make around a stream."""
        self.assertLessEqual(report.noise_before + report.noise_after, noise_bound, report)
        if not report.perfect:
            self.fail(f'not every frame arrived once, in order, in its channel:\n{report}')
