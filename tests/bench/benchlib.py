# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the measurements share: where the tools are, the subjects, the private server with its tone, statistics.

A measurement compares subjects in one run, so all of them read the same monitor of the same private server and end
in the same graph; what differs is the source alone."""

import argparse
import contextlib
import json
import math
import os
import shutil
import struct
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, ROOT)

from tests.support import processes, servers, tap  # noqa: E402

# meson test sets it to find bugs; it makes every allocation five times as dear, and ours is compared with those.
os.environ.pop('MALLOC_PERTURB_', None)

PACKET_MS = 10
PACKET_BYTES = 3840
PACKETS_PER_SECOND = 1000 // PACKET_MS
START_BOUND_S = 15
CAPS = 'audio/x-raw,format=F32LE,rate=48000,channels=2'

MONITOR_OF_PIPEWIRE = 'target-object=zc stream-properties=props,stream.capture.sink=true'

# pulsesrc loses most packets with a buffer-time of one packet, so it gets two.
SOURCES = {
    'pool': 'zcloopbacksrc memory-mode=pool',
    'copy': 'zcloopbacksrc memory-mode=copy',
    'lease': 'zcloopbacksrc memory-mode=lease',
    'floor': 'zcfloorsrc device=zc.monitor',
    'static': 'zcfloorsrc',
    'pulsesrc': 'pulsesrc device=zc.monitor buffer-time=20000 latency-time=10000',
    'pipewiresrc': f'pipewiresrc {MONITOR_OF_PIPEWIRE}',
    'pipewiresrc-copy': f'pipewiresrc {MONITOR_OF_PIPEWIRE} always-copy=true',
    'audiotestsrc': 'audiotestsrc is-live=true samplesperbuffer=480',
}
# By PipeWire's own API, where ours captures through it.
FLOOR_OF_PIPEWIRE = 'zcpwfloorsrc device=zc'


def tool(name):
    """A compiled helper; meson says where, by hand it is the usual build directory."""
    directory = os.environ.get('ZC_BENCH_TOOLS') or os.path.join(ROOT, 'build', 'tests', 'bench')
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        sys.exit(f'{path} is missing. Build first: meson setup build && ninja -C build '
                 '(or name the build\'s tests/bench in ZC_BENCH_TOOLS)')
    return path


def plugin_environment():
    """GST_PLUGIN_PATH that also has the floor source, in a registry that other runs do not share."""
    bench = os.path.dirname(tool('floor/libgstzcfloor.so'))
    ours = os.path.normpath(os.path.join(bench, '..', '..', '..', 'gst'))
    known = os.environ.get('GST_PLUGIN_PATH') or os.environ.get('GST_PLUGIN_PATH_1_0') or ours
    return {'GST_PLUGIN_PATH': known + os.pathsep + bench, 'GST_PLUGIN_PATH_1_0': known + os.pathsep + bench}


def pipeline(stage, source, packets, rest='fakesink'):
    """argv of gst-launch-1.0. The caps filter makes every subject carry the same bytes."""
    text = f'{stage.source(source)} num-buffers={packets} ! {CAPS} ! {rest}'
    return ['gst-launch-1.0', '-q', *text.split()]


class Tone:
    """A 997 Hz tone that pacat (a client that is not ours) plays into the sink until the block ends.

    It writes 160 ms at a time: where one write ends within a packet, the server sends the monitor's readers two
    fragments instead of one, and small writes would make every figure depend on the player's timing."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.child = processes.start(
            ['pacat', '--playback', '--raw', '--format=float32le', '--rate=48000', '--channels=2',
             '--latency-msec=1000', '--process-time-msec=160', f'--device={self.server.sink.name}'],
            env=self.server.env, stdin=-1, stdout=-3, stderr=-3)
        self.thread = threading.Thread(target=self._feed, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.thread.join()
        with contextlib.suppress(OSError):
            self.child.stdin.close()

    def _feed(self):
        second = b''.join(struct.pack('<2f', *[0.5 * math.sin(2 * math.pi * 997 * n / 48000)] * 2)
                          for n in range(48000))
        with contextlib.suppress(OSError, ValueError):
            while True:
                self.child.stdin.write(second)


class Stage:
    """The private server, its tone, and the environment in which subjects run. SkipTest says what is missing.

    `server` may be another one, or None for subjects that need none; without `tone` the sink is silent."""

    def __init__(self, server=servers.PulseServer, tone=True):
        self._server, self._tone = server, tone

    def __enter__(self):
        self._open = contextlib.ExitStack()
        try:
            self.directory = self._open.enter_context(tempfile.TemporaryDirectory(prefix='zc-bench-'))
            self.server = self._open.enter_context(self._server()) if self._server else None
            if self.server and self._tone:
                self._open.enter_context(Tone(self.server))
            self._make_environment()
            if self.server:
                self._warm_up()
        except servers.Unavailable as missing:
            self._open.close()
            raise unittest.SkipTest(str(missing)) from missing
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_):
        self._open.close()

    def _make_environment(self):
        """One look at the registry beforehand: no measured process scans plugins."""
        outside = self.server.env if self.server else os.environ
        self.env = {**outside, **plugin_environment(), 'G_SLICE': 'always-malloc'}
        registry = os.path.join(self.directory, 'registry.bin')
        self.env.update(GST_REGISTRY=registry, GST_REGISTRY_1_0=registry)
        self.elements = {name for name in {self.source(name).split()[0] for name in SOURCES} if self.has_element(name)}

    def _warm_up(self):
        """The first reader of a monitor waits up to a second for the sink to leave its high latency: not a subject."""
        processes.run(self.bare(10), START_BOUND_S, env=self.env)

    def has_element(self, name):
        """Not --exists: it also asks for a plugin version of at least 1.0."""
        return processes.run(['gst-inspect-1.0', name], START_BOUND_S, env=self.env).returncode == 0

    def has_source(self, source):
        return self.source(source).split()[0] in self.elements

    def source(self, name):
        """The description of one of SOURCES."""
        return FLOOR_OF_PIPEWIRE if name == 'floor' and self._is_pipewire() else SOURCES[name]

    def bare(self, packets):
        """argv of a program without GStreamer that reads so many packets."""
        sink = self.server.sink.name
        if self._is_pipewire():
            return [tool('floor/pwfloor'), sink, str(packets)]
        return [tool('floor/floor'), f'{sink}.monitor', str(packets)]

    def _is_pipewire(self):
        return isinstance(self.server, servers.NativePipeWireServer)


