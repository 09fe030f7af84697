# SPDX-License-Identifier: LGPL-2.1-or-later
"""The official Windows GStreamer, run by Wine: its WASAPI is a client of the test's own PulseAudio.

What tests/windows/setup has made is asked for where it is; without it the tests skip."""

import collections
import os
import re
import shutil
import subprocess
import sys

from . import launch, poll, processes, servers

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SETUP = os.path.join(ROOT, 'tests', 'windows', 'setup')
# Wine starts its services with the first program.
FIRST_BYTES_BOUND_S = 30

# How each is told to capture what the default device plays.
LOOPBACK = {'zcloopbacksrc': 'zcloopbacksrc', 'wasapi2src': 'wasapi2src loopback=true',
            'wasapisrc': 'wasapisrc loopback=true'}
PEERS = ('wasapi2src', 'wasapisrc')


def cache():
    said = subprocess.run([sys.executable, SETUP, '--where'], stdout=subprocess.PIPE, text=True, check=True)
    return said.stdout.strip()


CACHE = cache()
RUN = os.path.join(CACHE, 'bin', 'wine-run')
SYSROOT = os.path.join(CACHE, 'sysroot')


def require():
    """For setUp: what the test cannot do without."""
    if not os.path.exists(RUN):
        raise servers.Unavailable('no Wine: run tests/windows/setup')


def copy_registry(directory):
    """What wine-run knows of all official plugins, so that nobody looks at each of them again. For GST_REGISTRY_1_0."""
    registry = os.path.join(directory, 'registry.bin')
    if os.path.exists(os.path.join(CACHE, 'registry.bin')):
        shutil.copy(os.path.join(CACHE, 'registry.bin'), registry)
    return windows_path(registry)


def windows_path(path):
    """With slashes that go forward: in a pipeline's description a backslash is none."""
    return 'Z:' + path


def program(name):
    """The full path: by a bare name another process would be ours, and start it."""
    return os.path.join(SYSROOT, 'bin', name + '.exe')


def build_directory():
    """meson says it by where the plugin is; by hand it is the usual one."""
    plugins = os.environ.get('GST_PLUGIN_PATH_1_0') or os.environ.get('GST_PLUGIN_PATH')
    if plugins:
        return os.path.dirname(plugins.removeprefix('Z:').rstrip('/'))
    return os.path.join(ROOT, 'build-win')


def environment(env):
    """`env` of a server, and our plugin in the small set of official ones that tests use; the registry is the one of all
    tests of the build, as a first look at plugins takes Wine long."""
    plugins = windows_path(os.path.join(build_directory(), 'gst'))
    registry = windows_path(os.path.join(build_directory(), 'tests', 'registry.bin'))
    return {**env, 'GST_PLUGIN_PATH': plugins, 'GST_PLUGIN_PATH_1_0': plugins,
            'GST_PLUGIN_SYSTEM_PATH_1_0': windows_path(os.path.join(SYSROOT, 'lib', 'gst-min')),
            'GST_REGISTRY_1_0': registry, 'GST_REGISTRY': registry}


def gst_launch(*words):
    return [RUN, program('gst-launch-1.0'), *words]


def application(*arguments):
    """tests/windows/live/application.c"""
    return [RUN, os.path.join(build_directory(), 'tests', 'windows', 'live', 'application.exe'), *arguments]


# For WINEDEBUG: a line on stderr for each call that has to do with a heap.
TRACE_HEAP = '-all,+timestamp,+pid,trace+heap'
HEAP_CALL = re.compile(r'([\d.]+):(\w{4}):(\w{4}):trace:heap:Rtl(\w+)Heap handle (\w+), flags \w+(?:, ptr (\w+))?'
                       r'(?:, size (\w+))?, return (\w+)')
HeapCall = collections.namedtuple('HeapCall', 'at_s process thread name heap old bytes new line')


def heap_calls(lines):
    """The calls `Allocate`, `ReAllocate` and `Free` of the program that was run: Wine's services may have written
    there, too. at_s is in seconds, line the number of the line."""
    calls = [HeapCall(float(match[1]), *match.groups()[1:], number)
             for number, match in enumerate(map(HEAP_CALL.match, lines)) if match]
    processes_seen = collections.Counter(call.process for call in calls)
    own = processes_seen.most_common(1)[0][0] if calls else None
    return [call for call in calls if call.process == own]


def windows_process(child):
    """The process number, on Linux, of the program that a started wine-run runs."""
    program_path = child.args[1].encode()

    def found():
        with open(f'/proc/{child.pid}/task/{child.pid}/children') as children:
            return [int(pid) for pid in children.read().split() if _command(pid).startswith(program_path)]
    return poll.until(found, FIRST_BYTES_BOUND_S, f'process of {child.args[1]}')[0]


def _command(pid):
    """Wine gives a process the command line of the Windows program. Empty if it has just ended."""
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as line:
            return line.read()
    except OSError:
        return b''


class Launch:
    """gst-launch-1.0.exe -v SOURCE ! filesink, running inside the `with` block.

    No signal from Linux is an end of stream to a Windows program, so it is killed, or ends by itself. The sink writes
    unbuffered: the file is complete either way."""

    def __init__(self, env, description, path):
        self.path = path
        self._argv = gst_launch('-v', *description.split(), '!', 'filesink', 'buffer-mode=unbuffered',
                                'location=' + windows_path(path))
        self._env = env

    def __enter__(self):
        # Two files: Windows' stderr is written byte by byte, in one file in the midst of other threads' lines.
        with open(self.path + '.log', 'wb') as out, open(self.path + '.err', 'wb') as err:
            self.process = processes.start(self._argv, env=self._env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        return self

    def __exit__(self, *_):
        processes.end(self.process)

    @property
    def bytes(self):
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    @property
    def output(self):
        return processes.text_of(self.path + '.log', self.path + '.err')

    @property
    def caps(self):
        return launch.parse_caps(self.output)

    def wait_for_bytes(self, size, seconds=FIRST_BYTES_BOUND_S):
        def reached():
            if self.process.poll() is not None:
                raise AssertionError(f'gst-launch-1.0.exe ended early:\n{self.output}')
            return self.bytes >= size
        poll.until(reached, seconds, f'{size} captured bytes ({self.bytes} so far):\n{self.output}')

    def end(self):
        """Whatever it has captured until now; an error before is the test's."""
        if self.process.poll() is not None:
            raise AssertionError(f'gst-launch-1.0.exe ended early:\n{self.output}')
        processes.end(self.process)
