# SPDX-License-Identifier: LGPL-2.1-or-later
"""Section "downstreams": what each thing that may come after the source makes of it, in each mode; beside it what the
downstream makes by itself of a static buffer (the floor source without a device)."""

import benchlib
import judge
import subjects
from benchlib import PACKET_BYTES, tap
from judge import Target, exactly, nothing, number

MODES = ('copy', 'pool', 'lease')
BASE = 'static'
QUICK = {'packets': 500, 'at_once': 3}
FULL = {'packets': 1500, 'at_once': 1}
STATIC_PACKETS = 20000
OWN_TOLERANCE = 0.02

# Queues are bounded below the 64 buffers of the floor source; in real time none holds more than one or two.
DOWNSTREAMS = {
    'fakesink': 'fakesink',
    'fakesink, no last sample': subjects.LAST_SAMPLE_OFF,
    'queue': f'queue max-size-buffers=32 ! {subjects.LAST_SAMPLE_OFF}',
    'tee, two queues': 'tee name=t t. ! queue max-size-buffers=32 ! fakesink enable-last-sample=false '
                       't. ! queue max-size-buffers=32 ! fakesink enable-last-sample=false',
    'audioconvert ! audioresample': 'audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=44100 ! '
                                    + subjects.LAST_SAMPLE_OFF,
    'level': f'level ! {subjects.LAST_SAMPLE_OFF}',
    'opusenc frame-size=10': f'audioconvert ! opusenc frame-size=10 ! {subjects.LAST_SAMPLE_OFF}',
    'rtpL16pay': f'audioconvert ! rtpL16pay ! {subjects.LAST_SAMPLE_OFF}',
    'appsink, holds 50': 'appsink sync=false max-buffers=50 drop=true wait-on-eos=false enable-last-sample=false',
}
ALLOCATE_NOTHING = ('fakesink', 'fakesink, no last sample', 'queue', 'tee, two queues')
READ_ONLY = ('an element that maps for writing what it could read (audioconvert does, where the header is its own) '
             'copies read-only memory into memory of its own')
IN_TIME = ('fakesink, no last sample', 'audioconvert ! audioresample', 'level', 'opusenc frame-size=10')


def elements(rest):
    """Names of the elements in a description."""
    return [words.split()[0] for words in rest.replace(' t. ', ' ! ').split(' ! ') if words.split()[0].isalnum()]


def missing(stage, rest):
    return [name for name in elements(rest) if not stage.has_element(name)]


def measure(quick, _):
    """The modes of one downstream run side by side: counts do not care, and times are compared within them only."""
    plan = QUICK if quick else FULL
    with benchlib.Stage() as stage:
        absent = {name: missing(stage, rest) for name, rest in DOWNSTREAMS.items()}
        names = [name for name in DOWNSTREAMS if not absent[name]]
        results = {'plan': plan, 'figures': {name: {} for name in names},
                   'skipped': {name: what for name, what in absent.items() if what}, 'simulated': {}}
        for name in names:
            results['figures'][name][BASE] = subjects.run(stage, subjects.of(BASE, DOWNSTREAMS[name]),
                                                          packets=STATIC_PACKETS, warm=2000)
        for begin in range(0, len(names), plan['at_once']):
            tap.note('downstreams: ' + '; '.join(names[begin:begin + plan['at_once']]))
            from_server(stage, names[begin:begin + plan['at_once']], plan['packets'], results['figures'])
        for name in (name for name in IN_TIME if name in names):
            results['simulated'][name] = subjects.crank(stage, subjects.cranked('lease', DOWNSTREAMS[name]), 5000)
    return results


def from_server(stage, names, packets, figures):
    """Every mode into each of these downstreams, all at once."""
    pipelines = {(name, mode): subjects.of(mode, DOWNSTREAMS[name]) for name in names for mode in MODES}
    own = {(name, mode): figures[name][BASE]['allocs'] for name, mode in pipelines
           if mode == 'pool' or (mode == 'lease' and name in ALLOCATE_NOTHING)}
    for (name, mode), measured in subjects.steady(stage, pipelines, own, packets=packets).items():
        figures[name][mode] = measured


