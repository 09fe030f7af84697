#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""describe.py FILE: says what a sound file holds: size, duration, format, and the levels of each channel."""

import sys

from audio import AudioError, Levels, SoundFile, db_text

SILENT_BELOW_DBFS = -80
"""Silence in Opus is decoded to noise of up to -84 dBFS."""


def size_text(count):
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            break
        count /= 1000
    else:
        unit = "GB"
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"


def describe(path):
    sound = SoundFile(path)
    levels = Levels()
    for block in sound.blocks():
        levels.add(block)
    encoding = " in ".join(part for part in (sound.codec, sound.container) if part)
    print(f"wrote   {path}")
    print(f"        {size_text(sound.bytes)}, {sound.seconds:.2f} s, {encoding or 'raw'}, {sound.rate} Hz, "
          f"{len(sound.channels)} {'channel' if len(sound.channels) == 1 else 'channels'}")
    for name, peak, rms in zip(sound.channels, levels.peak_db, levels.rms_db):
        print(f"  {name:<4}  peak {db_text(peak)} dBFS   RMS {db_text(rms)} dBFS")
    if levels.overall_peak_db < SILENT_BELOW_DBFS:
        print("        This is silence: nothing was playing on this output meanwhile.")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        describe(sys.argv[1])
    except AudioError as error:
        sys.exit(f"describe: {error}")


if __name__ == "__main__":
    main()
