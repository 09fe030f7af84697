#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`pipelines/quickstart --windows`, in a copy of the source tree, with the compiler and Wine that are there."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'pipelines'))
from pipelinetest import PipelineTest  # noqa: E402  (the path above comes first)
from support import poll, processes, tap, wine  # noqa: E402

# meson's, for programs of the build.
for variable in [name for name in os.environ if name.startswith('GST_') or name == 'G_DEBUG']:
    del os.environ[variable]

SECONDS = 2
BOUND_S = 300
ASIDE = shutil.ignore_patterns('.git', 'build*', '__pycache__', 'zcloopback-quickstart')


def processes_of(path):
    """Command lines of the processes whose environment names this path."""
    found = []
    for number in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{number}/environ', 'rb') as environment, open(f'/proc/{number}/cmdline', 'rb') as command:
                if path.encode() in environment.read():
                    found.append(command.read().replace(b'\0', b' ').decode())
        except OSError:
            continue
    return found


class QuickstartOfWindows(PipelineTest):
    @classmethod
    def setUpClass(cls):
        if not os.path.exists(os.path.join(wine.CACHE, 'cross.ini')):
            raise unittest.SkipTest('not there: ' + wine.CACHE + ' (tests/windows/setup)')
        cls.shared = tempfile.mkdtemp(prefix='zc-quickstart-')
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.tree = os.path.join(cls.shared, 'tree with spaces')
        shutil.copytree(ROOT, cls.tree, symlinks=True, ignore=ASIDE)
        cls.registry = wine.copy_registry(cls.shared)

    def argv(self, script, *arguments):
        return [os.path.join(self.tree, 'pipelines', script), *map(str, arguments)]

    def environment(self, server=None):
        return {**super().environment(server), 'ZC_WINDOWS_CACHE': wine.CACHE,
                'GST_REGISTRY_1_0': self.registry}

    def assert_nothing_left(self):
        self.assertEqual(os.listdir(self.temporary), [])
        poll.until(lambda: not processes_of(self.temporary), 10, f'end of {processes_of(self.temporary)}')

    def test_captures_and_shows(self):
        result = self.run_script(None, 'quickstart', '--windows', '-d', SECONDS, '-o', 'the results', seconds=BOUND_S)
        self.assert_succeeds(result)
        self.assertEqual(sorted(os.listdir(self.path('the results'))),
                         ['build.log', 'capture.flac', 'capture.log', 'capture.png'])
        captured, silence, lost, expected = map(int, self.assert_says(
            result.text, r'frames captured (\d+), silence (\d+), lost (\d+); expected (\d+)'))
        self.assertEqual((captured + silence, captured + silence + lost), (SECONDS * 48000, expected))
        for text in (f'gst-launch-1.0.exe -e zcloopbacksrc num-buffers={SECONDS * 100} ', 'outstanding 0,',
                     'wrote the results/capture.flac', 'drew the results/capture.png', f'{SECONDS}.00 s,', 'dist-windows'):
            self.assert_says(result.text, text)
        peak, = self.assert_says(result.text, 'FL peak (-[0-9.]+) dBFS')
        self.assertGreater(float(peak), -20)
        self.assert_nothing_left()

    def test_sigterm_ends_all(self):
        with processes.started(self.argv('quickstart', '--windows', '-d', 60), env=self.environment(), cwd=self.directory,
                               stdout=open(self.path('output'), 'w'), stderr=subprocess.STDOUT) as child:
            poll.until(lambda: 'capture: 10 s' in self.output() or child.poll() is not None, BOUND_S, 'capture')
            child.terminate()
            child.wait(BOUND_S)
        self.assertEqual(child.returncode, 143, self.output())
        self.assert_nothing_left()

    def test_there_is_one_output(self):
        result = self.run_script(None, 'quickstart', '--windows', '-D', 'other')
        self.assertEqual(result.returncode, 2, result.text)

    def output(self):
        with open(self.path('output')) as file:
            return file.read()


if __name__ == '__main__':
    tap.main()
