# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the pipelines share: a private server on which a tone plays, and running a script as a user does."""

import os
import re
import sys

TREE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
sys.path.insert(0, os.path.join(TREE, 'tests'))
sys.path.insert(0, os.path.join(TREE, 'pipelines', 'lib'))

from support import clients, poll, processes, servers, signals, tap  # noqa: E402  (the paths above come first)
from support.private import PrivateTest  # noqa: E402
from audio import Levels, SoundFile  # noqa: E402

AMPLITUDES = (0.5, 0.25)
"""Left and right differ, so that swapped or mixed channels show."""
LEVEL_WITHIN_DB = 0.05
"""Opus is not exact; a packet that is missing in the 0.8 s that are looked at reads 0.055 less."""
TONE_SECONDS = 60
BOUND_S = 60

note = tap.note


def peak_db(amplitude):
    return 20 * signals.np.log10(amplitude)


def rms_db(amplitude):
    return peak_db(amplitude / 2 ** 0.5)


class PipelineTest(PrivateTest):
    """A server of its own and an empty directory to work in for each test."""

    prefix = 'zc-pipes-'

    def setUp(self):
        super().setUp()
        self.temporary = self.path('tmp')
        os.mkdir(self.temporary)

    def serve(self, **sink):
        return self.enter_server(servers.PulseServer(**sink))

    def serve_tone(self):
        """A server on which a client that is not ours plays the tone, and has begun to. A reader keeps the sink at low
        latency, so that a capture begins at once; the player has all the latency it can get."""
        server = self.serve()
        tone = signals.tone(server.sink.rate, 1, TONE_SECONDS) / 0.5 * AMPLITUDES
        data = signals.encode_level(signals.FORMATS[server.sink.format], tone)
        self.enter(clients.player(server, signals.write_file(self.path('tone.raw'), data), server.sink))
        self.enter(clients.BareClient(server)).wait_for_sound()
        return server

    def environment(self, server=None):
        """What the scripts see: their temporary files are in a directory that can be looked through."""
        base = dict(server.env) if server else {key: value for key, value in os.environ.items()
                                                if not key.startswith(('PULSE_', 'XDG_', 'DISPLAY'))}
        if not server:
            base.update(HOME=self.path('home'), XDG_RUNTIME_DIR=self.path('no-such-directory'))
            os.makedirs(base['HOME'], exist_ok=True)
        return {**base, 'TMPDIR': self.temporary, 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm'}

    def argv(self, script, *arguments):
        return [os.path.join(TREE, 'pipelines', script), *map(str, arguments)]

    def run_script(self, server, script, *arguments, seconds=BOUND_S):
        result = processes.run(self.argv(script, *arguments), seconds, env=self.environment(server), cwd=self.directory)
        result.text = result.stdout + result.stderr
        return result

    def assert_succeeds(self, result):
        self.assertEqual(result.returncode, 0, result.text)
        self.assertNotIn('CRITICAL', result.text)
        self.assertNotIn('WARNING', result.text)

    def assert_nothing_left(self):
        """No temporary file, and no process that a script started: all of them have the script's TMPDIR."""
        self.assertEqual(os.listdir(self.temporary), [])
        self.assertEqual(processes_with('TMPDIR=' + self.temporary), [])

    def assert_holds_tone(self, name, seconds, codec, duration_within=0.02):
        """The file has this length and coding, and the tone at its levels, in both channels."""
        sound, levels = SoundFile(self.path(name)), Levels()
        blocks = list(sound.blocks())
        samples = signals.np.concatenate(blocks)
        self.assertIn(codec, sound.codec)
        self.assertEqual(sound.channels, ['FL', 'FR'])
        self.assertAlmostEqual(sound.seconds, seconds, delta=duration_within)
        middle = samples[len(samples) // 10:-(len(samples) // 10)]
        levels.add(middle)
        for measured, amplitude in zip(levels.rms_db, AMPLITUDES):
            self.assertAlmostEqual(measured, rms_db(amplitude), delta=LEVEL_WITHIN_DB)
        return sound

    def assert_says(self, text, pattern):
        """Finds the pattern (whose spaces match any) and returns its groups."""
        found = re.search(pattern.replace(' ', r'\s+'), text)
        self.assertTrue(found, f'no "{pattern}" in:\n{text}')
        return found.groups()


def processes_with(variable):
    """Command lines of the processes that have this in their environment."""
    found = []
    for number in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{number}/environ', 'rb') as file:
                if variable.encode() not in file.read().split(b'\0'):
                    continue
            with open(f'/proc/{number}/cmdline', 'rb') as file:
                found.append(file.read().replace(b'\0', b' ').decode())
        except OSError:
            continue
    return found
