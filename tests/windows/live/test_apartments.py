# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whatever apartment of COM the application's main thread is in: it opens, plays and closes 50 times, and has no more
handles and threads after the last time than after the tenth.

What it leaves on the heaps is counted block by block in runs of their own: Wine's trace of the heap costs much. What
the official source leaves in the same run is Wine's own (a session for each IAudioClient::Initialize, for ever)."""

import collections
import contextlib
import re
import subprocess

import winlive
from support import clients, processes, tap, wine
from winlive import note

PLAY = 'num-buffers=20 ! fakesink'
OURS = f'zcloopbacksrc {PLAY}'
SUBJECTS = {
    'sta': ('sta', OURS),
    'mta': ('mta', OURS),
    'none': ('none', OURS),
    'wasapi2src': ('none', f'{wine.LOOPBACK["wasapi2src"]} {PLAY}'),
}
APARTMENTS = [(name, (name,)) for name in ('sta', 'mta', 'none')]
BOUND_S = 100
LEAK = 0.9  # blocks each time, more than those of the official source: one now and then is a pool's thread or the like
TOLD = re.compile(r'(\d+) handles (\d+) threads (\d+)')


class Run:
    """One application, to its end: what it told after each time."""

    def __init__(self, child, log):
        self.returncode = child.wait(BOUND_S)
        with open(log, errors='replace') as text:
            self.lines = text.read().splitlines()
        self.ends = [number for number, line in enumerate(self.lines) if TOLD.match(line)]
        told = [TOLD.match(self.lines[number]) for number in self.ends]
        self.handles = [int(match[2]) for match in told]
        self.threads = [int(match[3]) for match in told]

    @property
    def said(self):
        return '\n'.join(line for line in self.lines if ':trace:heap:' not in line)


class Applications(winlive.WindowsTest):
    """Each class runs all its applications once, at once: nothing here depends on the machine's speed."""

    runs = None
    times = None
    debug = None

    def setUp(self):
        super().setUp()
        if type(self).runs is None:
            type(self).runs = self.run_all()

    def run_all(self):
        """With a reader that keeps the sink at low latency: a start takes milliseconds then, not a block of 2 s."""
        server, env = self.serve()
        self.enter(clients.BareClient(server)).wait_for_bytes()
        if self.debug:
            env['WINEDEBUG'] = self.debug
        with contextlib.ExitStack() as at_end:
            children = {name: self.start(self.path(name), env, *subject) for name, subject in SUBJECTS.items()}
            for child in children.values():
                at_end.callback(processes.end, child)
            return {name: Run(child, self.path(name)) for name, child in children.items()}

    def start(self, log, env, apartment, description):
        with open(log, 'wb') as out:
            return processes.start(wine.application(apartment, str(self.times), description), env=env,
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def run_of(self, name):
        """It played each time, to the end, and its main thread is in the apartment that it was in."""
        run = self.runs[name]
        self.assertEqual((run.returncode, len(run.ends)), (0, self.times), run.said)
        return run


@tap.cases(APARTMENTS)
class Fifty(Applications):
    times = 50
    warm = 10

    def check_leaves_no_handle_and_no_thread(self, name):
        run = self.run_of(name)
        for what, counts in ('handles', run.handles), ('threads', run.threads):
            note(f'{what} after 1, 10, 50 times: {counts[0]}, {counts[9]}, {counts[-1]}')
            self.assertLessEqual(max(counts[self.warm:]), max(counts[:self.warm]), counts)


@tap.cases(APARTMENTS)
class Heap(Applications):
    times = 8
    warm = 3
    last = times - 1  # what ends only while the next is begun, as a thread of a pool, is no leak
    debug = wine.TRACE_HEAP

    def left(self, name):
        """{bytes: blocks per time}: made after the warm-up, and still there at the end."""
        run = self.run_of(name)
        live = {}
        for call in wine.heap_calls(run.lines[:run.ends[-1]]):
            live.pop((call.heap, call.old), None)
            if call.name != 'Free' and run.ends[self.warm - 1] < call.line < run.ends[self.last - 1]:
                live[call.heap, call.new] = int(call.bytes, 16)
        return {size: blocks / (self.last - self.warm) for size, blocks in collections.Counter(live.values()).items()}

    def check_leaves_no_memory(self, name):
        """No block that is left in each time, but what Wine leaves there."""
        theirs = self.left('wasapi2src')
        ours = self.left(name)
        note(f'left each time, bytes: blocks: {ours}; by wasapi2src: {theirs}')
        self.assertTrue(theirs, 'Wine keeps sessions: who does not see them sees nothing')
        for size, blocks in ours.items():
            self.assertLess(blocks - theirs.get(size, 0), LEAK, f'{size} bytes')


if __name__ == '__main__':
    tap.main()
