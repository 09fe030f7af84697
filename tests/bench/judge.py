# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was promised, and whether a measurement shows it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Target:
    """One promise. `counted`: the same on any machine, so that a run may fail for it; times and sizes are told.

    `bound` says what limits it, for a reader of one that is not met."""

    what: str
    promised: str
    measured: str
    met: bool
    counted: bool = False
    bound: str = ''


def no_more(what, value, limit, unit='', slack=0.0, counted=False, bound='', digits=2):
    """A promise of at most `limit`; the slack is what the counting itself may be off by."""
    return Target(what, f'<= {limit:g}{unit}', f'{value:.{digits}f}{unit}', value <= limit + slack, counted, bound)


def nothing(what, value, unit, tolerance=0.0, counted=False, bound='', digits=2):
    """A promise of 0; the tolerance is what the counting itself may be off by."""
    return Target(what, f'0{unit}', f'{value:.{digits}f}{unit}', abs(value) <= tolerance, counted, bound)


def exactly(what, value, promised, unit='', tolerance=0.0, counted=False, bound='', digits=2):
    return Target(what, f'{promised:g}{unit}', f'{value:.{digits}f}{unit}', abs(value - promised) <= tolerance, counted,
                  bound)


def markdown(targets):
    lines = ['| | promised | measured | |', '|---|---|---|---|']
    for target in targets:
        verdict = 'pass' if target.met else '**FAIL**' + (f': {target.bound}' if target.bound else '')
        lines.append(f'| {target.what} | {target.promised} | {target.measured} | {verdict} |')
    return '\n'.join(lines)


def table(headings, rows):
    """Markdown; the first column is text, the others are numbers."""
    lines = ['| ' + ' | '.join(headings) + ' |', '|---' + '|---:' * (len(headings) - 1) + '|']
    return '\n'.join(lines + ['| ' + ' | '.join(str(cell) for cell in row) + ' |' for row in rows])


def number(value, digits=2):
    return '-' if value is None else f'{value:.{digits}f}'
