# SPDX-License-Identifier: LGPL-2.1-or-later
"""A long capture into a tee with two queues: after warm-up every buffer is recycled, and none stays out.

ZC_LIVE_MINUTES says how long (0.5; the project's claim is made with 10)."""

import os

import livetest
from livetest import EACH_SERVER, exact, note
from support import tap
from support.inprocess import Capture

MINUTES = float(os.environ.get('ZC_LIVE_MINUTES', '0.5'))
WARM_UP_PACKETS = 200


@tap.cases(EACH_SERVER)
class TeeWithTwoQueues(livetest.LiveTest):

    @exact
    def check_pool(self, label):
        server = self.serve_steady(label)
        path, codes = self.counting_file(server, 60 * MINUTES)
        captured = self.path('captured.raw')
        downstream = f'tee name=t t. ! queue ! filesink location={captured} t. ! queue ! fakesink'
        with server.activated(), Capture(downstream, device=server.sink.name, memory_mode='pool') as capture:
            capture.wait_for_packets(WARM_UP_PACKETS, 10)
            warm = capture.stats
            self.play(server, path)
            capture.wait_for_packets(30, 5)
            end = capture.stats
            capture.send_eos()
        self.assert_all_recycled(warm, end)
        self.assert_nothing_lost(warm, end)
        self.assertEqual(capture.source.get_property('pool-outstanding'), 0)
        self.assert_perfect(self.account(capture.as_file(captured), server.sink, codes))

    def assert_all_recycled(self, warm, end):
        hits, misses = (end[name] - warm[name] for name in ('pool-hits', 'pool-misses'))
        note(f'after warm-up: {hits} hits, {misses} misses, {end["allocations"] - warm["allocations"]} allocations; '
             f'at most {end["pool-high-water"]} of {end["pool-size"]} out')
        note(str(end))
        self.assertGreaterEqual(hits, 60 * MINUTES * 100)
        self.assertEqual(misses, 0)
        self.assertEqual(end['allocations'], warm['allocations'])

    def assert_nothing_lost(self, warm, end):
        """What was heard before the pipeline ran, at the very beginning, counts as lost."""
        self.assertEqual([end[name] - warm[name] for name in ('frames-lost', 'glitches')], [0, 0])


if __name__ == '__main__':
    tap.main()
