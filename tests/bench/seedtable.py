# SPDX-License-Identifier: LGPL-2.1-or-later
"""Section "seed": the table of the test report that this project began with, by its own method: 15 s, three times, per
mode, its four criteria; then an hour's worth of packets, which that pool did not survive; then minutes in real time."""

import benchlib
import judge
import subjects
from benchlib import PACKETS_PER_SECOND
from judge import Target, exactly, nothing

MODES = ('copy', 'pool', 'lease')
RECYCLING = ('pool', 'lease')
# GLib ends a thread that changed states 15 s after the start: 2 kB of the heap less, some pages of libraries more.
QUICK = {'turns': 1, 'warm': 300, 'packets': 500, 'hour_packets': 36000, 'minutes': 0}
FULL = {'turns': 3, 'warm': 2000, 'packets': 15 * PACKETS_PER_SECOND, 'hour_packets': 360000, 'minutes': 3}

# What that report said of its own, and what its project published later of its pool over an hour.
REPORTED = {'copy': ('+8.09', '+122.34 KB', '+5.49 MB', '99.2', '372.16', 'no pool'),
            'zero-copy': ('-4.25', '-64.29 KB', '+5.49 MB', '99.2', '372.16', '0.67 %, 3.14 %; 0.03 % over its hour')}


def measure(quick, _):
    """The modes run side by side: neither memory nor counts care, and all of them have the same seconds."""
    plan = QUICK if quick else FULL
    pipelines = {mode: subjects.of(mode) for mode in MODES}
    results = {'plan': plan, 'turns': {mode: [] for mode in MODES}, 'minutes': {}}
    with benchlib.Stage() as stage:
        for _ in range(plan['turns']):
            turn = subjects.together(stage, pipelines, packets=plan['packets'], warm=plan['warm'])
            for mode, figures in turn.items():
                results['turns'][mode].append(figures)
        if plan['minutes']:
            packets = plan['minutes'] * 60 * PACKETS_PER_SECOND
            results['minutes'] = subjects.together(stage, pipelines, packets=packets, warm=plan['warm'])
    with benchlib.Stage(server=None) as stage:
        results['hour'] = {mode: subjects.crank(stage, subjects.cranked(mode), plan['hour_packets']) for mode in MODES}
    return results


def mean(figures, name):
    return sum(one[name] for one in figures) / len(figures)


def worst(figures, name):
    return max((one[name] for one in figures), key=abs)


def row(label, figures):
    """One line of the table, of one or more runs: means of rates, the worst of growths."""
    seconds = mean(figures, 'seconds')
    rates = [one['hit_rate'] for one in figures]
    return [label, f"{mean(figures, 'live_bytes') / 1024 / seconds:+.2f}", f"{worst(figures, 'live_bytes'):+d} B",
            f"{worst(figures, 'external_bytes'):+d} B", f"{worst(figures, 'mapped_bytes'):+d} B",
            f"{mean(figures, 'packets') / seconds:.1f}", f"{mean(figures, 'sound_bytes') / 1024 / seconds:.2f}",
            'no pool' if None in rates else f'{100 * min(rates):.2f} %', f"{mean(figures, 'allocs'):.2f}",
            f"{mean(figures, 'alloc_bytes') * PACKETS_PER_SECOND / 1024:.2f}", f"{mean(figures, 'copied'):.0f}",
            f"{worst(figures, 'lost_frames')}"]


HEADINGS = ('mode', 'heap KB/s', 'heap delta', 'external delta', 'mapped delta', 'packets/s', 'KB/s', 'hit rate',
            'allocations/packet', 'allocated KB/s', 'copied B/packet', 'frames lost')


