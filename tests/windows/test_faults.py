# SPDX-License-Identifier: LGPL-2.1-or-later
"""zcloopbacksrc over every fault of faults.py: what could be captured is, each frame once and in its place; what could
not be opened says so once, with the HRESULT; nothing is against the contract, left behind, or stuck."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import faults  # noqa: E402
from lib import scripted  # noqa: E402
from support import poll, tap  # noqa: E402

AT_ONCE = 6  # they mostly wait
FRAMES = 48000 * faults.SECONDS
SECOND_BYTES = 48000 * 2 * 4
START_S = 3  # of Wine and gst-launch-1.0 on a busy machine; their usual is 0.3
STUCK_S = 2

# Frames of the signal that the engine did not have, or had as silence.
LOST = {'idle, then sound': 48000, 'idle, then sound, fed': 48000, 'discontinuity': 480, 'process, discontinuity': 480, 'silent with garbage': 4800,
        'process, idle as silence': 28800, 'process, idle as nothing': 28800}
# Calls of which it can do without, which end the stream anyway, or are made once more when a start finds the device gone.
WITHOUT = ('GetBufferSize', 'GetCurrentPadding', 'GetDevicePeriod', 'GetValue', 'IMMDeviceCollection::GetCount', 'Item',
           'OpenPropertyStore', 'RegisterEndpointNotificationCallback', 'Stop', 'UnregisterEndpointNotificationCallback')
ONCE_MORE = ('ActivateResult', 'GetDefaultAudioEndpoint', 'GetId', 'GetService', 'SetEventHandle', 'Start')
HARMLESS = {*(f'fail {call}' for call in WITHOUT + ONCE_MORE), *(f'fail {call} always' for call in WITHOUT)}
# Who cannot take his callback back still has it registered.
VIOLATIONS = {f'fail UnregisterEndpointNotificationCallback{times}': {'enumerator-released-registered': 1}
              for times in ('', ' always')}
# A call that is still under way when the process exits has what it works on.
UNDER_WAY = ('slow activation', 'slow Start', 'slow Stop', 'process, never ends')
ERRORS = {
    'invalidated': '0x88890004', 'resources invalidated': '0x88890026', 'service not running': '0x88890010',
    'removed': '0x88890004', 'removed and back': '0x88890004', 'back with another format': '0x88890004',
    'process, invalidated': '0x88890004', 'no endpoint': 'no device', 'slow activation': 'did not end within 1.5 s',
    'slow Start': 'did not end within 1.5 s', 'process, never ends': 'did not end within 1.5 s',
    'process is dead': 'There is no process 4242', 'process refused': '0x80004001',
    'process refused at the call': '0x80004001', 'fail GetDefaultAudioEndpoint always': 'no default device',
    'fail GetId always': 'no device that plays',
}


def error_of(name, fault):
    """What its error has to say; None if there is to be none."""
    if name in ERRORS:
        return ERRORS[name]
    if not name.startswith('fail ') or name in HARMLESS or name.endswith('of the feeder'):
        return None
    return re.search(r'hr=(0x[0-9a-f]+)', fault.script).group(1)


class List(unittest.TestCase):

    def test_is_whole(self):
        """What the sources call of WASAPI is failed in a fault, but for what cannot fail."""
        sources = pathlib.Path(HERE, '..', '..', 'src', 'zc-backend-wasapi').glob('*.c')
        called = set(re.findall(r'\bI(?:MM|Audio|Property|Activate|Unknown)\w*?_([A-Z]\w+) \(',
                                ''.join(source.read_text() for source in sources)))
        failed = {call.split('::')[-1] for calls in faults.FAILURES.values() for call in calls}
        self.assertEqual(called - failed - {'AddRef', 'Release'}, set())
        self.assertEqual(failed - called - {'CoCreate', 'ActivateAudioInterfaceAsync', 'ActivateResult'}, set(), 'nobody calls these')


class Faults(unittest.TestCase):
    table = faults.faults()

    @classmethod
    def setUpClass(cls):
        with scripted.companion() as pid, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            cls.rows = dict(zip(cls.table, pool.map(
                lambda name: faults.measure('zcloopbacksrc', name, cls.table[name], '', pid), cls.table)))

    def check(self, name):
        row, error = self.rows[name], error_of(name, self.table[name])
        self.assertEqual((row['violations'], row['garbage'], row['twice'], row['overrun']),
                         (VIOLATIONS.get(name, {}), 0, 0, 0), row)
        if name not in UNDER_WAY:
            self.assertEqual(row['left'], [], row)
        if error is None:
            self.check_captured(name, row)
        else:
            self.check_refused(row, error)

    def check_captured(self, name, row):
        self.assertEqual((row['end'], row['error']), ('ok', ''), row)
        self.assertLess(row['s'], START_S + faults.SECONDS + STUCK_S, row)
        self.assertEqual(row['captured'], 132300 if '44.1' in name else FRAMES, row)
        self.assertEqual(row['lost'], LOST.get(name, 0), row)
        if row['zeros'] == row['lost']:
            self.assertEqual(row['moved'], 0, row)

    def check_refused(self, row, error):
        self.assertEqual(row['end'], 'error', row)
        self.assertIn(error.lower(), row['error'].lower(), row)
        self.assertLess(row['s'], START_S + 1 + STUCK_S, row)  # faults come 1 s after the start, or at once


# What is recovered from, and how many frames may be silence meanwhile: the absence, and the longest wait before a retry.
RECOVERED = {'invalidated': 4800, 'resources invalidated': 4800, 'removed and back': 24000 + 24000,
             'back with another format': 24000 + 24000, 'default changes': 4800, 'default changes at the start': 4800,
             'process, invalidated': 4800}
MOVED_BOUND = 960  # 20 ms


class Recovery(unittest.TestCase):
    """on-loss=reopen: silence while it is away, and what comes then is in its place."""

    @classmethod
    def setUpClass(cls):
        table = faults.faults()
        with scripted.companion() as pid, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            cls.rows = dict(zip(RECOVERED, pool.map(
                lambda name: faults.measure('zcloopbacksrc, which reopens', name, table[name], '', pid), RECOVERED)))

    def check(self, name):
        row = self.rows[name]
        self.assertEqual((row['end'], row['violations'], row['left'], row['twice'], row['overrun']), ('ok', {}, [], 0, 0), row)
        self.assertLessEqual(row['zeros'], RECOVERED[name], row)
        self.assertLessEqual(abs(row['moved']), MOVED_BOUND, row)
        self.assertGreater(row['matched'], FRAMES - RECOVERED[name] - 48000, row)


def add_recovery(name):
    setattr(Recovery, 'test_' + re.sub(r'\W+', '_', name), lambda self: self.check(name))


for each in RECOVERED:
    add_recovery(each)


def told_of(result):
    """What became of the device, and its id, in their order."""
    return re.findall(r'zcloopback-(recovered|device-changed), device=\(string\)"\W*(\w+)', result.output)


class Default(unittest.TestCase):

    def check_tried_again(self, refusal_lasts, again_ms):
        """It is in use by somebody the first time, and no more when it is the default again."""
        script = 'endpoint id={b} name=Other; endpoint id={a} default; at 500ms default-change to={b}; ' \
                 f'fail IAudioClient::Initialize of=loopback nth=2 hr=0x8889000A {refusal_lasts}; ' \
                 f'at 1s default-change to={{a}}; at {again_ms}ms default-change to={{b}}'
        source = f'zcloopbacksrc backend=wasapi num-buffers={again_ms // 10 + 100}'
        result = scripted.launch(f'-m {source} ! fakesink', script, faults.BOUND_S)
        self.assertEqual(told_of(result), [('device-changed', 'a'), ('device-changed', 'b')], result.output)

    def test_in_use_by_somebody_is_tried_when_it_is_the_default_again(self):
        self.check_tried_again('', 1500)

    def test_that_changes_back_while_it_is_tried_is_tried_again(self):
        self.check_tried_again('1s', 2500)


class Role(unittest.TestCase):

    def test_keeps_its_device_if_it_is_not_followed(self):
        """After a loss, too, though the role is another device's by then."""
        script = 'endpoint id={b} name=Other; endpoint id={a} default; at 500ms default-change to={b}; ' \
                 'at 1s invalidate endpoint={a}'
        source = 'zcloopbacksrc backend=wasapi device=communications follow-default=false num-buffers=200'
        result = scripted.launch(f'-m {source} ! fakesink', script, faults.BOUND_S)
        self.assertEqual(told_of(result), [('recovered', 'a')], result.output)


