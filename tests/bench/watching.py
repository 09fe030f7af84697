# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running process seen from outside: CPU time, context switches, threads, memory, system calls, instructions.

Subjects are whole processes. They run in turns, A B C A B C ..., or side by side; a ratio is formed within each turn,
so that a machine that is busy for a while slows both sides of it."""

import contextlib
import os
import re
import subprocess
import time

import benchlib
from benchlib import PACKETS_PER_SECOND

WARM_S = 3
RUN_BOUND_S = 60
SYSCALL_RUN = (200, 700)
INSTRUCTION_RUN = (200, 500)
VALGRIND_BOUND_S = 120


def command(stage, name, packets):
    """argv of a subject: "bare" is a program without GStreamer, all others are gst-launch-1.0."""
    if name == 'bare':
        return stage.bare(packets)
    return benchlib.pipeline(stage, name, packets)


def process_cpu_ns(pid):
    """CPU time of all threads of any process: the kernel's clock id for it (clock_getcpuclockid)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def tasks(pid):
    """{thread id: (name, voluntary switches, involuntary switches)}"""
    found = {}
    for task in os.listdir(f'/proc/{pid}/task'):
        fields = status_fields(f'/proc/{pid}/task/{task}/status')
        found[task] = (fields['Name'], int(fields['voluntary_ctxt_switches']),
                       int(fields['nonvoluntary_ctxt_switches']))
    return found


def status_fields(path):
    with open(path) as lines:
        return {key: value.strip() for key, _, value in (line.partition(':') for line in lines)}


def memory_kb(pid):
    fields = status_fields(f'/proc/{pid}/status')
    return {name: int(fields[name].split()[0]) for name in ('VmRSS', 'RssAnon')}


