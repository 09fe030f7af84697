# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of the build under test, on this computer or, built for Windows, in Wine.

Meson tells by ZC_WINDOWS_RUN (the wrapper) and ZC_WINDOWS_SYSROOT (the official GStreamer) that it is Windows.
"""

import os

RUN = os.environ.get('ZC_WINDOWS_RUN', '')
SYSROOT = os.environ.get('ZC_WINDOWS_SYSROOT', '')
PREFIX = os.path.join(os.path.dirname(SYSROOT), 'prefix')


def command(program, *arguments):
    """A program of ours."""
    return [*([RUN] if RUN else []), program, *arguments]


def gst(tool, *arguments):
    """gst-launch-1.0, gst-inspect-1.0, ... of the GStreamer that the plugin is for."""
    return command(os.path.join(SYSROOT, 'bin', tool + '.exe') if SYSROOT else tool, *arguments)
