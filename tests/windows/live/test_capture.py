# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a Linux program plays into a null sink is what zcloopbacksrc captures through WASAPI, frame by frame: pacat ->
PulseAudio -> Wine's WASAPI -> the official gst-launch-1.0.exe. Its own WASAPI sources capture the same sound in the
same run; what becomes of it there is told, not judged."""

import math
import re

import numpy as np
import winlive
from support import clients, processes, servers, signals, tap, wine
from winlive import FORMAT, FULL_SECONDS, LEAD_SECONDS, TAIL_SECONDS, note

PULSE_5_1 = 'front-left,front-right,rear-left,rear-right,front-center,lfe'
OURS = 'zcloopbacksrc'
SINKS = [
    ('48k_stereo', {'format': 'float32le', 'rate': 48000, 'map': servers.STEREO}),
    ('44k1_stereo_s16', {'format': 's16le', 'rate': 44100, 'map': servers.STEREO}),
    ('48k_51', {'format': 'float32le', 'rate': 48000, 'map': PULSE_5_1}),
]
TONE_SECONDS = 2.2
AMPLITUDE = 0.8
LEVEL_DB = 20 * math.log10(AMPLITUDE / math.sqrt(2))
LEVEL_BOUND_DB = 0.01
PACKET_NS = 10**7
# Stamps follow the rate of the device, and catch up with its clock by 2 ms a second at most.
LENGTH_BOUND_NS = PACKET_NS // 100


def rms_db(samples, rate):
    """Per channel, over whole seconds from the middle of the sound: whole periods, as 997 Hz has."""
    sounding = np.flatnonzero(np.abs(samples[:, 0]) > 1e-3)
    seconds = (sounding[-1] - sounding[0]) // rate - 1
    part = samples[sounding[0] + rate // 2:][:seconds * rate]
    return 10 * np.log10((part ** 2).mean(axis=0))


class CaptureTest(winlive.WindowsTest):

    def counting_file(self, sink, seconds, lead_seconds=LEAD_SECONDS):
        """(path, codes as they are to arrive) of a counting signal in the sink's own format, after some silence."""
        fmt = signals.FORMATS[sink.format]
        codes = signals.counting(fmt, sink.channels, int(sink.rate * seconds))
        silence = signals.silence(fmt, sink.channels, int(sink.rate * lead_seconds))
        path = signals.write_file(self.path('played.raw'), silence + fmt.encode(codes))
        return path, signals.convert_codes(codes, fmt, FORMAT)

    def note_peers(self, launches, sink, codes):
        for name in wine.PEERS:
            note(f'{name}: {winlive.brief(self.account(launches[name], sink, codes))}')

    def assert_stamps_meet(self, output, seconds):
        """PTS and OFFSET of each buffer are where the one before ended; DISCONT on the first alone."""
        told = list(winlive.buffers(output))
        self.assertGreater(len(told) * PACKET_NS, seconds * 10**9, 'identity told of too few buffers')
        for before, after in zip(told, told[1:]):
            self.assertEqual((after.pts_ns, after.offset), (before.pts_ns + before.duration_ns, before.offset_end),
                             f'{before}\n{after}')
            self.assertNotIn('discont', after.flags, after)
        lengths = [buffer.duration_ns for buffer in told]
        note(f'{len(told)} buffers meet, durations {min(lengths)} to {max(lengths)} ns')
        self.assertLess(max(abs(length - PACKET_NS) for length in lengths), LENGTH_BOUND_NS)


@tap.cases([(label, (sink,)) for label, sink in SINKS])
class CountingSignal(CaptureTest):

    def check_arrives(self, sink):
        """Every frame once, in order, in its channel, in the engine's own format; its stamps meet to the nanosecond."""
        server, env = self.serve(**sink)
        path, codes = self.counting_file(server.sink, FULL_SECONDS)
        sources = {**wine.LOOPBACK, OURS: f'{OURS} ! identity silent=false'}
        with self.captures(env, server.sink, sources) as launches:
            self.play(server, path)
            self.end_after(launches, server.sink, TAIL_SECONDS)
        self.note_peers(launches, server.sink, codes)
        self.assert_perfect(self.account(launches[OURS], server.sink, codes))
        self.assert_stamps_meet(launches[OURS].output, FULL_SECONDS)

    def assert_perfect(self, report):
        note(f'{OURS}: {winlive.brief(report)}')
        self.assertTrue(report.perfect, report)


