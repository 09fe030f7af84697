# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wine's own folder: the registry and drive C of the Windows that programs see.

"prefix" is what all share, and Wine writes to it at any time: copies are made of the archive, which nobody runs in."""

import os
import subprocess

from .steps import SetupError


def make(cache):
    path = cache.fresh('prefix')
    cache.detail('booting Windows')
    _wine(cache, 'wineboot', '-i')
    _registry(cache, r'HKCU\Software\Wine\Drivers', 'Audio', 'REG_SZ', 'pulse')
    # A program that crashes is told of on the terminal, not in a window. "--auto", the default, is too late at times.
    _registry(cache, r'HKCU\Software\Wine\WineDbg', 'ShowCrashDialog', 'REG_DWORD', '0')
    _registry(cache, r'HKLM\Software\Microsoft\Windows NT\CurrentVersion\AeDebug', 'Debugger', 'REG_SZ',
              'winedbg --command quit %ld %ld')
    _wine(cache, None)
    if not os.path.exists(os.path.join(path, 'system.reg')):
        raise SetupError(f'Wine made nothing of its folder {path}; see {cache.log_path}')
    cache.detail('keeping it')
    cache.run('tar', '-czf', cache.of('prefix.tar.gz'), '-C', path, '.')


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