def require_programs(*names):
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        raise unittest.SkipTest('not installed: ' + ', '.join(missing))


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def table(headings, rows):
    """Columns as wide as their widest cell; the first is left, the rest are right aligned."""
    cells = [[str(cell) for cell in row] for row in [headings, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    lines = ['  '.join(cell.ljust(width) if column == 0 else cell.rjust(width)
                       for column, (cell, width) in enumerate(zip(row, widths))) for row in cells]
    return '\n'.join([lines[0], '-' * len(lines[0]), *lines[1:]])


def full_form(test):
    """Decorator of a test or a class of them: it belongs to the full form, the short one does not know it."""
    test.full_form = True
    return test


def load_tests(loader, tests, _pattern):
    """unittest's hook: a module that has this name leaves out what the chosen form does not know."""
    def wanted(test):
        return Options.full or not (hasattr(test, 'full_form')
                                    or hasattr(getattr(test, test._testMethodName), 'full_form'))
    return loader.suiteClass(test for suite in tests for test in suite if wanted(test))


class Options:
    """The command line, for the tests inside a module: unittest hands them none."""

    full = False
    json = None
    figures = {}

    @classmethod
    def read(cls, description, module='__main__'):
        """Reads the options, runs the module's tests with TAP output, and writes the figures that they left."""
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument('--full', action='store_true', help='longer, more repeats, every subject; '
                            'also fails on times (default: the short form, which fails on counted figures only)')
        parser.add_argument('--json', metavar='FILE', help='write the figures there')
        parser.add_argument('tests', nargs='*', help='Class or Class.test_name (default: all)')
        arguments = parser.parse_args()
        cls.full, cls.json = arguments.full, arguments.json
        try:
            tap.main(module, arguments.tests)
        finally:
            cls.write()

    @classmethod
    def write(cls):
        if cls.json:
            with open(cls.json, 'w') as out:
                json.dump(cls.figures, out, indent=2, sort_keys=True)
                out.write('\n')
