# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it takes to build for the official GStreamer, and its wheels do not have: headers (Debian's), import libraries
(made from the DLLs), pkg-config files."""

import os
import re
import shutil
import tarfile

from . import compiler, fetch, glibconfig, pins, unpack
from .steps import SetupError

# What we build with: pkg-config name, DLL, pkg-config names that it needs.
LIBRARIES = (
    ('glib-2.0', 'glib-2.0-0', ''),
    ('gobject-2.0', 'gobject-2.0-0', 'glib-2.0'),
    ('gmodule-2.0', 'gmodule-2.0-0', 'glib-2.0'),
    ('gio-2.0', 'gio-2.0-0', 'gobject-2.0'),
    ('gstreamer-1.0', 'gstreamer-1.0-0', 'gobject-2.0'),
    ('gstreamer-base-1.0', 'gstbase-1.0-0', 'gstreamer-1.0'),
    ('gstreamer-controller-1.0', 'gstcontroller-1.0-0', 'gstreamer-1.0'),
    ('gstreamer-net-1.0', 'gstnet-1.0-0', 'gio-2.0 gstreamer-1.0'),
    ('gstreamer-check-1.0', 'gstcheck-1.0-0', 'gstreamer-base-1.0'),
    ('gstreamer-app-1.0', 'gstapp-1.0-0', 'gstreamer-base-1.0'),
    ('gstreamer-tag-1.0', 'gsttag-1.0-0', 'gstreamer-base-1.0'),
    ('gstreamer-audio-1.0', 'gstaudio-1.0-0', 'gstreamer-base-1.0'),
)

# Whose packages say which version the headers are of.
HEADERS = {'g': 'libgio-2.0-dev', 'gstreamer': 'libgstreamer1.0-dev'}

PC = """prefix=${{pcfiledir}}/../..
Name: {name}
Description: {name} of the official Windows build
Version: {version}
Requires: {requires}
Cflags: -I${{prefix}}/include/{include}
Libs: -L${{prefix}}/lib -l{library}
"""


def make(cache):
    files = fetch.debian_files(cache, 'headers')
    source = cache.fresh('headers')
    unpack.debian_packages(cache, [file for file in files if file.endswith('.deb')], source)
    shutil.rmtree(cache.of('sysroot', 'include'), ignore_errors=True)
    for name in ('glib-2.0', 'gstreamer-1.0'):
        shutil.copytree(os.path.join(source, 'usr', 'include', name), cache.of('sysroot', 'include', name))
    shutil.rmtree(source)
    versions = {name: _upstream_version(package) for name, package in HEADERS.items()}
    _glib_of_windows(cache, next(file for file in files if file.endswith('.tar.xz')), versions['g'])
    os.makedirs(cache.of('sysroot', 'lib', 'pkgconfig'), exist_ok=True)
    for name, dll, requires in LIBRARIES:
        cache.detail('import library of ' + dll)
        _import_library(cache, dll)
        _pkg_config(cache, name, dll, requires, versions['gstreamer' if 'gstreamer' in name else 'g'])


def _upstream_version(package):
    version = next(pin.version for pin in pins.of_step('headers') if pin.package == package)
    return re.match(r'(?:\d+:)?([\d.]+)', version).group(1)


def _glib_of_windows(cache, archive, version):
    """The two headers that depend on the system."""
    cache.detail('headers of GLib for Windows')
    include = cache.of('sysroot', 'include', 'glib-2.0')
    wanted = ('glib/gwin32.h', 'glib/glibconfig.h.in')
    with tarfile.open(archive) as tar:
        texts = {member.name.split('/', 1)[1]: tar.extractfile(member).read().decode() for member in tar
                 if member.name.split('/', 1)[-1] in wanted}
    with open(os.path.join(include, 'glib', 'gwin32.h'), 'w', encoding='utf-8') as file:
        file.write(texts['glib/gwin32.h'])
    with open(os.path.join(include, 'glibconfig.h'), 'w', encoding='utf-8') as file:
        file.write(glibconfig.filled(texts['glib/glibconfig.h.in'], version))


def _library(dll):
    return dll.removesuffix('-0')


def _import_library(cache, dll):
    """Relative names, unique: dlltool makes a symbol of each, and two that are the same would meet in one program."""
    folder = cache.of('sysroot', 'lib')
    definitions = cache.run(cache.of('compiler', 'usr', 'bin', 'gendef'), '-',
                            cache.of('sysroot', 'bin', dll + '.dll'))
    exports = definitions[definitions.find('LIBRARY'):]
    if 'EXPORTS' not in exports:
        raise SetupError(f'gendef finds nothing in {dll}.dll')
    with open(os.path.join(folder, dll + '.def'), 'w', encoding='utf-8') as file:
        file.write(exports)
    cache.run(compiler.tool(cache, 'dlltool'), '-d', dll + '.def', '-D', dll + '.dll', '-l',
              f'lib{_library(dll)}.dll.a', cwd=folder)


def _pkg_config(cache, name, dll, requires, version):
    text = PC.format(name=name, version=version, requires=requires, library=_library(dll),
                     include='gstreamer-1.0' if 'gstreamer' in name else 'glib-2.0')
    with open(cache.of('sysroot', 'lib', 'pkgconfig', name + '.pc'), 'w', encoding='utf-8') as file:
        file.write(text)
