# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device that goes away and comes back: the recording goes on by itself, and is as long as the time that passed."""

import os
import time

import livetest
from livetest import EACH_SERVER, exact, note
from support import clients, inprocess, poll, servers, tap
from support.inprocess import Capture

TIMES = int(os.environ.get('ZC_LIVE_RESTARTS', '3'))
# After a bare client has its first sound of the new server.
RECOVERY_BOUND_S = 1.0
HELD_UP_S = 1.5
# Of the whole length; the clock of a null sink jumps by some ms when it starts.
LENGTH_BOUND_MS = 30
# Between what was recorded and what the clock says: the silence is as long as the absence. One server and the next hold
# sound back for times of their own, and PipeWire tells the time to within its period.
CLOCK_BOUND_MS = 150


class RecoveryTest(livetest.LiveTest):

    def said(self, capture, name):
        """[(when, fields)] of the element messages of that name."""
        capture.drain_bus()
        structures = [(when, message.get_structure()) for when, message in capture.messages
                      if message.src == capture.source and message.get_structure()]
        return [(when, fields) for when, fields in structures if fields.get_name() == name]

    def wait_for(self, capture, name, count, seconds):
        poll.until(lambda: len(self.said(capture, name)) >= count or capture.error(), seconds, f'{count} {name}')
        self.assertIsNone(capture.error())
        return self.said(capture, name)[count - 1]

    def assert_length(self, capture, begins=1):
        """No overlap and no hole, and the PTS of the last packet is where its frames say. `begins`: how often the server
        began to deliver; PipeWire's next period may come early then."""
        self.assertEqual(inprocess.breaks(capture.packets), [])
        caps, first, last = capture.final_caps, capture.packets[0], capture.packets[-1]
        frames = sum(packet.size for packet in capture.packets[:-1]) // caps.frame_bytes
        error_ms = (last.pts - first.pts) / 1e6 - frames * 1000 / caps.rate
        note(f'{frames} frames in {(last.pts - first.pts) / 1e9:.6f} s: {error_ms:+.3f} ms')
        self.assertLess(abs(error_ms), LENGTH_BOUND_MS + (begins - 1) * self.server.period_ms)
        late_ms = (last.arrival - first.arrival - (last.pts - first.pts)) / 1e6
        note(f'{late_ms:+.3f} ms by the clock')
        self.assertLess(abs(late_ms), CLOCK_BOUND_MS + (1 + begins) * self.server.period_ms)


@tap.cases(EACH_SERVER)
class Recovery(RecoveryTest):

    def check_server_restarted(self, label):
        server = self.serve(label)
        with server.activated(), Capture() as capture:
            with clients.BareClient(server) as client:
                client.wait_for_bytes()
                capture.wait_for_packets(10, 5)
            for nth in range(1, TIMES + 1):
                server.kill()
                self.wait_for(capture, 'zcloopback-lost', nth, 2)
                server.restart()
                with clients.BareClient(server) as client:
                    client.wait_for_bytes()
                    when, fields = self.wait_for(capture, 'zcloopback-recovered', nth, RECOVERY_BOUND_S)
                    capture.wait_for_packets(20, 2)
                note(f'{fields.get_value("frames")} frames bridged')
        self.assert_length(capture)
        # A server that starts may choose another default once more before it settles.
        lost, recovered = (len(self.said(capture, f'zcloopback-{name}')) for name in ('lost', 'recovered'))
        self.assertGreaterEqual(recovered, TIMES)
        self.assertEqual(lost, recovered)

    def check_sink_reloaded(self, label):
        """One that was named: others do not take its place."""
        server = self.serve(label)
        module = server.add_sink(servers.Sink('other'))
        with server.activated(), Capture(device='other') as capture:
            capture.wait_for_packets(10, 5)
            for nth in range(1, TIMES + 1):
                server.pactl('unload-module', module)
                self.wait_for(capture, 'zcloopback-lost', nth, 2)
                capture.wait_for_packets(20, 2)  # silence
                module = server.add_sink(servers.Sink('other'))
                _, fields = self.wait_for(capture, 'zcloopback-recovered', nth, 2 + RECOVERY_BOUND_S)
                self.assertEqual(fields.get_value('device'), 'other')
                capture.wait_for_packets(20, 4)
        self.assert_length(capture)

    @exact
    def check_sink_suspended(self, label):
        """Silence for as long, at once; then what is played next, to the frame."""
        server = self.serve_steady(label)
        path, codes = self.counting_file(server, 2)
        captured = self.path('captured.raw')
        with server.activated(), Capture(f'filesink location={captured}') as capture:
            capture.wait_for_packets(30, 5)
            for _ in range(TIMES):
                server.pactl('suspend-sink', server.sink.name, '1')
                capture.wait_for_packets(100, 3)
                server.pactl('suspend-sink', server.sink.name, '0')
                capture.wait_for_packets(30, RECOVERY_BOUND_S)
            self.play(server, path)
            capture.wait_for_packets(30, 5)
            self.assertEqual(self.said(capture, 'zcloopback-lost'), [])
            capture.send_eos()
        self.assert_length(capture, 1 + TIMES)
        self.assert_perfect(self.account(capture.as_file(captured), server.sink, codes))

    def check_sink_resumed_while_downstream_waits(self, label):
        """The sound that has come meanwhile is not overtaken by silence."""
        server = self.serve(label)
        with server.activated(), Capture() as capture:
            capture.wait_for_packets(30, 5)
            server.pactl('suspend-sink', server.sink.name, '1')
            capture.wait_for_packets(50, 3)
            with capture.held_up():
                server.pactl('suspend-sink', server.sink.name, '0')
                time.sleep(HELD_UP_S)
            capture.wait_for_packets(30 + int(HELD_UP_S * 100), RECOVERY_BOUND_S + HELD_UP_S)
        self.assert_length(capture, 2)


