#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is handed out: the DLL needs nothing that Windows and the official GStreamer do not have, and shows nothing but
the plugin's entry."""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from support import tap  # noqa: E402

GSTREAMER = {'glib-2.0-0.dll', 'gobject-2.0-0.dll', 'gstreamer-1.0-0.dll', 'gstbase-1.0-0.dll', 'gstaudio-1.0-0.dll'}
WINDOWS = {'kernel32.dll', 'ole32.dll', 'avrt.dll', 'mmdevapi.dll', 'advapi32.dll'}
# The C library of Windows 10 and later, in its parts.
UCRT = re.compile(r'api-ms-win-crt-[a-z]+-l1-1-0\.dll')
EXPORTS = {'gst_plugin_zcloopback_get_desc', 'gst_plugin_zcloopback_register'}


def headers():
    return subprocess.run([os.environ['ZC_OBJDUMP'], '-p', os.environ['ZC_PLUGIN']], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


class Plugin(unittest.TestCase):
    def test_it_needs_gstreamer_glib_and_windows_only(self):
        needed = {name.lower() for name in re.findall(r'^\s*DLL Name: (\S+)$', headers(), re.MULTILINE)}
        tap.note('\n'.join(sorted(needed)))
        self.assertTrue(GSTREAMER & needed)
        foreign = {name for name in needed - GSTREAMER - WINDOWS if not UCRT.fullmatch(name)}
        self.assertEqual(foreign, set())

    def test_it_shows_the_plugins_entry_only(self):
        exports = headers().split('[Ordinal/Name Pointer] Table', 1)[1].split('\n\n', 1)[0]
        self.assertEqual(set(re.findall(r'^\s*\[\s*\d+\].*?(\w+)$', exports, re.MULTILINE)), EXPORTS)


if __name__ == '__main__':
    tap.main(__name__)