class ProcessEnds(unittest.TestCase):
    """A process that is captured by its name ends after a second."""

    def capture(self, element):
        fault = faults.faults()['process, by its name']
        with tempfile.TemporaryDirectory(prefix='zc-faults-') as folder, contextlib.ExitStack() as alive, \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            path = os.path.join(folder, 'raw')
            pid = alive.enter_context(scripted.companion())
            running = pool.submit(scripted.launch, faults.description(element, fault, path, '', pid),
                                  fault.script.replace('{pid}', str(pid)), faults.BOUND_S)
            poll.until(lambda: os.path.exists(path) and os.path.getsize(path) > SECOND_BYTES, faults.BOUND_S, 'a second of it')
            alive.close()
            result = running.result()
            return result, faults.how_it_ended(result, path), faults.account(path, result, fault.tags)[0]

    def test_is_silence(self):
        result, ended, report = self.capture('zcloopbacksrc, which reopens')
        self.assertEqual((ended, result.report.violations, result.report.left), ('ok', [], []), result.output)
        self.assertEqual((report.captured, report.missing, report.repeated, report.unrecognised), (FRAMES, 0, 0, 0))
        self.assertGreater(report.matched, 48000)
        self.assertGreater(report.silence_after, 0)
        self.assertEqual(report.matched + report.silence_after, FRAMES)
        self.assertIn('zcloopback-lost', result.output)

    def test_is_one_error_if_asked(self):
        result, ended, report = self.capture('zcloopbacksrc')
        self.assertEqual((ended, result.report.violations, result.report.left), ('error', [], []), result.output)
        self.assertIn('ended', faults.first_error(result.output))
        self.assertEqual((report.missing, report.repeated, report.unrecognised), (0, 0, 0))


def add_test(name):
    setattr(Faults, 'test_' + re.sub(r'\W+', '_', name), lambda self: self.check(name))


for each in Faults.table:
    add_test(each)

if __name__ == '__main__':
    tap.main()
