# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the live tests on Windows share: a private PulseAudio, which is Wine's audio system, official programs."""

import contextlib
import dataclasses
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))

from support import clients, poll, servers, signals, tap, wine  # noqa: E402,F401  (the path above comes first)
from support.private import PrivateTest  # noqa: E402

FULL_SECONDS = float(os.environ.get('ZC_LIVE_SECONDS', '3'))
LEAD_SECONDS = 0.5
TAIL_SECONDS = 0.5
# Wine's mix format is float, whatever the sink's is.
FORMAT = signals.FORMATS['float32le']

note = tap.note


class WindowsTest(PrivateTest):
    """A private server for each test: Wine asks it anew for its sinks in each process."""

    prefix = 'zc-windows-'

    def setUp(self):
        super().setUp()
        try:
            wine.require()
        except servers.Unavailable as reason:
            self.skipTest(str(reason))

    def run(self, result=None):
        """unittest leaves the cleanups out when a test is interrupted; a server's end is one."""
        try:
            return super().run(result)
        except KeyboardInterrupt:
            self.doCleanups()
            raise

    def serve(self, **sink):
        """(server, environment of Windows programs)"""
        server = self.enter_server(servers.PulseServer(**sink))
        return server, wine.environment(server.env)

    def play(self, server, path, sink=None):
        """Plays a raw file in the sink's format to its end; bounded by what the file holds."""
        sink = sink or server.sink
        frame_bytes = signals.FORMATS[sink.format].bytes * sink.channels
        with clients.player(server, path, sink) as player:
            if player.wait(os.path.getsize(path) / frame_bytes / sink.rate * 1.5 + 15):
                self.fail(f'pacat ended with {player.returncode}\n{server.log()}')

    @contextlib.contextmanager
    def captures(self, env, sink, sources):
        """{name: Launch} of these sources, all at once in the sink's rate and channels, with their first bytes there.

        The caps say what all would do by themselves if wasapi2src did not prefer another format than the device's."""
        caps = f'audio/x-raw,format={FORMAT.gst},rate={sink.rate},channels={sink.channels}'
        lenient = {name: value for name, value in env.items() if name != 'G_DEBUG'}  # a warning of theirs is theirs
        with contextlib.ExitStack() as running:
            launches = {name: running.enter_context(wine.Launch(env if name not in wine.PEERS else lenient,
                                                                f'{text} ! {caps}', self.path(f'{name}.raw')))
                        for name, text in sources.items()}
            for one in launches.values():
                one.wait_for_bytes(1)
            yield launches

    def end_after(self, launches, sink, seconds):
        """What is on its way when the player has ended is part of the capture."""
        size = int(seconds * sink.rate) * FORMAT.bytes * sink.channels
        wanted = {one: one.bytes + size for one in launches.values()}
        for one, size in wanted.items():
            one.wait_for_bytes(size)
        for one in launches.values():
            one.end()

    def account(self, running, sink, codes):
        """The Report of a capture of `codes` (in the sink's order), judged by the order that its caps promise."""
        captured = signals.read_raw(running.path, FORMAT, sink.channels)
        return signals.check_counting(captured, codes[:, signals.canonical_order(sink.positions)])


# What `identity silent=false` tells of a buffer under -v.
BUFFER = re.compile(r'\((\d+) bytes, dts: [^,]+, pts: ([\d:.]+), duration: ([\d:.]+), offset: (\d+), '
                    r'offset_end: (\d+), flags: \w+ ([^,]*),')


@dataclasses.dataclass(frozen=True)
class Buffer:
    pts_ns: int
    duration_ns: int
    offset: int
    offset_end: int
    flags: tuple


def buffers(output):
    for _, pts, duration, offset, offset_end, flags in BUFFER.findall(output):
        yield Buffer(nanoseconds(pts), nanoseconds(duration), int(offset), int(offset_end), tuple(flags.split()))


def nanoseconds(text):
    hours, minutes, seconds = text.split(':')
    whole, fraction = seconds.split('.')
    return (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 10**9 + int(fraction)


def brief(report):
    """One line of a Report."""
    if report.perfect:
        return f'all {report.matched} frames, each once and exact, after {report.silence_before} of silence'
    return str(report)
