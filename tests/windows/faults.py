#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an element of the official GStreamer does when WASAPI misbehaves: a table, a fault a line.

  faults.py --element wasapi2src [FAULT...]    these (all: every one of --list), as text
            --element A --element B            the one beneath the other
            --markdown                         as a table for a document
            --json FILE                        the figures, too
            --list                             the faults and their scripts

Each fault is a script of the scripted WASAPI (scripted/README.md), captured for some seconds by gst-launch-1.0.exe to a
file; the counting signal in the file says what became of every frame. The columns:

  end        how gst-launch-1.0 ended: ok, error, crash; or was killed: slow (frames still came) or hang
  s          seconds until then; a capture of three seconds takes some four
  first      frames of the signal that were missing before the first
  lost       frames of the signal that are missing inside
  zeros      frames of silence in their place
  moved      by how many frames what comes last is displaced against what came first
  twice      frames that came twice
  garbage    frames that are neither signal nor silence
  flags      DISCONT and GAP buffers after the first
  overrun    frames that the engine dropped, since nobody fetched them
  violations of the contract, and `left`: references at the end
"""

import argparse
import collections
import dataclasses
import itertools
import json
import os
import re
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
from lib import scripted  # noqa: E402
from support import launch, signals  # noqa: E402

SECONDS = 3
BOUND_S = 20
STUCK_S = 2
REFERENCE_S = 30
DEAD = 4242  # no process has this id
TAG_PROCESS = 16

# What each element calls the same: loopback of the default endpoint, of the endpoint '{b}', of a process, of one with a
# name. None, or none: it cannot.
ELEMENTS = {
    'wasapi2src': ('loopback=true', 'loopback=true device={id}',
                   'loopback-mode=include-process-tree loopback-target-pid={pid}'),
    'wasapisrc': ('loopback=true', 'loopback=true device={id}', None),
    'zcloopbacksrc': ('backend=wasapi on-loss=error follow-default=false', 'backend=wasapi on-loss=error device={id}',
                      'backend=wasapi on-loss=error process-id={pid}', 'backend=wasapi on-loss=error process-name={name}'),
    'zcloopbacksrc, which reopens': ('backend=wasapi', 'backend=wasapi device={id}', 'backend=wasapi process-id={pid}',
                                     'backend=wasapi process-name={name}'),
}
ENDPOINT, EXPLICIT, PROCESS_OF, NAMED_PROCESS, DEAD_PROCESS = range(5)
BUFFER_MS = collections.defaultdict(lambda: 10, {('wasapi2src', PROCESS_OF): 20, ('wasapi2src', DEAD_PROCESS): 20})


@dataclasses.dataclass
class Fault:
    script: str
    of: int = ENDPOINT
    system_clock: bool = False
    tags: tuple = (0,)  # of what is to be heard, one after the other
    feeds: bool = False  # zcloopbacksrc keeps the endpoint awake; the others always do


# Every call of WASAPI that zcloopbacksrc makes, with something that Windows documents for it.
FAILURES = {
    'endpoints': {'CoCreate': 0x80040111, 'EnumAudioEndpoints': 0x80070005, 'IMMDeviceCollection::GetCount': 0x80004003,
                  'Item': 0x80070057, 'GetDefaultAudioEndpoint': 0x80070490, 'GetDevice': 0x80070490, 'GetId': 0x8007000e,
                  'OpenPropertyStore': 0x80070005, 'GetValue': 0x80070005, 'IMMDevice::Activate': 0x88890004,
                  'GetMixFormat': 0x88890010, 'RegisterEndpointNotificationCallback': 0x8007000e,
                  'UnregisterEndpointNotificationCallback': 0x80070490},
    'processes': {'ActivateAudioInterfaceAsync': 0x80070005, 'GetActivateResult': 0x8000ffff, 'ActivateResult': 0x88890004,
                  'QueryInterface': 0x80004002},
    'streams': {'Initialize': 0x8889000a, 'GetBufferSize': 0x88890004, 'GetDevicePeriod': 0x88890010,
                'SetEventHandle': 0x88890004, 'GetService': 0x88890004, 'GetCurrentPadding': 0x88890004, 'Start': 0x8889000f,
                'Stop': 0x88890004},
    'packets': {'GetNextPacketSize': 0x88890004, 'GetBuffer': 0x88890018, 'ReleaseBuffer': 0x88890004},
}


def _failures(process):
    """Each once and each time; of a stream, that of the capture, and that which keeps the endpoint awake."""
    for call, hr in FAILURES['endpoints'].items():
        yield f'fail {call}', Fault(f'fail {call} hr=0x{hr:08x}')
        yield f'fail {call} always', Fault(f'fail {call} hr=0x{hr:08x} times=always')
    for call, hr in FAILURES['processes'].items():
        yield f'fail {call}', Fault(f'{process}; fail {call} hr=0x{hr:08x}', PROCESS_OF, tags=(TAG_PROCESS,))
        yield f'fail {call} always', Fault(f'{process}; fail {call} hr=0x{hr:08x} times=always', PROCESS_OF, tags=(TAG_PROCESS,))
    of_streams, of_packets = FAILURES['streams'].items(), FAILURES['packets'].items()
    for call, hr in (*of_streams, *of_packets):
        yield f'fail {call}', Fault(f'fail {call} hr=0x{hr:08x} of=loopback')
        yield f'fail {call} of the feeder', Fault(f'fail {call} hr=0x{hr:08x} of=render', feeds=True)
    for call, hr in of_streams:
        yield f'fail {call} always', Fault(f'fail {call} hr=0x{hr:08x} of=loopback times=always')
    for call, hr in of_packets:
        yield f'fail {call} later', Fault(f'fail {call} hr=0x{hr:08x} of=loopback nth=100')


def faults():
    two = 'endpoint id={b} name=Other; endpoint id={a} default'
    process = 'process {pid} counting'
    table = {
        'nothing': Fault(''),
        'system clock': Fault('', system_clock=True),
        **{f'format {name}': Fault(f'endpoint format={name}') for name in ('s16', 's24', 's24in32', 's32')},
        '44.1 kHz 5.1': Fault('endpoint format=f32 rate=44100 channels=6'),
        'odd packets': Fault('packets 480 7 1000 1 600'),
        'idle, then sound': Fault('at 500ms idle 1s'),
        'idle from the start': Fault('at 0s idle 1s'),
        'idle, then sound, fed': Fault('at 500ms idle 1s', feeds=True),
        'idle from the start, fed': Fault('at 0s idle 1s', feeds=True),
        'discontinuity': Fault('at 1s discontinuity 480'),
        'silent with garbage': Fault('at 1s silent 4800 frames garbage'),
        'timestamp errors': Fault('at 1s timestamp-error 500ms'),
        'timestamps jitter 5 ms': Fault('timestamp-jitter 5ms'),
        'packets jitter 5 ms': Fault('jitter 5ms'),
        'drift +200 ppm': Fault('drift +200ppm', system_clock=True),
        'drift -200 ppm': Fault('drift -200ppm', system_clock=True),
        'late 15 ms': Fault('late 15ms'),
        'late 40 ms': Fault('late 40ms'),
        'one stall of 500 ms': Fault('at 1s events-stop 500ms'),
        'events stop for 1 s': Fault('at 1s events-stop 1s'),
        'invalidated': Fault('at 1s invalidate'),
        'resources invalidated': Fault('at 1s invalidate hr=0x88890026'),
        'service not running': Fault('at 1s invalidate hr=0x88890010'),
        'removed': Fault('at 1s remove'),
        'removed and back': Fault(two + '; at 1s remove endpoint={b}; at 1.5s return endpoint={b}', EXPLICIT),
        'back with another format': Fault(
            two + '; at 1s remove endpoint={b}; at 1.5s return endpoint={b} rate=44100', EXPLICIT),
        'default changes': Fault(two + '; at 1s default-change to={b}', tags=(1, 0)),
        'default changes at the start': Fault(two + '; at 0s default-change to={b}', tags=(1, 0)),
        'no endpoint': Fault('endpoint state=unplugged'),
        'slow activation': Fault('activate slow 5s; slow IMMDevice::Activate 5s'),
        'activation never ends': Fault('activate never'),
        'slow Start': Fault('slow Start 3s times=1'),
        'slow Stop': Fault('slow Stop 5s times=1'),
        'process': Fault(process, PROCESS_OF, tags=(TAG_PROCESS,)),
        'process, system clock': Fault(process, PROCESS_OF, True, (TAG_PROCESS,)),
        'process, discontinuity': Fault(process + '; at 1s discontinuity 480', PROCESS_OF, tags=(TAG_PROCESS,)),
        'process, idle as silence': Fault(process + '; at 1s idle 600ms', PROCESS_OF, tags=(TAG_PROCESS,)),
        'process, idle as nothing': Fault(process + '; process-loopback idle nothing; at 1s idle 600ms', PROCESS_OF,
                                          tags=(TAG_PROCESS,)),
        'process, late 40 ms': Fault(process + '; late 40ms', PROCESS_OF, tags=(TAG_PROCESS,)),
        'process, events stop for 1 s': Fault(process + '; at 1s events-stop 1s', PROCESS_OF, tags=(TAG_PROCESS,)),
        'process, invalidated': Fault(process + '; at 1s invalidate', PROCESS_OF, tags=(TAG_PROCESS,)),
        'process, by its name': Fault(process, NAMED_PROCESS, tags=(TAG_PROCESS,)),
        'process is dead': Fault('', DEAD_PROCESS),
        'process refused': Fault('process-loopback refuse', PROCESS_OF),
        'process refused at the call': Fault('process-loopback refuse at-call', PROCESS_OF),
        'process, never ends': Fault('activate never', PROCESS_OF),
    }
    table.update(_failures(process))
    return table


def settings_of(element, of):
    which = PROCESS_OF if of == DEAD_PROCESS else of
    return ELEMENTS[element][which] if which < len(ELEMENTS[element]) else None


def description(element, fault, path, extra, pid):
    settings = settings_of(element, fault.of).format(id='{b}', pid=DEAD if fault.of == DEAD_PROCESS else pid,
                                                          name='companion')
    if fault.feeds and element.startswith('zcloopbacksrc'):
        settings += ' idle=feed'
    buffers = SECONDS * 1000 // BUFFER_MS[element, fault.of]
    source = f'{element.split(",")[0]} {settings} {extra} num-buffers={buffers} ! identity silent=false ' \
             f'! filesink location={scripted.windows_path(path)} buffer-mode=unbuffered'
    if fault.system_clock:
        source = f'clockselect. ( clock-id=monotonic {source} )'
    return f'-m -v {source}'


def how_it_ended(result, path):
    if result.returncode is None:
        grew = os.path.exists(path) and time.time() - os.stat(path).st_mtime < STUCK_S
        return 'slow' if grew else 'hang'
    if 'Unhandled' in result.output or (result.report.lines and not result.report.ended):
        return 'crash'
    if result.returncode or 'ERROR: from element' in result.output:
        return 'error'
    return 'ok'


def reference(caps, tags, report):
    """The signal as it was to be heard; of two sources, the second one from the frame on at which the engine took it."""
    bits = 24 if any(stream['format'] == 's24in32' for stream in report.streams) else None  # also where caps say 32
    codes = [signals.counting(caps.sample, caps.channels, REFERENCE_S * caps.rate, bits, tag) for tag in tags]
    moves = [int(re.search(r'frame=(\d+)', line).group(1)) for line in report.of('rerouted')]
    moves += [stream['origin'] for stream in report.streams if stream['tag'] == tags[-1] and stream['origin']]
    if len(codes) == 2 and moves:
        codes[0][moves[0]:] = codes[1][moves[0]:]
    return codes[0]


def account(path, result, tags):
    """The Report of support/signals.py, and by how much the end is displaced against the beginning."""
    try:
        caps = launch.parse_caps(result.output)
    except AssertionError:
        return None, 0
    codes = signals.read_raw(path, caps.sample, caps.channels)
    report = signals.check_counting(codes, reference(caps, tags, result.report))
    if report.matched == 0:
        return report, 0
    begin = report.silence_before + report.noise_before
    end = report.captured - report.silence_after - report.noise_after - 1
    return report, (report.last - end) - (report.first - begin)


def buffer_flags(output):
    """What `identity silent=false` says of each buffer but the first."""
    lines = re.findall(r'last-message = chain .*? flags: [0-9a-f]+ ?(.*)', output)[1:]
    return {'discont': sum('discont' in line for line in lines), 'gap': sum('gap' in line for line in lines)}


def first_error(output):
    lines = launch.error_lines(output)
    return re.sub(r'^ERROR: from element \S+ ', '', lines[0]) if lines else ''


def measure(element, name, fault, extra, pid):
    with tempfile.TemporaryDirectory(prefix='zc-faults-') as folder:
        path = os.path.join(folder, 'raw')
        script = fault.script.replace('{pid}', str(pid))
        result = scripted.launch(description(element, fault, path, extra, pid), script, BOUND_S)
        ended = how_it_ended(result, path)
        report, moved = account(path, result, fault.tags) if os.path.exists(path) else (None, 0)
    violations = collections.Counter(line.split()[0] for line in result.report.violations)
    row = {'fault': name, 'element': element, 'end': ended, 's': round(result.seconds, 1),
           'captured': report.captured if report else 0, 'matched': report.matched if report else 0,
           'first': report.first if report and report.matched else 0, 'lost': report.missing if report else 0,
           'zeros': report.silence_inside if report else 0, 'moved': moved,
           'twice': report.repeated if report else 0, 'garbage': report.unrecognised if report else 0,
           **buffer_flags(result.output), 'overrun': sum(stream['overrun'] for stream in result.report.streams),
           'violations': dict(violations), 'left': [line.split()[0] for line in result.report.left],
           'error': first_error(result.output) or (f'exit status {result.returncode}' if result.returncode else '')}
    return row


COLUMNS = ('fault', 'element', 'end', 's', 'captured', 'first', 'lost', 'zeros', 'moved', 'twice', 'garbage', 'flags', 'overrun',
           'violations', 'left', 'error')


def cells(row):
    row = dict(row)
    row['flags'] = ' '.join(f'{row[flag]} {flag}' for flag in ('discont', 'gap') if row[flag])
    row['violations'] = ' '.join(f'{name}x{count}' for name, count in row['violations'].items())
    row['left'] = ' '.join(row['left'])
    return [str(row[column]) if row[column] else '' for column in COLUMNS]


def print_rows(rows, markdown):
    """Without columns that are empty throughout."""
    table = [list(COLUMNS)] + [cells(row) for row in rows]
    table = list(zip(*(column for column in zip(*table) if any(column[1:]))))
    if markdown:
        table.insert(1, ['---'] * len(table[0]))
        print('\n'.join('| ' + ' | '.join(line) + ' |' for line in table))
        return
    widths = [max(map(len, column)) for column in zip(*table)]
    for line in table:
        print('  '.join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--element', action='append', choices=ELEMENTS, help='zcloopbacksrc')
    parser.add_argument('--set', default='', metavar='PROPERTIES', help='more settings of the element')
    parser.add_argument('--markdown', action='store_true')
    parser.add_argument('--json', metavar='FILE')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('names', nargs='*', metavar='FAULT')
    options = parser.parse_args(argv)
    table = faults()
    if options.list:
        for name, fault in table.items():
            print(f'{name:40} {fault.script}')
        return 0
    unknown = [name for name in options.names if name not in table]
    if unknown:
        parser.error(f'no such fault: {", ".join(unknown)}')
    rows = []
    with scripted.companion() as pid:
        for name, element in itertools.product(options.names or table, options.element or ['zcloopbacksrc']):
            if settings_of(element, table[name].of) is not None:
                rows.append(measure(element, name, table[name], options.set, pid))
                print(f'{name}, {element}: {rows[-1]["end"]}', file=sys.stderr)
    print_rows(rows, options.markdown)
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump(rows, file, indent=1)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