def row(name, mode, figures):
    return [name, mode, number(figures['allocs'], 3), number(figures['copied'], 0),
            number(figures['copied_outside'], 0), number(figures['evacuations'], 3), number(figures['buffers'], 2),
            number(figures['cpu_us'], 0), number(figures['lost_frames'], 0)]


HEADINGS = ('downstream', 'mode', 'allocations', 'bytes copied', 'copied, from outside', 'evacuations', 'buffers',
            'CPU us', 'frames lost')


def markdown(results):
    rows = [row(name if mode == MODES[0] else '', mode, figures[mode])
            for name, figures in results['figures'].items() for mode in (*MODES, BASE)]
    rows += [row(name, 'lease, simulated', figures) for name, figures in results['simulated'].items()]
    text = ('Per packet of 10 ms, from PulseAudio; "static" is the downstream by itself. "From outside": all copies of '
            '512 bytes or more in the process, the server\'s client library and the downstream included.\n\n'
            + judge.table(HEADINGS, rows))
    if results['skipped']:
        absent = [f'{name} ({", ".join(what)})' for name, what in results['skipped'].items()]
        text += '\n\nNot there: ' + '; '.join(absent)
    return text


def targets(results):
    for name, figures in results['figures'].items():
        for mode in ('pool', 'lease'):
            yield allocations(name, mode, figures)
        yield exactly(f'pool into {name}: bytes copied per packet', figures['pool']['copied'], PACKET_BYTES, ' B', 1e-9,
                      counted=True)
        if name in IN_TIME:
            yield leased(name, figures['lease'])
        else:
            # A packet may be evacuated in the window that went downstream before it.
            yield judge.no_more(f'lease into {name}: bytes copied per packet', figures['lease']['copied'], PACKET_BYTES,
                                ' B', slack=2 * PACKET_BYTES / figures['lease']['packets'], counted=True)
    for name, figures in results['simulated'].items():
        yield nothing(f'lease into {name}, simulated device: bytes copied per packet', figures['copied'], ' B',
                      counted=True)
        yield from_outside(name, figures, results['figures'][name][BASE])


def allocations(name, mode, figures):
    own, made = figures[BASE]['allocs'], figures[mode]['allocs']
    if name in ALLOCATE_NOTHING:
        return nothing(f'{mode} into {name}: allocations per packet', made, '', subjects.ROUNDING, counted=True,
                       digits=3)
    per_buffer = made / figures[mode]['buffers']
    return Target(f'{mode} into {name}: allocations per buffer, beside its own with a static one', f'<= {own:.2f}',
                  f'{per_buffer:.3f}', per_buffer <= own + OWN_TOLERANCE, counted=mode == 'pool', bound=READ_ONLY)


def from_outside(name, leased, own):
    """What the whole process copies of a leased packet, above what the downstream does with a static one."""
    return judge.no_more(f'lease into {name}, simulated device: bytes that anybody copied per packet, from outside, '
                         'above those of a static buffer', leased['copied_outside'] - own['copied_outside'], 0, ' B',
                         slack=64, bound=READ_ONLY)


def leased(name, figures):
    return nothing(f'lease into {name}: bytes copied per packet', figures['copied'], ' B',
                   bound=f"{figures['evacuations']:.3f} evacuations a packet")


def plots(results, draw):
    names = list(results['figures'])
    draw.bars('downstreams-allocations', 'Heap allocations per packet', names,
              {mode: [results['figures'][name][mode]['allocs'] for name in names] for mode in (*MODES, BASE)})
    draw.bars('downstreams-copied', 'Bytes copied per packet', names,
              {mode: [results['figures'][name][mode]['copied'] for name in names] for mode in MODES})
