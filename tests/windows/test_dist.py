#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `meson compile dist-windows` packs works where it is put: the official gst-inspect-1.0.exe finds the plugin in each
place that the documents name, also where pip has put it, and the scripts do what they say. All in a Wine prefix of its own."""

import base64
import csv
import email
import glob
import hashlib
import importlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'pipelines'))
import pipelinetest  # noqa: E402  (the path above comes first)
from support import processes, tap, wine  # noqa: E402

PLUGIN = os.environ.get('ZC_PLUGIN') or os.path.join(ROOT, 'build-win', 'gst', 'gstzcloopback.dll')
STRIP = os.environ.get('ZC_STRIP') or os.path.join(wine.CACHE, 'compiler', 'usr', 'bin', 'x86_64-w64-mingw32ucrt-strip')
PINS = os.path.join(HERE, 'pins.wheels')
PYTHON = '/usr/bin/python3'
FEW = os.path.join('lib', 'gstreamer-1.0')

# meson's, for programs of the build. What is run here is others' and, to listen to what they wrote, this computer's own.
for variable in [name for name in os.environ if name.startswith('GST_') or name == 'G_DEBUG']:
    del os.environ[variable]

VERSION = re.search(r"version : '([^']+)'", open(os.path.join(ROOT, 'meson.build')).read()).group(1)
ZIP = f'zcloopbacksrc-{VERSION}-windows-x86_64.zip'
WHEEL = f'gstreamer_zcloopback-{VERSION}-py3-none-win_amd64.whl'
BOUND_S = 120
PIP_BOUND_S = 600
SECONDS = 1


def pack(output):
    subprocess.run([PYTHON, os.path.join(ROOT, 'packaging', 'windows', 'pack.py'), '--version', VERSION, '--plugin', PLUGIN,
                    '--strip', STRIP, '--output', output], stdout=subprocess.DEVNULL, check=True)


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class Dist(pipelinetest.PipelineTest):
    """One Wine prefix, one zip and one wheel for all tests of a class."""

    prefix = 'zc-dist-'

    @classmethod
    def setUpClass(cls):
        for needed in (wine.RUN, PLUGIN):
            if not os.path.exists(needed):
                raise unittest.SkipTest(f'not there: {needed} (tests/windows/setup; then build for Windows)')
        cls.shared = tempfile.mkdtemp(prefix='zc-dist-')
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.packed = os.path.join(cls.shared, 'packed')
        os.mkdir(cls.packed)
        pack(cls.packed)
        cls.wine_prefix = os.path.join(cls.shared, 'prefix')
        environment = {**os.environ, 'WINEPREFIX': cls.wine_prefix}
        subprocess.run([wine.RUN, '--make'], env=environment, check=True)
        cls.addClassCleanup(subprocess.run, [wine.RUN, '--end'], env=environment)

    def environment(self, server=None):
        """As a fresh computer: nothing says where plugins are, and there is no registry yet."""
        environment = super().environment(server)
        environment.pop('TMPDIR')
        return {**environment, 'WINEPREFIX': self.wine_prefix, 'GST_REGISTRY_1_0': 'Z:' + self.path('registry.bin')}

    def wine(self, *argv, server=None, cwd=None, **environment):
        result = processes.run([wine.RUN, *argv], BOUND_S, env={**self.environment(server), **environment},
                               cwd=cwd or self.directory, stdin=subprocess.DEVNULL)
        result.text = result.stdout + result.stderr
        return result

    def unzipped(self):
        """The folder that the zip makes, in one whose name has what shells stumble over."""
        place = self.path('Program Files (x86)')
        with zipfile.ZipFile(os.path.join(self.packed, ZIP)) as archive:
            archive.extractall(place)
        folder, = os.listdir(place)
        return os.path.join(place, folder)

    def installed(self):
        """A GStreamer in a folder of its own: the official files, and few of its plugins, as it looks at each first."""
        folder = self.path('gstreamer')
        for kind, names in (('bin', os.listdir(os.path.join(wine.SYSROOT, 'bin'))),
                            (FEW, os.listdir(os.path.join(wine.SYSROOT, 'lib', 'gst-min')))):
            os.makedirs(os.path.join(folder, kind))
            source = os.path.join(wine.SYSROOT, 'lib', 'gst-min') if kind == FEW else os.path.join(wine.SYSROOT, kind)
            for name in names:
                os.symlink(os.path.join(source, name), os.path.join(folder, kind, name))
        return folder


class Packed(Dist):
    def test_the_same_plugin_makes_the_same_bytes(self):
        pack(self.directory)
        for name in (ZIP, WHEEL):
            with open(self.path(name), 'rb') as one, open(os.path.join(self.packed, name), 'rb') as other:
                self.assertEqual(one.read(), other.read(), name)

    def test_zip_has_all(self):
        files = contents(os.path.join(self.packed, ZIP))
        top = ZIP.removesuffix('.zip')
        scripts = glob.glob('**/*.cmd', root_dir=os.path.join(ROOT, 'pipelines', 'windows'), recursive=True)
        self.assertGreaterEqual(len(scripts), 7)
        self.assertEqual(set(files), {f'{top}/{path}' for path in (
            'LICENSE', 'README.txt', 'lib/gstreamer-1.0/gstzcloopback.dll', *('pipelines/' + name for name in scripts))})
        for path, data in files.items():
            if path.endswith(('.cmd', '.txt')):
                self.assertEqual(data.count(b'\n'), data.count(b'\r\n'), path)
                self.assertNotIn(b'@VERSION@', data)

    def test_plugin_is_stripped(self):
        for archive in (ZIP, WHEEL):
            plugin, = (data for path, data in contents(os.path.join(self.packed, archive)).items() if path.endswith('.dll'))
            self.assertLess(len(plugin), os.path.getsize(PLUGIN) / 2)
            self.assertNotIn(b'.debug_info', plugin)

    def test_record_of_the_wheel(self):
        files = contents(os.path.join(self.packed, WHEEL))
        name, = (path for path in files if path.endswith('.dist-info/RECORD'))
        rows = {path: (digest, size) for path, digest, size in csv.reader(io.StringIO(files[name].decode()))}
        self.assertEqual(set(rows), set(files))
        self.assertEqual(rows.pop(name), ('', ''))
        for path, (digest, size) in rows.items():
            hashed = base64.urlsafe_b64encode(hashlib.sha256(files[path]).digest()).decode().rstrip('=')
            self.assertEqual((digest, int(size)), ('sha256=' + hashed, len(files[path])), path)

    def test_metadata_of_the_wheel(self):
        files = contents(os.path.join(self.packed, WHEEL))
        info = WHEEL.removesuffix('-py3-none-win_amd64.whl') + '.dist-info/'
        metadata = email.message_from_bytes(files[info + 'METADATA'])
        self.assertEqual((metadata['Name'], metadata['Version']), ('gstreamer_zcloopback', VERSION))
        self.assertEqual(metadata['Requires-Dist'], 'gstreamer_plugins>=1.28,<2')
        self.assertIn(info + 'licenses/' + metadata['License-File'], files)
        self.assertIn(WHEEL, metadata.get_payload())
        self.assertEqual(email.message_from_bytes(files[info + 'WHEEL'])['Tag'], 'py3-none-win_amd64')

    def test_metadata_as_an_index_judges_it(self):
        """By the library that twine and the index judge with."""
        sys.path.insert(0, os.path.join(wine.CACHE, 'tools', 'packaging.whl'))
        self.addCleanup(sys.path.pop, 0)
        metadata = importlib.import_module('packaging.metadata')
        files = contents(os.path.join(self.packed, WHEEL))
        text, = (data for path, data in files.items() if path.endswith('/METADATA'))
        judged = metadata.Metadata.from_email(text, validate=True)
        self.assertEqual(judged.license_expression, 'LGPL-2.1-or-later')


class Zip(Dist):
    def inspect(self, gstreamer, **environment):
        return self.wine(os.path.join(gstreamer, 'bin', 'gst-inspect-1.0.exe'), 'zcloopbacksrc', **environment)

    def assert_finds(self, result, folder):
        self.assertEqual(result.returncode, 0, result.text)
        self.assert_says(result.text, r'Long-name Loopback capture')
        self.assert_says(result.text, rf'Version {re.escape(VERSION)}')
        place, = self.assert_says(result.text, r'Filename (.*)gstzcloopback.dll')
        self.assertIn(folder.replace('/', '\\'), place.replace('/', '\\'))

    def test_unzipped_and_named_in_gst_plugin_path(self):
        gstreamer, folder = self.installed(), self.unzipped()
        self.assertNotEqual(self.inspect(gstreamer).returncode, 0, 'it is found where it is not')
        plugins = os.path.join(folder, 'lib', 'gstreamer-1.0')
        self.assert_finds(self.inspect(gstreamer, GST_PLUGIN_PATH='Z:' + plugins), plugins)

    def test_copied_beside_gstreamers_own(self):
        gstreamer = self.installed()
        plugins = os.path.join(gstreamer, 'lib', 'gstreamer-1.0')
        shutil.copy(os.path.join(self.unzipped(), 'lib', 'gstreamer-1.0', 'gstzcloopback.dll'), plugins)
        self.assert_finds(self.inspect(gstreamer), plugins)

    def test_copied_into_the_users_folder(self):
        gstreamer = self.installed()
        local, = glob.glob(os.path.join(self.wine_prefix, 'drive_c', 'users', '*', 'AppData', 'Local'))
        plugins = os.path.join(local, 'gstreamer-1.0', 'plugins')
        os.makedirs(plugins)
        self.addCleanup(shutil.rmtree, plugins)
        shutil.copy(os.path.join(self.unzipped(), 'lib', 'gstreamer-1.0', 'gstzcloopback.dll'), plugins)
        self.assert_finds(self.inspect(gstreamer), 'AppData/Local/gstreamer-1.0/plugins')


class Scripts(Dist):
    """The scripts, run from the folder that the zip makes, on the whole official GStreamer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = wine.copy_registry(cls.shared)

    def setUp(self):
        super().setUp()
        self.scripts = os.path.join(self.unzipped(), 'pipelines')

    def script(self, name, *arguments, server=None):
        return self.wine('cmd', '/c', name, *map(str, arguments), server=server, cwd=self.scripts,
                         GST_REGISTRY_1_0=self.registry)

    def record(self, name, *arguments, server=None):
        result = self.script(name, '-d', SECONDS, '-o', 'sound file', *arguments, server=server or self.serve_tone())
        self.assertEqual(result.returncode, 0, result.text)
        self.assertNotIn('Syntax error', result.text)
        self.assert_says(result.text, rf'gst-launch-1.0.exe" -q -e zcloopbacksrc num-buffers={100 * SECONDS} ')
        self.assert_says(result.text, r'wrote .*sound file, \d+ bytes')
        shutil.copy(os.path.join(self.scripts, 'sound file'), self.path('sound'))
        return result

    def test_record_flac(self):
        self.record('record-flac.cmd')
        self.assert_holds_tone('sound', SECONDS, 'FLAC')

    def test_record_wav_with_statistics(self):
        result = self.record('record-wav.cmd', '-s')
        self.assert_holds_tone('sound', SECONDS, 'IEEE float')
        captured, lost = self.assert_says(result.text, r'frames-captured=\D*64\)(\d+).* frames-lost=\D*64\)(\d+)')
        self.assertEqual((int(captured), lost), (48000 * SECONDS, '0'))

    def test_record_opus_from_a_device_with_a_name(self):
        server = self.serve_tone()
        server.pactl('load-module', 'module-null-sink', 'sink_name=other',
                     'sink_properties=device.description="Speakers\\ (Other\\ Device)"')
        result = self.record('record-opus.cmd', '-D', 'Speakers (Other Device)', server=server)
        self.assert_says(result.text, 'device=Speakers')
        sound, levels = pipelinetest.SoundFile(self.path('sound')), pipelinetest.Levels()
        for block in sound.blocks():
            levels.add(block)
        self.assertLess(levels.overall_peak_db, -60, 'the tone plays on the default device, not on this one')

    def test_meter(self):
        result = self.script('meter.cmd', '-d', SECONDS, server=self.serve_tone())
        self.assertEqual(result.returncode, 0, result.text)
        left, right = self.assert_says(result.text, r'level, .*rms=[^<]*<\s*(-[\d.]+), (-[\d.]+)')
        self.assertAlmostEqual(float(left), pipelinetest.rms_db(0.5), delta=pipelinetest.LEVEL_WITHIN_DB)
        self.assertAlmostEqual(float(right), pipelinetest.rms_db(0.25), delta=pipelinetest.LEVEL_WITHIN_DB)

    def test_names_of_files_are_free_ones(self):
        server = self.serve()
        for name in ('capture.wav', 'capture-2.wav'):
            result = self.script('record-wav.cmd', '-d', SECONDS, server=server)
            self.assert_says(result.text, rf'wrote .*\\{name}, \d+ bytes')

    def test_process_that_is_not_there(self):
        result = self.script('record-process.cmd', '-p', '424242', '-d', SECONDS, server=self.serve())
        self.assertNotEqual(result.returncode, 0)
        self.assert_says(result.text, 'There is no process 424242')
        self.assertEqual([name for name in os.listdir(self.scripts) if name.startswith('capture')], [])

    def test_help(self):
        for name in glob.glob('*.cmd', root_dir=self.scripts):
            result = self.script(name, '-h')
            self.assertEqual(result.returncode, 0, result.text)
            self.assert_says(result.text, f'usage: {name.removesuffix(".cmd")} ')
            self.assertNotIn('Syntax error', result.text)

    def test_wrong_options(self):
        for arguments, words in ((['-q'], 'there is no option "-q"'), (['-d'], 'there is no option "-d", or it lacks'),
                                 (['-d', '1x'], '-d takes whole seconds'), (['-d', '0'], '-d takes whole seconds')):
            result = self.script('record-flac.cmd', *arguments)
            self.assertEqual(result.returncode, 2, result.text)
            self.assertIn(words, result.stderr)

    def test_commands_of_the_document(self):
        """Each as it stands there, but for a second only; there is no process of that number, and Wine captures none."""
        with open(os.path.join(ROOT, 'docs', 'windows.md')) as document:
            blocks = re.findall(r'^```bat\n(.*?)^```', document.read(), re.MULTILINE | re.DOTALL)
        lines = [line for block in blocks for line in block.splitlines()]
        launches = [line for line in lines if line.startswith('gst-launch-1.0 ')]
        self.assertEqual((len(lines), len(launches)), (7, 6))
        server = self.serve_tone()
        for line in launches:
            with self.subTest(line):
                short = re.sub(r'zcloopbacksrc( num-buffers=\d+)?', f'zcloopbacksrc num-buffers={100 * SECONDS}', line)
                result = self.wine('cmd', '/c', short, server=server, GST_REGISTRY_1_0=self.registry,
                                   GST_PLUGIN_PATH='Z:' + os.path.dirname(PLUGIN), GST_DEBUG='zcloopbacksrc:4')
                if 'process-id' in line:
                    self.assertIn('There is no process 4321', result.stderr)
                else:
                    self.assertEqual(result.returncode, 0, result.text)
                    self.assertIn('application/x-zcloopback-stats', result.stderr)

    def test_without_gstreamer(self):
        result = self.wine('cmd', '/c', 'set PATH=C:\\windows\\system32&& record-flac.cmd -d 1', cwd=self.scripts)
        self.assertEqual(result.returncode, 1, result.text)
        self.assertIn('GStreamer is not found', result.stderr)

    def test_without_the_plugin(self):
        shutil.rmtree(os.path.join(os.path.dirname(self.scripts), 'lib'))
        result = self.script('record-flac.cmd', '-d', SECONDS)
        self.assertEqual(result.returncode, 1, result.text)
        self.assertIn('does not know zcloopbacksrc', result.stderr)


