# SPDX-License-Identifier: LGPL-2.1-or-later
"""Time: a reader that is late loses nothing, timestamps meet to the nanosecond, and the first buffer is soon there."""

import contextlib
import statistics
import threading

import livetest
import numpy as np
from livetest import EACH_PULSE_SERVER, EACH_SERVER, SHORT_SECONDS, exact, note
from support import clients, inprocess, signals, tap
from support.inprocess import Capture, Gst

MS = Gst.MSECOND
STALL_S = 1.0
STANDSTILL_S = 0.22
UNSEEN_LOSS_MS = 100
FIRST_BUFFER_BOUND_S = 0.2
SETTLING_PACKETS = 100
DRIFT_BOUND = 0.005
BARE_CLIENT_MARGIN_S = 0.05
DISPLACED_BOUND_S = 0.02
MOMENT_S = 0.2
MOMENT_OF_PROCESSES_S = 0.5
# With a longer one PipeWire's own buffers alone hold more than the stall.
LOSING_PERIOD_MS = 20


class Stall:
    """Blocks the streaming thread once, when `after` packets have passed."""

    def __init__(self, pad, after, seconds=STALL_S):
        self._left = after
        self._seconds = seconds
        self._never = threading.Event()
        self.done = False
        pad.add_probe(Gst.PadProbeType.BUFFER, self._probe)

    def _probe(self, _pad, _info):
        self._left -= 1
        if self._left:
            return Gst.PadProbeReturn.OK
        self._never.wait(self._seconds)
        self.done = True
        return Gst.PadProbeReturn.REMOVE


class LateTest(livetest.LiveTest):

    def assert_stall_loses_nothing(self, server, seconds, **properties):
        """The capture, with every frame in it, of a reader that stayed away for so long in the midst of the signal."""
        path, codes = self.counting_file(server, SHORT_SECONDS + 3)
        with server.activated(), Capture(f'filesink name=sink location={self.path("captured.raw")}',
                                         device=server.sink.name, **properties) as capture:
            capture.wait_for_packets(1, 5)
            stall = Stall(capture.pipeline.get_by_name('sink').get_static_pad('sink'), after=150, seconds=seconds)
            self.play(server, path)
            capture.wait_for_packets(30, 5)
            self.assert_nothing_lost(capture)
            capture.send_eos()
        self.assertTrue(stall.done)
        self.assert_perfect(self.account(capture.as_file(self.path('captured.raw')), server.sink, codes))
        return capture

    @contextlib.contextmanager
    def much_too_late(self, server, **properties):
        """A capture whose reader stays away for a multiple of its buffer."""
        with server.activated(), Capture(f'filesink name=sink location={self.path("captured.raw")}', buffer_time=600000,
                                         device=server.sink.name, **properties) as capture:
            capture.wait_for_packets(1, 5)
            stall = Stall(capture.pipeline.get_by_name('sink').get_static_pad('sink'), after=200, seconds=3 * STALL_S)
            yield capture
            capture.wait_for_packets(30, 5)
            capture.send_eos()
        self.assertTrue(stall.done)

    def assert_in_place(self, sink, displaced, lost, moment_s):
        moved = displaced - displaced[0]
        near = np.abs(moved) < sink.rate * DISPLACED_BOUND_S
        note(f'{lost} frames had no room; the others are off by {moved[near].min()} to {moved[near].max()} frames, but for '
             f'{np.count_nonzero(~near)}')
        self.assertTrue(sink.rate / 2 < lost < sink.rate * (3 * STALL_S + moment_s), lost)
        self.assertLess(np.count_nonzero(~near), sink.rate * moment_s, moved[::4800])

    def find_frames(self, capture, name, sink, every):
        """Where in the capture a frame is, and which one it is of `every` signal in a row; silence is none. Each frame is
        unique."""
        caps = capture.final_caps
        captured = signals.read_raw(self.path(f'{name}.raw'), caps.sample, caps.channels)
        played = signals.convert_codes(np.concatenate(every), signals.FORMATS[sink.format], caps.sample)
        played = played[:, signals.canonical_order(sink.positions)]
        keys, wanted = ((frames[:, 0].astype(np.int64) << 32) + frames[:, 1] for frames in (captured, played))
        order = np.argsort(wanted)
        found = order[np.searchsorted(wanted, keys, sorter=order).clip(max=len(wanted) - 1)]
        at = np.flatnonzero(wanted[found] == keys)
        return at, found[at]

    def assert_nothing_lost(self, capture):
        """Asked while it runs: what fills a packet when the stream ends is rightly counted as lost, and so is what the
        server had of the time before the pipeline ran."""
        stats = capture.stats
        self.assertEqual((stats['frames-lost'] - stats['frames-lost-early'], stats['glitches']), (0, 0), stats)

    def assert_contiguous(self, capture):
        """pts + duration is the next pts, except where a DISCONT says so."""
        unflagged = [gap for gap in inprocess.breaks(capture.packets) if not gap[2]]
        self.assertEqual(unflagged, [])
        discont = [index for index, packet in enumerate(capture.packets) if packet.discont]
        note(f'{len(capture.packets)} packets, DISCONT at {discont}')
        self.assertLessEqual(set(discont), {0})


