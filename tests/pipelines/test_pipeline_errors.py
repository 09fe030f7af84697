# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong is said as the element says it, the exit status tells, and no empty file is left."""

import os

from pipelinetest import PipelineTest, tap

WRITERS = [(script.replace('-', '_'), (script, name)) for script, name in (
    ('record-wav', 'sound.wav'), ('record-flac', 'sound.flac'), ('record-opus', 'sound.opus'), ('tee-outputs', 'sound'))]
ALL = WRITERS + [('meter', ('meter', None)), ('spectrogram', ('spectrogram', 'sound.png'))]


@tap.cases(ALL)
class Failing(PipelineTest):

    def fail_with(self, server, script, name, *arguments):
        output = ('-o', name) if name else ()
        result = self.run_script(server, script, '-d', 1, *output, *arguments, seconds=15)
        self.assertNotIn(result.returncode, (0, 2), result.text)
        self.assertNotIn('Traceback', result.text)
        self.assertNotIn('CRITICAL', result.text)
        self.assertEqual([entry for entry in os.listdir(self.directory) if entry.startswith('sound')], [])
        self.assert_nothing_left()
        return result.text

    def check_unknown_device(self, script, name):
        text = self.fail_with(self.serve(), script, name, '-D', 'no-such-output')
        self.assert_says(text, 'ERROR: from element .*no-such-output')

    def check_no_server(self, script, name):
        text = self.fail_with(None, script, name)
        self.assert_says(text, 'ERROR: from element .*zcloopbacksrc')

    def check_wrong_option(self, script, _name):
        for arguments in (('-d', 'soon'), ('-d', '0'), ('-x',), ('-d',)):
            result = self.run_script(None, script, *arguments)
            self.assertEqual(result.returncode, 2, result.text)
            self.assert_says(result.stderr, f'usage: {script}')

    def check_help(self, script, _name):
        result = self.run_script(None, script, '-h')
        self.assertEqual(result.returncode, 0)
        self.assert_says(result.stdout, f'(?s)usage: {script} .* -d SECONDS ')


if __name__ == '__main__':
    tap.main()
