#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packs the Windows plugin for its users: a zip, and a wheel for who has GStreamer from pip.

  pack.py --version 0.1.0 --plugin gstzcloopback.dll --strip STRIP --output DIRECTORY

The same plugin makes the same bytes: files are sorted, and none has a time. Standard library only.
"""

import argparse
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PIPELINES = os.path.join(ROOT, 'pipelines', 'windows')

PLUGIN = 'lib/gstreamer-1.0/gstzcloopback.dll'
NAME = 'gstreamer_zcloopback'
TAG = 'py3-none-win_amd64'
HOST_PACKAGE = 'gstreamer_plugins'
"""Where the wheel puts the plugin. GStreamer's wheels know each other by name, and look into no other's folders; this
one's they always do."""

NO_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can tell."""
FILE_MODE = 0o100644 << 16

METADATA = """\
Metadata-Version: 2.4
Name: {name}
Version: {version}
Summary: GStreamer source that captures what the computer plays, through WASAPI loopback
Author: The zcloopbacksrc developers
License-Expression: LGPL-2.1-or-later
License-File: LICENSE
Classifier: Intended Audience :: Developers
Classifier: Operating System :: Microsoft :: Windows
Classifier: Programming Language :: Python :: 3
Classifier: Topic :: Multimedia :: Sound/Audio :: Capture/Recording
Requires-Python: >=3.9
Requires-Dist: {host}>=1.28,<2
Description-Content-Type: text/markdown

The GStreamer element `zcloopbacksrc` for 64-bit Windows, as a part of the GStreamer that pip installs:

    pip install gstreamer_bundle {name}-{version}-{tag}.whl
    gst-launch-1.0 -e zcloopbacksrc ! audioconvert ! audio/x-raw,format=S24_32LE ! flacenc ! filesink location=what-i-heard.flac
"""

WHEEL = """\
Wheel-Version: 1.0
Generator: zcloopbacksrc ({version})
Root-Is-Purelib: false
Tag: {tag}
"""


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def windows_text(data):
    """Lines as Windows ends them: its command processor misreads scripts with others."""
    return data.replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')


def stripped(plugin, strip):
    """Without what only a debugger reads."""
    with tempfile.TemporaryDirectory() as directory:
        copy = os.path.join(directory, 'plugin.dll')
        shutil.copyfile(plugin, copy)
        subprocess.run([strip, '-p', copy], check=True)
        return read(copy)


def pipelines():
    """{path beside the scripts: data}"""
    found = {}
    for directory, _, names in os.walk(PIPELINES):
        for name in names:
            path = os.path.join(directory, name)
            if name.endswith('.cmd'):
                found[os.path.relpath(path, PIPELINES).replace(os.sep, '/')] = windows_text(read(path))
    return found


def write(path, files):
    """A zip of {path: data}, in this order of the paths."""
    with zipfile.ZipFile(path, 'w') as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, NO_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # or the mode would depend on where it is made
            info.external_attr = FILE_MODE
            archive.writestr(info, data, compresslevel=9)
    print(f'{path}: {os.path.getsize(path)} bytes')


def pack_zip(output, version, plugin):
    name = f'zcloopbacksrc-{version}-windows-x86_64'
    readme = read(os.path.join(HERE, 'README.txt.in')).replace(b'@VERSION@', version.encode())
    files = {
        PLUGIN: plugin,
        'LICENSE': read(os.path.join(ROOT, 'LICENSE')),
        'README.txt': windows_text(readme),
        **{'pipelines/' + path: data for path, data in pipelines().items()},
    }
    write(os.path.join(output, name + '.zip'), {f'{name}/{path}': files[path] for path in sorted(files)})


def record(files, name):
    """What pip removes later, and how it knows what it got."""
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()
        lines.append(f'{path},sha256={digest},{len(data)}\n')
    return ''.join(lines + [f'{name},,\n']).encode()


def pack_wheel(output, version, plugin):
    values = {'name': NAME, 'version': version, 'tag': TAG, 'host': HOST_PACKAGE}
    info = f'{NAME}-{version}.dist-info'
    files = {
        f'{NAME}-{version}.data/purelib/{HOST_PACKAGE}/{PLUGIN}': plugin,
        f'{info}/METADATA': METADATA.format(**values).encode(),
        f'{info}/WHEEL': WHEEL.format(**values).encode(),
        f'{info}/licenses/LICENSE': read(os.path.join(ROOT, 'LICENSE')),
    }
    files = {path: files[path] for path in sorted(files)}
    files[f'{info}/RECORD'] = record(files, f'{info}/RECORD')
    write(os.path.join(output, f'{NAME}-{version}-{TAG}.whl'), files)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--version', required=True)
    parser.add_argument('--plugin', required=True, help='the DLL, as built')
    parser.add_argument('--strip', required=True, help='the program that strips it')
    parser.add_argument('--output', required=True, help='the directory to write to')
    arguments = parser.parse_args()
    plugin = stripped(arguments.plugin, arguments.strip)
    pack_zip(arguments.output, arguments.version, plugin)
    pack_wheel(arguments.output, arguments.version, plugin)


if __name__ == '__main__':
    sys.exit(main())
