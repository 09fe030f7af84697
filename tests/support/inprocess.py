# SPDX-License-Identifier: LGPL-2.1-or-later
"""Captures inside the test's own process: every buffer's time, every message, the element's statistics.

Each capture proves the element's account when it ends: captured + silence + lost = expected, within one packet."""

import contextlib
import dataclasses
import faulthandler
import os
import time
import types

# One allocator for everything: the heap's size then tells what leaked.
os.environ.setdefault('G_SLICE', 'always-malloc')

import gi  # noqa: E402

gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402

from . import launch, poll  # noqa: E402

Gst.init(None)

STATE_BOUND_S = 2.0
HANG_S = 20.0
SECOND = Gst.SECOND
NONE = Gst.CLOCK_TIME_NONE


@dataclasses.dataclass(frozen=True)
class Packet:
    """One buffer, as it left the source. Times in ns; `arrival` is the pipeline's running time then."""

    pts: int
    duration: int
    size: int
    discont: bool
    gap: bool
    arrival: int
    since_start_s: float


class Capture:
    """A pipeline whose source is named `src`, playing inside the `with` block."""

    def __init__(self, downstream='fakesink', play=True, judge=True, **properties):
        self.pipeline = Gst.parse_launch(f'{launch.source(name="src", **properties)} ! {downstream}')
        self.source = self.pipeline.get_by_name('src')
        self.bus = self.pipeline.get_bus()
        self.packets = []
        self.messages = []
        self.last_state_s = self.longest_state_s = 0.0
        self.final_stats = self.final_caps = None
        self._play, self._judge = play, judge
        self._started = time.monotonic()
        self._frame_bytes = 1
        self._pad = self.source.get_static_pad('src')
        self._probe = self._pad.add_probe(Gst.PadProbeType.BUFFER, self._note_packet)

    def __enter__(self):
        self._started = time.monotonic()
        if self._play:
            self.set_state(Gst.State.PLAYING)
        return self

    def __exit__(self, kind, *_):
        self.final_caps = self.caps
        self.set_state(Gst.State.NULL)
        self.drain_bus()
        self.final_stats = self.stats
        # The probe holds this object and this object the pad: a circle that no garbage collector sees.
        self._pad.remove_probe(self._probe)
        if self._judge and kind is None:
            self.check_account()

    def set_state(self, state):
        self.last_state_s = change_state(self.pipeline, state)
        self.longest_state_s = max(self.last_state_s, self.longest_state_s)

    @property
    def stats(self):
        """The `stats` structure as a dict; empty for an element without one."""
        if not self.source.find_property('stats'):
            return {}
        structure = self.source.get_property('stats')
        names = [structure.nth_field_name(index) for index in range(structure.n_fields())]
        return {name: structure.get_value(name) for name in names}

    def check_account(self):
        """No frame is without its place; call it whenever, the support does at the end of every capture."""
        stats = self.final_stats or self.stats
        if not stats:
            return
        parts = [stats[f'frames-{name}'] for name in ('captured', 'silence', 'lost')]
        difference = abs(sum(parts) - stats['frames-expected'])
        if difference > self.packet_frames:
            raise AssertionError(f'captured + silence + lost = {sum(parts)}, '
                                 f'expected {stats["frames-expected"]}: {stats}')

    @property
    def caps(self):
        caps = self._pad.get_current_caps()
        return launch.Caps(caps.to_string()) if caps else None

    @property
    def packet_frames(self):
        """Frames of one packet; of the largest, were they to differ."""
        return max((packet.size for packet in self.packets), default=0) // self._frame_bytes

    def since_start(self):
        return time.monotonic() - self._started

    def forget(self):
        """Drops what was noted so far: the next start is judged by itself."""
        self.drain_bus()
        self.packets.clear()
        self.messages.clear()
        self.final_stats = None

    def as_file(self, path):
        """What the checks of a capture by gst-launch-1.0 ask for: the file's path and its caps."""
        return types.SimpleNamespace(path=path, caps=self.final_caps)

    def wait_for_packets(self, count, seconds):
        start = len(self.packets)
        poll.until(lambda: len(self.packets) >= start + count or self.error(), seconds, f'{count} more packets')
        if self.error():
            raise AssertionError(self.error())

    @contextlib.contextmanager
    def held_up(self):
        """Downstream takes no buffer inside the `with` block."""
        probe = self._pad.add_probe(Gst.PadProbeType.BLOCK_DOWNSTREAM, lambda *_: Gst.PadProbeReturn.OK)
        try:
            yield
        finally:
            self._pad.remove_probe(probe)

    def drain_bus(self):
        while True:
            message = self.bus.pop()
            if message is None:
                return
            self.messages.append((time.monotonic(), message))

    def errors(self):
        """[(seconds since start, text, debug)] of every error message so far."""
        self.drain_bus()
        found = []
        for when, message in self.messages:
            if message.type == Gst.MessageType.ERROR:
                error, debug = message.parse_error()
                found.append((when - self._started, error.message, debug))
        return found

    def error(self):
        errors = self.errors()
        return errors[0][1] if errors else None

    def wait_for_error(self, seconds):
        poll.until(self.errors, seconds, 'error message')
        return self.errors()[0]

    def send_eos(self, seconds=STATE_BOUND_S):
        """Ends the stream as Ctrl-C in gst-launch-1.0 -e does, and waits until the sinks have it all."""
        self.pipeline.send_event(Gst.Event.new_eos())

        def ended():
            self.drain_bus()
            return any(message.type == Gst.MessageType.EOS for _, message in self.messages)
        poll.until(ended, seconds, 'end of stream')

    def _note_packet(self, pad, info):
        buffer = info.get_buffer()
        if not self.packets:
            self._frame_bytes = self.caps.frame_bytes
        clock = self.pipeline.get_clock()
        arrival = clock.get_time() - self.pipeline.get_base_time() if clock else NONE
        self.packets.append(Packet(buffer.pts, buffer.duration, buffer.get_size(),
                                   buffer.has_flags(Gst.BufferFlags.DISCONT), buffer.has_flags(Gst.BufferFlags.GAP),
                                   arrival, time.monotonic() - self._started))
        return Gst.PadProbeReturn.OK


def change_state(pipeline, state):
    """Seconds that the change took; fails beyond the bound. One that hangs ends the program, with a trace."""
    before = time.monotonic()
    faulthandler.dump_traceback_later(HANG_S, exit=True)
    pipeline.set_state(state)
    faulthandler.cancel_dump_traceback_later()
    seconds = time.monotonic() - before
    if seconds > STATE_BOUND_S:
        raise AssertionError(f'change to {state.value_nick} took {seconds:.3f} s')
    return seconds


def breaks(packets):
    """Where a packet does not begin at the very nanosecond at which the one before ended, DISCONT or not."""
    found = []
    for index in range(1, len(packets)):
        before, packet = packets[index - 1], packets[index]
        if before.pts + before.duration != packet.pts:
            found.append((index, packet.pts - before.pts - before.duration, packet.discont))
    return found
