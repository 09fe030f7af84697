# SPDX-License-Identifier: LGPL-2.1-or-later
"""Section "peers": other sources beside ours, each capturing the same signal in the same packets from one server.

"floor" is the least that a GStreamer source can do, "bare" a program without GStreamer, and audiotestsrc a live source
that captures nothing. On PipeWire ours, the floor and the bare one use its own API, and pulsesrc pipewire-pulse."""

import unittest

import benchlib
import judge
import latency
import subjects
import watching
from benchlib import PACKET_BYTES, PACKET_MS, tap
from judge import Target, nothing, number
from tests.support import servers

OURS = ('pool', 'lease')
QUICK = {'servers': {'pulseaudio': ('pool', 'lease', 'copy', 'pulsesrc', 'floor'),
                     'pipewire': ('pool', 'lease', 'floor')},
         'packets': 500, 'cpu': None, 'outside': False, 'latency': None}
FULL = {'servers': {'pulseaudio': ('pool', 'lease', 'copy', 'pulsesrc', 'audiotestsrc', 'floor', 'bare'),
                    'pipewire': ('pool', 'lease', 'pulsesrc', 'pipewiresrc', 'pipewiresrc-copy', 'audiotestsrc',
                                 'floor', 'bare')},
        'packets': 1000, 'cpu': {'turns': 2, 'together': 7, 'window_s': 8}, 'outside': True,
        'latency': {'rounds': 3, 'clicks': 130}}
SERVERS = {'pulseaudio': servers.PulseServer, 'pipewire': servers.NativePipeWireServer}
PEERS = ('pulsesrc', 'pipewiresrc', 'pipewiresrc-copy')
NOT_CAPTURING = ('audiotestsrc', 'bare')

MOST_OF_PEER = 0.6
MOST_OF_FLOOR = 1.2
MOST_PACKETS_OVER_FLOOR = 1.2
# Who comes to the end of its packets later than that has lost some, and did less for its time.
MOST_LATE_S = 1.5  # its start is in it


def measure(quick, skipped):
    plan = QUICK if quick else FULL
    results = {}
    for server, names in plan['servers'].items():
        try:
            with benchlib.Stage(server=SERVERS[server]) as stage:
                here = [name for name in names if name == 'bare' or stage.has_source(name)]
                skipped.update({f'{name} on {server}': 'GStreamer here has no such element'
                                for name in names if name not in here})
                results[server] = on_server(stage, here, plan)
            if plan['latency']:
                with benchlib.Stage(server=SERVERS[server], tone=False) as stage:
                    heard = [name for name in results[server] if name not in NOT_CAPTURING]
                    for name, figures in latency.measure(stage, heard, **plan['latency']).items():
                        results[server][name]['latency'] = figures
        except unittest.SkipTest as reason:
            skipped[f'peers on {server}'] = str(reason)
    return results


def on_server(stage, names, plan):
    """{name: {'counted', 'cpu', 'syscalls', 'instructions'}}"""
    results = {name: {} for name in names}
    for name, figures in counted(stage, names, plan).items():
        results[name]['counted'] = figures
    if plan['cpu']:
        tap.note(f'peers: CPU time on {stage.server.label}')
        runs = watching.take_turns(stage, names, plan['cpu'])
        for name in names:
            results[name]['cpu'] = {**watching.summary(runs, name), 'runs': runs[name],
                                    'of': ratios(runs, name, names)}
    if plan['outside']:
        tap.note(f'peers: system calls and instructions on {stage.server.label}')
        for name in names:
            calls = watching.count_syscalls(stage, name)
            results[name]['syscalls'] = calls
            results[name]['instructions'] = watching.count_instructions(stage, name)
    return results


def ratios(runs, name, names):
    """CPU time in that of each other that a promise is about, side by side."""
    return {other: watching.ratio(runs, name, other, 'together') for other in names
            if other in (*PEERS, 'floor', 'bare') and other != name}


