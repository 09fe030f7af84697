# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sound files and their levels, for the scripts beside this file.

Files are decoded by GStreamer, so whatever it can decode can be described and drawn.
"""

import math
import os
import re

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

POSITIONS = ("FL FR FC LFE RL RR FLC FRC RC LFE2 SL SR TFL TFR TFC TC TRL TRR TSL TSR TRC BFC BFL BFR WL WR LS RS").split()
"""Short names of GstAudioChannelPosition, bit by bit of a channel mask."""

SILENCE_DBFS = -120.0
"""What is below this is called silence: a 20-bit converter's last bit."""

POLL_NS = 100_000_000
"""How often a decoder that yields nothing is asked whether it failed."""


class AudioError(Exception):
    """The file cannot be decoded; the text says why."""


def channel_names(caps):
    """The short names of the channels of fixed raw audio caps, in the order of the samples."""
    structure = caps.get_structure(0)
    channels = structure.get_value("channels")
    if channels == 1:
        return ["mono"]
    mask = channel_mask(structure) or (3 if channels == 2 else 0)
    names = [name for bit, name in enumerate(POSITIONS) if mask >> bit & 1]
    return names if len(names) == channels else [f"ch{n + 1}" for n in range(channels)]


def channel_mask(structure):
    """Python has no type for GStreamer's bit masks, so it is read from the text of the caps."""
    found = re.search(r"channel-mask=\(bitmask\)(0x[0-9a-f]+)", structure.to_string())
    return int(found.group(1), 16) if found else 0


def dbfs(amplitude):
    """An amplitude (1.0 is full scale) in dB; minus infinity where there is none."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def db_text(value):
    return f"{value:6.1f}" if value >= SILENCE_DBFS else "  -inf"


class SoundFile:
    """A file, decoded while `blocks` is iterated; what it is made of is known after the first block."""

    def __init__(self, path):
        self.path = path
        self.codec = ""
        self.container = ""
        self.rate = 0
        self.channels = []
        self.frames = 0

    @property
    def seconds(self):
        return self.frames / self.rate if self.rate else 0.0

    @property
    def bytes(self):
        return os.path.getsize(self.path)

    def blocks(self):
        """Yields float32 arrays of (frames, channels)."""
        import numpy

        Gst.init(None)
        pipeline = Gst.parse_launch(
            "filesrc name=file ! decodebin ! audioconvert ! audio/x-raw,format=F32LE,layout=interleaved "
            "! appsink name=out sync=false max-buffers=64"
        )
        pipeline.get_by_name("file").set_property("location", self.path)
        sink = pipeline.get_by_name("out")
        pipeline.set_state(Gst.State.PLAYING)
        try:
            for sample in self._samples(sink, pipeline.get_bus()):
                if not self.channels:
                    self._learn(sample.get_caps())
                buffer = sample.get_buffer()
                data = buffer.extract_dup(0, buffer.get_size())
                block = numpy.frombuffer(data, dtype="<f4").reshape(-1, len(self.channels))
                self.frames += len(block)
                yield block
            self._read_messages(pipeline.get_bus())
        finally:
            pipeline.set_state(Gst.State.NULL)
        if not self.channels:
            raise AudioError(f"{self.path} holds no sound")

    def _samples(self, sink, bus):
        while not sink.get_property("eos"):
            sample = sink.emit("try-pull-sample", POLL_NS)
            if sample is not None:
                yield sample
            else:
                self._read_messages(bus)

    def _learn(self, caps):
        self.rate = caps.get_structure(0).get_value("rate")
        self.channels = channel_names(caps)

    def _read_messages(self, bus):
        while (message := bus.pop_filtered(Gst.MessageType.ERROR | Gst.MessageType.TAG)) is not None:
            if message.type == Gst.MessageType.ERROR:
                error, _ = message.parse_error()
                raise AudioError(f"{self.path}: {error.message}")
            tags = message.parse_tag()
            self.codec = self._tag(tags, Gst.TAG_AUDIO_CODEC) or self.codec
            self.container = self._tag(tags, Gst.TAG_CONTAINER_FORMAT) or self.container

    @staticmethod
    def _tag(tags, name):
        found, text = tags.get_string(name)
        return text if found else ""


class Levels:
    """Peak and RMS per channel of the blocks that were added."""

    def __init__(self):
        self.peak = None
        self.square_sum = None
        self.frames = 0

    def add(self, block):
        import numpy

        if self.peak is None:
            self.peak = numpy.zeros(block.shape[1])
            self.square_sum = numpy.zeros(block.shape[1])
        numpy.maximum(self.peak, numpy.abs(block).max(axis=0, initial=0), out=self.peak)
        self.square_sum += numpy.square(block, dtype=numpy.float64).sum(axis=0)
        self.frames += len(block)

    @property
    def peak_db(self):
        return [dbfs(peak) for peak in self.peak]

    @property
    def rms_db(self):
        return [dbfs(math.sqrt(total / self.frames)) for total in self.square_sum]

    @property
    def overall_peak_db(self):
        return max(self.peak_db)

    @property
    def overall_rms_db(self):
        return dbfs(math.sqrt(self.square_sum.sum() / self.frames / len(self.square_sum)))
