# SPDX-License-Identifier: LGPL-2.1-or-later
"""The spectrogram script, and the tool that describes files."""

import struct
import subprocess
import sys

from pipelinetest import TREE, PipelineTest, signals, tap


def png_size(path):
    with open(path, 'rb') as file:
        head = file.read(24)
    return struct.unpack('>II', head[16:24]) if head.startswith(b'\x89PNG\r\n\x1a\n') else None


class Picture(PipelineTest):

    def setUp(self):
        super().setUp()
        if subprocess.run([sys.executable, '-c', 'import matplotlib'], stderr=subprocess.DEVNULL).returncode:
            self.skipTest('not installed: matplotlib')

    def tone_file(self, name='tone.wav', rate=44100, channels=6, seconds=3.0):
        data = signals.encode_level(signals.FORMATS['s16le'], signals.tone(rate, channels, seconds))
        return signals.write_wav(self.path(name), signals.FORMATS['s16le'], rate, channels, data)

    def assert_draws(self, result, name):
        self.assert_succeeds(result)
        self.assert_says(result.text, f'drew {name}')
        self.assertEqual(png_size(self.path(name)), (1440, 960))
        self.assert_nothing_left()

    def test_of_a_file(self):
        self.tone_file()
        self.assert_draws(self.run_script(None, 'spectrogram', 'tone.wav'), 'tone.png')

    def test_of_a_very_short_file(self):
        self.tone_file(seconds=0.001)
        self.assert_draws(self.run_script(None, 'spectrogram', '-o', 'short.png', 'tone.wav'), 'short.png')

    def test_of_a_new_capture(self):
        result = self.run_script(self.serve_tone(), 'spectrogram', '-d', 1, '-o', 'new')
        self.assert_holds_tone('new.flac', 1, 'FLAC')
        self.assert_draws(result, 'new.png')

    def test_of_a_text(self):
        result = self.run_script(None, 'spectrogram', TREE + '/pipelines/lib/audio.py', '-o', 'x.png')
        self.assertEqual(result.returncode, 2, 'options come first')
        result = self.run_script(None, 'spectrogram', '-o', 'x.png', TREE + '/pipelines/lib/audio.py')
        self.assertNotEqual(result.returncode, 0)
        self.assert_says(result.text, 'picture: .*audio.py')
        self.assertNotIn('Traceback', result.text)

    def test_of_no_file(self):
        result = self.run_script(None, 'spectrogram', 'missing.wav')
        self.assertEqual(result.returncode, 1)
        self.assert_says(result.text, 'spectrogram: cannot read missing.wav')


if __name__ == '__main__':
    tap.main()
