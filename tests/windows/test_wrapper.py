#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What runs the Windows tests tells the truth: exit codes, output, and where a program crashed."""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from support import poll, processes, tap, windows  # noqa: E402

CRASH, LEAK = os.environ['ZC_CRASH'], os.environ['ZC_LEAK']
WAYS = [(how, (how,)) for how in ('write', 'abort', 'assert', 'warning')]


def run(*arguments, program=CRASH, **options):
    return subprocess.run(windows.command(program, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=60, check=False, **options)


def running(file, word, but=None):
    """Processes that have this word in their command line or environment."""
    return [path for path in glob.glob('/proc/[0-9]*/' + file)
            if path.split('/')[2] != str(but) and word in text_of(path)]


def text_of(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as text:
            return text.read()
    except OSError:
        return ''


def forget_socket(prefix):
    """The server's folder, which a prefix keeps for as long as there is one. Debian's Wine names it in a file."""
    there = os.stat(prefix)
    with open(os.path.join(prefix, 'wineserver'), encoding='utf-8') as name:
        shutil.rmtree(f'/tmp/{name.read().strip()}/server-{there.st_dev:x}-{there.st_ino:x}')


@tap.cases(WAYS)
class Crash(unittest.TestCase):
    def check_backtrace(self, how):
        """The function, its file and line, and who called it."""
        done = run(how)
        self.assertNotIn(done.returncode, (0, 77))
        self.assertRegex(done.stdout, '^(Bail out!.*)?$')
        self.assert_names(done.stderr, 'crash_here', 'main')

    def check_backtrace_of_a_thread(self, how):
        done = run(how, 'in a thread')
        self.assertNotIn(done.returncode, (0, 77))
        self.assert_names(done.stderr, 'crash_here', 'crash_there')

    def assert_names(self, report, *functions):
        """With file and line, one after the other."""
        self.assertRegex(report, '(?s)' + '.*'.join(rf' {name}\b[^\n]* \[\S*/tests/windows/crash\.c:\d+\]'
                                                   for name in functions))


@tap.cases([('terminated', (signal.SIGTERM,)), ('killed', (signal.SIGKILL,))])
class Wrapper(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix='zc-wrapper-')
        self.addCleanup(self.directory.cleanup)

    def test_exit_code_and_output_are_the_programs(self):
        done = run()
        self.assertEqual((done.returncode, done.stdout.splitlines(), done.stderr), (0, ['ok'], ''))
        self.assertEqual(run('in no way').returncode, 77)

    def test_what_is_left_behind_is_a_failure(self):
        done = run(program=LEAK, env=os.environ | {'GST_TRACERS': 'leaks'})
        self.assertEqual((done.returncode, done.stdout.splitlines()), (3, ['ok']))
        self.assertIn('Leaks detected', done.stderr)
        self.assertEqual(run(program=LEAK).returncode, 0)

    def test_ctrl_c_reaches_the_program_and_a_file_has_its_output_at_once(self):
        path = os.path.join(self.directory.name, 'out')
        argv = windows.gst('gst-launch-1.0', '-e', 'audiotestsrc', 'is-live=true', '!', 'fakesink')
        with open(path, 'w', encoding='utf-8') as out, processes.started(argv, stdout=out) as launch:
            # The last that it says before it waits: a Ctrl-C that comes too early is lost by Wine now and then.
            poll.until(lambda: 'Redistribute latency' in text_of(path), 20, 'pipeline')
            self.assertEqual(self.press_ctrl_c(launch), 0)
        self.assertIn('EOS received', text_of(path))

    def press_ctrl_c(self, launch):
        """As a user does, once more if nothing happens."""
        for _ in range(3):
            launch.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return launch.wait(5)
        return launch.wait(0)

    def check_program_ends_with_wrapper(self, signal_number):
        path, token = os.path.join(self.directory.name, 'out'), os.path.basename(self.directory.name)
        with open(path, 'w', encoding='utf-8') as out, \
                processes.started(windows.command(CRASH, 'hang', token), stdout=out) as wrapper:
            # Killed while it starts, it would leave Wine half started, for good.
            poll.until(lambda: 'hanging' in text_of(path), 20, 'program')
            self.assertTrue(running('cmdline', token, but=wrapper.pid))
            wrapper.send_signal(signal_number)
            wrapper.wait(20)
            poll.until(lambda: not running('cmdline', token), 20, 'end of the program')

    def test_nothing_stays_behind(self):
        """A prefix of its own: what a program starts there, Wine's server and services, ends soon after it."""
        prefix = os.path.join(self.directory.name, 'prefix')
        entry, environment = 'WINEPREFIX=' + prefix, os.environ | {'WINEPREFIX': prefix}
        subprocess.run([windows.RUN, '--make'], env=environment, check=True)
        self.assertEqual(run(env=environment).returncode, 0)
        self.assertTrue(running('environ', entry))
        poll.until(lambda: not running('environ', entry), 20, 'end of Wine')

        self.assertEqual(run(env=environment).returncode, 0)
        subprocess.run([windows.RUN, '--end'], env=environment, check=True, timeout=20)
        poll.until(lambda: not running('environ', entry), 2, 'end of Wine')
        forget_socket(prefix)

    def test_new_prefix_is_as_the_setup_left_it(self):
        """Also while programs run in the one that all share, and Wine puts files there and takes them away."""
        prefix = os.path.join(self.directory.name, 'prefix')
        with tempfile.NamedTemporaryFile(dir=windows.PREFIX, prefix='reg', suffix='.tmp') as others:
            subprocess.run([windows.RUN, '--make'], env=os.environ | {'WINEPREFIX': prefix}, check=True)
            self.assertNotIn(os.path.basename(others.name), os.listdir(prefix))
        self.assertIn('system.reg', os.listdir(prefix))


if __name__ == '__main__':
    tap.main(__name__)
