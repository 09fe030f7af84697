# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a user on Windows sees who asks for what cannot be, or whose device goes: one line that names it and says what
to do, soon, and an exit code that is not 0. Without a server Wine has no device; where one never answers, Wine hangs,
and the element must not."""

import os
import re
import subprocess
import time

import winlive
from support import launch, processes, servers, tap, wine
from winlive import note

BOUND_S = 2.0
HANG_S = 20.0
DEAD_PROCESS = 123456
PLAYS_FOR_S = 0.3
ADVICE = re.compile(r'\b(start|check|choose|set|unset|try|remove|leave|restart|plug|put)\b', re.IGNORECASE)


class ErrorTest(winlive.WindowsTest):

    def run_once(self, argv, env):
        """(result, seconds)"""
        before = time.monotonic()
        result = processes.run(argv, HANG_S, env=env)
        return result, time.monotonic() - before

    def environment(self, server_env):
        """One program before: from then on Wine runs, and the plugins are known."""
        env = wine.environment(server_env)
        self.start_s = min(self.run_once(self.launch('zcloopbacksrc backend=simulated num-buffers=0'), env)[1]
                           for _ in range(2))
        return env

    def launch(self, source):
        return wine.gst_launch(*source.split(), '!', 'fakesink')

    def assert_one_error(self, argv, env, names, advice=True):
        result, seconds = self.run_once(argv, env)
        self.assertLess(seconds, BOUND_S + self.start_s, result.stdout + result.stderr)
        note(f'{seconds:.2f} s, {self.start_s:.2f} s without an error')
        self.assertNotEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assert_says_one_error(result.stdout + result.stderr, names, advice)

    def assert_says_one_error(self, text, names, advice=True):
        lines = launch.error_lines(text)
        self.assertEqual(len(lines), 1, text)
        self.assertNotIn('CRITICAL', text)
        self.assertNotIn('Internal data stream error', text)
        for name in names:
            self.assertIn(name.lower(), lines[0].lower())
        if advice:
            self.assertRegex(lines[0].split(': ', 2)[-1], ADVICE)
        note(lines[0])


class OnAServer(ErrorTest):

    def assert_error_of(self, source, names, advice=True):
        server, _ = self.serve()
        self.assert_one_error(self.launch(source), self.environment(server.env), names, advice)

    def test_unknown_device(self):
        """Which ones there are is the help."""
        self.assert_error_of('zcloopbacksrc device=no-such-device',
                             ['"no-such-device"', '{0.0.0.00000000}.{', 'Null Output'])

    def test_device_and_process(self):
        self.assert_error_of(f'zcloopbacksrc device=no-such-device process-id={DEAD_PROCESS}',
                             ['device', 'process-id', 'no-such-device', 'exclude each other'])

    def test_dead_process(self):
        self.assert_error_of(f'zcloopbacksrc process-id={DEAD_PROCESS}', [f'no process {DEAD_PROCESS}'])

    def test_too_many_channels(self):
        self.assert_error_of('zcloopbacksrc ! audio/x-raw,channels=33', ['caps'], advice=False)

    def test_impossible_rate(self):
        self.assert_error_of('zcloopbacksrc ! audio/x-raw,rate=2000000', ['caps'], advice=False)


class ProcessLoopback(ErrorTest):
    """This Wine refuses it: so do Windows versions before it had it."""

    def setUp(self):
        super().setUp()
        server, _ = self.serve()
        self.env = self.environment(server.env)

    def test_refused_for_all_but_our_own(self):
        self.assert_refused('process-mode=exclude', 'all but process')

    def test_refused_for_our_own(self):
        """An application that asks for itself."""
        self.assert_refused('process-id=@OWN@', 'only process')

    def assert_refused(self, properties, whose):
        """By an application: where an error comes as soon as it plays, gst-launch-1.0 tells it and may exit with 0."""
        argv = wine.application('none', '1', f'zcloopbacksrc {properties} ! fakesink')
        self.assert_one_error(argv, self.env, ['ActivateAudioInterfaceAsync', '0x8', whose, 'build 20348'])


class WithoutAServer(ErrorTest):

    def test_nobody_listens(self):
        env = {**os.environ, 'PULSE_SERVER': 'unix:' + self.path('nobody-listens-here'), 'HOME': self.directory}
        self.assert_one_error(self.launch('zcloopbacksrc'), self.environment(env), ['no device that plays'])

    def test_server_never_answers(self):
        with servers.MuteServer() as mute:
            self.assert_one_error(self.launch('zcloopbacksrc'), self.environment(mute.env), ['did not end within'])


class Loss(ErrorTest):

    def test_server_dies(self):
        """What was captured is in the file, then one error. (gst-launch-1.0.exe of 1.28 exits with 0 after one in ten errors
        of a stream that plays, whichever source's.)"""
        server, env = self.serve()
        with wine.Launch(env, 'zcloopbacksrc on-loss=error', self.path('captured.raw')) as running:
            running.wait_for_bytes(int(PLAYS_FOR_S * server.sink.rate) * 8)
            before = time.monotonic()
            server.kill()
            self.wait_for_end(running)
            seconds = time.monotonic() - before
        note(f'{seconds:.2f} s after the end')
        self.assertLess(seconds, BOUND_S)
        self.assert_says_one_error(running.output, ['AUDCLNT_E_DEVICE_INVALIDATED', '0x88890004'])

    def wait_for_end(self, running):
        try:
            running.process.wait(HANG_S)
        except subprocess.TimeoutExpired:
            self.fail(f'does not end:\n{running.output}')


if __name__ == '__main__':
    tap.main()