@tap.cases(EACH_SERVER)
class LateReader(LateTest):

    @exact
    def check_stalled_one_second(self, label):
        """Downstream does nothing for a second in the middle of the signal; every frame is there all the same."""
        self.assert_contiguous(self.assert_stall_loses_nothing(self.serve_steady(label), STALL_S))

    @exact
    def check_slow_all_the_time(self, label):
        """A reader that sleeps 5 ms of each 10 is never late in the long run, and never a reason to lose."""
        server = self.serve_steady(label)
        path, codes = self.counting_file(server, SHORT_SECONDS)
        with server.activated(), Capture(f'identity sleep-time=5000 ! filesink location={self.path("captured.raw")}',
                                         device=server.sink.name) as capture:
            capture.wait_for_packets(1, 5)
            self.play(server, path)
            capture.wait_for_packets(30, 5)
            self.assert_nothing_lost(capture)
            capture.send_eos()
        self.assert_perfect(self.account(capture.as_file(self.path('captured.raw')), server.sink, codes))
        self.assert_contiguous(capture)

    @exact
    def check_later_than_the_buffer(self, label):
        """What the server had no room for is silence, and what is before and after it is where it was heard, but for a
        moment's just after: nobody tells between which two frames it was."""
        server = self.serve(label, period_ms=LOSING_PERIOD_MS)
        path, codes = self.counting_file(server, SHORT_SECONDS + 3)
        with self.much_too_late(server) as capture:
            self.play(server, path)
        at, frames = self.find_frames(capture, 'captured', server.sink, [codes])
        self.assert_in_place(server.sink, at - frames, len(codes) - len(frames), MOMENT_S)


@tap.cases(EACH_PULSE_SERVER)
class LateReaderOfProcesses(LateTest):
    """What they play is mixed."""

    @exact
    def check_stalled_one_second(self, label):
        """Less than the server keeps is no loss, of nobody."""
        server = self.serve_steady(label)
        for buffer_time, seconds in ((4000000, STALL_S), (600000, 0.4)):  # less than half of the buffer, and more
            self.assert_stall_loses_nothing(server, seconds, buffer_time=buffer_time, process_mode='exclude',
                                            process_name='zc-nobody')

    @exact
    def check_later_than_the_buffer(self, label):
        """As of a device, though the server keeps more of one stream than of another; who begins to play after it is where a
        reader in time hears them."""
        server = self.serve_steady(label)
        files = [self.counting_file(server, SHORT_SECONDS + 5 * first, tag=tag) for tag, first in enumerate((True, False))]
        every = [codes for _, codes in files]
        with server.activated(), Capture(f'filesink location={self.path("heard.raw")}', device=server.sink.name) as heard:
            with self.much_too_late(server, process_mode='exclude', process_name='zc-nobody') as capture:
                for path, _ in files:
                    self.play(server, path)
            heard.send_eos()
        at, frames = self.find_frames(capture, 'captured', server.sink, every)
        heard_at, heard_frames = self.find_frames(heard, 'heard', server.sink, every)
        self.assertEqual(len(heard_frames), sum(map(len, every)))
        self.assert_in_place(server.sink, at - heard_at[frames], len(heard_frames) - len(frames), MOMENT_OF_PROCESSES_S)


# pipewire-pulse tells the time to within its period, here 10 ms, not of a frame; the timeline smooths what it is told.
CLOCK_BOUND_MS = {'pulseaudio': 5, 'pipewire-pulse': 15, 'pipewire': 5}


