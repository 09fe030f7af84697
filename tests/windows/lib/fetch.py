# SPDX-License-Identifier: LGPL-2.1-or-later
"""Downloads of what is pinned: by apt's own downloader, and by pip, so that their settings (proxies, mirrors,
certificates) hold here, too."""

import hashlib
import os
import re
import subprocess
import sys

from . import pins
from .steps import SetupError

DEBIAN_MIRROR = 'http://deb.debian.org/debian'
DEBIAN_PAST = 'http://snapshot.debian.org/archive/debian/{moment}' # the archive as it was then
APT_HELPER = '/usr/lib/apt/apt-helper'
PYTHON = '/usr/bin/python3'
PIP_OPTIONS = ('--no-deps', '--only-binary', ':all:', '--platform', 'win_amd64', '--python-version', '3.12',
               '--disable-pip-version-check', '--no-input', '--no-color', '--progress-bar', 'off')


def mirrors():
    """Where Debian's archive is, this computer's own mirrors first."""
    known = subprocess.run(['apt-get', 'indextargets', '--format', '$(ORIGIN) $(COMPONENT) $(REPO_URI)'],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    found = re.findall(r'^Debian main (\S+?)/?$', known, re.MULTILINE)
    here = [uri for uri in found if '-security' not in uri and 'snapshot.' not in uri]
    return list(dict.fromkeys([*here, DEBIAN_MIRROR]))


def sha256_of(path):
    hashed = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            hashed.update(block)
    return hashed.hexdigest()


def _is_whole(path, sha256):
    return os.path.exists(path) and sha256_of(path) == sha256


def debian_files(cache, step):
    """The paths of the step's files, all with the right hash."""
    wanted = pins.of_step(step)
    folder = cache.of('downloads')
    os.makedirs(folder, exist_ok=True)
    missing = [pin for pin in wanted if not _is_whole(os.path.join(folder, pin.file), pin.sha256)]
    if missing and not os.access(APT_HELPER, os.X_OK):
        raise SetupError(f'{APT_HELPER} is missing: this needs Debian or Ubuntu (or a container of it).')
    answers = []
    for mirror in [*mirrors(), DEBIAN_PAST.format(moment=pins.debian()[1])]:
        answers += _try_mirror(cache, mirror, folder, missing)
        missing = [pin for pin in missing if not _is_whole(os.path.join(folder, pin.file), pin.sha256)]
    if missing:
        raise SetupError(_why(missing, answers))
    return [os.path.join(folder, pin.file) for pin in wanted]


def _try_mirror(cache, mirror, folder, missing):
    """Fetches what it can; returns what was said of the rest."""
    answers = []
    for number, pin in enumerate(missing, 1):
        cache.detail(f'fetching {number} of {len(missing)}: {pin.package}')
        try:
            cache.run(APT_HELPER, '-o', 'APT::Sandbox::User=', '-o', 'Acquire::Retries=2', '-o',
                      'Acquire::http::Timeout=30', 'download-file', f'{mirror}/{pin.path}',
                      os.path.join(folder, pin.file), f'SHA256:{pin.sha256}')
        except SetupError as error:
            answers.append((mirror, pin, str(error)))
    return answers


def _why(missing, answers):
    names = ', '.join(f'{pin.package} {pin.version}' for pin in missing)
    gone = [pin for pin in missing if any(pin is asked and ' 404 ' in words for _, asked, words in answers)]
    if gone:
        return (f'Debian {pins.SUITE} has these in other versions now (a point release came), and '
                f'snapshot.debian.org did not answer: {names}.\n'
                'Take what the archive has now with "tests/windows/setup --repin", run the tests, and commit '
                'tests/windows/pins.debian.')
    tried = '\n'.join(f'    {mirror}: {words.splitlines()[-2].strip()}' for mirror, pin, words in answers
                      if pin is missing[0])
    return f'cannot fetch {names}:\n{tried}\nIs the network up? The next run goes on from here.'


def wheels(cache):
    """The paths of the wheels."""
    folder = cache.of('downloads', 'wheels')
    os.makedirs(folder, exist_ok=True)
    cache.detail('fetching with pip')
    _pip(cache, folder, '--require-hashes', '-r', pins.WHEELS)
    names = [wheel.split('==')[0] for wheel in pins.wheel_versions()]
    return [os.path.join(folder, file) for name in names for file in sorted(os.listdir(folder))
            if file.startswith(name + '-')]


def wheel_hashes(cache):
    """By name==version, as the index has them now."""
    folder = cache.fresh('downloads', 'repin')
    hashes = {}
    for wheel in pins.wheel_versions():
        _pip(cache, folder, wheel)
        name = wheel.split('==')[0]
        hashes[wheel] = next(sha256_of(os.path.join(folder, file)) for file in os.listdir(folder)
                             if file.startswith(name + '-'))
    return hashes


def _pip(cache, folder, *what):
    """Only `download`: nothing is installed, so an externally managed Python does not mind."""
    python = PYTHON if os.access(PYTHON, os.X_OK) else sys.executable
    cache.run(python, '-m', 'pip', 'download', *PIP_OPTIONS, '-d', folder, *what)
