# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starting, stopping, and servers that go away: bounded, clean, and nothing captured is lost."""

import os
import random

import livetest
from livetest import EACH_SERVER, SHORT_SECONDS, exact, note
from support import clients, inprocess, launch, poll, resources, servers, signals, tap
from support.inprocess import Capture, Gst

STARTS = int(os.environ.get('ZC_LIVE_STARTS', '100'))
STATE_CHANGES = int(os.environ.get('ZC_LIVE_STATE_CHANGES', '200'))
SEED = int(os.environ.get('ZC_LIVE_SEED', '20240997'))
ROUNDS = 6
TRIES = 5
# With GStreamer's own test source these cycles hold 10 to 40 bytes more each time (Python, names); the smallest piece
# that malloc gives out is 32 bytes, so one that leaks in each cycle goes beyond this.
LEAK_BYTES_PER_CYCLE = 48
RESIDENT_BYTES_PER_CYCLE = 16 * 1024
LOSS_BOUND_S = 2.0


class LeakTest(livetest.LiveTest):

    def assert_no_leak(self, cycle, cycles):
        """After a warm-up, so many more cycles hold nothing that the first ones did not.

        What leaks leaks in every round; caches (names, quarks, thread pools) grow less from round to round, with
        any element: so the heap's growth has a few rounds to fall below one small piece per cycle."""
        self.run_cycles(cycle, cycles)
        before = first = self.settled()
        grown = []
        while not grown or (grown[-1] >= LEAK_BYTES_PER_CYCLE and len(grown) < ROUNDS):
            self.run_cycles(cycle, cycles)
            after = self.settled()
            grown.append((after.heap_bytes - before.heap_bytes) / cycles)
            before = after
        note(f'heap bytes per cycle in rounds of {cycles}: {grown}; {after - first}')
        # GLib keeps a thread that has nothing to do for 15 s.
        poll.until(lambda: resources.threads() <= first.threads, 20, f'end of threads (had {first.threads})')
        self.assertLessEqual(after.descriptors, first.descriptors, resources.descriptor_names())
        self.assertLess(grown[-1], LEAK_BYTES_PER_CYCLE)
        self.assertLess((after - first).resident_bytes, RESIDENT_BYTES_PER_CYCLE * cycles * len(grown))

    def serve_awake(self, label):
        """With a reader that keeps the sink at low latency: a start then takes milliseconds, not a block of 2 s."""
        server = self.serve(label)
        self.enter(clients.BareClient(server)).wait_for_bytes()
        return server

    def run_cycles(self, cycle, count):
        for _ in range(count):
            cycle()

    def settled(self):
        """The first snapshot's own garbage is not in the second."""
        resources.snapshot()
        return resources.snapshot()


