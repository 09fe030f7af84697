#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""capture.py [--statistics] [--limit SECONDS] -- ELEMENT ! ELEMENT ...

Runs a pipeline as `gst-launch-1.0 -e` does, draws what a `level` element in it measures (bars on a terminal, else a line
per second), tells of packets that were lost, and reads zcloopbacksrc's statistics at the end. Ctrl-C ends the
stream, so that files are finished.
"""

import argparse
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

import display  # noqa: E402
from audio import channel_names  # noqa: E402

END_LIMIT_S = 10
"""How long the stream's end may take to come through before the pipeline is stopped without it."""


class Capture:
    def __init__(self, pipeline, view, limit_s):
        self.pipeline = pipeline
        self.view = view
        self.source = find_source(pipeline)
        self.total_s = planned_seconds(self.source)
        self.loop = GLib.MainLoop()
        self.failed = False
        self.ending = False
        self.limit_s = limit_s

    def run(self):
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, self.end)
        GLib.timeout_add(100, self.on_tick)
        if self.limit_s:
            GLib.timeout_add_seconds(self.limit_s, self.on_limit)
        if self.pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            self.fail_with(bus.pop_filtered(Gst.MessageType.ERROR))
        else:
            self.loop.run()
        self.on_tick()
        self.view.finish()
        self.pipeline.set_state(Gst.State.NULL)
        return read_statistics(self.source)

    def end(self):
        """The stream's end goes through a pipeline that plays; one that does not (yet) would hold us up."""
        if self.ending or not self.plays():
            self.loop.quit()
        else:
            self.ending = True
            self.pipeline.send_event(Gst.Event.new_eos())
            GLib.timeout_add_seconds(END_LIMIT_S, self.give_up)
        return GLib.SOURCE_CONTINUE

    def on_limit(self):
        self.view.note(f"the capture is not over after {self.limit_s} s, and is ended", sys.stderr)
        self.failed = True
        self.end()
        return GLib.SOURCE_REMOVE

    def plays(self):
        _, state, _ = self.pipeline.get_state(0)
        return state == Gst.State.PLAYING

    def give_up(self):
        self.view.note(f"the stream's end did not come through within {END_LIMIT_S} s", sys.stderr)
        self.failed = True
        self.loop.quit()
        return GLib.SOURCE_REMOVE

    def on_tick(self):
        self.view.show_time(captured_seconds(self.source), self.total_s)
        return GLib.SOURCE_CONTINUE

    def on_message(self, _bus, message):
        if message.type == Gst.MessageType.EOS:
            self.loop.quit()
        elif message.type == Gst.MessageType.ERROR:
            self.fail_with(message)
        elif message.type == Gst.MessageType.WARNING:
            warning, _ = message.parse_warning()
            self.view.note(f"WARNING: from element {message.src.get_path_string()}: {warning.message}", sys.stderr)
        elif message.type == Gst.MessageType.ELEMENT:
            self.on_element_message(message)

    def on_element_message(self, message):
        structure = message.get_structure()
        name = structure.get_name()
        if name == "level" and structure.get_value("duration"):
            self.view.show_levels(names_of(message.src), *(list(structure.get_value(key)) for key in ("rms", "peak", "decay")))
        elif name.startswith("zcloopback-"):
            self.view.note(structure.to_string())

    def fail_with(self, message):
        """Prints the error in gst-launch-1.0's words; then lets what was captured so far be finished."""
        if message and not self.failed:
            error, debug = message.parse_error()
            self.view.note(f"ERROR: from element {message.src.get_path_string()}: {error.message}", sys.stderr)
            if debug:
                self.view.note(f"Additional debug info:\n{debug}", sys.stderr)
        first = not self.failed
        self.failed = True
        if first and self.loop.is_running() and not self.ending:
            self.end()
        else:
            self.loop.quit()


def find_source(pipeline):
    _, source = pipeline.iterate_sources().next()
    return source


def planned_seconds(source):
    """How long the source will run, if it was told to count its buffers."""
    count = source.get_property("num-buffers")
    return count * source.get_property("latency-time") / 1e6 if count > 0 else None


def captured_seconds(source):
    caps = source.get_static_pad("src").get_current_caps()
    if not caps:
        return 0.0
    statistics = read_statistics(source)
    return (statistics["frames-captured"] + statistics["frames-silence"]) / caps.get_structure(0).get_value("rate")


def names_of(element):
    caps = element.get_static_pad("sink").get_current_caps()
    return channel_names(caps) if caps else []


def read_statistics(source):
    """What zcloopbacksrc counted; after NULL, so that a buffer still outstanding is one that somebody forgot."""
    structure = source.get_property("stats")
    names = [structure.nth_field_name(n) for n in range(structure.n_fields())]
    return {name: structure.get_value(name) for name in names}


def print_statistics(statistics):
    print("statistics of zcloopbacksrc")
    print(f"  frames   captured {statistics['frames-captured']}, silence {statistics['frames-silence']}, "
          f"lost {statistics['frames-lost']}; expected {statistics['frames-expected']}")
    print(f"  packets  {statistics['packets']}, wake-ups {statistics['wakeups']}, glitches {statistics['glitches']}, "
          f"bytes copied {statistics['bytes-copied']}")
    print(f"  pool     hits {statistics['pool-hits']}, misses {statistics['pool-misses']}, "
          f"hit rate {100 * statistics['pool-hit-rate']:.2f} %, outstanding {statistics['pool-outstanding']}, "
          f"high water {statistics['pool-high-water']} of {statistics['pool-size']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--statistics", action="store_true", help="print zcloopbacksrc's statistics at the end")
    parser.add_argument("--limit", type=int, metavar="SECONDS", help="end it after so long, as a failure")
    parser.add_argument("pipeline", nargs="+", help="what one would give to gst-launch-1.0")
    arguments = parser.parse_args()

    Gst.init(None)
    try:
        pipeline = Gst.parse_launchv(arguments.pipeline)
    except GLib.Error as error:
        sys.exit(f"ERROR: pipeline could not be constructed: {error.message}.")
    capture = Capture(pipeline, display.for_stream(sys.stdout), arguments.limit)
    statistics = capture.run()
    if arguments.statistics and statistics["packets"]:
        print_statistics(statistics)
    sys.exit(1 if capture.failed else 0)


if __name__ == "__main__":
    main()
