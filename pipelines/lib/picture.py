#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""picture.py SOUND PICTURE.png: draws a sound file: its spectrogram, its waveform, and its level over time."""

import os
import sys
import tempfile

import numpy

if "MPLCONFIGDIR" not in os.environ and not os.access(os.path.expanduser("~"), os.W_OK):
    os.environ["MPLCONFIGDIR"] = tempfile.gettempdir()
import matplotlib  # noqa: E402

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: E402

from audio import AudioError, Levels, SoundFile, db_text  # noqa: E402

WINDOW_S = 0.12
PADDED = 4
"""Zeros after each window, as a multiple of it: the spectrum is then smooth where few bins meet many rows."""
COLUMNS = 1400
"""The picture's resolution in time."""
ROWS = 480
LOWEST_HZ = 40.0
RANGE_DB = 90.0
COLORS = ("#4cc9f0", "#f9c74f", "#90be6d", "#f94144", "#b388eb", "#f8961e", "#43aa8b", "#dddddd")
STYLE = {
    "figure.facecolor": "#11141a", "axes.facecolor": "#0a0c10", "savefig.facecolor": "#11141a",
    "text.color": "#e6e6e6", "axes.labelcolor": "#c8ccd4", "axes.edgecolor": "#3a404c",
    "xtick.color": "#9aa0ac", "ytick.color": "#9aa0ac", "grid.color": "#2a2f3a", "font.size": 10,
}


def load(path):
    sound, levels, blocks = SoundFile(path), Levels(), []
    for block in sound.blocks():
        levels.add(block)
        blocks.append(block)
    return sound, levels, numpy.concatenate(blocks)


def to_db(amplitude):
    return 20 * numpy.log10(numpy.maximum(amplitude, 1e-10))


def spectra(mono, rate):
    """Amplitude spectra in columns evenly spread over the sound, scaled so that a full-scale sine reads 1."""
    size = int(WINDOW_S * rate)
    window = numpy.hanning(size)
    padded = numpy.pad(mono, size // 2)
    starts = numpy.arange(0, len(mono), max(size // 16, len(mono) // COLUMNS, 1))
    columns = [numpy.fft.rfft(padded[start:start + size] * window, PADDED * size) for start in starts]
    return starts, numpy.abs(numpy.array(columns)).T * (2 / window.sum()), PADDED * size / rate


def on_log_scale(spectrum, rate, bins_per_hz):
    """Rows at evenly spaced pitches: the loudest of the bins that a row spans, or what lies between two bins."""
    edges = numpy.geomspace(LOWEST_HZ, rate / 2, ROWS + 1)
    last = len(spectrum) - 1
    rows = []
    for low, high in zip(edges[:-1] * bins_per_hz, edges[1:] * bins_per_hz):
        first, end = int(numpy.ceil(low)), min(int(numpy.floor(high)), last)
        if end > first:
            rows.append(spectrum[first:end + 1].max(axis=0))
        else:
            below = min(int((low + high) / 2), last - 1)
            part = (low + high) / 2 - below
            rows.append((1 - part) * spectrum[below] + part * spectrum[below + 1])
    return edges, numpy.array(rows)


def draw_spectrogram(figure, axes, sound, mono):
    starts, spectrum, bins_per_hz = spectra(mono, sound.rate)
    edges, rows = on_log_scale(spectrum, sound.rate, bins_per_hz)
    level = to_db(rows)
    top = max(numpy.ceil(level.max() / 10) * 10, RANGE_DB - 150)
    times = numpy.append(starts, len(mono)) / sound.rate
    mesh = axes.pcolormesh(times, edges, level, cmap="magma", vmin=top - RANGE_DB, vmax=top, rasterized=True)
    axes.set_yscale("log")
    axes.set_ylim(LOWEST_HZ, sound.rate / 2)
    axes.yaxis.set_major_locator(FixedLocator([50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda hz, _: f"{hz / 1000:g} k" if hz >= 1000 else f"{hz:g}"))
    axes.set_ylabel("Frequency (Hz)")
    bar = figure.colorbar(mesh, ax=axes, pad=0.01, aspect=30)
    bar.set_label("Level of a partial (dBFS)")
    bar.outline.set_edgecolor("#3a404c")


def draw_waveform(axes, sound, samples):
    """The highest and the lowest sample in each column; channels above each other."""
    count = min(COLUMNS, len(samples))
    edges = numpy.linspace(0, len(samples), count + 1).astype(int)[:-1]
    times = edges / sound.rate
    for index, name in enumerate(sound.channels):
        channel = samples[:, index]
        low, high = numpy.minimum.reduceat(channel, edges), numpy.maximum.reduceat(channel, edges)
        base = -2.1 * index
        axes.fill_between(times, base + low, base + high, color=COLORS[index % len(COLORS)], linewidth=0.4)
        axes.axhline(base, color="#3a404c", linewidth=0.5, zorder=0)
    axes.set_ylim(-2.1 * (len(sound.channels) - 1) - 1.05, 1.05)
    axes.set_yticks([-2.1 * index for index in range(len(sound.channels))], sound.channels)
    axes.set_ylabel("Waveform")


def draw_level(axes, sound, samples):
    """RMS (thick) and peak (thin) of each 50 ms."""
    size = max(int(0.05 * sound.rate), 1)
    count = len(samples) // size
    if not count:
        return
    parts = samples[:count * size].reshape(count, size, -1)
    times = (numpy.arange(count) + 0.5) * size / sound.rate
    rms = to_db(numpy.sqrt(numpy.square(parts, dtype=numpy.float64).mean(axis=1)))
    peak = to_db(numpy.abs(parts).max(axis=1))
    for index, name in enumerate(sound.channels):
        color = COLORS[index % len(COLORS)]
        axes.plot(times, peak[:, index], color=color, linewidth=0.6, alpha=0.7)
        axes.plot(times, rms[:, index], color=color, linewidth=1.6, label=name)
    axes.set_ylim(-72, 3)
    axes.set_yticks(range(-60, 1, 20))
    axes.grid(True, linewidth=0.6)
    axes.set_ylabel("Level (dBFS)")
    axes.legend(loc="lower left", ncols=len(sound.channels), fontsize=8, framealpha=0.3, edgecolor="none",
                title="RMS (thin: peak)", title_fontsize=8)


def draw(path, picture):
    sound, levels, samples = load(path)
    pyplot.rcParams.update(STYLE)
    figure, (top, middle, bottom) = pyplot.subplots(
        3, 1, figsize=(12, 8), dpi=120, sharex=True, layout="constrained", gridspec_kw={"height_ratios": (5, 2, 2)})
    draw_spectrogram(figure, top, sound, samples.mean(axis=1))
    draw_waveform(middle, sound, samples)
    draw_level(bottom, sound, samples)
    bottom.set_xlim(0, sound.seconds)
    bottom.set_xlabel("Time (s)")
    figure.suptitle(
        f"{os.path.basename(path)}   ·   {sound.seconds:.2f} s   ·   {sound.rate} Hz, {len(sound.channels)} ch   ·   "
        f"peak {db_text(levels.overall_peak_db).strip()} dBFS   ·   RMS {db_text(levels.overall_rms_db).strip()} dBFS",
        fontsize=12)
    figure.align_ylabels()
    figure.savefig(picture)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        draw(sys.argv[1], sys.argv[2])
    except (AudioError, OSError) as error:
        sys.exit(f"picture: {error}")
    print(f"drew    {sys.argv[2]}")


if __name__ == "__main__":
    main()
