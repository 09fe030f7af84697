# SPDX-License-Identifier: LGPL-2.1-or-later
"""The official gst-launch-1.0.exe with wasapi2src and wasapisrc runs on the scripted WASAPI, unchanged.

That is what shows that it is one: programs written for Windows find all that they ask for, and what they capture is
what the script says. A peer that is late on a busy machine loses frames; the engine says how many, and none else may
be missing."""

import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
from lib import scripted  # noqa: E402
from support import launch, signals, tap  # noqa: E402

BUFFERS = 50
OWN_FRAMES = 2400  # 50 ms, on a busy machine
BOUND_S = 30
PROCESS = 4242
TAG_PROCESS = 16
FORMATS = [
    ('f32', 'endpoint format=f32', 'F32LE', 48000, 2),
    ('s16_44k1', 'endpoint format=s16 rate=44100', 'S16LE', 44100, 2),
    ('s24_51', 'endpoint format=s24 channels=6', 'S24LE', 48000, 6),
    ('s24in32', 'endpoint format=s24in32', 'S24_32LE', 48000, 2),
    ('s32_71_96k', 'endpoint format=s32 rate=96000 channels=8', 'S32LE', 96000, 8),
    ('odd_packets', 'packets 480 7 1000 1 600', 'F32LE', 48000, 2),
    ('mono', 'endpoint format=s16 channels=1', 'S16LE', 48000, 1),
]
# wasapisrc writes the second packet of a read over the first, and takes 24 bits in 32 for those below: see the faults.
BROKEN = [('wasapisrc', 's24in32'), ('wasapisrc', 'odd_packets')]
SOURCES = [(source, f'{source} loopback=true') for source in ('wasapi2src', 'wasapisrc')]
CASES = [(f'{source}_{label}', (element, *rest)) for source, element in SOURCES for label, *rest in FORMATS
         if (source, label) not in BROKEN]


class Peer(unittest.TestCase):

    def capture(self, element, script, buffers=BUFFERS, tag=0):
        """(the run, the account of the captured bytes, the caps)."""
        with tempfile.TemporaryDirectory(prefix='zc-peers-') as folder:
            path = os.path.join(folder, 'raw')
            result = scripted.launch(f'-v {element} num-buffers={buffers} ! filesink '
                                     f'location={scripted.windows_path(path)}', script, BOUND_S)
            self.assertIsNotNone(result.returncode, f'hangs:\n{result.output}')
            self.assertTrue(result.report.ended, f'{result.output}\n{result.report.lines}')
            caps = launch.parse_caps(result.output)
            codes = signals.read_raw(path, caps.sample, caps.channels)
        reference = signals.counting(caps.sample, caps.channels, 10 * caps.rate, tag=tag)
        return result, signals.check_counting(codes, reference), caps

    def assert_accounted(self, result, account, scripted_frames=0):
        """No frame is wrong, and none is missing but those that the engine dropped, and few that the peer did, late itself."""
        stream, = result.report.streams
        self.assertGreater(account.matched, 0, account)
        self.assertEqual((account.repeated, account.unrecognised), (0, 0), account)
        self.assertGreaterEqual(stream['overrun'] + scripted_frames + OWN_FRAMES, account.first + account.missing, account)
        self.assertEqual(stream['scripted'], scripted_frames)
        if stream['overrun']:
            tap.note(f'{stream["overrun"]} frames were not fetched in time')
        return stream

    def assert_frames_add_up(self, stream):
        parts = ('delivered', 'overrun', 'stopped', 'queued')
        self.assertEqual(stream['produced'], sum(stream[part] for part in parts), stream)


@tap.cases(CASES)
class CountingSignal(Peer):

    def check_arrives(self, element, script, format, rate, channels):
        """The endpoint's own format, and every frame in it."""
        result, account, caps = self.capture(element, script)
        self.assertEqual((caps.format, caps.rate, caps.channels), (format, rate, channels))
        stream = self.assert_accounted(result, account)
        self.assert_frames_add_up(stream)
        if not stream['overrun']:
            self.assertEqual((account.first, account.missing), (0, 0), account)


@tap.cases([(source, (element,)) for source, element in SOURCES])
class Events(Peer):

    def check_discontinuity(self, element):
        """480 frames are gone at the place that the script says."""
        result, account, _ = self.capture(element, 'at 200ms discontinuity 480')
        self.assert_accounted(result, account, scripted_frames=480)
        self.assertGreaterEqual(account.missing, 480, account)

    def check_stop_of_events_overruns(self, element):
        """A buffer that nobody empties loses what it cannot hold."""
        result, account, _ = self.capture(element, 'at 200ms events-stop 500ms')
        stream = self.assert_accounted(result, account)
        self.assertGreater(stream['overrun'], 10000)
        self.assert_frames_add_up(stream)


class Wasapi2Src(Peer):

    ELEMENT = 'wasapi2src loopback=true'

    def test_keeps_the_contract(self):
        result, _, _ = self.capture(self.ELEMENT, '')
        self.assertEqual(result.report.violations, [])

    def test_garbage_of_silence_is_not_read(self):
        result, account, _ = self.capture(self.ELEMENT, 'at 200ms silent 4800 frames garbage')
        self.assertEqual(account.unrecognised, 0, account)
        self.assertGreaterEqual(account.silence_inside, 4800, account)
        self.assertEqual(result.report.streams[0]['silent'], 4800)

    def test_idle_endpoint_is_kept_awake(self):
        """It renders silence itself: nothing is idle."""
        result, account, _ = self.capture(self.ELEMENT, 'at 200ms idle 100ms')
        self.assertEqual(result.report.streams[0]['idle'], 0)
        self.assertGreaterEqual(account.silence_inside, 4800, account)

    def test_process(self):
        result, account, _ = self.capture(
            f'wasapi2src loopback-mode=include-process-tree loopback-target-pid={PROCESS}',
            f'process {PROCESS} counting', tag=TAG_PROCESS)
        self.assert_accounted(result, account)
        self.assertEqual(result.report.violations, [])

    def test_invalidation_is_an_error(self):
        result, account, _ = self.capture(self.ELEMENT, 'at 200ms invalidate')
        self.assertIn('AUDCLNT_E_DEVICE_INVALIDATED', result.output)
        self.assertLess(account.captured, 24000)

    def test_failure_of_start_is_an_error(self):
        result = scripted.launch(f'{self.ELEMENT} ! fakesink', 'fail Start of=loopback hr=0x8889000f', BOUND_S)
        self.assertIn('failed IAudioClient::Start 0x8889000f', result.report.lines)
        self.assertTrue(launch.error_lines(result.output), result.output)

    def test_explicit_endpoint(self):
        result, account, _ = self.capture(f'{self.ELEMENT} device={{b}}', 'endpoint id={a}; endpoint id={b}', tag=1)
        self.assert_accounted(result, account)


class Script(unittest.TestCase):

    def test_that_makes_no_sense_is_refused(self):
        result = scripted.launch('wasapi2src loopback=true ! fakesink', 'endpoint; at noon invalidate', BOUND_S)
        self.assertIn('script-error line 2:  at noon invalidate', result.report.lines)
        self.assertIn('makes no sense', result.output)


if __name__ == '__main__':
    tap.main()
