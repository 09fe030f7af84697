# SPDX-License-Identifier: LGPL-2.1-or-later
"""How a running capture looks: bars that move on a terminal, a line per second anywhere else."""

import os
import shutil

from audio import db_text

FLOOR_DB = -60.0
"""The left end of a bar; its right end is full scale."""

EIGHTHS = " ▏▎▍▌▋▊▉█"
GREEN, YELLOW, RED, DIM, PLAIN = "\033[32m", "\033[33m", "\033[31m", "\033[2m", "\033[0m"


def for_stream(stream):
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Bars(stream)
    return Lines(stream)


def time_text(elapsed_s, total_s):
    if total_s:
        return f"{min(elapsed_s, total_s):6.1f} s of {total_s:.1f} s"
    return f"{elapsed_s:6.1f} s"


class Lines:
    """A line per second, for logs and pipes."""

    def __init__(self, stream):
        self.stream = stream
        self.last_s = 0
        self.names = []
        self.loudest = None

    def show_levels(self, names, rms, peak, _decay):
        self.names = names
        if self.loudest is None:
            self.loudest = list(zip(rms, peak))
        else:
            self.loudest = [(max(r, old_r), max(p, old_p)) for r, p, (old_r, old_p) in zip(rms, peak, self.loudest)]

    def show_time(self, elapsed_s, total_s):
        if int(elapsed_s) <= self.last_s or (total_s and int(elapsed_s) > total_s):
            return
        self.last_s = int(elapsed_s)
        levels = ""
        if self.loudest:
            levels = "   " + "   ".join(f"{name} {db_text(rms)} peak {db_text(peak)}"
                                        for name, (rms, peak) in zip(self.names, self.loudest)) + "  dBFS"
        self.loudest = None
        self.note(time_text(self.last_s, total_s) + levels)

    def note(self, text, stream=None):
        print(text, file=stream or self.stream, flush=True)

    def finish(self):
        pass


class Bars:
    """A bar per channel and the time, drawn over and over in the same lines."""

    def __init__(self, stream):
        self.stream = stream
        self.blocks = "utf" in (stream.encoding or "").lower()
        self.color = "NO_COLOR" not in os.environ
        self.channels = []
        self.time = ""
        self.drawn_lines = 0

    def show_levels(self, names, rms, peak, decay):
        self.channels = list(zip(names, rms, peak, decay))

    def show_time(self, elapsed_s, total_s):
        self.time = time_text(elapsed_s, total_s)
        self._draw()

    def note(self, text, stream=None):
        self._erase()
        print(text, file=stream or self.stream, flush=True)

    def finish(self):
        self.drawn_lines = 0

    def _draw(self):
        width = min(shutil.get_terminal_size().columns, 120)
        lines = [self._channel_line(width, *channel) for channel in self.channels]
        lines.append(self.time[:width - 1])
        self._erase()
        self.stream.write("\n".join(lines) + "\n")
        self.stream.flush()
        self.drawn_lines = len(lines)

    def _erase(self):
        if self.drawn_lines:
            self.stream.write(f"\033[{self.drawn_lines}F\033[J")
        self.drawn_lines = 0

    def _channel_line(self, width, name, rms, peak, decay):
        text = f" {db_text(rms)} dBFS  peak {db_text(peak)}"
        room = max(width - len(text) - 7, 8)
        return f"{name:>4} {self._bar(room, rms, decay)}{text}"

    def _bar(self, room, rms, mark):
        """Full cells up to the RMS level, and a stroke where the peak was not long ago."""
        filled = max(0.0, 1 - max(rms, FLOOR_DB) / FLOOR_DB) * room
        mark_cell = int(max(0.0, 1 - max(mark, FLOOR_DB) / FLOOR_DB) * room)
        cells = []
        for cell in range(room):
            if cell == min(mark_cell, room - 1) and mark > FLOOR_DB and cell >= int(filled):
                cells.append(self._painted(cell / room, "┃" if self.blocks else "|"))
            else:
                cells.append(self._painted(cell / room, self._cell(filled - cell)))
        return "".join(cells)

    def _cell(self, part):
        part = min(max(part, 0.0), 1.0)
        if self.blocks:
            return EIGHTHS[round(part * 8)]
        return "#" if part >= 0.5 else " "

    def _painted(self, position, character):
        if not self.color:
            return character
        if character == " ":
            return f"{DIM}{'·' if self.blocks else ' '}{PLAIN}"
        color = RED if position >= 0.95 else YELLOW if position >= 0.8 else GREEN
        return f"{color}{character}{PLAIN}"
