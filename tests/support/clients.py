# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that are not ours: pacat plays, parec records. What they do is what the server does."""

import subprocess
import threading
import time

from . import poll, processes


def play_argv(sink, latency_ms=2000):
    """What plays a raw file, whose path follows."""
    return ['pacat', '--playback', '--raw', f'--device={sink.name}', f'--format={sink.format}',
            f'--rate={sink.rate}', f'--channels={sink.channels}', f'--channel-map={sink.map}',
            '--no-remix', '--no-remap', '--volume=65536', f'--latency-msec={latency_ms}']


def player(server, path, sink, latency_ms=2000):
    """A client that is not ours plays a raw file in the sink's exact format, at 100 %: nothing is converted.

    Ends by itself when all is played. Plenty of latency: where the machine stands still for a moment, the player must
    not be the gap."""
    return processes.started([*play_argv(sink, latency_ms), path], env=server.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class BareClient:
    """parec, asking for 10 ms: what the server gives to anybody."""

    def __init__(self, server):
        self._server = server
        self._seconds = None
        self._heard = False

    def __enter__(self):
        self._started = time.monotonic()
        self._process = processes.start(
            ['parec', '--raw', f'--device={self._server.sink.name}.monitor', '--latency-msec=10'],
            env=self._server.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def wait_for_bytes(self):
        """Seconds from its start to its first byte."""
        return poll.until(lambda: self._seconds, 5, 'bytes for parec')

    def wait_for_sound(self):
        """Until it hears something that is not silence (in a format whose silence is 0)."""
        poll.until(lambda: self._heard, 5, 'sound for parec')

    def _read(self):
        while data := self._process.stdout.read1(65536):
            self._seconds = self._seconds or time.monotonic() - self._started
            self._heard = self._heard or any(data)
