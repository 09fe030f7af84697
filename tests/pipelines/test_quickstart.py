# SPDX-License-Identifier: LGPL-2.1-or-later
"""The README's first command, where the packages are there: with a user's sound server, and with none."""

import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from pipelinetest import TREE, PipelineTest, poll, processes, tap

SECONDS = 2
BOUND_S = 300
ASIDE = shutil.ignore_patterns('.git', 'build*', '__pycache__', 'zcloopback-quickstart')


class Quickstart(PipelineTest):
    """In a copy of the source tree, so that it builds its own plugin; nothing can be installed meanwhile."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix='zc-quickstart-')
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.tree = os.path.join(cls.shared, 'tree with spaces')
        shutil.copytree(TREE, cls.tree, symlinks=True, ignore=ASIDE)
        cls.refusals = os.path.join(cls.shared, 'bin')
        os.mkdir(cls.refusals)
        for program in ('apt-get', 'sudo'):
            os.symlink(shutil.which('false'), os.path.join(cls.refusals, program))
        cls.add_untidy_compiler()
        check = subprocess.run([os.path.join(cls.tree, 'pipelines/lib/install-packages'), 'build', 'run'],
                               env={**os.environ, 'PATH': cls.refusals + ':' + os.environ['PATH']},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if check.returncode:
            raise unittest.SkipTest('not installed: packages of the groups build and run')

    @classmethod
    def add_untidy_compiler(cls):
        """One that leaves a temporary file, as compilers do that Ctrl-C ends at the wrong moment."""
        path = os.path.join(cls.refusals, 'cc')
        with open(path, 'w') as script:
            script.write(f'#!/bin/sh\n: > "$TMPDIR/left-by-$$.s"\nexec {shutil.which("cc")} "$@"\n')
        os.chmod(path, 0o755)

    def argv(self, script, *arguments):
        return [os.path.join(self.tree, 'pipelines', script), *map(str, arguments)]

    def environment(self, server=None):
        environment = super().environment(server)
        environment.pop('GST_PLUGIN_PATH', None)
        return {**environment, 'PATH': self.refusals + ':' + os.environ['PATH'],
                'GST_REGISTRY_1_0': os.path.join(self.shared, 'registry.bin')}

    def quickstart(self, server, *arguments):
        return self.run_script(server, 'quickstart', '-d', SECONDS, *arguments, seconds=BOUND_S)

    def assert_complete(self, result, directory='zcloopback-quickstart'):
        """The files are there, and everything that a newcomer wants to know was said."""
        self.assert_succeeds(result)
        self.assertEqual(sorted(os.listdir(self.path(directory))), ['build.log', 'capture.flac', 'capture.png'])
        captured, silence, lost, expected = map(int, self.assert_says(
            result.text, r'frames captured (\d+), silence (\d+), lost (\d+); expected (\d+)'))
        self.assertEqual((captured + silence, lost), (SECONDS * 48000, 0))
        self.assert_says(result.text, 'bytes copied [0-9]+')
        self.assert_says(result.text, 'pool hits [0-9]+, misses [0-9]+, hit rate [0-9.]+ %, outstanding 0,')
        for text in (f'gst-launch-1.0 -e zcloopbacksrc num-buffers={SECONDS * 100} ',
                     f'wrote {directory}/capture.flac', f'drew {directory}/capture.png', '2.00 s,', 'FL peak', 'FR peak',
                     '1.0 s of 2.0 s', 'pipelines/meter'):
            self.assert_says(result.text, text)
        self.assert_nothing_left()

    def test_without_a_server_it_plays_a_melody(self):
        result = self.quickstart(None)
        self.assert_complete(result)
        self.assert_says(result.text, 'a private PulseAudio plays a melody')
        peak, = self.assert_says(result.text, 'FL peak (-[0-9.]+) dBFS')
        self.assertGreater(float(peak), -20)

    def test_captures_from_the_users_server(self):
        result = self.quickstart(self.serve_tone(), '-o', 'results')
        self.assert_complete(result, 'results')
        self.assert_says(result.text, 'from your sound server')
        self.assert_holds_tone('results/capture.flac', SECONDS, 'FLAC')

    def test_says_that_the_users_server_plays_nothing(self):
        result = self.quickstart(self.serve())
        self.assert_complete(result)
        self.assert_says(result.text, 'This is silence: nothing was playing')

    def test_unknown_device(self):
        result = self.quickstart(self.serve(), '-D', 'no-such-output')
        self.assertEqual(result.returncode, 1, result.text)
        self.assert_says(result.text, 'ERROR: from element .*no-such-output')
        self.assert_nothing_left()

    def test_ctrl_c_ends_the_capture_and_shows_it(self):
        status, text = self.ended_after('1.0 s of 60.0 s', lambda child: os.killpg(child.pid, signal.SIGINT))
        self.assertEqual(status, 0, text)
        self.assert_says(text, 'wrote zcloopback-quickstart/capture.flac')

    def test_sigterm_ends_all(self):
        status, text = self.ended_after('1.0 s of 60.0 s', lambda child: child.terminate())
        self.assertEqual(status, 143, text)

    def test_ctrl_c_while_it_builds(self):
        shutil.rmtree(os.path.join(self.tree, 'build'), ignore_errors=True)
        status, text = self.ended_after('configuring: done', lambda child: os.killpg(child.pid, signal.SIGINT))
        self.assertEqual(status, 130, text)

    def ended_after(self, words, end):
        """(exit status, output) of a quickstart with its own server that is ended once it has said this."""
        with processes.started(self.argv('quickstart', '-d', 60), env=self.environment(), cwd=self.directory,
                               stdout=open(self.path('output'), 'w'), stderr=subprocess.STDOUT) as child:
            poll.until(lambda: words in self.output() or child.poll() is not None, BOUND_S, words)
            end(child)
            child.wait(BOUND_S)
        self.assert_nothing_left()
        return child.returncode, self.output()

    def output(self):
        with open(self.path('output')) as file:
            return file.read()


if __name__ == '__main__':
    tap.main()
