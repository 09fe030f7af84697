# SPDX-License-Identifier: LGPL-2.1-or-later
"""What memory-mode copies of real WASAPI packets, by the element's own counters: with lease nothing, where downstream
is done with a packet before the next one is due; one packet's bytes of each packet that it keeps."""

import os
import re
import subprocess

import winlive
from support import clients, processes, tap, wine
from winlive import note

PACKETS = 200
BOUND_S = 60
FIELD = re.compile(r'([\w-]+)=\(\w+\)(\d+)')
FRAME_BYTES = 8

# Who is done with a packet when its chain function returns.
DONE = {
    'fakesink': 'fakesink enable-last-sample=false',
    'level': 'level ! fakesink enable-last-sample=false',
    'convert': 'audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=44100 ! fakesink enable-last-sample=false',
    'opusenc of 16 bits': 'audioconvert ! audio/x-raw,format=S16LE ! opusenc frame-size=10 '
                          '! fakesink enable-last-sample=false',
}
# A sink keeps its last sample, and GstAudioEncoder what it was not told the encoding of yet: for opusenc, always its
# pre-skip of 312 frames. What is held when the next packet is due is copied. Before 1.28, opusenc took 16 bits only.
HOLDS = {'sample': 'fakesink', 'opusenc': 'opusenc frame-size=10 ! fakesink enable-last-sample=false'}


class Lease(winlive.WindowsTest):
    subjects = {**{f'lease {name}': ('lease', text) for name, text in DONE.items()},
                **{f'lease held by {name}': ('lease', text) for name, text in HOLDS.items()},
                'pool': ('pool', DONE['fakesink']), 'copy': ('copy', DONE['fakesink'])}

    def start(self, env, name, mode, downstream):
        with open(self.path(name.replace(' ', '-') + '.log'), 'wb') as log:
            child = processes.start(wine.gst_launch('zcloopbacksrc', f'memory-mode={mode}', f'num-buffers={PACKETS}',
                                                    '!', *downstream.split()),
                                    env={**env, 'GST_DEBUG': 'zcloopbacksrc:4', 'GST_DEBUG_NO_COLOR': '1'},
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        self.addCleanup(processes.end, child)
        return child

    def statistics(self, name, child):
        self.assertEqual(child.wait(BOUND_S), 0, name)
        with open(self.path(name.replace(' ', '-') + '.log'), errors='replace') as log:
            line, = (line for line in log if 'at the end:' in line)
        return {key: int(value) for key, value in FIELD.findall(line)}

    def test_bytes_copied(self):
        """All at once: what one of them does with its packets is nothing to the others."""
        server, env = self.serve()
        path = self.path('tone.raw')
        with open(path, 'wb') as file:
            file.write(os.urandom(48000 * FRAME_BYTES * 20))
        server.pactl('set-sink-volume', server.sink.name, '0')  # noise of random bytes: nobody shall hear it
        with clients.player(server, path, server.sink):
            with clients.BareClient(server) as listener:
                listener.wait_for_bytes()
                children = {name: self.start(env, name, *subject) for name, subject in self.subjects.items()}
                rows = {name: self.statistics(name, child) for name, child in children.items()}
        for name, row in rows.items():
            note(f'{name}: {row["bytes-copied"]} bytes copied, {row["bytes-leased"]} leased, {row["evacuations"]} '
                 f'evacuations, {row["packets"]} packets')
            self.judge(name, row)

    def judge(self, name, row):
        self.assertEqual(row['packets'], PACKETS, name)
        accounted = sum(row[f'frames-{what}'] for what in ('captured', 'silence', 'lost'))
        self.assertEqual(accounted, row['frames-expected'], row)
        if name in ('pool', 'copy'):
            self.assertEqual(row['bytes-leased'], 0, row)
            self.assertEqual(row['bytes-copied'], row['frames-captured'] * FRAME_BYTES, row)
        elif 'held' in name:
            self.assertGreater(row['bytes-copied'], 0.9 * row['bytes-leased'], row)
            self.assertLessEqual(row['bytes-copied'], row['bytes-leased'], row)
        else:
            self.assertEqual((row['bytes-copied'], row['evacuations']), (0, 0), row)
            self.assertEqual(row['bytes-leased'], row['frames-captured'] * FRAME_BYTES, row)


if __name__ == '__main__':
    tap.main()
