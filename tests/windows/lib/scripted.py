# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs Windows programs on the scripted WASAPI: our mmdevapi.dll in a Wine prefix of its own.

Programs come to mmdevapi.dll in two ways: by its name (an import, LoadLibrary), and by the path that the registry has
for CLSID_MMDeviceEnumerator, which is C:\\windows\\system32. One file is at the end of both: in a copy of the prefix,
system32's is a link to ours, and WINEDLLOVERRIDES says that Wine's own is not to be had. The copy is of hard links, so
it costs nothing; the prefix that it is made from is never written to.
"""

import contextlib
import dataclasses
import fcntl
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(SOURCE, 'tests'))
from support import poll, processes, wine  # noqa: E402

# Plugins that gst-min, the set-up's short list, does not have: clockselect.
PLUGINS = ('debugutilsbad',)

CLSID = '{BCDE0395-E52F-467C-8E3D-C4579291692E}\\\\InprocServer32'


def dll():
    """The built DLL: Meson's tests are told; by hand, it is the one of a build directory in the source."""
    found = [os.environ['ZC_SCRIPTED_DLL']] if 'ZC_SCRIPTED_DLL' in os.environ else \
        sorted(glob.glob(os.path.join(SOURCE, 'build*', 'tests', 'windows', 'scripted', 'mmdevapi.dll')))
    if not found:
        raise SystemExit('no mmdevapi.dll: build for Windows first, or say where it is in ZC_SCRIPTED_DLL')
    return os.path.abspath(found[0])


def windows_path(path):
    return 'Z:' + os.path.abspath(path)


def _is_complete(prefix):
    """Wine writes its registry to files some seconds after the programs that made it have ended."""
    path = os.path.join(prefix, 'system.reg')
    if not os.path.exists(path):
        return False
    with open(path, encoding='utf-8', errors='replace') as file:
        return CLSID in file.read()


def _link_tree(source, target):
    """Hard links where the file system has them across, else copies."""
    linked = subprocess.run(['cp', '-al', source, target], check=False, capture_output=True)
    if linked.returncode:
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(['cp', '-a', source, target], check=True)


def _make_prefix(base, path, library):
    """Registry files are written to, and so are copied."""
    poll.until(lambda: _is_complete(base), 30, f'registry in {base}')
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    for name in os.listdir(base):
        source, target = os.path.join(base, name), os.path.join(path, name)
        if name == 'drive_c':
            _link_tree(source, target)
        elif name == 'dosdevices':
            shutil.copytree(source, target, symlinks=True)
        elif name.endswith('.reg') or name == '.update-timestamp':
            shutil.copy2(source, target)
    inside = os.path.join(path, 'drive_c', 'windows', 'system32', 'mmdevapi.dll')
    os.unlink(inside)
    os.symlink(library, inside)


def _make_plugins(path):
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    for name in PLUGINS:
        os.symlink(os.path.join(wine.SYSROOT, 'lib', 'gstreamer-1.0', f'gst{name}.dll'),
                   os.path.join(path, f'gst{name}.dll'))


def _key(library):
    """What prefix and plugins are made from; the set-up writes its stamp when the prefix is complete."""
    with open(os.path.join(wine.CACHE, 'stamps', 'prefix'), encoding='utf-8') as stamp:
        made = f'{stamp.read().strip()} {os.fstat(stamp.fileno()).st_mtime_ns}'
    return f'{wine.CACHE} {made} {library} {" ".join(PLUGINS)}'


def _prepare(library):
    """Prefix and plugins, beside the DLL; made anew if what they are made from has changed."""
    folder = os.path.dirname(library)
    prefix, plugins, stamp = (os.path.join(folder, name) for name in ('prefix', 'plugins', 'prefix.stamp'))
    with open(os.path.join(folder, 'prefix.lock'), 'w', encoding='utf-8') as lock, \
            open(os.path.join(wine.CACHE, 'lock'), encoding='utf-8') as setup:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fcntl.flock(setup, fcntl.LOCK_SH)  # not while the set-up makes what is copied
        key = _key(library)
        if not (os.path.exists(stamp) and open(stamp, encoding='utf-8').read() == key):
            _make_prefix(os.path.join(wine.CACHE, 'prefix'), prefix, library)
            _make_plugins(plugins)
            with open(stamp, 'w', encoding='utf-8') as file:
                file.write(key)
    return prefix, plugins


