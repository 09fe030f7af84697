# SPDX-License-Identifier: LGPL-2.1-or-later
"""The level meter: lines where the output is a pipe, bars where it is a terminal."""

import fcntl
import os
import pty
import re
import signal
import struct
import termios

from pipelinetest import BOUND_S, PipelineTest, tap

CONTROL = re.compile(r'\x1b\[[0-9;]*[A-Za-z]')
COLUMNS = 80


class Meter(PipelineTest):

    def test_a_line_per_second_in_a_pipe(self):
        result = self.run_script(self.serve_tone(), 'meter', '-d', 3)
        self.assert_succeeds(result)
        lines = re.findall(r'(\d\.0) s of 3.0 s   FL   -9\.\d peak   -6\.\d   FR  -15\.\d peak  -12\.\d  dBFS', result.stdout)
        self.assertEqual(lines[:2], ['1.0', '2.0'], result.text)
        self.assertNotIn('\x1b', result.stdout)
        self.assert_nothing_left()

    def test_bars_on_a_terminal(self):
        text = self.run_on_terminal(self.serve_tone(), 'meter', '-d', 2)
        bars = [line for line in CONTROL.sub('', text).splitlines() if re.match(r'\s+F[LR] ', line)]
        self.assertGreater(len(bars), 20)
        self.assertLessEqual(max(map(len, bars)), COLUMNS)
        left, right = bars[-2:]
        self.assertRegex(left, r'^ +FL █+.*┃.* -9\.\d dBFS  peak +-6\.\d$')
        self.assertRegex(right, r'^ +FR █+.*┃.* -15\.\d dBFS  peak +-12\.\d$')
        self.assertGreater(left.count('█'), right.count('█'))
        self.assert_nothing_left()

    def test_ctrl_c_on_a_terminal(self):
        """The key itself, through the terminal's line discipline: the script ends well, and says what it counted."""
        text = self.run_on_terminal(self.serve_tone(), 'meter', '-s', interrupt_at='2.0 s')
        self.assertIn('statistics of zcloopbacksrc', text)
        self.assert_nothing_left()

    def test_writes_no_file(self):
        result = self.run_script(self.serve(), 'meter', '-o', 'file')
        self.assertEqual(result.returncode, 2, result.text)

    def run_on_terminal(self, server, script, *arguments, interrupt_at=None):
        """What the script wrote to a terminal of its own; it must end by itself, or on Ctrl-C, with 0."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.directory)
            os.execvpe(self.argv(script)[0], self.argv(script, *arguments), self.environment(server))
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 25, COLUMNS, 0, 0))
        signal.alarm(BOUND_S)
        try:
            text = read_terminal(terminal, interrupt_at)
            _, status = os.waitpid(child, 0)
        finally:
            signal.alarm(0)
            os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, text)
        return text


def read_terminal(terminal, interrupt_at):
    text = b''
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            data = b''
        if not data:
            return text.decode()
        text += data
        if interrupt_at and interrupt_at.encode() in text:
            interrupt_at = None
            os.write(terminal, b'\x03')


if __name__ == '__main__':
    tap.main()
