# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every call of libpulse and of libpipewire that can fail does, one after the other: the recording goes on, or ends with
one error. Nothing crashes, nothing hangs."""

import contextlib
import os
import re
import subprocess

import livetest
from livetest import note
from support import launch, poll, processes, servers, tap

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, '..', '..', 'build')
LIBRARY = os.environ.get('ZC_FAIL_CALL_LIBRARY', os.path.join(BUILD, 'tests', 'live', 'libzcfailcall.so'))
PLUGIN = os.path.join(os.environ.get('GST_PLUGIN_PATH', os.path.join(BUILD, 'gst')), 'libgstzcloopback.so')
# How often the calls of one function are failed: its first, second, ...; those of the packets are many.
MOST = int(os.environ.get('ZC_FAIL_CALL_MOST', '3'))
AT_ONCE = 4
PACKETS = 30
BOUND_S = 8

# By their documentation, or as what they give is ours. pa_mainloop_dispatch() fails after pa_mainloop_quit() only.
CANNOT_FAIL = {
    'pa_mainloop_dispatch',
    'pa_context_disconnect', 'pa_context_errno', 'pa_context_get_state', 'pa_context_set_subscribe_callback',
    'pa_context_unref', 'pa_mainloop_free', 'pa_mainloop_get_api', 'pa_mainloop_wakeup', 'pa_operation_cancel',
    'pa_operation_get_state', 'pa_operation_unref', 'pa_stream_get_state', 'pa_stream_set_latency_update_callback',
    'pa_stream_set_read_callback', 'pa_stream_set_suspended_callback', 'pa_stream_unref', 'pa_strerror',
    'pw_context_destroy', 'pw_core_disconnect', 'pw_get_library_version', 'pw_init', 'pw_loop_destroy',
    'pw_properties_new', 'pw_properties_setf', 'pw_proxy_destroy', 'pw_stream_add_listener', 'pw_stream_destroy',
}
DEVICE, PROCESSES = '', 'process-mode=exclude'


def which(count):
    """The first ones, and one later: streams of players come after that of the monitor."""
    return sorted({*range(1, min(count, MOST) + 1), max(1, count // 2)})


def is_sure(fails):
    """How often the server is asked for the time, and so looked at, is not the same in each run."""
    return int(fails.split(':')[1]) <= MOST


class FailedCalls(livetest.LiveTest):

    def argv(self, properties):
        return ['gst-launch-1.0', *f'{launch.source()} {properties} num-buffers={PACKETS} ! fakesink'.split()]

    def env(self, fails='', report=None):
        env = {**self.server.env, 'LD_PRELOAD': LIBRARY, 'ZC_FAIL_CALL': fails, 'LC_ALL': 'C.UTF-8'}
        return {**env, 'ZC_FAIL_CALL_REPORT': report} if report else env

    def calls(self, properties):
        """{function: how often it is called} where none fails."""
        path = self.path('report')
        ended = processes.run(self.argv(properties), BOUND_S, env=self.env(report=path))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        with open(path) as lines:
            return {name: int(count) for name, count in map(str.split, lines)}

    def test_list_is_whole(self):
        """What the plugin calls is in one list or the other."""
        with open(os.path.join(HERE, 'fail-call.c')) as source:
            failing = set(re.findall(r'^  _ \([^,]+?, (p[aw]_\w+),', source.read(), re.MULTILINE))
        said = subprocess.run(['nm', '-D', '--undefined-only', PLUGIN], stdout=subprocess.PIPE, text=True, check=True)
        called = set(re.findall(r'\bp[aw]_\w+', said.stdout))
        self.assertTrue(called)
        self.assertEqual(called - failing - CANNOT_FAIL, set())
        self.assertEqual((failing | CANNOT_FAIL) - called, set(), 'nobody calls these')

    def test_each_in_turn_of_pulseaudio(self):
        self.assert_each_in_turn('pulseaudio', 'pa_', DEVICE, PROCESSES)

    def test_each_in_turn_of_pipewire(self):
        self.assert_each_in_turn('pipewire', 'pw_', DEVICE)

    def assert_each_in_turn(self, label, prefix, *captures):
        self.serve(label)
        with processes.started(['pacat', '--raw', '/dev/zero'], env=self.server.env, stderr=subprocess.DEVNULL):
            self.wait_for_clients(self.server, 'sink-inputs', 1)
            runs = [(properties, f'{name}:{nth}') for properties in captures
                    for name, count in self.calls(properties).items() if name.startswith(prefix)
                    for nth in which(count)]
            ends = {}
            for begin in range(0, len(runs), AT_ONCE):
                ends.update(self.run_some(runs[begin:begin + AT_ONCE]))
        for (properties, fails), ended in ends.items():
            with self.subTest(f'{fails} {properties}'):
                self.judge(fails, ended)
        went_on = sum(ended.returncode == 0 for ended in ends.values())
        note(f'{len(ends)} failures: {went_on} recordings went on, {len(ends) - went_on} ended with one error')

    def run_some(self, runs):
        with contextlib.ExitStack() as running:
            children = {run: running.enter_context(processes.started(
                self.argv(run[0]), env=self.env(run[1]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True)) for run in runs}
            return {run: self.ended(run, child) for run, child in children.items()}

    def ended(self, run, child):
        try:
            text, _ = child.communicate(timeout=BOUND_S)
        except subprocess.TimeoutExpired:
            self.fail(f'{run} hangs')
        return subprocess.CompletedProcess(child.args, child.returncode, text)

    def judge(self, fails, ended):
        errors = launch.error_lines(ended.stdout)
        self.assertGreaterEqual(ended.returncode, 0, f'{fails} crashed:\n{ended.stdout}')
        self.assertNotIn('CRITICAL', ended.stdout)
        self.assertNotIn('Caught SIG', ended.stdout)
        if is_sure(fails):
            self.assertIn(f'{fails} failed on purpose', ended.stdout)
        self.assertEqual(len(errors), 1 if ended.returncode else 0, f'{fails}:\n{ended.stdout}')


class BetweenCalls(livetest.LiveTest):

    def test_default_that_changes_while_it_is_looked_for(self):
        """The server has told its default, and has another one before it is captured."""
        server = self.serve('pulseaudio')
        server.add_sink(servers.Sink('other'))
        server.pactl('set-default-sink', server.sink.name)
        env = {**server.env, 'LD_PRELOAD': LIBRARY, 'ZC_BEFORE_CALL': 'pa_context_get_sink_info_list:1',
               'ZC_BEFORE_COMMAND': 'pactl set-default-sink other'}
        with processes.started(['gst-launch-1.0', *f'{launch.source()} ! fakesink'.split()], env=env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
            other = re.search(r'^(\d+)\tother\.monitor', server.pactl('list', 'short', 'sources'), re.MULTILINE)[1]
            poll.until(lambda: re.search(rf'^\d+\t{other}\t', server.pactl('list', 'short', 'source-outputs'),
                                         re.MULTILINE), BOUND_S, 'a capture of the new default')


if __name__ == '__main__':
    tap.main()
