# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is taken from elsewhere, by version and hash: pins.debian, pins.wheels, pins.tools."""

import os
from dataclasses import dataclass

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEBIAN = os.path.join(HERE, 'pins.debian')
WHEELS = os.path.join(HERE, 'pins.wheels')
TOOLS = os.path.join(HERE, 'pins.tools')
SUITE = 'trixie'
SOURCE = 'source:' # before the name of a source package, of which we want the upstream archive


@dataclass
class Pin:
    """A file of Debian's archive. `step`: who needs it."""
    step: str
    package: str
    version: str
    sha256: str
    path: str

    @property
    def file(self):
        return os.path.basename(self.path)

    @property
    def is_source(self):
        return self.package.startswith(SOURCE)

    def __str__(self):
        return ' '.join((self.step, self.package, self.version, self.sha256, self.path))


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def _lines(text):
    return [line for line in text.splitlines() if line and not line.startswith('#')]


def debian():
    """All pins, and the moment at which the archive had them all."""
    lines = _lines(read(DEBIAN))
    return [Pin(*line.split()) for line in lines[1:]], lines[0].split()[1]


def of_step(step):
    return [pin for pin in debian()[0] if pin.step == step]


def write_debian(pins, moment):
    comment = [line for line in read(DEBIAN).splitlines() if line.startswith('#')]
    with open(DEBIAN, 'w', encoding='utf-8') as file:
        file.write('\n'.join([*comment, f'moment {moment}', *map(str, pins)]) + '\n')


def wheel_versions(path):
    """name==version of each."""
    return [line.split()[0] for line in _lines(read(path)) if '==' in line]


def write_wheels(path, hashes):
    """`hashes`: by name==version."""
    comment = [line for line in read(path).splitlines() if line.startswith('#')]
    lines = [f'{wheel} \\\n    --hash=sha256:{sha256}' for wheel, sha256 in hashes.items()]
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join([*comment, *lines]) + '\n')
