# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiler, MinGW-w64's GCC for the UCRT, from Debian's packages."""

import os

from . import fetch, unpack

TRIPLET = 'x86_64-w64-mingw32ucrt'

# Languages other than C, and what large tools nobody here calls.
COMPILER_LEAVES_OUT = (
    'usr/bin/*-lto-dump', 'usr/bin/*-gcov*', 'usr/bin/*-gprof', 'usr/lib/gcc/*/*/plugin', 'usr/lib/gcc/*/*/adalib',
    'usr/lib/gcc/*/*/libstdc++*', 'usr/lib/gcc/*/*/libgfortran*', 'usr/share/mingw-w64/include/mshtml*')


def make(cache):
    root = cache.fresh('compiler')
    unpack.debian_packages(cache, fetch.debian_files(cache, 'compiler'), root, COMPILER_LEAVES_OUT)
    unpack.link_programs(cache, root)
    _try_compiler(cache, root)


def tool(cache, name):
    """`gcc`, `strip`, ... of the cross compiler."""
    return cache.of('compiler', 'usr', 'bin', f'{TRIPLET}-{name}')


def _try_compiler(cache, root):
    cache.detail('compiling a program')
    source = os.path.join(root, 'empty.c')
    with open(source, 'w', encoding='utf-8') as file:
        file.write('#include <windows.h>\nint main (void) { return (int) sizeof (void *) - 8; }\n')
    cache.run(tool(cache, 'gcc'), '-o', os.path.join(root, 'empty.exe'), source)