def counted(stage, names, plan):
    """Allocations and copies. One at a time in the full form: a second reader makes the server cut smaller pieces."""
    pipelines = {name: subjects.of(name, subjects.LAST_SAMPLE_OFF, stage) for name in names if name != 'bare'}
    none = dict.fromkeys((*OURS, 'floor'), 0)
    if plan['outside']:
        figures = {}
        for name, pipeline in pipelines.items():
            figures.update(subjects.steady(stage, {name: pipeline}, none, packets=plan['packets']))
    else:
        figures = subjects.steady(stage, pipelines, none, packets=plan['packets'])
    if 'bare' in names:
        copies = subjects.bare_copies(stage)
        figures['bare'] = {'allocs': None, 'copied': None, 'copied_outside': copies['copied_bytes'],
                           'copies_outside': copies['copies']}
    return figures


def row(name, f, bare):
    count, cpu, late = f['counted'], f.get('cpu', {}), f.get('latency', {})
    above = count['copied_outside'] - bare if bare is not None and name not in NOT_CAPTURING else None
    switches = cpu['voluntary'] + cpu['involuntary'] if cpu else None
    calls = sum(f['syscalls'].values()) if f.get('syscalls') else None
    return [name, number(count['allocs'], 3), number(count['copied'], 0), number(above, 0),
            number(cpu.get('cpu_us'), 0), ratio_text(cpu, PEERS), ratio_text(cpu, ('floor',)),
            number(f.get('instructions'), 0), number(switches, 2), number(calls, 1), number(cpu.get('threads'), 0),
            number(cpu.get('VmRSS'), 0), number(cpu.get('daemon_us'), 0), number(late.get('p50'), 2),
            number(late.get('p99'), 2), number(late.get('missing'), 0), number(cpu.get('late_s'), 2)]


def ratio_text(cpu, others):
    """Of the dearest comparison, that is the cheapest other."""
    known = [cpu['of'][other] for other in others if other in cpu.get('of', {})]
    return '{median:.2f} ({least:.2f} to {most:.2f})'.format(**max(known, key=lambda r: r['median'])) if known else '-'


HEADINGS = ('', 'allocations', 'bytes copied (its own count)', 'copied above bare', 'CPU us',
            'CPU, of the cheapest peer\'s', 'CPU, of the floor\'s', 'instructions', 'switches', 'system calls',
            'threads', 'RSS kB', 'server CPU us', 'latency p50 ms', 'p99 ms', 'clicks missed', 'late at the end s')


def bare_bytes(results):
    return results['bare']['counted']['copied_outside'] if 'bare' in results else None


def markdown(results):
    parts = ['Per packet of 10 ms into `fakesink`. CPU time: medians of turns; ratios: side by side, median (least to '
             'most). Copies of 512 bytes or more, above what a bare program makes. Latency: from the write of '
             'a player with 20 ms of buffer to the buffer that leaves the source; all subjects hear the same clicks.']
    for server, figures in results.items():
        parts.append(f'### {server}\n\n'
                     + judge.table(HEADINGS, [row(name, f, bare_bytes(figures)) for name, f in figures.items()]))
    return '\n\n'.join(parts)


def targets(results):
    for server, figures in results.items():
        for mode in (mode for mode in OURS if mode in figures):
            yield nothing(f'{server}, {mode}: allocations per packet', figures[mode]['counted']['allocs'], '',
                          subjects.ROUNDING, counted=True, digits=3, bound=the_floors_allocations(figures))
            yield from copies(server, mode, figures)
            if 'cpu' in figures[mode]:
                yield from cpu(server, mode, figures)
            if 'latency' in figures[mode]:
                yield from late(server, mode, figures)
        yield from in_time(server, figures)


def the_floors_allocations(figures):
    own = figures['floor']['counted']['allocs'] if 'floor' in figures else 0
    return f'{own:.3f} of them are the client library\'s: the floor makes as many' if own >= subjects.ROUNDING else ''


