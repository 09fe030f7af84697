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
PIP_OPTIONS = ('--no-deps', '--only-binary', ':all:', '--python-version', '3.12', '--platform', 'win_amd64',
               '--platform', 'manylinux2014_x86_64', '--disable-pip-version-check', '--no-input', '--no-color',
               '--progress-bar', 'off')


def mirrors():
    """Where Debian's archive is, this computer's own mirrors first."""
    known = subprocess.run(['apt-get', 'indextargets', '--format', '$(ORIGIN)|$(COMPONENT)|$(REPO_URI)'],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    # Without an origin: before the first "apt-get update".
    found = re.findall(r'^(?:Debian\|main\|(\S+?)|\|main\|(\S+/debian))/?$', known, re.MULTILINE)
    here = [uri for uris in found for uri in uris if uri and '-security' not in uri and 'snapshot.' not in uri]
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
    folder = cache.of('downloads')
    os.makedirs(folder, exist_ok=True)
    wanted = [(pin, os.path.join(folder, pin.file)) for pin in pins.of_step(step)]
    missing = _missing(wanted)
    if missing and not os.access(APT_HELPER, os.X_OK):
        raise SetupError(f'{APT_HELPER} is missing: this needs Debian or Ubuntu (or a container of it).')
    answers = {}
    for mirror in [*mirrors(), DEBIAN_PAST.format(moment=pins.debian()[1])]:
        answers[mirror] = _try_mirror(cache, mirror, missing)
        missing = _missing(missing)
    if missing:
        raise SetupError(_why([pin for pin, _ in missing], answers))
    return [path for _, path in wanted]


def _try_mirror(cache, mirror, missing):
    """What it said last; a mirror that does not answer is not asked again."""
    answer = ''
    for number, (pin, path) in enumerate(missing, 1):
        cache.detail(f'fetching {number} of {len(missing)} from {mirror}: {pin.package}')
        answer = _fetch(cache, f'{mirror}/{pin.path}', path, pin.sha256) or answer
        if answer and not re.search('404|Hash', answer):
            break
    return answer


def _missing(files):
    return [(pin, path) for pin, path in files if not (os.path.exists(path) and sha256_of(path) == pin.sha256)]


def _fetch(cache, uri, path, sha256):
    """What was said where it failed."""
    try:
        cache.run(APT_HELPER, '-o', 'APT::Sandbox::User=', '-o', 'Acquire::Retries=2', '-o',
                  'Acquire::http::Timeout=30', 'download-file', uri, path, f'SHA256:{sha256}')
        return ''
    except SetupError as error:
        words = re.findall(r'^ *E: (?:Failed to fetch \S+)? *(.*)', str(error), re.MULTILINE)
        return words[0] if words else 'failed'


def _why(missing, answers):
    """`answers`: by mirror."""
    names = ', '.join(f'{pin.package} {pin.version}' for pin in missing[:3])
    if len(missing) > 3:
        names += f' and {len(missing) - 3} more'
    tried = '\n'.join(f'    {mirror}: {answer}' for mirror, answer in answers.items())
    if any('404' in answer for answer in answers.values()):
        return (f'Debian {pins.SUITE} does not have {names} any more:\n{tried}\n'
                'A point release has put newer versions in their place. "tests/windows/setup --repin" takes those into '
                'tests/windows/pins.debian; run the tests then, and commit it.')
    return f'cannot fetch {names}:\n{tried}\nThe next run goes on from here.'


def wheels(cache, pinned):
    """The paths of the wheels that this file of pins names."""
    folder = cache.of('downloads', os.path.basename(pinned))
    os.makedirs(folder, exist_ok=True)
    cache.detail('fetching with pip')
    _pip(cache, folder, '--require-hashes', '-r', pinned)
    return [_wheel(folder, wheel) for wheel in pins.wheel_versions(pinned)]


def wheel_hashes(cache, pinned):
    """By name==version, as the index has them now."""
    folder = cache.fresh('downloads', 'repin')
    versions = pins.wheel_versions(pinned)
    _pip(cache, folder, *versions)
    return {wheel: sha256_of(_wheel(folder, wheel)) for wheel in versions}


def _wheel(folder, wheel):
    name, version = wheel.split('==')
    return next(os.path.join(folder, file) for file in os.listdir(folder) if file.startswith(f'{name}-{version}-'))


def _pip(cache, folder, *what):
    """Only `download`: nothing is installed, so an externally managed Python does not mind."""
    python = PYTHON if os.access(PYTHON, os.X_OK) else sys.executable
    if subprocess.run([python, '-m', 'pip', '--version'], capture_output=True, check=False).returncode != 0:
        raise SetupError(f'{python} has no pip: run "pipelines/lib/install-packages windows".')
    try:
        cache.run(python, '-m', 'pip', 'download', *PIP_OPTIONS, '-d', folder, *what)
    except SetupError as error:
        words = [line.strip() for line in str(error).splitlines() if re.match(r' *(ERROR|Could not fetch)', line)]
        raise SetupError('pip cannot fetch what is pinned:\n    ' + '\n    '.join(words) +
                         '\npip.conf and PIP_... of the environment (PIP_INDEX_URL, PIP_CERT, PIP_PROXY) hold here. '
                         'The next run goes on from here.') from error
