# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a run leaves: results.json, report.md, the plots. All of it says of which commit and on which machine."""

import dataclasses
import datetime
import json
import os
import platform
import re
import sys

import benchlib
import judge
from benchlib import processes

ASK_BOUND_S = 10


def said(*argv):
    """A command's output, or '' if there is no such command."""
    return processes.run(argv, ASK_BOUND_S, cwd=benchlib.ROOT).stdout.strip() if benchlib.shutil.which(argv[0]) else ''


def version(program):
    """The last number with a point in what `PROGRAM --version` prints."""
    found = re.findall(r'\b\d+\.[\d.]+', said(program, '--version'))
    return found[-1] if found else 'not installed'


def cpu_model():
    with open('/proc/cpuinfo') as lines:
        models = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return models[0] if models else platform.machine()


def system_name():
    release = platform.freedesktop_os_release() if os.path.exists('/etc/os-release') else {}
    return release.get('PRETTY_NAME', platform.system())


def circumstances(quick):
    """Whatever a reader needs to know of where figures come from."""
    changed = said('git', 'status', '--porcelain', '--untracked-files=no')
    with open('/proc/loadavg') as load:
        before = load.read().split()[0]
    return {
        'command': ' '.join(['tests/bench/run', *sys.argv[1:]]),
        'form': 'quick' if quick else 'full',
        'commit': said('git', 'rev-parse', '--short', 'HEAD') + (' and changes' if changed else ''),
        'when': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='minutes'),
        'cpu': cpu_model(),
        'cores': os.cpu_count(),
        'load before': before,
        'system': system_name(),
        'kernel': platform.release(),
        'gstreamer': version('gst-launch-1.0'),
        'pulseaudio': version('pulseaudio'),
        'pipewire': version('pipewire'),
    }


def write_json(directory, results):
    """After each section: a run that is cut off leaves what it had."""
    with open(os.path.join(directory, 'results.json'), 'w') as out:
        json.dump(results, out, indent=1)
        out.write('\n')


def draw(directory, sections, results):
    """The plots' (file, title) by section; none without matplotlib."""
    try:
        import plots
        board = plots.Draw(directory)
    except ImportError:
        return {}
    files = {}
    for name, module in sections.items():
        module.plots(results[name], board)
        files[name], board.files = board.files, []
    return files


def write_markdown(directory, sections, results, targets, files):
    where = results['circumstances']
    parts = ['# Measurements', '\n'.join(f'* {name}: {value}' for name, value in where.items())]
    met = sum(target.met for each in targets.values() for target in each)
    parts.append(f'{met} of {sum(map(len, targets.values()))} promises are met.')
    for name, module in sections.items():
        parts += [f'## {name}', module.markdown(results[name])]
        parts += [f'![{title}]({file})' for file, title in files.get(name, [])]
        if targets[name]:
            parts.append(judge.markdown(targets[name]))
    for name, reason in results['skipped'].items():
        parts += [f'## {name}', f'Skipped: {reason}']
    if 'windows' in results:
        parts += ['## Windows', windows(results['windows'])]
    with open(os.path.join(directory, 'report.md'), 'w') as out:
        out.write('\n\n'.join(parts) + '\n')


def windows(figures):
    """What tests/windows/bench --json left: its shape is its own, so it is shown as it is."""
    rows = []

    def walk(path, value):
        if isinstance(value, dict):
            for key in value:
                walk(path + [str(key)], value[key])
        elif isinstance(value, (int, float)):
            rows.append((' / '.join(path), judge.number(value, 3)))
        elif isinstance(value, str):
            rows.append((' / '.join(path), value))
    walk([], figures)
    return 'From `tests/windows/bench --json`.\n\n' + judge.table(('', 'figure'), rows)


def as_json(targets):
    return {name: [dataclasses.asdict(target) for target in each] for name, each in targets.items()}