@tap.cases(EACH_SERVER)
class Pauses(LeakTest):

    def check_leave_no_stream(self, label):
        """However a pause meets the start of a stream, the server is left with the one that plays, or none."""
        server = self.serve_awake(label)
        others = server.count('source-outputs')
        with server.activated(), Capture() as capture:
            for _ in range(STATE_CHANGES // 4):
                capture.set_state(Gst.State.PAUSED)
                capture.set_state(Gst.State.PLAYING)
            capture.forget()
            capture.wait_for_packets(20, 5)
            self.assertEqual(server.count('source-outputs') - others, 1)
            self.assertTrue(any(self.ends_in_a_pause(capture, server, others) for _ in range(TRIES)))
            self.assertIsNone(capture.error())

    def ends_in_a_pause(self, capture, server, others):
        """A buffer that comes when the sink has paused and the source has not yet is held by the sink until both play
        again, and with it the thread that would end the stream."""
        capture.set_state(Gst.State.PAUSED)
        try:
            poll.until(lambda: server.count('source-outputs') == others, 1, 'end of the stream in a pause')
        except poll.Expired:
            capture.set_state(Gst.State.PLAYING)
            capture.wait_for_packets(5, 5)
            return False
        return True


@tap.cases(EACH_SERVER)
class StartStop(LeakTest):
    """Bare pipelines: what the support notes of a capture would be counted as held."""

    def check_same_element(self, label):
        """Start, hear something, stop; the same element again and again."""
        with self.serve_awake(label).activated():
            pipeline = self.make_pipeline()
            self.assert_no_leak(lambda: self.start_and_stop(pipeline), STARTS)

    def check_new_element(self, label):
        """As above, with everything made anew: what an element leaves behind when it is finalised."""
        with self.serve_awake(label).activated():
            self.assert_no_leak(lambda: self.start_and_stop(self.make_pipeline()), STARTS)

    def make_pipeline(self):
        return Gst.parse_launch(f'{launch.source(num_buffers=3)} ! fakesink')

    def start_and_stop(self, pipeline):
        inprocess.change_state(pipeline, Gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(5 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        inprocess.change_state(pipeline, Gst.State.NULL)
        self.assertTrue(message and message.type == Gst.MessageType.EOS)


@tap.cases(EACH_SERVER)
class RandomMoments(LeakTest):

    def check_state_changes(self, label):
        """NULL -> PLAYING -> NULL, each at a random moment of what the other started: none hangs, none leaks."""
        moments = random.Random(SEED)
        with self.serve(label).activated(), Capture(play=False) as capture:
            def change(state):
                capture.set_state(state)
                capture.bus.timed_pop_filtered(int(moments.choice((0, 1, 5, 60)) * moments.random() * Gst.MSECOND),
                                               Gst.MessageType.ERROR)

            def cycle():
                change(Gst.State.PLAYING)
                change(Gst.State.NULL)
                capture.forget()
            self.assert_no_leak(cycle, STATE_CHANGES // 2)
            note(f'seed {SEED}, longest state change {capture.longest_state_s:.3f} s')
            capture.set_state(Gst.State.PLAYING)
            capture.wait_for_packets(10, 5)


@tap.cases(EACH_SERVER)
class TwoAtOnce(livetest.LiveTest):

    @exact
    def check_both_exact(self, label):
        """Two processes capture one sink; neither costs the other a frame."""
        server = self.serve_steady(label)
        path, codes = self.counting_file(server, SHORT_SECONDS)
        description = launch.source(device=server.sink.name)
        with launch.Launch(server, description, self.path('a.raw')) as a, \
                launch.Launch(server, description, self.path('b.raw')) as b:
            for running in (a, b):
                running.wait_for_bytes(1)
            self.play(server, path)
            for running in (a, b):
                self.capture_tail(running)
                running.finish()
        for running in (a, b):
            self.assert_perfect(self.account(running, server.sink, codes))


@tap.cases(EACH_SERVER)
class ServerGone(livetest.LiveTest):

    @exact
    def check_killed(self, label):
        """One error that helps, within two seconds; what was captured until then is in the file, whole."""
        server = self.serve_steady(label)
        path, codes = self.counting_file(server, 20)
        captured = self.path('captured.raw')
        with server.activated(), clients.player(server, path, server.sink), \
                Capture(f'filesink location={captured}', device=server.sink.name,
                        on_loss='error') as capture:
            capture.wait_for_packets(150, 10)
            server.kill()
            killed_after_s = capture.since_start()
            when, text, debug = capture.wait_for_error(LOSS_BOUND_S)
            caps = capture.caps
        note(f'{when - killed_after_s:.3f} s after the kill: {text}')
        self.assertEqual(len(capture.errors()), 1, capture.errors())
        self.assert_helps(f'{text} {debug}', server.sink.name)
        self.assert_file_is_whole(capture, captured, caps, server, codes)

    def assert_helps(self, text, device):
        self.assertIn(device, text)
        self.assertIn('server', text.lower())
        self.assertRegex(text, r'(?i)\b(start|restart|run|check)\b')

    def assert_file_is_whole(self, capture, path, caps, server, codes):
        """Each byte that left the source is in the file, and the signal in it has no hole."""
        self.assertEqual(os.path.getsize(path), sum(packet.size for packet in capture.packets))
        data = signals.read_raw(path, caps.sample, caps.channels)
        reference = signals.convert_codes(codes, signals.FORMATS[server.sink.format], caps.sample)
        report = signals.check_counting(data, reference[:, signals.canonical_order(server.sink.positions)])
        self.assertTrue(report.unbroken and report.first == 0, report)

    def check_killed_under_gst_launch(self, label):
        server = self.serve(label)
        with launch.Launch(server, launch.source(device=server.sink.name, on_loss='error'),
                           self.path('captured.raw')) as running:
            running.wait_for_bytes(100000)
            frame_bytes = running.caps.frame_bytes
            server.kill()
            code = running.process.wait(LOSS_BOUND_S + 1)
        text = running.output + running.errors
        self.assertNotEqual(code, 0, text)
        self.assertEqual(len(launch.error_lines(text)), 1, text)
        self.assertEqual(running.bytes % frame_bytes, 0)

    def check_restarted(self, label):
        """After the error the same element captures again from the server that was started anew."""
        server = self.serve(label)
        with server.activated(), Capture(device=server.sink.name, on_loss='error') as capture:
            capture.wait_for_packets(10, 5)
            server.kill()
            capture.wait_for_error(LOSS_BOUND_S)
            capture.set_state(Gst.State.NULL)
            server.restart()
            capture.forget()
            capture.set_state(Gst.State.PLAYING)
            capture.wait_for_packets(10, 5)

    def check_sink_removed(self, label):
        """The sink is unloaded while it is captured: an end with an error, not silence for ever."""
        server = self.serve(label)
        module = server.add_sink(servers.Sink('other'))
        with server.activated(), Capture(device='other', on_loss='error') as capture:
            capture.wait_for_packets(10, 5)
            server.pactl('unload-module', module)
            _, text, debug = capture.wait_for_error(LOSS_BOUND_S)
        note(text)
        self.assertEqual(len(capture.errors()), 1, capture.errors())
        self.assertIn('other', f'{text} {debug}')


@tap.cases(EACH_SERVER)
class ServerHangs(livetest.LiveTest):

    def check_before_start(self, label):
        """A server that answers nothing: start fails or waits within the bound, and stop is as quick."""
        server = self.serve(label)
        with server.activated():
            with server.stopped(), Capture(device=server.sink.name) as capture:
                capture.wait_for_error(inprocess.STATE_BOUND_S)
            self.assertEqual(len(capture.errors()), 1, capture.errors())
            note(f'{capture.errors()[0][0]:.3f} s: {capture.error()}')
            self.assert_captures(server)

    def check_stop_while_hung(self, label):
        """NULL while the start is still waiting for the server's answer (async: PLAYING is asked for, not awaited)."""
        server = self.serve(label)
        with server.activated(), server.stopped():
            for wait_ms in (0, 1, 20, 300):
                with Capture(device=server.sink.name) as capture:
                    capture.bus.timed_pop_filtered(wait_ms * Gst.MSECOND, Gst.MessageType.ERROR)
                note(f'{capture.longest_state_s:.3f} s')

    def check_during_capture(self, label):
        """The server stops answering while it is captured: NULL still comes within the bound."""
        server = self.serve(label)
        with server.activated():
            with Capture(device=server.sink.name) as capture:
                capture.wait_for_packets(20, 5)
                server.stop()
                capture.bus.timed_pop_filtered(300 * Gst.MSECOND, Gst.MessageType.ERROR)
                self.addCleanup(server.cont)
            note(f'NULL after {capture.last_state_s:.3f} s')
            server.cont()
            self.assert_captures(server)

    def check_goes_on(self, label):
        """A pause of the server is a pause of the capture, not its end; the account holds across it."""
        server = self.serve(label)
        with server.activated(), Capture(device=server.sink.name) as capture:
            capture.wait_for_packets(20, 5)
            with server.stopped():
                capture.bus.timed_pop_filtered(500 * Gst.MSECOND, Gst.MessageType.ERROR)
            capture.wait_for_packets(50, 5)
            self.assertEqual(capture.errors(), [])

    def assert_captures(self, server):
        """The server lives again, and so does a capture of it."""
        with Capture(device=server.sink.name) as capture:
            capture.wait_for_packets(10, 5)


if __name__ == '__main__':
    tap.main()