def environment(script, report, library=None):
    """For wine-run: a program started with it is on the script, and reports into that file."""
    library = library or dll()
    prefix, plugins = _prepare(library)
    build = os.path.join(os.path.dirname(library), '..', '..', '..')
    env = dict(os.environ, WINEPREFIX=prefix, WINEDLLOVERRIDES='mscoree,mshtml=;mmdevapi=n',
               ZC_WASAPI_SCRIPT=script, ZC_WASAPI_REPORT=windows_path(report),
               GST_PLUGIN_SYSTEM_PATH_1_0=windows_path(os.path.join(wine.SYSROOT, 'lib', 'gst-min')),
               GST_PLUGIN_PATH=f'{windows_path(os.path.join(build, "gst"))};{windows_path(plugins)}',
               GST_REGISTRY_1_0=windows_path(os.path.join(os.path.dirname(library), 'registry.bin')))
    env.pop('G_DEBUG', None)  # peers have warnings of their own
    return env


def program(name):
    """A program of the official GStreamer."""
    return os.path.join(wine.SYSROOT, 'bin', name)


@dataclasses.dataclass
class Report:
    """What the DLL wrote; README.md has the words."""

    lines: list

    @classmethod
    def read(cls, path):
        """Of the last program that wrote to it: a plugin scanner comes before gst-launch-1.0."""
        if not os.path.exists(path):
            return cls([])
        with open(path, encoding='utf-8', errors='replace') as file:
            lines = file.read().splitlines()
        starts = [index for index, line in enumerate(lines) if line.startswith('open ')]
        return cls(lines[starts[-1]:] if starts else lines)

    def of(self, word):
        return [line.split(' ', 1)[1] for line in self.lines if line.startswith(word + ' ')]

    @property
    def violations(self):
        return self.of('violation')

    @property
    def left(self):
        """By the last summary: there is one after main() and one when the DLL is detached, if it is."""
        starts = [index for index, line in enumerate(self.lines) if line.startswith('summary ')]
        return Report(self.lines[starts[-1]:]).of('left') if starts else []

    @property
    def streams(self):
        """A dict for each stream that captured, numbers as such; those that still were there are in each summary."""
        found = {}
        for line in self.of('stream'):
            name, *rest = line.split()
            fields = dict(field.split('=', 1) for field in rest)
            if fields['role'] != 'render':
                found[name] = {key: int(value) if value.isdigit() else value for key, value in fields.items()}
        return list(found.values())

    @property
    def ended(self):
        """Whether the program came to its end: not so if it crashed or was killed."""
        return bool(self.of('end'))


@dataclasses.dataclass
class Result:
    returncode: int  # None: it was killed after its time
    output: str
    report: Report
    seconds: float


def run(argv, script, seconds, library=None):
    """Runs a Windows program (a path and arguments) on a script."""
    with tempfile.TemporaryDirectory(prefix='zc-scripted-') as folder:
        report, output, errors = (os.path.join(folder, name) for name in ('report', 'output', 'errors'))
        env = environment(script, report, library)
        # Two files: Windows' stderr is written byte by byte, in one file in the midst of other threads' lines.
        with open(output, 'wb') as out, open(errors, 'wb') as err, \
                processes.started([wine.RUN, *argv], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err) as child:
            began = time.monotonic()
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
            returncode, took = child.poll(), time.monotonic() - began
        return Result(returncode, processes.text_of(output, errors), Report.read(report), took)


@contextlib.contextmanager
def companion(library=None):
    """The id of a Windows process that lives inside the `with` block: what captures a process looks whether it is."""
    library = library or dll()
    with tempfile.TemporaryDirectory(prefix='zc-scripted-') as folder:
        path = os.path.join(folder, 'pid')
        argv = [wine.RUN, os.path.join(os.path.dirname(library), 'companion.exe'), windows_path(path)]
        with processes.started(argv, env=environment('', os.path.join(folder, 'report'), library),
                               stdin=subprocess.DEVNULL):
            yield int(poll.until(lambda: _line(path), 20, 'process to be captured'))


def _line(path):
    if not os.path.exists(path):
        return ''
    with open(path, encoding='utf-8') as file:
        text = file.read()
    return text if text.endswith('\n') else ''


def launch(description, script, seconds, library=None):
    """gst-launch-1.0.exe on a script; `description` as on its command line."""
    return run([program('gst-launch-1.0.exe'), *description.split()], script, seconds, library)
