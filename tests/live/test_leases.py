# SPDX-License-Identifier: LGPL-2.1-or-later
"""memory-mode=lease on PipeWire, which lends several packets: nobody copies what a queue holds; and when the server says
something, which may take the memory away, what comes is copied, and none of it is lost."""

import livetest
from livetest import exact, note
from support import tap
from support.inprocess import Capture

HELD = 8


class Queue(livetest.LiveTest):

    def setUp(self):
        super().setUp()
        # A short period: all of the queue's packets are in PipeWire's buffers.
        self.server = self.serve('pipewire')
        self.captured = self.path('captured.raw')

    def capture(self):
        return Capture(f'queue min-threshold-buffers={HELD} ! filesink location={self.captured} buffer-mode=unbuffered '
                       'enable-last-sample=false', device=self.server.sink.name, memory_mode='lease')

    @exact
    def test_holds_several_without_a_copy(self):
        path, codes = self.counting_file(self.server, 3)
        with self.server.activated(), self.capture() as capture, livetest.clients.player(
                self.server, path, self.server.sink) as player:
            capture.wait_for_packets(100, 5)  # the player's arrival is news
            before = capture.stats
            capture.wait_for_packets(100, 5)
            after = capture.stats
            player.wait(20)
            capture.wait_for_packets(30, 5)
            capture.send_eos()
        told = {name: after[name] - before[name] for name in ('bytes-copied', 'evacuations', 'bytes-leased')}
        note(str(told))
        self.assertEqual((told['bytes-copied'], told['evacuations']), (0, 0))
        self.assertGreater(told['bytes-leased'], 0)
        self.assert_perfect(self.account(capture.as_file(self.captured), self.server.sink, codes))

    @exact
    def test_news_costs_copies_and_no_sound(self):
        path, codes = self.counting_file(self.server, 3)
        with self.server.activated(), self.capture() as capture, livetest.clients.player(
                self.server, path, self.server.sink) as player:
            while player.poll() is None:
                self.server.pactl('info')  # a client comes and goes
            capture.wait_for_packets(30, 5)
            capture.send_eos()
        packet_bytes = self.server.sink.rate // 100 * capture.final_caps.frame_bytes
        note(f'{capture.final_stats["bytes-copied"] / packet_bytes:.0f} of {len(capture.packets)} packets')
        self.assertGreater(capture.final_stats['bytes-copied'], HELD * packet_bytes)
        self.assert_perfect(self.account(capture.as_file(self.captured), self.server.sink, codes))


if __name__ == '__main__':
    tap.main()