class Subject:
    """One process of a subject; it ends by itself a little after the window, which shows that nothing was lost."""

    def __init__(self, stage, name, window_s):
        self.stage = stage
        self.packets = int((WARM_S + window_s + 1) * PACKETS_PER_SECOND)
        self.begun_s = time.monotonic()
        self.child = benchlib.processes.start(command(stage, name, self.packets), env=stage.env,
                                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def begin_window(self):
        self.before = self._snapshot()

    def end_window(self):
        self.figures = {**difference(self.before, self._snapshot()), **memory_kb(self.child.pid)}

    def finish(self):
        _, said = self.child.communicate(timeout=RUN_BOUND_S)
        if self.child.returncode:
            raise AssertionError(f'{" ".join(self.child.args)} exited {self.child.returncode}\n{said}')
        late_s = time.monotonic() - self.begun_s - self.packets / PACKETS_PER_SECOND
        return {**self.figures, 'late_s': late_s}

    def _snapshot(self):
        return {'at_ns': time.monotonic_ns(), 'cpu_ns': process_cpu_ns(self.child.pid),
                'daemon_ns': sum(process_cpu_ns(daemon.pid) for daemon in self.stage.server.daemons),
                'tasks': tasks(self.child.pid)}


def watch(stage, names, window_s):
    """The figures of one process of each name, all in the same window."""
    subjects = [Subject(stage, name, window_s) for name in names]
    try:
        time.sleep(WARM_S)
        for subject in subjects:
            subject.begin_window()
        time.sleep(window_s)
        for subject in subjects:
            subject.end_window()
        return [subject.finish() for subject in subjects]
    finally:
        for subject in subjects:
            benchlib.processes.end(subject.child)


def take_turns(stage, names, plan):
    """{name: {'turns': [figures], 'together': [figures]}} by a plan of turns, together and window_s."""
    results = {name: {'turns': [], 'together': []} for name in names}
    for _ in range(plan['turns']):
        for name in names:
            results[name]['turns'] += watch(stage, [name], plan['window_s'])
    for _ in range(plan['together']):
        for name, figures in zip(names, watch(stage, names, plan['window_s'])):
            results[name]['together'].append(figures)
    return results


def difference(before, after):
    """Per packet of 10 ms: nominal, because the window is time and the server's clock is the system's."""
    seconds = (after['at_ns'] - before['at_ns']) / 1e9
    packets = seconds * PACKETS_PER_SECOND
    threads = {}
    voluntary = involuntary = 0
    for task, (name, willing, forced) in after['tasks'].items():
        _, willing_before, forced_before = before['tasks'].get(task, (name, 0, 0))
        voluntary += willing - willing_before
        involuntary += forced - forced_before
        threads[f'{name}/{task}'] = (willing + forced - willing_before - forced_before) / packets
    return {'cpu_us': (after['cpu_ns'] - before['cpu_ns']) / 1e3 / packets,
            'daemon_us': (after['daemon_ns'] - before['daemon_ns']) / 1e3 / packets,
            'voluntary': voluntary / packets, 'involuntary': involuntary / packets, 'threads': threads}


def strace(stage, name, packets):
    """{system call: calls} of a whole run, every thread."""
    report_path = os.path.join(stage.directory, 'strace')
    argv = ['strace', '-f', '-qq', '-c', '-o', report_path, *command(stage, name, packets)]
    ended = benchlib.processes.run(argv, RUN_BOUND_S, env=stage.env)
    if ended.returncode:
        raise AssertionError(f'{" ".join(argv)} exited {ended.returncode}\n{ended.stderr}')
    counts = {}
    with open(report_path) as lines:
        for line in lines:
            fields = line.split()
            if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != 'total':
                counts[fields[-1]] = int(fields[3])
    return counts


def may_trace():
    return benchlib.shutil.which('strace') and subprocess.run(['strace', '-c', 'true'], capture_output=True,
                                                              check=False).returncode == 0


def count_syscalls(stage, name):
    """Per packet, by call; None where strace is missing or not allowed. One run at a time: a second reader of the
    monitor makes the server cut smaller fragments, and each fragment costs."""
    if not may_trace():
        return None
    short, long = (strace(stage, name, packets) for packets in SYSCALL_RUN)
    packets = SYSCALL_RUN[1] - SYSCALL_RUN[0]
    each = {call: (long.get(call, 0) - short.get(call, 0)) / packets for call in {*short, *long}}
    return {call: value for call, value in sorted(each.items(), key=lambda item: -item[1]) if abs(value) >= 0.005}


def instructions(argv, env):
    """Of a whole run, every thread, user space, as cachegrind counts them: the same on every machine."""
    ended = benchlib.processes.run(['valgrind', '--tool=cachegrind', '--cache-sim=no',
                                    '--cachegrind-out-file=/dev/null', *argv], VALGRIND_BOUND_S, env=env)
    if ended.returncode:
        raise AssertionError(f'{" ".join(argv)} exited {ended.returncode}\n{ended.stderr}')
    return int(re.search(r'I\s+refs:\s+([\d,]+)', ended.stderr).group(1).replace(',', ''))


def count_instructions(stage, name):
    """Per packet, as the difference of two lengths; None without valgrind, or where the subject cannot run in it."""
    if not benchlib.shutil.which('valgrind'):
        return None
    with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
        short, long = (instructions(command(stage, name, packets), stage.env) for packets in INSTRUCTION_RUN)
        return (long - short) / (INSTRUCTION_RUN[1] - INSTRUCTION_RUN[0])
    return None


def fewest_threads(stage):
    """What gst-launch-1.0 has with the plainest live source: the base for 'no thread of ours'."""
    argv = ['gst-launch-1.0', '-q', 'fakesrc', 'is-live=true', 'do-timestamp=true', 'datarate=384000',
            f'sizemax={benchlib.PACKET_BYTES}', 'sizetype=fixed', 'format=time', '!', 'fakesink', 'sync=true']
    with benchlib.processes.started(argv, env=stage.env, stdout=subprocess.DEVNULL) as child:
        time.sleep(WARM_S)
        return len(os.listdir(f'/proc/{child.pid}/task'))


def summary(results, name):
    """Medians of the turns."""
    turns = results[name]['turns'] or results[name]['together']
    figures = {key: benchlib.median([turn[key] for turn in turns])
               for key in ('cpu_us', 'daemon_us', 'voluntary', 'involuntary', 'late_s', 'VmRSS', 'RssAnon')}
    figures['threads'] = max(len(turn['threads']) for turn in turns)
    return figures


def ratio(results, name, other, how):
    """CPU time in another's, turn by turn."""
    each = [ours['cpu_us'] / theirs['cpu_us'] for ours, theirs in zip(results[name][how], results[other][how])]
    return {'median': benchlib.median(each), 'least': min(each), 'most': max(each)}
