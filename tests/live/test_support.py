# SPDX-License-Identifier: LGPL-2.1-or-later
"""The judges are judged: each fault that the live tests look for is made on purpose, and must be found exactly."""

import os
import tempfile
import unittest

import livetest  # noqa: F401  (puts tests/ on the path)
import numpy as np
from support import signals, tap

FRAMES = 20000
LAYOUTS = [(f'{fmt.replace("-", "_")}_{channels}ch', (signals.FORMATS[fmt], channels))
           for fmt in signals.FORMATS for channels in (1, 2, 6)]


def silent(channels, frames=300):
    return np.zeros((frames, channels), np.int32)


@tap.cases(LAYOUTS)
class CountingSignal(unittest.TestCase):

    def check_bytes_and_back(self, fmt, channels):
        codes = signals.counting(fmt, channels, FRAMES)
        back = fmt.decode(fmt.encode(codes)).reshape(-1, channels)
        self.assertTrue((back == codes).all())

    def check_whole(self, fmt, channels):
        codes = signals.counting(fmt, channels, FRAMES)
        report = signals.check_counting(np.concatenate([silent(channels), codes, silent(channels)]), codes)
        self.assertTrue(report.perfect, report)
        self.assertEqual((report.silence_before, report.silence_after), (300, 300))

    def check_faults_are_counted(self, fmt, channels):
        codes = signals.counting(fmt, channels, FRAMES)
        captured = np.concatenate([codes[:1000], codes[1003:5000], codes[4990:6000], silent(channels, 5),
                                   codes[6000:7000], silent(channels, 7), codes[7007:9000]])
        report = signals.check_counting(captured, codes)
        self.assertFalse(report.perfect)
        self.assertEqual((report.missing, report.repeated, report.silence_inside, report.unrecognised),
                         (3 + 7, 10, 5 + 7, 0), report)
        self.assertEqual((report.first, report.last), (0, 8999))

    def check_noise_around_is_noticed(self, fmt, channels):
        codes = signals.counting(fmt, channels, FRAMES)
        noise = np.full((4, channels), 77, np.int32)
        report = signals.check_counting(np.concatenate([noise, codes, silent(channels), noise]), codes)
        self.assertEqual((report.noise_before, report.noise_after), (4, 4), report)
        self.assertTrue(report.perfect, report)

    def check_one_wrong_sample(self, fmt, channels):
        codes = signals.counting(fmt, channels, FRAMES)
        captured = codes.copy()
        captured[777, -1] ^= 1
        self.assertFalse(signals.check_counting(captured, codes).perfect)

    def check_late_start_is_unbroken(self, fmt, channels):
        codes = signals.counting(fmt, channels, FRAMES)
        report = signals.check_counting(codes[123:15000], codes)
        self.assertTrue(report.unbroken and not report.perfect, report)


@tap.cases([(label, args) for label, args in LAYOUTS if args[1] > 1])
class ChannelOrder(unittest.TestCase):

    def check_swap_is_named(self, fmt, channels):
        codes = signals.counting(fmt, channels, FRAMES)
        swapped = codes[:, ::-1]
        report = signals.check_counting(swapped, codes)
        self.assertFalse(report.perfect)
        self.assertEqual(report.channels_found, list(reversed(range(channels))))


class Level(unittest.TestCase):

    def test_tone_of_each_format(self):
        for fmt in signals.FORMATS.values():
            with self.subTest(fmt.pulse):
                data = signals.encode_level(fmt, signals.tone(48000, 2, 3, amplitude=0.5))
                level = signals.level_db(fmt.level(data).reshape(-1, 2), 48000)
                self.assertLess(np.abs(level - 20 * np.log10(0.5)).max(), 0.002)

    def test_a_hundredth_of_a_db_shows(self):
        louder = signals.tone(44100, 1, 3, amplitude=0.5 * 10 ** (0.01 / 20))
        self.assertAlmostEqual(signals.level_db(louder, 44100)[0], 20 * np.log10(0.5) + 0.01, 5)


class Wav(unittest.TestCase):

    def test_written_and_read(self):
        with tempfile.TemporaryDirectory() as directory:
            for name in ('u8', 's16le', 's24le', 's32le'):
                fmt = signals.FORMATS[name]
                data = fmt.encode(signals.counting(fmt, 2, 1000))
                path = signals.write_wav(os.path.join(directory, name), fmt, 44100, 2, data)
                self.assertEqual(signals.read_wav(path), (fmt, 44100, 2, data))


class Positions(unittest.TestCase):

    def test_canonical_order_of_pulse_5_1(self):
        pulse = 'front-left,front-right,rear-left,rear-right,front-center,lfe'.split(',')
        self.assertEqual(signals.canonical_order(pulse), [0, 1, 4, 5, 2, 3])
        self.assertEqual(signals.channel_mask(pulse), 0x3F)


if __name__ == '__main__':
    tap.main()
