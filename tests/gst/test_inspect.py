#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The interface that gst-inspect-1.0 shows is docs/zcloopbacksrc.txt: a change of it is a change of that file.

What GStreamer itself adds (file names, versions, the properties of base classes, since 1.28 the types of values)
differs from release to release and is left out. The file tells of the backends of all systems; a build has those of
its own. `test_inspect.py --write` writes the file anew; of the backends of other systems it keeps what was there.
"""

import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
from support import tap, windows  # noqa: E402

GOLDEN = os.path.join(HERE, '..', '..', 'docs', 'zcloopbacksrc.txt')
BASE_CLASS_PROPERTIES = {'automatic-eos', 'blocksize', 'do-timestamp', 'name', 'num-buffers', 'parent', 'typefind'}
BACKEND = re.compile(r'^ +\(\d\): (auto|wasapi|pulse|pipewire|simulated) ')
ELSEWHERE = {'pulse', 'pipewire'} if windows.RUN else {'wasapi'}
TYPE = re.compile(r' \((string|g[a-z0-9]+|Gst[A-Za-z]+)\)$')
LEFT_OUT = re.compile(r'^  (Filename|Version|Documentation|Source release date)\s|^Element Flags:|^  - SOURCE')


def shown():
    """The text of gst-inspect-1.0, line by line, without what is not ours."""
    text = subprocess.run(windows.gst('gst-inspect-1.0', '--no-colors', 'zcloopbacksrc'), stdout=subprocess.PIPE,
                          text=True, check=True, timeout=60).stdout
    keep, in_properties = True, False
    for line in text.splitlines():
        in_properties |= line.startswith('Element Properties:')
        start = re.match(r'  ([a-z-]+)\s*: ', line) if in_properties else None
        if start or not line.startswith('  '):
            keep = not (start and start.group(1) in BASE_CLASS_PROPERTIES)
        if keep and line.strip() and not LEFT_OUT.match(line):
            yield TYPE.sub('', line.rstrip())


def is_elsewhere(line):
    backend = BACKEND.match(line)
    return backend is not None and backend.group(1) in ELSEWHERE


def documented():
    with open(GOLDEN, encoding='utf-8') as golden:
        return golden.read().splitlines()


def write():
    lines = list(shown())
    backends = [line for line in lines if BACKEND.match(line)]
    first = lines.index(backends[0])
    lines[first:first + len(backends)] = sorted(backends + list(filter(is_elsewhere, documented())))
    with open(GOLDEN, 'w', encoding='utf-8') as golden:
        golden.write('\n'.join(lines) + '\n')


class Inspect(unittest.TestCase):
    maxDiff = None

    def test_interface_is_the_documented_one(self):
        here = [line for line in documented() if not is_elsewhere(line)]
        self.assertEqual(here, list(shown()), 'see docs/testing.md for how to write the text anew')

    def test_every_property_has_a_blurb_with_its_unit(self):
        blurbs = {match.group(1): match.group(2) for match in
                  (re.match(r'  ([a-z-]+)\s*: (.*)', line) for line in shown()) if match}
        for name, blurb in blurbs.items():
            self.assertTrue(len(blurb) > 10, name)
            if name.endswith('-time'):
                self.assertIn('microseconds', blurb, name)


if __name__ == '__main__':
    if '--write' in sys.argv:
        write()
    else:
        tap.main(__name__)
