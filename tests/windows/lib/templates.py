# SPDX-License-Identifier: LGPL-2.1-or-later
"""The cross file and the wrapper, with the paths of this cache in them."""

import os
import stat

from . import pins, toolchain

FILES = {'cross.ini': 'cross.ini', 'wine-run': 'bin/wine-run'}


def _template(name):
    return pins.read(os.path.join(pins.HERE, name + '.in'))


def text():
    return ''.join(_template(name) for name in FILES)


def fill(cache):
    for name, target in FILES.items():
        path = cache.of(target)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        filled = _template(name).replace('@CACHE@', cache.path).replace('@BIN@', toolchain.tool(cache, '')[:-1])
        with open(path + '.new', 'w', encoding='utf-8') as file:
            file.write(filled)
        os.chmod(path + '.new', os.stat(path + '.new').st_mode | (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
                                                                  if target.startswith('bin/') else 0))
        os.rename(path + '.new', path)
