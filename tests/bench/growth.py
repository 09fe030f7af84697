# SPDX-License-Identifier: LGPL-2.1-or-later
"""Section "growth": what a packet costs when there is more of everything: sources in a process, blocks in the pool,
branches after a tee. A cost that does not grow is a flat line."""

import benchlib
import judge
import subjects
import watching
from benchlib import tap
from judge import nothing, number

SOURCES = (1, 2, 4, 8, 16, 32, 64, 128)
# A PulseAudio takes 64 clients in all, and the tone is one of them.
MOST_ON_SERVER = 32
BLOCKS = (10, 30, 100, 300, 1000, 3000, 10000)
BRANCHES = (1, 2, 4, 8, 16, 32, 64)
MODE = 'pool'
# Making a signal costs more than all the rest.
QUIET_DEVICE = 'clock=manual signal=silence'
FULL = {'sources': SOURCES, 'window_packets': 500, 'turns': 3, 'blocks': BLOCKS, 'branches': BRANCHES}
QUICK = {'sources': (1, 16), 'window_packets': 200, 'turns': 1, 'blocks': (10, 10000), 'branches': (1, 16)}
CRANKED = {'packets': 50000, 'warm': 5000}
INSTRUCTION_RUN = (2000, 12000)
TEE_PACKETS = 5000
MOST_GROWTH = 1.1


def measure(quick, _):
    plan = QUICK if quick else FULL
    results = {'plan': {name: plan[name] for name in ('window_packets', 'turns')}}
    with benchlib.Stage() as stage:
        tap.note('growth: sources')
        simulated = f'zcloopbacksrc backend=simulated memory-mode={MODE}'
        results['sources'] = {'simulated': of_sources(stage, plan, simulated, plan['sources'])}
        if not quick:
            on_server = [count for count in plan['sources'] if count <= MOST_ON_SERVER]
            results['sources']['pulseaudio'] = of_sources(stage, plan, benchlib.SOURCES[MODE], on_server)
    with benchlib.Stage(server=None) as stage:
        tap.note('growth: blocks and branches')
        results['blocks'] = of_blocks(stage, plan, quick)
        results['branches'] = of_branches(stage, plan)
    return results


def of_sources(stage, plan, source, counts):
    """{count: figures}; sizes take turns, and of each the median by CPU time is kept. Drops are of all turns."""
    runs = {count: [] for count in counts}
    for _ in range(plan['turns']):
        for count in counts:
            pipeline = ' '.join([f'{source} ! {subjects.LAST_SAMPLE_OFF}'] * count)
            runs[count].append(subjects.run(stage, pipeline, packets=plan['window_packets'], warm=100, counted=False))
    return {count: {**middle(each), 'lost_frames': sum(one['lost_frames'] for one in each),
                    'overflows': sum(one['overflows'] for one in each)} for count, each in runs.items()}


