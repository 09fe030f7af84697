# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cross file and the wrapper, with the paths of this cache in them."""

import os

from . import compiler, pins

FILES = {'cross.ini': 'cross.ini', 'wine-run': 'bin/wine-run'}


def _template(name):
    return pins.read(os.path.join(pins.HERE, name + '.in'))


def text():
    return ''.join(_template(name) for name in FILES)


def make(cache):
    for name, target in FILES.items():
        path = cache.of(target)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        filled = _template(name).replace('@CACHE@', cache.path).replace('@BIN@', compiler.tool(cache, '')[:-1])
        with open(path + '.new', 'w', encoding='utf-8') as file:
            file.write(filled)
        os.chmod(path + '.new', 0o755 if target.startswith('bin/') else 0o644)
        os.rename(path + '.new', path)
