# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pins anew: what Debian's archive (signed lists, checked by apt) and the package index have now."""

import os
import re
import time

from . import fetch, pins
from .steps import SetupError, say

KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
SOURCES = 'deb [signed-by={key}] {mirror} {suite} main\ndeb-src [signed-by={key}] {mirror} {suite} main\n'


def repin(cache):
    apt = _private_apt(cache)
    before, _ = pins.debian()
    packages = sorted({pin.package for pin in before if not pin.is_source})
    known = cache.run('apt-cache', *apt, 'show', '--no-all-versions', *packages)
    paragraphs = {_field(text, 'Package'): text for text in known.split('\n\n') if text.strip()}
    after = [_source_now(cache, apt, pin) if pin.is_source else _package_now(paragraphs, pin) for pin in before]
    for old, new in zip(before, after):
        if old.version != new.version:
            say(f'{old.package}: {old.version} -> {new.version}')
    pins.write_debian(after, time.strftime('%Y%m%dT%H%M%SZ', time.gmtime()))
    say(f'{pins.DEBIAN}: {len(after)} files')
    for path in (pins.TOOLS, pins.WHEELS):
        pins.write_wheels(path, fetch.wheel_hashes(cache, path))
        say(f'{path}: the versions that it names')


def _private_apt(cache):
    """Options for an apt that knows our suite and has a state of its own."""
    if not os.path.exists(KEYRING):
        raise SetupError(f'{KEYRING} is missing: install debian-archive-keyring.')
    root = cache.fresh('apt')
    for folder in ('etc/apt.conf.d', 'etc/preferences.d', 'lists/partial', 'cache/archives/partial'):
        os.makedirs(os.path.join(root, folder))
    open(os.path.join(root, 'status'), 'w', encoding='utf-8').close()
    with open(os.path.join(root, 'etc', 'sources.list'), 'w', encoding='utf-8') as file:
        file.write(SOURCES.format(key=KEYRING, mirror=fetch.mirrors()[0], suite=pins.SUITE))
    options = {'Dir': root, 'Dir::Etc': root + '/etc', 'Dir::Etc::parts': '/etc/apt/apt.conf.d', 'Dir::State': root,
               'Dir::State::status': root + '/status', 'Dir::Cache': root + '/cache', 'APT::Sandbox::User': '',
               'APT::Architecture': 'amd64'}
    flags = [word for key, value in options.items() for word in ('-o', f'{key}={value}')]
    cache.run('apt-get', *flags, 'update')
    return flags


def _package_now(paragraphs, pin):
    if pin.package not in paragraphs:
        raise SetupError(f'{pins.SUITE} has no package {pin.package}')
    text = paragraphs[pin.package]
    return pins.Pin(pin.step, pin.package, _field(text, 'Version'), _field(text, 'SHA256'), _field(text, 'Filename'))


def _source_now(cache, apt, pin):
    """The upstream archive of a source package."""
    text = cache.run('apt-cache', *apt, 'showsrc', pin.package.removeprefix(pins.SOURCE))
    hashed = re.search(r'^ ([0-9a-f]{64}) \d+ (\S+\.orig\.tar\.xz)$', text, re.MULTILINE)
    if not hashed:
        raise SetupError(f'{pins.SUITE} has no upstream archive of {pin.package}')
    return pins.Pin(pin.step, pin.package, _field(text, 'Version'), hashed.group(1),
                    f'{_field(text, "Directory")}/{hashed.group(2)}')


def _field(text, name):
    found = re.search(rf'^{name}: (.*)$', text, re.MULTILINE)
    if not found:
        raise SetupError(f'apt tells no {name} in:\n{text}')
    return found.group(1)
