# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wine, from Debian's packages."""

import glob
import os
import shutil

from . import compiler, fetch, unpack

PE_OF_WINE = unpack.LIBRARIES + '/wine/x86_64-windows'

# A browser, 3D, and other compilers' run times: two thirds of Wine.
WINE_LEAVES_OUT = tuple(f'{PE_OF_WINE}/{name}' for name in (
    'mshtml.*', 'd3d*', 'wined3d.*', 'd2d1.*', 'msvcr7*', 'msvcr8*', 'msvcr9*', 'msvcr1*', 'msvcrtd.*', 'msvcp*',
    'ieframe.*', 'jscript.*', 'vbscript.*', 'opengl32.*', 'winevulkan.*', 'light.msstyles', 'xaudio*', 'x3daudio*',
    'xapofx*', 'xactengine*', 'wmp.*', 'mono*'))


def make(cache):
    root = cache.fresh('wine')
    unpack.debian_packages(cache, fetch.debian_files(cache, 'wine'), root, WINE_LEAVES_OUT)
    unpack.link_programs(cache, root)
    libraries = os.path.join(root, unpack.LIBRARIES)
    for library in glob.glob(os.path.join(libraries, 'libpulse*.so.0.*')):
        # It looks for its private half by itself.
        unpack.patch(cache, library, '--set-rpath', '$ORIGIN/pulseaudio:$ORIGIN')
    # There, a script that looks for an installed one.
    _link('wineserver64', os.path.join(root, 'usr/lib/wine/wineserver'))
    _link('.', os.path.join(root, 'usr/share/wine/wine'))
    _add_zlib(root)
    _strip(cache, os.path.join(root, PE_OF_WINE))


def _link(target, path):
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)


def _add_zlib(root):
    """Wine's own DLLs need a zlib1.dll, which Debian links from elsewhere. Wine loads it from its folder only if it
    is marked as its own: a word in the space between the DOS header and the PE header."""
    target = os.path.join(root, PE_OF_WINE, 'zlib1.dll')
    if os.path.lexists(target):
        os.unlink(target)
    shutil.copyfile(os.path.join(root, 'usr', compiler.TRIPLET, 'lib', 'zlib1.dll'), target)
    with open(target, 'r+b') as file:
        file.seek(64)
        file.write(b'Wine builtin DLL' + bytes(16))


def _strip(cache, folder):
    cache.detail('stripping')
    files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    files = [path for path in files if os.path.isfile(path) and _is_pe(path)]
    for first in range(0, len(files), 50):
        cache.detail(f'stripping {first} of {len(files)}')
        cache.run(compiler.tool(cache, 'strip'), '--strip-debug', *files[first:first + 50])


def _is_pe(path):
    with open(path, 'rb') as file:
        return file.read(2) == b'MZ'