def copies(server, mode, figures):
    """The element's count is checked from outside: what it copied, and nothing else, is above the bare program's."""
    bare = bare_bytes(figures)
    if bare is None:
        return
    said, seen = figures[mode]['counted']['copied'], figures[mode]['counted']['copied_outside'] - bare
    yield Target(f'{server}, {mode}: copied, from outside, apart from its own count', f'<= {PACKET_BYTES // 20} B',
                 f'{seen - said:+.0f} B', abs(seen - said) <= PACKET_BYTES // 20,
                 bound='pieces below 512 bytes are not seen from outside; the server cuts them as it likes')


def cpu(server, mode, figures):
    ratios_of = figures[mode]['cpu']['of']
    known = {peer: ratios_of[peer]['median'] for peer in PEERS if peer in ratios_of}
    if known:
        best = max(known, key=known.get)
        yield judge.no_more(f'{server}, {mode}: CPU per packet, of the best peer\'s ({best})', known[best],
                            MOST_OF_PEER, bound=wakeups(figures, mode, best))
    if 'floor' in ratios_of:
        yield judge.no_more(f'{server}, {mode}: CPU per packet, of the floor\'s', ratios_of['floor']['median'],
                            MOST_OF_FLOOR, bound=wakeups(figures, mode, 'floor'))


def wakeups(figures, mode, other):
    """Where the time goes, in figures."""
    def both(name):
        one = figures[name]['cpu']
        return f"{one['voluntary'] + one['involuntary']:.2f} switches and {one['cpu_us']:.0f} us"
    also = ''.join(f'; {name}: {both(name)}' for name in ('floor', 'bare') if name in figures and name != other)
    return f'{both(mode)} a packet here, {both(other)} there{also}'


def in_time(server, figures):
    for name in (name for name in figures if 'cpu' in figures[name] and name not in PEERS):
        yield judge.no_more(f'{server}, {name}: comes to its last packet late by', figures[name]['cpu']['late_s'],
                            MOST_LATE_S, ' s')


def late(server, mode, figures):
    ours, floor = figures[mode]['latency'], figures.get('floor', {}).get('latency')
    if ours['p99'] is None:
        yield Target(f'{server}, {mode}: clicks arrive', 'all', 'none', False)
        return
    # Some never leave a busy server.
    yield judge.no_more(f"{server}, {mode}: clicks that never came, beyond the floor's",
                        ours['missing'] - (floor or {}).get('missing', 0), 0, digits=0)
    if floor and floor['p99'] is not None:
        over = (ours['p99'] - floor['p99']) / PACKET_MS
        yield judge.no_more(f'{server}, {mode}: p99 latency above the floor', over, MOST_PACKETS_OVER_FLOOR, ' packets')
    for peer in (peer for peer in PEERS if figures.get(peer, {}).get('latency', {}).get('p99') is not None):
        theirs = figures[peer]['latency']['p99']
        yield Target(f'{server}, {mode}: p99 latency below {peer}\'s', f'< {theirs:.2f} ms', f"{ours['p99']:.2f} ms",
                     ours['p99'] < theirs, bound=medians(figures, mode, peer))


def medians(figures, mode, peer):
    """Where all of them wait for the server, one late click in a hundred decides."""
    names = [name for name in (mode, peer, 'floor') if figures.get(name, {}).get('latency', {}).get('p50') is not None]
    return 'p50: ' + ', '.join(f"{name} {figures[name]['latency']['p50']:.2f} ms" for name in names)


def plots(results, draw):
    for server, figures in results.items():
        names = [name for name in figures if 'cpu' in figures[name]]
        if names:
            draw.boxes(f'peers-cpu-{server}', f'CPU us per packet, side by side, {server}',
                       {name: [run['cpu_us'] for run in figures[name]['cpu']['runs']['together']] for name in names})
        heard = [name for name in figures if figures[name].get('latency', {}).get('values')]
        if heard:
            draw.distribution(f'peers-latency-{server}', f'ms from click to pad, {server}',
                              {name: figures[name]['latency']['values'] for name in heard})