class Wheel(Dist):
    """Installed by pip together with the official wheels, and found by the code in those."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = os.path.join(cls.shared, 'site')
        wheel = os.path.join(cls.packed, WHEEL)
        with open(wheel, 'rb') as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        wanted = os.path.join(cls.shared, 'wanted')
        with open(PINS) as pins, open(wanted, 'w') as file:
            file.write(f'{pins.read()}\n{wheel} --hash=sha256:{digest}\n')
        result = processes.run([PYTHON, '-m', 'pip', 'install', '--quiet', '--target', cls.site, '--no-deps', '--only-binary',
                                ':all:', '--platform', 'win_amd64', '--python-version', '3.12', '--require-hashes',
                                '--disable-pip-version-check', '--no-input', '-r', wanted], PIP_BOUND_S)
        if 'Failed to establish a new connection' in result.stderr or 'No module named pip' in result.stderr:
            raise unittest.SkipTest('pip cannot fetch the official wheels: ' + result.stderr.strip().splitlines()[-1])
        if result.returncode:
            raise RuntimeError('pip: ' + result.stderr)

    def program(self, name, *arguments, server=None):
        """A command of the official wheels; its registry is where they put it, in our temporary directory."""
        os.makedirs(os.path.join(self.shared, 'tmp', 'gstreamer-1.0'), exist_ok=True)
        environment = self.environment(server)
        environment.pop('GST_REGISTRY_1_0')
        result = processes.run([os.path.join(HERE, 'pip-program'), self.site, wine.RUN, name, *arguments], BOUND_S,
                               env={**environment, 'TMPDIR': os.path.join(self.shared, 'tmp')}, cwd=self.directory,
                               stdin=subprocess.DEVNULL)
        result.text = result.stdout + result.stderr
        return result

    def test_pip_knows_its_files(self):
        result = processes.run([PYTHON, '-m', 'pip', 'show', '--files', 'gstreamer_zcloopback'], BOUND_S,
                               env={**os.environ, 'PYTHONPATH': self.site})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f'Version: {VERSION}', result.stdout)
        self.assertIn('gstreamer_plugins/lib/gstreamer-1.0/gstzcloopback.dll', result.stdout)

    def test_official_programs_find_it(self):
        plugin = os.path.join(self.site, 'gstreamer_plugins', 'lib', 'gstreamer-1.0', 'gstzcloopback.dll')
        os.rename(plugin, self.path('aside'))
        try:
            self.assertNotEqual(self.program('gst-inspect-1.0', 'zcloopbacksrc').returncode, 0, 'found where it is not')
        finally:
            os.rename(self.path('aside'), plugin)
        result = self.program('gst-inspect-1.0', 'zcloopbacksrc')
        self.assertEqual(result.returncode, 0, result.text)
        place, = self.assert_says(result.text, r'Filename (.*gstzcloopback.dll)')
        self.assertEqual(place.replace('\\', '/').removeprefix('Z:'), plugin)

    def test_official_programs_capture_with_it(self):
        pipeline = (f'zcloopbacksrc num-buffers={SECONDS * 100} ! audioconvert ! audio/x-raw,format=S24_32LE ! flacenc '
                    f'! filesink location=Z:{self.path("sound")}')
        result = self.program('gst-launch-1.0', '-e', *pipeline.split(), server=self.serve_tone())
        self.assertEqual(result.returncode, 0, result.text)
        self.assert_holds_tone('sound', SECONDS, 'FLAC')


if __name__ == '__main__':
    tap.main()
