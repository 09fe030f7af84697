# SPDX-License-Identifier: LGPL-2.1-or-later
"""From a played click to the pad: a client that is not ours plays, `subject --clicks` tells when the buffer with the
click left the source. All subjects of a round hear the same clicks, so what differs between them is theirs."""

import bisect
import subprocess

import benchlib
import subjects
from benchlib import PACKETS_PER_SECOND, processes

CLICK_S = 0.282                 # on average, as clicker.c spaces them
MARGIN_S = 4
MATCH_NS = 240_000_000          # below the least time between two: one that is later would be taken for the next
SINK = subjects.LAST_SAMPLE_OFF


def round_of(stage, names, clicks):
    """({name: [latency in ms]}, {name: clicks that never came}) of one round."""
    packets = int((clicks * CLICK_S * 1.05 + MARGIN_S) * PACKETS_PER_SECOND)
    running = {name: subjects.Subject(stage, subjects.of(name, SINK, stage), packets, warm=0, flags=('--clicks',),
                                      counted=False) for name in names}
    try:
        played = play(stage, clicks)
        arrived = {name: subject.finish()['clicks'] for name, subject in running.items()}
    finally:
        for subject in running.values():
            processes.end(subject.child)
    latencies = {name: match(played, times) for name, times in arrived.items()}
    return latencies, {name: missing(played, arrived[name], len(latencies[name])) for name in names}


def play(stage, clicks):
    """When each click was written, in ns."""
    argv = [benchlib.tool('subject/clicker'), stage.server.sink.name, str(clicks)]
    ended = processes.run(argv, clicks * CLICK_S * 2 + 20, env=stage.env)
    if ended.returncode:
        raise subprocess.SubprocessError(f'{" ".join(argv)} exited {ended.returncode}: {ended.stderr}')
    return [int(line.split()[1]) for line in ended.stdout.splitlines()]


def match(played, arrived):
    """Milliseconds from each click to its arrival: of the last click before it."""
    found = {}
    for time in arrived:
        index = bisect.bisect_right(played, time) - 1
        if index >= 0 and time - played[index] < MATCH_NS:
            found.setdefault(index, (time - played[index]) / 1e6)
    return list(found.values())


def missing(played, arrived, matched):
    """Of the clicks between a subject's first and last arrival."""
    if not arrived:
        return len(played)
    return max(0, sum(arrived[0] - MATCH_NS <= time <= arrived[-1] for time in played) - matched)


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def measure(stage, names, rounds, clicks):
    """{name: {p50, p99, most, clicks, missing}}; the order of starting changes from round to round."""
    latencies, lost = {name: [] for name in names}, dict.fromkeys(names, 0)
    for index in range(rounds):
        turned = names[index % len(names):] + names[:index % len(names)]
        each, none = round_of(stage, turned, clicks)
        for name in names:
            latencies[name] += each[name]
            lost[name] += none[name]
    return {name: summary(latencies[name], lost[name]) for name in names}


def summary(values, lost):
    if not values:
        return {'clicks': 0, 'missing': lost, 'p50': None, 'p99': None, 'most': None, 'values': []}
    return {'clicks': len(values), 'missing': lost, 'p50': quantile(values, 0.5), 'p99': quantile(values, 0.99),
            'most': max(values), 'values': [round(value, 3) for value in values]}
