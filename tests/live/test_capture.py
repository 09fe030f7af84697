# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a foreign client plays into a real server is what `gst-launch-1.0 zcloopbacksrc` captures: frame by frame.

PulseAudio carries every format bit by bit. PipeWire mixes in float32, whatever the sink was made with: its
monitors say float32le, and what holds there is that every sample of up to 24 bits arrives as exactly the float
that it stands for, code / 2^23 (of s32le the high 24 bits). No tolerance in either."""

import math

import livetest
from livetest import EACH_SERVER, FULL_SECONDS, SHORT_SECONDS, exact, note
from support import clients, launch, servers, signals, tap
from support.inprocess import Capture

STEREO = servers.STEREO
PULSE_5_1 = 'front-left,front-right,rear-left,rear-right,front-center,lfe'
CANONICAL_5_1 = 'front-left,front-right,front-center,lfe,rear-left,rear-right'
PULSE_7_1 = PULSE_5_1 + ',side-left,side-right'
SWAPPED = 'front-right,front-left'

FORMATS = [
    # label, format, rate, channel map, seconds
    ('48k_stereo_f32', 'float32le', 48000, STEREO, FULL_SECONDS),
    ('44k1_stereo_s16', 's16le', 44100, STEREO, FULL_SECONDS),
    ('48k_51_f32', 'float32le', 48000, PULSE_5_1, FULL_SECONDS),
    ('48k_51_canonical_s16', 's16le', 48000, CANONICAL_5_1, SHORT_SECONDS),
    ('48k_51_s24', 's24le', 48000, PULSE_5_1, SHORT_SECONDS),
    ('48k_71_s32', 's32le', 48000, PULSE_7_1, SHORT_SECONDS),
    ('96k_stereo_s24', 's24le', 96000, STEREO, SHORT_SECONDS),
    ('48k_stereo_s24_32', 's24-32le', 48000, STEREO, SHORT_SECONDS),
    ('48k_stereo_s32', 's32le', 48000, STEREO, SHORT_SECONDS),
    ('44k1_stereo_u8', 'u8', 44100, STEREO, SHORT_SECONDS),
    ('48k_mono_s16', 's16le', 48000, 'mono', SHORT_SECONDS),
    ('48k_mono_f32', 'float32le', 48000, 'mono', SHORT_SECONDS),
    ('48k_swapped_s16', 's16le', 48000, SWAPPED, SHORT_SECONDS),
]
CASES = [(f'{server.replace("-", "_")}_{label}', (server, *rest))
         for server in servers.SERVERS for label, *rest in FORMATS]
LEVEL_BOUND_DB = 0.01
TONE_AMPLITUDE = 0.5


@tap.cases(CASES)
class CountingSignal(livetest.LiveTest):

    @exact
    def check_arrives(self, label, format, rate, map, seconds):
        """Every frame once, in order, in its channel, in the sink's own format."""
        server = self.serve_steady(label, format=format, rate=rate, map=map)
        path, codes = self.counting_file(server, seconds)
        running = self.capture(server, path, launch.source(device=server.sink.name))
        self.assert_caps_are_the_sinks(running.caps, server)
        report = self.account(running, server.sink, codes)
        self.assert_perfect(report, noise_bound=self.server_noise_frames(server))
        note(f'{report.matched} frames, {running.caps.format}, {running.caps.channels} channels: all exact')

    def server_noise_frames(self, server):
        """pipewire-pulse (0.3) fills the periods in which a u8 stream begins and ends with 0: no silence in u8."""
        noisy = server.mixes_in_float and server.sink.format == 'u8'
        return 2 * server.sink.rate * server.period_ms // 1000 if noisy else 0

    def assert_caps_are_the_sinks(self, caps, server):
        """The caps say what the server says of the sink, but that S32 stands for 24 bits in 32."""
        format, channels, rate = server.sample_specification(server.sink.name)
        own = signals.FORMATS[{'s24-32le': 's32le'}.get(format, format)].gst
        self.assertEqual((caps.format, caps.channels, caps.rate, caps.layout), (own, channels, rate, 'interleaved'))
        expected = signals.channel_mask(server.sink.positions)
        if channels <= 2 and not caps.channel_mask:
            expected = 0  # GStreamer's own rule: one and two channels need no mask
        self.assertEqual(hex(caps.channel_mask), hex(expected))