@tap.cases([(label, (sink,)) for label, sink in SINKS])
class DevicesOwnFormat(CaptureTest):

    def check_level_of_a_sine(self, sink):
        """Without a caps filter; -4.949 dB RMS on every channel, in the endpoint's rate and channels."""
        server, env = self.serve(**sink)
        rate, channels = server.sink.rate, server.sink.channels
        samples = signals.tone(rate, channels, TONE_SECONDS, AMPLITUDE)
        fmt = signals.FORMATS[server.sink.format]
        path = signals.write_file(self.path('tone.raw'), signals.encode_level(fmt, samples))
        with wine.Launch(env, OURS, self.path('captured.raw')) as running:
            running.wait_for_bytes(1)
            self.play(server, path)
            self.end_after({OURS: running}, server.sink, TAIL_SECONDS)
        caps = running.caps
        self.assertEqual((caps.format, caps.rate, caps.channels), (FORMAT.gst, rate, channels))
        self.assertEqual(hex(caps.channel_mask), hex(signals.channel_mask(server.sink.positions)))
        levels = rms_db(signals.read_levels(running.path, FORMAT, channels), rate)
        note('level, dB: ' + ' '.join(f'{level:.6f}' for level in levels))
        self.assertLess(abs(levels - LEVEL_DB).max(), LEVEL_BOUND_DB)


class WhilePlaying(CaptureTest):

    def test_joins_a_running_stream(self):
        """A capture that begins in the middle misses what was before, and nothing after its first frame."""
        server, env = self.serve()
        path, codes = self.counting_file(server.sink, 60, lead_seconds=0)
        with clients.player(server, path, server.sink):
            with clients.BareClient(server) as listener:
                listener.wait_for_sound()
            with self.captures(env, server.sink, wine.LOOPBACK) as launches:
                self.end_after(launches, server.sink, 2)
        self.note_peers(launches, server.sink, codes)
        report = self.account(launches[OURS], server.sink, codes)
        note(f'{OURS}: joined at frame {report.first}, then {report.matched} frames')
        self.assertTrue(report.unbroken and report.silence_after == 0, report)
        self.assertGreater(report.first, 0)


class WhichDevice(CaptureTest):

    def test_endpoint_id(self):
        """Two sinks, one of which plays: the capture of one endpoint has it whole, those of the other and of the
        default have nothing of it."""
        server, env = self.serve(name='first')
        other = servers.Sink('other', 'float32le', 48000)
        server.add_sink(other)
        path, codes = self.counting_file(other, 1)
        sources = {endpoint: f'{OURS} device={endpoint}' for endpoint in self.endpoints(env)} | {'default': OURS}
        with self.captures(env, other, sources) as launches:
            self.play(server, path, other)
            self.end_after(launches, other, TAIL_SECONDS)
        reports = {name: self.account(running, other, codes) for name, running in launches.items()}
        default = reports.pop('default')
        self.assertEqual((default.matched, default.unrecognised), (0, 0), default)
        self.assertEqual(sorted((report.perfect, report.matched) for report in reports.values()),
                         [(False, 0), (True, len(codes))], reports)

    def endpoints(self, env):
        """The ids of the null sinks: who asks for what is not there is told what is."""
        said = processes.run(wine.gst_launch(OURS, 'device=no-such-device', '!', 'fakesink'), 30, env=env).stderr
        found = re.findall(r'"Null Output" \((\{[^)]*\})\)', said)
        self.assertEqual(len(found), 2, said)
        return found


if __name__ == '__main__':
    tap.main()
