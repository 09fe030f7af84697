# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a stretch of sound costs a pipeline, told from inside: the program `subject`, with the counters preloaded.

    figures = subjects.run(stage, subjects.of('lease', 'level ! fakesink'), packets=1000)
    figures['allocs'], figures['copied']           per packet of 10 ms
    figures['rss_bytes'], figures['heap_bytes']    growth over the window
"""

import os
import subprocess

import benchlib
from benchlib import CAPS, PACKET_BYTES, PACKETS_PER_SECOND, SOURCES, processes

WARM_PACKETS = 300
# A cranked hour passes in seconds; what the application's thread has to put away is then gone after some thousand.
CRANKED_WARM_PACKETS = 10000
START_BOUND_S = 30
LEAST_CRANKED_PER_S = 2000
PAGE = 4096
ROUNDING = 0.005
LAST_SAMPLE_OFF = 'fakesink enable-last-sample=false'

PER_PACKET = {
    'allocs': 'allocs', 'alloc_bytes': 'alloc_bytes', 'copies_outside': 'copies', 'copied_outside': 'copy_bytes',
    'copied': 'bytes-copied', 'leased': 'bytes-leased', 'evacuations': 'evacuations', 'wakeups': 'wakeups',
    'voluntary': 'voluntary', 'involuntary': 'involuntary', 'buffers': 'buffers',
}
GROWTH = ('heap_bytes', 'live_bytes', 'rss_bytes', 'anon_bytes', 'mapped_bytes')
TOTALS = {'lost_frames': 'frames-lost', 'overflows': 'overflows', 'glitches': 'glitches', 'hits': 'pool-hits',
          'misses': 'pool-misses'}


def of(source, rest=LAST_SAMPLE_OFF, stage=None):
    """A pipeline of one of benchlib's sources, as it is on a stage."""
    return f'{stage.source(source) if stage else SOURCES[source]} ! {CAPS} ! {rest}'


def simulated(mode, rest=LAST_SAMPLE_OFF, device='', **properties):
    words = ' '.join(f'{name.replace("_", "-")}={value}' for name, value in properties.items())
    return (f'zcloopbacksrc backend=simulated device="{device}" memory-mode={mode} {words} ! {CAPS} ! {rest}')


def cranked(mode, rest=LAST_SAMPLE_OFF, device='clock=manual', **properties):
    return simulated(mode, rest, device, **properties)


class Subject:
    """One process; start several to have them side by side, then finish each."""

    def __init__(self, stage, pipeline, packets=1000, warm=WARM_PACKETS, flags=(), counted=True):
        argv = [benchlib.tool('subject/subject'), *flags, f'--warm={warm}', f'--packets={packets}', pipeline]
        per_second = LEAST_CRANKED_PER_S if '--crank' in flags else PACKETS_PER_SECOND
        self.bound_s = START_BOUND_S + 2 * (warm + packets) / per_second
        self.child = processes.start(argv, env=environment(stage, counted), stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)

    def finish(self):
        try:
            out, said = self.child.communicate(timeout=self.bound_s)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f'{" ".join(self.child.args)} did not end in {self.bound_s:.0f} s') from late
        finally:
            processes.end(self.child)
        if self.child.returncode:
            raise AssertionError(f'{" ".join(self.child.args)} exited {self.child.returncode}\n{said}')
        return figures(out)


def environment(stage, counted):
    if not counted:
        return stage.env
    preload = f"{benchlib.tool('libzcmalloccount.so')} {benchlib.tool('libzccopycount.so')}"
    return {**stage.env, 'LD_PRELOAD': preload, 'ZC_MALLOC_COUNT_FILE': os.devnull}


def run(stage, pipeline, **options):
    return Subject(stage, pipeline, **options).finish()


def together(stage, pipelines, **options):
    """{name: figures} of pipelines that run side by side."""
    running = {name: Subject(stage, pipeline, **options) for name, pipeline in pipelines.items()}
    try:
        return {name: subject.finish() for name, subject in running.items()}
    finally:
        for subject in running.values():
            processes.end(subject.child)


def steady(stage, pipelines, expected, repeats=2, **options):
    """The same, and again of those that allocated more than `expected` (by name; others run once): free lists
    (libpulse's, a queue's) grow once when a busy machine delivers a new longest burst, which a rate per packet is not.
    The least counts; all are in `runs`."""
    results = together(stage, pipelines, **options)
    for figures in results.values():
        figures['runs'] = [figures['allocs']]
    for _ in range(repeats):
        again = {name: pipelines[name] for name, most in expected.items()
                 if name in results and results[name]['allocs'] > most + ROUNDING}
        for name, figures in (together(stage, again, **options) if again else {}).items():
            runs = [*results[name]['runs'], figures['allocs']]
            results[name] = {**min(results[name], figures, key=lambda one: one['allocs']), 'runs': runs}
    return results


def crank(stage, pipeline, packets, warm=CRANKED_WARM_PACKETS, **options):
    return run(stage, pipeline, packets=packets, warm=warm, flags=('--crank',), **options)


def figures(text):
    begin, end, clicks = {}, {}, []
    where = {'begin': begin, 'end': end}
    for name, value in (line.split() for line in text.splitlines()):
        part, _, field = name.partition('.')
        if part in where:
            where[part][field] = int(value)
        elif name == 'click':
            clicks.append(int(value))
    grown = {field: end[field] - begin[field] for field in begin}
    packets = grown['sound_bytes'] / PACKET_BYTES
    known = {name: begin[field] != -1 for name, field in {**PER_PACKET, **TOTALS}.items()}
    result = {name: grown[field] / packets if known[name] else None for name, field in PER_PACKET.items()}
    result.update({name: grown[field] if known[name] else None for name, field in TOTALS.items()})
    result.update({field: grown[field] for field in GROWTH})
    asked = (result['hits'] or 0) + (result['misses'] or 0)
    result.update(packets=packets, seconds=grown['at_ns'] / 1e9, cpu_us=grown['cpu_ns'] / 1e3 / packets,
                  rss=end['rss_bytes'], anon=end['anon_bytes'], threads=end['threads'],
                  sound_bytes=grown['sound_bytes'], hit_rate=result['hits'] / asked if asked else None,
                  external_bytes=external(grown), clicks=clicks)
    return result


def external(grown):
    """Resident memory that is not the heap's, to the page."""
    return int((grown['rss_bytes'] - grown['heap_bytes']) / PAGE) * PAGE


def bare_copies(stage, packets=(300, 1300)):
    """Bytes per packet that a bare program copies, by two lengths, so that its start cancels."""
    totals = []
    for length in packets:
        report = os.path.join(stage.directory, 'bare-copies')
        env = {**stage.env, 'LD_PRELOAD': benchlib.tool('libzccopycount.so'), 'ZC_COPY_COUNT_FILE': report}
        ended = processes.run(stage.bare(length), START_BOUND_S + length / 50, env=env)
        if ended.returncode:
            raise AssertionError(f'floor exited {ended.returncode}\n{ended.stderr}')
        with open(report) as lines:
            totals.append(dict((name, int(value)) for name, value in map(str.split, lines)))
    return {name: (totals[1][name] - totals[0][name]) / (packets[1] - packets[0]) for name in totals[0]}
