# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each recording pipeline on a private server: the file holds what was playing, and the script says so."""

import os
import re
import signal

from pipelinetest import AMPLITUDES, BOUND_S, PipelineTest, peak_db, poll, processes, rms_db, tap

RECORDERS = [
    ('wav', ('record-wav', 'sound.wav', 'IEEE float')),
    ('flac', ('record-flac', 'sound.flac', 'FLAC')),
    ('opus', ('record-opus', 'sound.opus', 'Opus')),
]
SECONDS = 2
ROUNDING_DB = 0.051  # of a level that is told with one digit
# Opus swings over where a sound begins at once: by up to 1.24 dB here, by the phase in which it does (24 phases tried).
OPUS_SWINGS_DB = 1.5


@tap.cases(RECORDERS)
class Recorder(PipelineTest):

    def check_holds_what_played(self, script, name, codec):
        result = self.run_script(self.serve_tone(), script, '-d', SECONDS, '-o', name)
        self.assert_succeeds(result)
        self.assert_holds_tone(name, SECONDS, codec)
        self.assert_tells_line_and_levels(result.text, name)
        self.assert_nothing_left()

    def check_ends_on_interrupt(self, script, name, codec):
        """Ctrl-C reaches the whole foreground group; the file is finished, and described."""
        self.end_it(lambda child: os.killpg(child.pid, signal.SIGINT), script, name, codec)

    def check_ends_on_sigterm(self, script, name, codec):
        """Only the script is told; it tells the pipeline."""
        self.end_it(lambda child: child.terminate(), script, name, codec)

    def end_it(self, end, script, name, codec):
        server = self.serve_tone()
        with processes.started(self.argv(script, '-o', name), env=self.environment(server), cwd=self.directory,
                               stdout=processes.subprocess.PIPE, stderr=processes.subprocess.STDOUT, text=True) as child:
            poll.until(lambda: self.size(name) > 16384, BOUND_S, f'sound in {name}')
            end(child)
            text, _ = child.communicate(timeout=BOUND_S)
        self.assertEqual(child.returncode, 0, text)
        sound = self.assert_holds_tone(name, 0, codec, duration_within=BOUND_S)
        self.assertGreater(sound.seconds, 0.1)
        self.assert_says(text, f'wrote {name}')
        self.assert_nothing_left()

    def size(self, name):
        return os.path.getsize(self.path(name)) if os.path.exists(self.path(name)) else 0

    def assert_tells_line_and_levels(self, text, name):
        self.assertIn(f'gst-launch-1.0 -e zcloopbacksrc num-buffers={SECONDS * 100} !', text)
        self.assert_says(text, f'wrote {name} [0-9.]+ .?B, {SECONDS}.0[0-3] s,')
        for channel, amplitude in zip(('FL', 'FR'), AMPLITUDES):
            peak, rms = self.assert_says(text, f'{channel} peak (-[0-9.]+) dBFS RMS (-[0-9.]+) dBFS')
            self.assertAlmostEqual(float(peak), peak_db(amplitude),
                                   delta=OPUS_SWINGS_DB if name.endswith('.opus') else ROUNDING_DB)
            self.assertAlmostEqual(float(rms), rms_db(amplitude), delta=2 * ROUNDING_DB)


SURROUND = [
    ('of_2_1', ('front-left,front-right,lfe', 'FL FR FC')),
    ('of_7_1', ('front-left,front-right,rear-left,rear-right,front-center,lfe,side-left,side-right',
                'FL FR FC LFE RL RR SL SR')),
    ('of_places_unknown', ('aux0,aux1,aux2,aux3', 'FL FR RL RR')),
]


@tap.cases(SURROUND)
class Surround(PipelineTest):

    def check_all_channels_are_recorded(self, channel_map, names):
        """In the nearest layout that the file can have; what has no place gets one."""
        for script, name in (('record-flac', 'sound.flac'), ('record-opus', 'sound.opus')):
            result = self.run_script(self.serve(map=channel_map), script, '-d', 0.5, '-o', name)
            self.assert_succeeds(result)
            told = re.findall(r'^ +(\S+) +peak', result.text, re.M)
            self.assertEqual(told, names.split(), result.text)
            self.assert_says(result.text, 'This is silence')


class Recording(PipelineTest):

    def test_names_the_file_by_time(self):
        result = self.run_script(self.serve_tone(), 'record-wav', '-d', 0.5)
        self.assert_succeeds(result)
        name, = self.assert_says(result.text, r'wrote (capture-\d{8}-\d{6}\.wav)')
        self.assert_holds_tone(name, 0.5, 'IEEE float')

    def test_file_names_are_taken_as_they_are(self):
        name = "It's \"all\" one; $HOME * name!.wav"
        result = self.run_script(self.serve_tone(), 'record-wav', '-d', 0.5, '-o', name)
        self.assert_succeeds(result)
        self.assert_holds_tone(name, 0.5, 'IEEE float')

    def test_named_device(self):
        result = self.run_script(self.serve_tone(), 'record-wav', '-d', 0.5, '-D', 'zc', '-o', 'sound.wav')
        self.assert_succeeds(result)
        self.assertIn('device=zc', result.text)
        self.assert_holds_tone('sound.wav', 0.5, 'IEEE float')

    def test_statistics(self):
        result = self.run_script(self.serve_tone(), 'record-flac', '-s', '-d', SECONDS, '-o', 'sound.flac')
        self.assert_succeeds(result)
        captured, silence, lost, _ = map(int, self.assert_says(
            result.text, r'frames captured (\d+), silence (\d+), lost (\d+); expected (\d+)'))
        self.assertEqual((captured + silence, lost), (SECONDS * 48000, 0))
        self.assert_says(result.text, 'pool hits [0-9]+, misses [0-9]+, hit rate [0-9.]+ %, outstanding 0,')
        self.assert_says(result.text, f'1.0 s of {SECONDS}.0 s')

    def test_silence_is_called_silence(self):
        result = self.run_script(self.serve(), 'record-wav', '-d', 0.5, '-o', 'sound.wav')
        self.assert_succeeds(result)
        self.assert_says(result.text, 'FL peak -inf dBFS RMS -inf dBFS')
        self.assert_says(result.text, 'This is silence: nothing was playing')

    def test_tee_writes_three_files_and_shows_levels(self):
        result = self.run_script(self.serve_tone(), 'tee-outputs', '-s', '-d', SECONDS, '-o', 'sound')
        self.assert_succeeds(result)
        for _, (_, name, codec) in RECORDERS:
            self.assert_holds_tone(name, SECONDS, codec)
            self.assert_says(result.text, f'wrote {name}')
        self.assert_says(result.text, r'1.0 s of 2.0 s FL -9\.\d peak -6\.\d FR -15\.\d peak -12\.\d dBFS')
        self.assert_says(result.text, r'lost 0; expected')


if __name__ == '__main__':
    tap.main()