def markdown(results):
    plan = results['plan']
    rows = [[f'report: {mode}', heap, delta, external, '', packets, rate, hits, '', '', '', '']
            for mode, (heap, delta, external, packets, rate, hits) in REPORTED.items()]
    rows += [row(f"{mode}, {plan['packets'] // PACKETS_PER_SECOND} s x {plan['turns']}", results['turns'][mode])
             for mode in MODES]
    rows += [row(f"{mode}, {plan['hour_packets']:,} packets, cranked", [results['hour'][mode]]) for mode in MODES]
    rows += [row(f"{mode}, {plan['minutes']} minutes", [figures]) for mode, figures in results['minutes'].items()]
    return ('PulseAudio, into `fakesink enable-last-sample=false`; cranked: the simulated device, whose time goes on '
            'as packets come. Heap: blocks in use; external: resident memory that is not the heap\'s; both of the '
            'whole process, over the window. Allocated: asked for in all, given back or not.\n\n'
            + judge.table(HEADINGS, rows))


def everything(results, mode):
    """(label, figures) of every run of a mode."""
    return ([(f'15 s, run {index + 1}', one) for index, one in enumerate(results['turns'][mode])]
            + [('cranked', results['hour'][mode])]
            + ([('minutes', results['minutes'][mode])] if mode in results['minutes'] else []))


def targets(results):
    return [*(seen_from_outside(results, mode) for mode in MODES),
            *(target for mode in RECYCLING for target in [*growth(results, mode), *criteria(results, mode)])]


def seen_from_outside(results, mode):
    """Both counts of copies, that of the element and that of the whole process: each tests the other."""
    figures = results['hour'][mode]
    return exactly(f'{mode}: bytes copied per packet, cranked, from outside', figures['copied_outside'],
                   figures['copied'], ' B', tolerance=1, counted=True,
                   bound='the element does not count what it copies, or somebody else copies, too')


def growth(results, mode):
    runs = everything(results, mode)
    least = min(one['hit_rate'] for _, one in runs)
    yield Target(f'{mode}: hit rate after warm-up, all runs', '100 %', f'{100 * least:.3f} %', least == 1, counted=True,
                 bound='the pool had to grow, or to refuse')
    yield nothing(f"{mode}: heap delta over {results['plan']['hour_packets']:,} packets",
                  results['hour'][mode]['live_bytes'], ' B', counted=True, digits=0)
    live = worst([one for _, one in runs], 'live_bytes')
    yield nothing(f'{mode}: heap delta over 15 s, worst of all runs', live, ' B', digits=0,
                  bound='libpulse: 64 bytes while the server\'s timing is asked for, every 4 s, and free lists that '
                        'grow by a node when the longest burst yet comes')
    external = worst([one for _, one in runs], 'external_bytes')
    yield nothing(f'{mode}: external memory delta, worst of all runs', external, ' B', digits=0,
                  bound='pages of the server\'s shared memory and of libraries that are touched for the first time')


def criteria(results, mode):
    """The report's own four, next to its baseline."""
    copy, ours = results['turns']['copy'], results['turns'][mode]
    less = 1 - mean(ours, 'alloc_bytes') / mean(copy, 'alloc_bytes')
    yield Target(f'{mode}: criterion 1, bytes allocated, less than copy', '>= 30 %', f'{100 * less:.1f} %', less >= 0.3,
                 counted=True)
    deltas = abs(worst(ours, 'live_bytes')), abs(worst(copy, 'live_bytes'))
    yield Target(f'{mode}: criterion 2, heap delta, less than copy by 30 %, or nothing', f'<= 0.7 x {deltas[1]} B',
                 f'{deltas[0]} B', deltas[0] <= 0.7 * deltas[1], bound='an honest copy gives back what it takes, too')
    external = max(one['external_bytes'] for one in ours)
    yield Target(f'{mode}: criterion 3, external memory does not grow', '<= 0 B', f'{external} B', external <= 0)
    rates = [mean(figures, 'sound_bytes') / mean(figures, 'seconds') for figures in (ours, copy)]
    apart = abs(rates[0] / rates[1] - 1)
    yield Target(f'{mode}: criterion 4, throughput, apart from copy', '<= 5 %', f'{100 * apart:.2f} %', apart <= 0.05)


def plots(results, draw):
    draw.bars('seed-allocated', 'Bytes asked of the heap, KB/s', list(MODES),
              {'15 s': [mean(results['turns'][mode], 'alloc_bytes') * PACKETS_PER_SECOND / 1024 for mode in MODES]})