def middle(figures):
    return sorted(figures, key=lambda one: one['cpu_us'])[len(figures) // 2]


def of_blocks(stage, plan, quick):
    """Time of a cranked run, and its instructions (not in the quick form: valgrind is slow)."""
    results = {}
    for count in plan['blocks']:
        pool = {'device': QUIET_DEVICE, 'pool_min_buffers': count, 'pool_max_buffers': count}
        figures = middle([subjects.crank(stage, subjects.cranked(MODE, **pool), **CRANKED)
                          for _ in range(plan['turns'])])
        results[count] = {**figures, 'instructions': None if quick else instructions(stage, pool)}
    return results


def instructions(stage, pool):
    """Per packet; None without valgrind. The source ends by itself: how far it got beyond the window is the same."""
    if not benchlib.shutil.which('valgrind'):
        return None
    short, long = (watching.instructions(
        [benchlib.tool('subject/subject'), '--crank', '--warm=1', f'--packets={packets - 2}',
         subjects.cranked(MODE, num_buffers=packets, **pool)], stage.env) for packets in INSTRUCTION_RUN)
    return (long - short) / (INSTRUCTION_RUN[1] - INSTRUCTION_RUN[0])


def tee(branches):
    return 'tee name=t ' + ' '.join(['t. ! queue max-size-buffers=16 ! fakesink enable-last-sample=false'] * branches)


def of_branches(stage, plan):
    """Ours, and what tee and queues cost by themselves."""
    results = {}
    for count in plan['branches']:
        ours = [subjects.crank(stage, subjects.cranked(MODE, tee(count)), TEE_PACKETS, warm=2000)
                for _ in range(plan['turns'])]
        alone = [subjects.run(stage, subjects.of('static', tee(count)), packets=TEE_PACKETS, warm=2000)
                 for _ in range(plan['turns'])]
        results[count] = {'ours': middle(ours), 'alone': middle(alone)}
    return results


def rss_per_source(figures):
    """Bytes, from the smallest to the largest count."""
    least, most = min(figures), max(figures)
    return (figures[most]['rss'] - figures[least]['rss']) / (most - least)


def markdown(results):
    parts = [f'Memory mode {MODE}, packets of 10 ms. Sources: one process, each with a fakesink, in real time; blocks '
             'and branches: the simulated device, cranked.']
    for where, each in results['sources'].items():
        rows = [[count, number(f['cpu_us'], 1), number(f['cpu_us'] / each[min(each)]['cpu_us'], 2),
                 number(f['voluntary'] + f['involuntary'], 2), f['lost_frames'], f['overflows'],
                 number(f['rss'] / 2 ** 20, 1)] for count, f in sorted(each.items())]
        parts.append(f'{where}: {rss_per_source(each) / 1024:.0f} kB of resident memory per source.\n\n' + judge.table(
            ('sources', 'CPU us per packet', 'of one source\'s', 'switches per packet', 'frames lost', 'overflows',
             'RSS MiB'), rows))
    parts.append(judge.table(('blocks', 'CPU us per packet', 'instructions', 'allocations', 'RSS MiB'), [
        [count, number(f['cpu_us'], 2), number(f['instructions'], 0), number(f['allocs'], 4),
         number(f['rss'] / 2 ** 20, 1)]
        for count, f in sorted(results['blocks'].items())]))
    parts.append(judge.table(('branches', 'CPU us per packet', 'tee and queues alone', 'allocations', 'hit rate'), [
        [count, number(f['ours']['cpu_us'], 1), number(f['alone']['cpu_us'], 1), number(f['ours']['allocs'], 4),
         f"{100 * f['ours']['hit_rate']:.2f} %"] for count, f in sorted(results['branches'].items())]))
    return '\n\n'.join(parts)


def targets(results):
    for where, each in results['sources'].items():
        most, one = max(each), each[min(each)]
        ratio = each[most]['cpu_us'] / one['cpu_us']
        yield judge.no_more(f'{where}: cost per packet with {most} sources, of one\'s', ratio, MOST_GROWTH,
                            bound='wake-ups of that many threads on the machine\'s cores')
        dropped = sum(f['lost_frames'] + f['overflows'] for f in each.values())
        yield nothing(f'{where}: frames lost with up to {most} sources', dropped, '', digits=0,
                      bound='a real-time figure: whoever is late by more than buffer-time loses frames')
    blocks = results['blocks']
    for count in (min(blocks), max(blocks)):
        yield nothing(f'pool of {count} blocks: allocations per packet', blocks[count]['allocs'], '', subjects.ROUNDING,
                      counted=True, digits=4)
    if blocks[max(blocks)]['instructions']:
        yield judge.no_more(f'pool of {max(blocks)} blocks: instructions per packet, of those with {min(blocks)}',
                            blocks[max(blocks)]['instructions'] / blocks[min(blocks)]['instructions'], MOST_GROWTH)
    branches = results['branches']
    yield nothing(f'tee of {max(branches)}: allocations per packet', branches[max(branches)]['ours']['allocs'], '',
                  subjects.ROUNDING, counted=True, digits=4)


def plots(results, draw):
    draw.lines('growth-sources', 'sources in one process', 'CPU us per packet',
               {where: {count: f['cpu_us'] for count, f in each.items()} for where, each in results['sources'].items()})
    draw.lines('growth-blocks', 'blocks of the pool', 'CPU us per packet',
               {MODE: {count: f['cpu_us'] for count, f in results['blocks'].items()}})
    draw.lines('growth-branches', 'branches of a tee', 'CPU us per packet',
               {label: {count: f[side]['cpu_us'] for count, f in results['branches'].items()}
                for label, side in (('zcloopbacksrc', 'ours'), ('tee and queues alone', 'alone'))})