@tap.cases(EACH_SERVER)
class Clock(livetest.LiveTest):

    def check_steady_packets(self, label):
        """Each packet has latency-time's frames; its duration is that but for the drift between two clocks. (The first may
        have begun before the pipeline did, and lasts from then on.)"""
        server = self.serve(label)
        for latency_us in (5000, 10000, 20000):
            with server.activated(), Capture(latency_time=latency_us) as capture:
                capture.wait_for_packets(50, 5)
                for packet in capture.packets[1:]:
                    self.assertLess(abs(packet.duration / (latency_us * 1000) - 1), DRIFT_BOUND)
                self.assertEqual({packet.size for packet in capture.packets},
                                 {server.sink.rate * latency_us // 1000000 * capture.caps.frame_bytes})

    def check_odd_rate(self, label):
        """44.1 kHz, 7 ms: no whole number of frames or nanoseconds, and still no packet overlaps or leaves a gap."""
        server = self.serve(label, rate=44100, format='s16le')
        with server.activated(), Capture(latency_time=7000) as capture:
            capture.wait_for_packets(200, 5)
        self.assertEqual(inprocess.breaks(capture.packets), [])

    @exact
    def check_pts_follow_the_clock(self, label):
        """Timestamps advance as the pipeline's clock does, lie in the past, and by no more than LATENCY says."""
        server = self.serve(label)
        with server.activated(), Capture(device=server.sink.name) as capture:
            capture.wait_for_packets(int(100 * max(4, SHORT_SECONDS)), 60)
            live, minimum, maximum = self.latency(capture)
        packets = capture.packets
        lags = [packet.arrival - packet.pts for packet in packets]
        settled = lags[SETTLING_PACKETS:]
        drift = statistics.median(settled[-100:]) - statistics.median(settled[:100])
        note(f'PTS are {statistics.median(settled) / MS:.2f} ms (first {lags[0] / MS:.2f}, {min(settled) / MS:.2f} to '
             f'{max(settled) / MS:.2f}) behind the clock; LATENCY says {minimum / MS:.2f} ms')
        self.assertEqual(inprocess.breaks(packets), [])
        self.assertTrue(live)
        self.assertGreaterEqual(minimum, packets[0].duration)
        self.assertGreaterEqual(maximum, minimum)
        self.assertLess(abs(drift), CLOCK_BOUND_MS[label] * MS)
        self.assertGreater(min(lags), 0, 'a buffer from the future')
        self.assertLess(statistics.median(settled), minimum + 10 * MS, 'LATENCY promises too much')

    def check_server_stands_still(self, label):
        """It delivers late what it owes, or it has lost it: PTS are soon right in both cases."""
        server = self.serve(label)
        with server.activated(), Capture(device=server.sink.name) as capture:
            capture.wait_for_packets(30, 5)
            with server.standing_still():
                threading.Event().wait(STANDSTILL_S)
            capture.wait_for_packets(300, 10)
        behind = statistics.median(packet.arrival - packet.pts for packet in capture.packets[-50:]) / MS
        lost = capture.final_stats['frames-lost'] + capture.final_stats['frames-silence']
        note(f'{lost} frames were not delivered; 3 s later PTS are {behind:.2f} ms behind the clock')
        self.assertGreater(behind, -CLOCK_BOUND_MS[label])
        self.assertLess(behind, UNSEEN_LOSS_MS + 2 * CLOCK_BOUND_MS[label])

    def latency(self, capture):
        query = Gst.Query.new_latency()
        self.assertTrue(capture.source.query(query))
        return query.parse_latency()


@tap.cases(EACH_SERVER)
class FirstBuffer(livetest.LiveTest):
    """PulseAudio's null sink works in blocks of up to two seconds while nobody asks for low latency, and a client
    that then asks must wait for the block's end: so a bare client, started at the same moment, is the measure."""

    def check_with_a_low_latency_reader_there(self, label):
        """The sink is already awake: the first buffer comes at once."""
        server = self.serve(label)
        with clients.BareClient(server) as reader:
            reader.wait_for_bytes()
            with server.activated():
                self.assertLess(self.first_buffer(server), FIRST_BUFFER_BOUND_S)

    def check_of_an_idle_sink(self, label):
        server = self.serve(label)
        with server.activated():
            self.assert_as_soon_as_a_bare_client(server)

    def check_of_a_sink_at_high_latency(self, label):
        """A player with two seconds of latency lets the sink sleep long."""
        server = self.serve(label)
        path, _ = self.counting_file(server, 20)
        with server.activated(), clients.player(server, path, server.sink, latency_ms=2000):
            self.wait_for_clients(server, 'sink-inputs', 1)
            self.assert_as_soon_as_a_bare_client(server)

    def assert_as_soon_as_a_bare_client(self, server):
        with clients.BareClient(server) as bare:
            ours = self.first_buffer(server)
            if ours < FIRST_BUFFER_BOUND_S:
                return
            theirs = bare.wait_for_bytes()
        note(f'parec {theirs * 1000:.0f} ms')
        self.assertLess(ours, theirs + BARE_CLIENT_MARGIN_S)

    def first_buffer(self, server):
        with Capture(device=server.sink.name) as capture:
            capture.wait_for_packets(1, 5)
        note(f'first buffer {capture.packets[0].since_start_s * 1000:.0f} ms after PLAYING was asked for')
        return capture.packets[0].since_start_s


if __name__ == '__main__':
    tap.main()
