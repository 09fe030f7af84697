# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compiler (MinGW-w64 GCC for the UCRT) and Wine, from Debian's packages."""

import glob
import os
import shutil
import subprocess

from . import fetch, unpack
from .steps import SetupError

TRIPLET = 'x86_64-w64-mingw32ucrt'
PE_OF_WINE = unpack.LIBRARIES + '/wine/x86_64-windows'

# Languages other than C, and what large tools nobody here calls.
COMPILER_LEAVES_OUT = (
    'usr/bin/*-lto-dump', 'usr/bin/*-gcov*', 'usr/bin/*-gprof', 'usr/lib/gcc/*/*/plugin', 'usr/lib/gcc/*/*/adalib',
    'usr/lib/gcc/*/*/libstdc++*', 'usr/lib/gcc/*/*/libgfortran*', 'usr/share/mingw-w64/include/mshtml*')

# A browser, 3D, and other compilers' run times: two thirds of Wine.
WINE_LEAVES_OUT = tuple(f'{PE_OF_WINE}/{name}' for name in (
    'mshtml.*', 'd3d*', 'wined3d.*', 'd2d1.*', 'msvcr7*', 'msvcr8*', 'msvcr9*', 'msvcr1*', 'msvcrtd.*', 'msvcp*',
    'ieframe.*', 'jscript.*', 'vbscript.*', 'opengl32.*', 'winevulkan.*', 'light.msstyles', 'xaudio*', 'x3daudio*',
    'xapofx*', 'xactengine*', 'wmp.*', 'mono*'))


def compiler(cache):
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


def wine(cache):
    root = cache.fresh('wine')
    unpack.debian_packages(cache, fetch.debian_files(cache, 'wine'), root, WINE_LEAVES_OUT)
    unpack.link_programs(cache, root)
    libraries = os.path.join(root, unpack.LIBRARIES)
    for library in glob.glob(os.path.join(libraries, 'libpulse*.so.0.*')):
        # It looks for its private half by itself.
        cache.run('patchelf', '--set-rpath', '$ORIGIN/pulseaudio:$ORIGIN', library)
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
    shutil.copyfile(os.path.join(root, 'usr', TRIPLET, 'lib', 'zlib1.dll'), target)
    with open(target, 'r+b') as file:
        file.seek(64)
        file.write(b'Wine builtin DLL' + bytes(16))


def _strip(cache, folder):
    cache.detail('stripping')
    files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    files = [path for path in files if os.path.isfile(path) and _is_pe(path)]
    for first in range(0, len(files), 50):
        cache.detail(f'stripping {first} of {len(files)}')
        cache.run(tool(cache, 'strip'), '--strip-debug', *files[first:first + 50])


def _is_pe(path):
    with open(path, 'rb') as file:
        return file.read(2) == b'MZ'


def prefix(cache):
    """Wine's own folder: the registry and drive C of the Windows that programs see."""
    path = cache.fresh('prefix')
    cache.detail('booting Windows')
    _wine(cache, 'wineboot', '-i')
    # A program that crashes is told of on the terminal, not in a window. "--auto", the default, is too late at times.
    _registry(cache, r'HKCU\Software\Wine\WineDbg', 'ShowCrashDialog', 'REG_DWORD', '0')
    _registry(cache, r'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug', 'Debugger', 'REG_SZ',
              'winedbg --command quit %ld %ld')
    _wine(cache, None)
    if not os.path.exists(os.path.join(path, 'system.reg')):
        raise SetupError(f'Wine made nothing of its folder {path}; see {cache.log_path}')


def _registry(cache, key, name, kind, value):
    _wine(cache, 'reg', 'add', key, '/v', name, '/t', kind, '/d', value, '/f')


def _wine(cache, *command):
    """A program of Wine's. None: waits until Wine is gone, and has written all."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith('WINE')}
    environment |= {'WINEPREFIX': cache.of('prefix'), 'WINEDEBUG': '-all', 'WINEDLLOVERRIDES': 'mscoree,mshtml='}
    environment.pop('TMPDIR', None)   # Wine aborts where it is set
    environment.pop('DISPLAY', None)
    folder = cache.of('wine', 'usr', 'lib', 'wine')
    program = [os.path.join(folder, 'wineserver'), '-w'] if command == (None,) else \
        [os.path.join(folder, 'wine64'), *command]
    # Not through cache.run(): what Wine leaves in the background for a moment would keep its pipe open.
    with open(cache.log_path, 'a', encoding='utf-8') as log:
        status = subprocess.run(program, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                timeout=300, check=False).returncode
    if status != 0:
        raise SetupError(f'{" ".join(map(str, program))} failed with status {status}; see {cache.log_path}')
