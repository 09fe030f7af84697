# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sound that stops and starts again: what was recorded is as long as the time that passed, and each sound is where it was.
A recording of the same monitor by parec tells the truth. ZC_LIVE_MINUTES=10 for the long form."""

import os
import subprocess

import numpy as np
import winlive
from support import processes, signals, tap, wine
from winlive import FORMAT, note

MINUTES = float(os.environ.get('ZC_LIVE_MINUTES', '0.2'))
SOUNDS = 5
SOUND_S = 0.5
QUIET_S = MINUTES * 60 / SOUNDS - SOUND_S
PLACE_BOUND_MS = 20
PACKET_FRAMES = 480
LEAST_QUIET_S = 0.25  # between two sounds, to tell them apart
SUBJECTS = {'feed': 'zcloopbacksrc idle=feed', 'synthesize': 'zcloopbacksrc idle=synthesize', 'wasapi2src': wine.LOOPBACK['wasapi2src']}
OURS = [(name, (name,)) for name in ('feed', 'synthesize')]


def sounds(path, channels, rate):
    """[(first frame, frame after the last)] of each sound in a recording."""
    sounding = np.flatnonzero(np.abs(signals.read_levels(path, FORMAT, channels)[:, 0]) > 1e-3)
    breaks = np.flatnonzero(np.diff(sounding) > LEAST_QUIET_S * rate)
    begins = [sounding[0], *sounding[breaks + 1]]
    return list(zip(begins, [*sounding[breaks] + 1, sounding[-1] + 1]))


@tap.cases(OURS)
class Idle(winlive.WindowsTest):
    found = None

    def setUp(self):
        super().setUp()
        if type(self).found is None:
            type(self).found = self.record()

    def record(self):
        """{who: their sounds}, of all of them at once."""
        server, env = self.serve()
        sink = server.sink
        noise = np.random.default_rng(1).uniform(-0.5, 0.5, (int(sink.rate * SOUND_S), sink.channels)).astype('<f4')
        path = signals.write_file(self.path('noise.raw'), noise.tobytes())
        quiet = int(QUIET_S * sink.rate) * FORMAT.bytes * sink.channels
        argv = ['parec', '--raw', f'--device={sink.name}.monitor', '--format=float32le', f'--rate={sink.rate}',
                f'--channels={sink.channels}', '--latency-msec=10', self.path('parec.raw')]
        with processes.started(argv, env=server.env, stderr=subprocess.DEVNULL), \
                self.captures(env, sink, SUBJECTS) as launches:
            for _ in range(SOUNDS):
                self.play(server, path)
                ours = launches['feed']
                ours.wait_for_bytes(ours.bytes + quiet, QUIET_S + 10)
            self.end_after(launches, sink, winlive.TAIL_SECONDS)
        paths = {'parec': self.path('parec.raw'), **{name: running.path for name, running in launches.items()}}
        return {name: sounds(path, sink.channels, sink.rate) for name, path in paths.items()}

    def check_each_sound_is_in_its_place(self, name):
        truth = self.found['parec']
        self.assertEqual(len(truth), SOUNDS)
        for who in (name, 'wasapi2src'):
            begins = [begin - self.found[who][0][0] for begin, _ in self.found[who]]
            true = [begin - truth[0][0] for begin, _ in truth]
            off = [(one - other) / 48 for one, other in zip(begins, true)]
            length = self.found[who][-1][1] - self.found[who][0][0] - (truth[-1][1] - truth[0][0])
            note(f'{who}: {len(begins)} sounds, off by {", ".join(f"{ms:+.2f}" for ms in off)} ms; in all {length:+d} frames')
            if who == name:
                self.assertEqual(len(begins), SOUNDS)
                self.assertLess(max(map(abs, off)), PLACE_BOUND_MS)
                self.assertLessEqual(abs(length), PACKET_FRAMES)


if __name__ == '__main__':
    tap.main()