class Flac(livetest.LiveTest):

    @exact
    def test_of_24_bits_in_32(self):
        """PulseAudio leaves the fourth byte 0, which flacenc takes for part of the number."""
        server = self.serve_steady('pulseaudio', format='s24-32le')
        path, codes = self.counting_file(server, SHORT_SECONDS)
        coder = 'audioconvert ! flacenc ! flacparse ! flacdec ! audioconvert ! audio/x-raw,format=S32LE'
        running = self.capture(server, path, f'{launch.source()} ! {coder}')
        self.assert_perfect(self.account(running, server.sink, codes))


@tap.cases(EACH_SERVER)
class ToneLevel(livetest.LiveTest):

    @exact
    def check_stereo_s16_44k1(self, label):
        self.assert_level(label, 's16le', 44100, STEREO)

    @exact
    def check_stereo_f32_48k(self, label):
        self.assert_level(label, 'float32le', 48000, STEREO)

    @exact
    def check_51_f32_48k(self, label):
        self.assert_level(label, 'float32le', 48000, PULSE_5_1)

    def assert_level(self, label, format, rate, map):
        """997 Hz comes out as loud as it went in, on every channel."""
        server = self.serve_steady(label, format=format, rate=rate, map=map)
        sink, fmt = server.sink, signals.FORMATS[format]
        samples = signals.tone(rate, sink.channels, max(3, SHORT_SECONDS), TONE_AMPLITUDE)
        path = signals.write_file(self.path('tone.raw'), signals.encode_level(fmt, samples))
        running = self.capture(server, path, launch.source(device=sink.name))
        captured = signals.read_levels(running.path, running.caps.sample, sink.channels)
        expected = 20 * math.log10(TONE_AMPLITUDE)
        errors = signals.level_db(captured, rate) - expected
        note('level error, dB: ' + ' '.join(f'{error:+.6f}' for error in errors))
        self.assertLess(abs(errors).max(), LEVEL_BOUND_DB)


@tap.cases(EACH_SERVER)
class WhichDevice(livetest.LiveTest):
    """Two sinks play different things; the capture must be of the right one."""

    def setUp(self):
        super().setUp()
        self.other = servers.Sink('other', 's16le', 48000)

    @exact
    def check_default_sink_when_unset(self, label):
        self.assert_captures_the_first(label, launch.source())

    @exact
    def check_sink_name(self, label):
        self.assert_captures_the_other(label, launch.source(device='other'))

    @exact
    def check_monitor_name(self, label):
        self.assert_captures_the_other(label, launch.source(device='other.monitor'))

    def serve_two(self, label):
        server = self.serve_steady(label, name='first')
        server.add_sink(self.other)
        return server

    def assert_captures_the_first(self, label, description):
        server = self.serve_two(label)
        path, codes = self.counting_file(server, SHORT_SECONDS)
        running = self.capture(server, path, description)
        self.assert_perfect(self.account(running, server.sink, codes))

    def assert_captures_the_other(self, label, description):
        server = self.serve_two(label)
        path, codes = self.counting_file(server, SHORT_SECONDS, self.other)
        running = self.capture(server, path, description, self.other)
        self.assert_perfect(self.account(running, self.other, codes))


@tap.cases(EACH_SERVER)
class WhilePlaying(livetest.LiveTest):

    @exact
    def check_joins_a_running_stream(self, label):
        """A capture that begins in the middle misses what was before, and nothing after its first frame."""
        server = self.serve_steady(label)
        path, codes = self.counting_file(server, SHORT_SECONDS + 1, lead_seconds=0)
        listener = self.enter(clients.BareClient(server))
        listener.wait_for_bytes()
        with clients.player(server, path, server.sink) as player:
            listener.wait_for_sound()
            with launch.Launch(server, launch.source(device=server.sink.name), self.path('captured.raw')) as running:
                player.wait(self.seconds_of(path, server.sink) * 1.5 + 15)
                self.capture_tail(running)
                running.finish()
        report = self.account(running, server.sink, codes)
        self.assertTrue(report.unbroken and report.last == report.played - 1, report)
        self.assertGreater(report.first, 0)
        note(f'joined at frame {report.first}, then {report.matched} frames: all exact')


@tap.cases(EACH_SERVER)
class OtherRates(livetest.LiveTest):

    @exact
    def check_nothing_is_missing(self, label):
        """A resampler that fills at first, and has no whole number of frames in a turn, is no loss."""
        server = self.serve(label, period_ms=5)
        for rate in (8000, 16000, 44100, 96000):
            with server.activated(), Capture(f'capsfilter caps=audio/x-raw,rate={rate} ! fakesink') as capture:
                capture.wait_for_packets(60, 5)
                stats = capture.stats
                self.assertEqual((stats['glitches'], stats['frames-lost'] - stats['frames-lost-early']), (0, 0), stats)


if __name__ == '__main__':
    tap.main()
