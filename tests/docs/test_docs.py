#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The README's commands and the examples, run as a reader would run them, on a private server that plays a tone."""

import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
from support import tap  # noqa: E402
from support.servers import PulseServer  # noqa: E402

DOCUMENTS = [os.path.join(ROOT, name) for name in ('README.md', 'CONTRIBUTING.md')] \
    + glob.glob(os.path.join(ROOT, 'docs', '*.md'))
BOUND_S = 60


def text_of(document):
    with open(document, encoding='utf-8') as text:
        return text.read()


def anchors(document):
    """What a link may name behind "#": the headings, as they are spelled in an address."""
    headings = re.findall(r'^#+ (.*)$', text_of(document), re.MULTILINE)
    return [re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-') for heading in headings]


def commands(document, program):
    """The lines of the document's sh blocks that start this program, continuation lines joined."""
    blocks = re.findall(r'^```sh\n(.*?)^```', text_of(document), re.MULTILINE | re.DOTALL)
    lines = '\n'.join(blocks).replace('\\\n', ' ').splitlines()
    return [line.strip() for line in lines if line.strip().startswith(program)]


def shortened(line):
    """The same pipeline, but two seconds of it."""
    return re.sub(r'\bzcloopbacksrc\b', 'zcloopbacksrc num-buffers=200', line, count=1)


class Docs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(PulseServer())
        cls.scratch = tempfile.TemporaryDirectory(prefix='zc-docs-')
        cls.addClassCleanup(cls.scratch.cleanup)
        # Something to hear, from a client that asks for low latency.
        tone = subprocess.Popen(['pacat', '--raw', '--latency-msec=20', '/dev/zero'],
                                env={**os.environ, **cls.server.env}, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(lambda: (tone.kill(), tone.wait()))

    def run_here(self, command, **options):
        return subprocess.run(command, cwd=self.scratch.name, env={**os.environ, **self.server.env}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BOUND_S, **options)

    def test_pipelines_of_the_documents(self):
        lines = [line for document in DOCUMENTS for line in commands(document, 'gst-launch-1.0')]
        self.assertGreaterEqual(len(lines), 5)
        for line in lines:
            with self.subTest(line):
                result = self.run_here(shortened(line), shell=True)
                self.assertEqual(result.returncode, 0, result.stdout)

    def test_commands_of_the_readme_exist(self):
        for program in ('pipelines/', 'tests/'):
            lines = commands(os.path.join(ROOT, 'README.md'), program)
            self.assertTrue(lines, program)
            for line in lines:
                self.assertTrue(os.access(os.path.join(ROOT, shlex.split(line)[0]), os.X_OK), line)

    def test_links_of_the_documents_lead_somewhere(self):
        for document in DOCUMENTS:
            for file, anchor in re.findall(r'\]\(([^)#:]*)(?:#([^)]+))?\)', text_of(document)):
                path = os.path.join(os.path.dirname(document), file) if file else document
                self.assertTrue(os.path.exists(path), f'{document}: {file}')
                if anchor:
                    self.assertIn(anchor, anchors(path), document)

    def test_example_in_c(self):
        result = self.run_here([os.environ['ZC_EMBED'], 'num-buffers=50'])
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn('frames-captured=(guint64)24000', result.stdout)

    def test_example_in_python(self):
        result = self.run_here([sys.executable, os.path.join(ROOT, 'docs', 'examples', 'embed.py'),
                                'num-buffers=150'])
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn('dBFS', result.stdout)
        self.assertIn('frames-lost=(guint64)0', result.stdout)


if __name__ == '__main__':
    tap.main(__name__)
