# SPDX-License-Identifier: LGPL-2.1-or-later
"""The official Windows GStreamer: programs, DLLs and plugins, from its wheels."""

import os
import shutil

from . import fetch, pins, unpack

# A first look at all 250 plugins takes Wine ten seconds: tests look at these.
FEW_PLUGINS = ('app', 'audioconvert', 'audioresample', 'audiotestsrc', 'coreelements', 'coretracers', 'level', 'opus',
               'volume', 'wasapi', 'wasapi2', 'wavenc', 'wavparse')


def make(cache):
    root = cache.fresh('sysroot')
    for path in fetch.wheels(cache, pins.WHEELS):
        cache.detail('unpacking ' + os.path.basename(path))
        unpack.wheel(path, root)
    few = cache.fresh('sysroot', 'lib', 'gst-min')
    for name in FEW_PLUGINS:
        shutil.copyfile(cache.of('sysroot', 'lib', 'gstreamer-1.0', f'gst{name}.dll'),
                        os.path.join(few, f'gst{name}.dll'))