@tap.cases(EACH_SERVER)
class Switching(RecoveryTest):
    """Two sinks; what is played into the second is captured from the moment on from which it is the one."""

    @exact
    def check_device_set_while_playing(self, label):
        self.assert_switches(label, lambda server, capture: capture.source.set_property('device', 'other'))

    @exact
    def check_default_is_followed(self, label):
        self.assert_switches(label, lambda server, capture: server.pactl('set-default-sink', 'other'))

    def assert_switches(self, label, switch):
        server = self.serve_steady(label)
        other = servers.Sink('other')
        server.add_sink(other)
        server.pactl('set-default-sink', server.sink.name)
        path, codes = self.counting_file(server, 2, other)
        captured = self.path('captured.raw')
        with server.activated(), Capture(f'filesink location={captured}') as capture:
            capture.wait_for_packets(30, 5)
            switch(server, capture)
            _, fields = self.wait_for(capture, 'zcloopback-device-changed', 1, 2 + RECOVERY_BOUND_S)
            self.assertEqual((fields.get_value('device'), fields.get_value('previous')), ('other', server.sink.name))
            note(f'{fields.get_value("frames")} frames between the two')
            capture.wait_for_packets(1, 5)
            self.play(server, path, other)
            capture.wait_for_packets(30, 5)
            self.assertEqual(len(self.said(capture, 'zcloopback-device-changed')), 1)
            capture.send_eos()
        self.assert_length(capture)
        self.assert_perfect(self.account(capture.as_file(captured), other, codes))


@tap.cases(EACH_SERVER)
class KeepingTime(RecoveryTest):
    """Behind a sink that goes by the clock packets wait, and the source does not run out of them."""

    def check_default_is_followed(self, label):
        server = self.serve(label)
        server.add_sink(servers.Sink('other'))
        server.pactl('set-default-sink', server.sink.name)
        with server.activated(), Capture('fakesink sync=true') as capture:
            capture.wait_for_packets(100, 5)
            server.pactl('set-default-sink', 'other')
            self.wait_for(capture, 'zcloopback-device-changed', 1, 2 + RECOVERY_BOUND_S)
            capture.wait_for_packets(50, 5)
        self.assertEqual(self.said(capture, 'zcloopback-glitch'), [])
        self.assert_length(capture, 2)

    def test_sink_that_was_suspended_is_heard(self):
        server = self.serve('pulseaudio')
        self.assert_is_heard_again(lambda: server.pactl('suspend-sink', server.sink.name, '1'),
                                   lambda: server.pactl('suspend-sink', server.sink.name, '0'))

    def test_monitor_that_was_unlinked_is_heard(self):
        """As where its session manager ends. PipeWire itself does not let a sink rest that somebody listens to."""
        links = []
        self.serve('pipewire')

        def unlink():
            links.extend(self.server.links())
            for link in links:
                self.server.pw_link('-d', *link)

        self.assert_is_heard_again(unlink, lambda: [self.server.pw_link(*link) for link in links])

    def assert_is_heard_again(self, silence, let_sound):
        with self.server.activated(), Capture('fakesink sync=true') as capture:
            capture.wait_for_packets(50, 5)
            silence()
            capture.wait_for_packets(150, 5)
            self.assertTrue(capture.packets[-1].gap)
            let_sound()
            poll.until(lambda: not capture.packets[-1].gap, RECOVERY_BOUND_S, 'sound')
            capture.wait_for_packets(50, 5)
        self.assert_length(capture, 2)


if __name__ == '__main__':
    tap.main()
