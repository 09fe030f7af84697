# SPDX-License-Identifier: LGPL-2.1-or-later
"""gst-launch-1.0 as a user runs it: one process per capture, its file, its caps, its error lines."""

import os
import re
import signal
import subprocess
import tempfile

from . import poll, processes, signals

ELEMENT = os.environ.get('ZC_LIVE_ELEMENT', 'zcloopbacksrc')
END_BOUND_S = 10
FIRST_BYTES_BOUND_S = 5


def source(**properties):
    """The element's description; `latency_time=10000` becomes `latency-time=10000`."""
    words = [f'{name.replace("_", "-")}={value}' for name, value in properties.items()]
    return ' '.join([ELEMENT, *words])


class Launch:
    """`gst-launch-1.0 -e -v SOURCE ! filesink`, running inside the `with` block.

    The sink writes unbuffered, so that the file's growth shows the capture's progress."""

    def __init__(self, server, description, path):
        self.path = path
        self._argv = ['gst-launch-1.0', '-e', '-v', *description.split(), '!',
                      'filesink', 'buffer-mode=unbuffered', f'location={path}']
        self._env = server.env
        self.returncode = None

    def __enter__(self):
        self._out, self._err = tempfile.TemporaryFile('w+'), tempfile.TemporaryFile('w+')
        self.process = processes.start(self._argv, env=self._env, stdin=subprocess.DEVNULL, stdout=self._out,
                                       stderr=self._err)
        return self

    def __exit__(self, *_):
        processes.end(self.process)
        self._output, self._errors = self.output, self.errors
        self._out.close()
        self._err.close()

    @property
    def bytes(self):
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    @property
    def output(self):
        return self._output if self._out.closed else _text(self._out)

    @property
    def errors(self):
        return self._errors if self._err.closed else _text(self._err)

    @property
    def caps(self):
        return parse_caps(self.output)

    def wait_for_bytes(self, size, seconds=FIRST_BYTES_BOUND_S):
        def reached():
            if self.process.poll() is not None:
                raise AssertionError(f'gst-launch-1.0 ended early:\n{self.output}{self.errors}')
            return self.bytes >= size
        poll.until(reached, seconds, f'{size} captured bytes ({self.bytes} so far):\n{self.output}{self.errors}')

    def finish(self):
        """Ctrl-C, which with -e is end of stream; the file is then complete."""
        self.process.send_signal(signal.SIGINT)
        self.returncode = self.process.wait(END_BOUND_S)
        if self.returncode:
            raise AssertionError(f'gst-launch-1.0 ended with {self.returncode}:\n{self.output}{self.errors}')


def _text(file):
    file.flush()
    file.seek(0)
    return file.read()


def error_lines(text):
    """The first line of each error: on the bus, or in the description (gst-launch-1.0's own epilogue, "pipeline
    doesn't want to preroll", is none)."""
    starts = ('ERROR: from element', 'WARNING: erroneous pipeline')
    return [line for line in text.splitlines() if line.startswith(starts)]


class Caps:
    """The fixed caps of a capture; channel_mask is 0 where the caps have none (mono)."""

    def __init__(self, text):
        self.text = text
        self.format = self._field('format', r'(\w+)')
        self.rate = int(self._field('rate', r'(\d+)'))
        self.channels = int(self._field('channels', r'(\d+)'))
        self.layout = self._field('layout', r'([\w-]+)')
        self.channel_mask = int(self._field('channel-mask', r'(0x[0-9a-fA-F]+)') or '0', 16)

    def _field(self, name, pattern):
        match = re.search(rf'[ ,;]{name}=(?:\(\w+\))?{pattern}', self.text)
        return match.group(1) if match else None

    @property
    def sample(self):
        return signals.BY_GST_NAME[self.format]

    @property
    def frame_bytes(self):
        return self.sample.bytes * self.channels


def parse_caps(output):
    """The caps of the source's pad, from what `gst-launch-1.0 -v` prints."""
    match = re.search(r'GstPad:src: caps = (audio/x-raw.*)', output)
    if not match:
        raise AssertionError(f'no caps in:\n{output}')
    return Caps(match.group(1))
