# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which server is captured where none is chosen: PipeWire's own, unless the user means another one, or it has nothing
to capture."""

import livetest
from support import launch, poll, processes, servers, tap
from support.inprocess import Capture

HANG_S = 20


class PulseAudioBesidePipeWire(servers.PulseServer):
    """PulseAudio plays the sound; PipeWire runs for video: it has no sink."""

    programs = (*servers.PulseServer.programs, 'pipewire')
    names_pulseaudio = False

    def _start_daemons(self):
        self._start_daemon('pipewire')
        poll.until(lambda: servers.accepts(self.path('run', 'pipewire-0')), servers.START_BOUND_S, 'PipeWire socket')
        super()._start_daemons()


class Automatic(livetest.LiveTest):

    def asked(self, env, **properties):
        """What the server that was asked for a device says of it."""
        argv = ['gst-launch-1.0', *f'{launch.source(device="no-such-sink", **properties)} ! fakesink'.split()]
        ended = processes.run(argv, HANG_S, env=env)
        self.assertNotEqual(ended.returncode, 0)
        return launch.error_lines(ended.stdout + ended.stderr)[0]

    def test_pipewire(self):
        server = self.serve('pipewire')
        self.assertIn('PipeWire (the default server) has no sink "no-such-sink"', self.asked(server.env))

    def test_pulseaudio_that_was_named(self):
        """It may be another computer's."""
        server = self.serve('pipewire-pulse')
        self.assertIn('PulseAudio (unix:', self.asked(server.env))
        self.assertIn('PipeWire (pipewire-0)', self.asked({**server.env, 'PIPEWIRE_REMOTE': 'pipewire-0'}))

    def test_chosen(self):
        server = self.serve('pipewire')
        self.assertIn('PulseAudio (the default server)', self.asked(server.env, backend='pulse'))
        server = self.serve('pipewire-pulse')
        self.assertIn('PipeWire (the default server)', self.asked(server.env, backend='pipewire'))

    def test_pulseaudio_beside_a_pipewire_without_sinks(self):
        server = self.enter_server(PulseAudioBesidePipeWire())
        with server.activated(), Capture() as capture:
            capture.wait_for_packets(10, 5)
            self.assertEqual(capture.source.get_property('actual-device'), server.sink.name)
        self.assertIn('PulseAudio (the default server) has no sink "no-such-sink"', self.asked(server.env))
        self.assertIn('PipeWire (the default server) has no sink to capture',
                      self.asked(server.env, backend='pipewire'))

    def test_nobody(self):
        """Who could not be reached is told."""
        env = {**self.serve('pipewire').env, 'XDG_RUNTIME_DIR': self.path('nowhere'), 'HOME': self.path('nowhere')}
        self.assertRegex(self.asked(env), 'Cannot reach (PipeWire|PulseAudio)')

    def test_libpipewire_without_its_modules(self):
        """Distributions have them in a package of their own."""
        env = {**self.serve('pipewire').env, 'PIPEWIRE_MODULE_DIR': self.path('nowhere')}
        self.assertIn('PulseAudio (the default server)', self.asked(env))
        self.assertIn('libpipewire-0.3-modules', self.asked(env, backend='pipewire'))

    def test_processes(self):
        """By way of pipewire-pulse."""
        server = self.serve('pipewire')
        with server.activated(), Capture(process_mode='exclude') as capture:
            capture.wait_for_packets(10, 5)
        source = launch.source(backend='pipewire', process_mode='exclude')
        ended = processes.run(['gst-launch-1.0', *f'{source} ! fakesink'.split()], HANG_S, env=server.env)
        self.assertIn('PipeWire cannot capture the sound of single processes', ended.stdout + ended.stderr)

    def test_processes_asked_for_while_nobody_is_there(self):
        """The backend is that of what is wanted when the server is back."""
        server = self.serve('pipewire')
        with server.activated(), Capture() as capture:
            capture.wait_for_packets(10, 5)
            server.kill()
            poll.until(lambda: self.count(capture, 'lost'), 3, 'loss')
            capture.source.set_property('process-mode', 'exclude')
            capture.wait_for_packets(60, 5)
            server.restart()
            poll.until(lambda: self.count(capture, 'recovered') or capture.error(), 5, 'recovery')
            self.assertIsNone(capture.error())
            poll.until(lambda: self.is_pulse(server), 3, 'capture by way of pipewire-pulse')

    def count(self, capture, what):
        capture.drain_bus()
        structures = [message.get_structure() for _, message in capture.messages]
        return sum(fields is not None and fields.get_name() == f'zcloopback-{what}' for fields in structures)

    def is_pulse(self, server):
        """The stream that captures is a client of pipewire-pulse."""
        return 'client.api = "pipewire-pulse"' in server.pactl('list', 'source-outputs')


if __name__ == '__main__':
    tap.main()
