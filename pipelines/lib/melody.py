#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""melody.py FILE.wav SECONDS: writes a tune, to have something to capture where nothing plays.

Six bars in D major: a plucked voice that wanders between the speakers, broken chords under it, a bass, and
a little echo. 48 kHz, stereo, 16 bit. It takes 13 seconds and begins again until SECONDS are over.
"""

import math
import sys
import wave

import numpy

RATE = 48000
BEAT_S = 0.5
PEAK = 0.7

# (beat, midi note, length in beats)
VOICE = [
    (0, 78, 1), (1, 81, 0.5), (1.5, 78, 0.5), (2, 76, 1), (3, 74, 1),
    (4, 73, 1), (5, 76, 0.5), (5.5, 81, 0.5), (6, 79, 1.5), (7.5, 78, 0.5),
    (8, 74, 1), (9, 78, 0.5), (9.5, 83, 0.5), (10, 81, 1), (11, 78, 1),
    (12, 79, 0.5), (12.5, 78, 0.5), (13, 76, 0.5), (13.5, 74, 0.5), (14, 71, 1), (15, 74, 1),
    (16, 76, 1), (17, 79, 0.5), (17.5, 76, 0.5), (18, 73, 1), (19, 76, 0.5), (19.5, 73, 0.5),
    (20, 74, 0.5), (20.5, 78, 0.5), (21, 81, 0.5), (21.5, 86, 2.5),
]
# One chord per bar, lowest note first: D, A, Bm, G, A7, D.
CHORDS = [(50, 57, 62, 66), (45, 57, 61, 64), (47, 54, 59, 62), (43, 55, 59, 62), (45, 55, 61, 64), (50, 57, 62, 66)]
FIGURE = (1, 2, 3, 2, 1, 2, 3, 2)


def hertz(note):
    return 440.0 * 2 ** ((note - 69) / 12)


def envelope(count, attack_s, decay_s):
    """Rises softly, falls away exponentially, and ends in a short fade: no clicks."""
    t = numpy.arange(count) / RATE
    shape = numpy.minimum(t / attack_s, 1.0) * numpy.exp(-t / decay_s)
    fade = min(int(0.03 * RATE), count)
    shape[count - fade:] *= numpy.linspace(1, 0, fade)
    return shape


def tone(note, seconds, partials, attack_s, decay_s):
    """Harmonics that fall off one after the other, the high ones sooner."""
    count = int(seconds * RATE)
    t = numpy.arange(count) / RATE
    sound = numpy.zeros(count)
    for number, strength in enumerate(partials, 1):
        sound += strength * numpy.sin(2 * numpy.pi * number * hertz(note) * t) * numpy.exp(-t * (number - 1) * 1.5)
    return sound * envelope(count, attack_s, decay_s)


def place(mix, beat, sound, pan):
    """Adds a sound at a beat; pan from -1 (left) to 1 (right), at equal power."""
    start = int(beat * BEAT_S * RATE)
    angle = (pan + 1) * numpy.pi / 4
    mix[start:start + len(sound), 0] += sound * numpy.cos(angle)
    mix[start:start + len(sound), 1] += sound * numpy.sin(angle)


def echo(mix, delay_s, strength):
    """Each repeat comes from the other side, softer."""
    delay = int(delay_s * RATE)
    for repeat in (1, 2, 3):
        source = mix[:len(mix) - repeat * delay, ::-1 if repeat % 2 else 1]
        mix[repeat * delay:] += strength ** repeat * source.copy()


def compose():
    mix = numpy.zeros((int((len(CHORDS) * 4 + 2) * BEAT_S * RATE), 2))
    for beat, note, length in VOICE:
        place(mix, beat, 0.5 * tone(note, length * BEAT_S + 0.4, (1, 0.45, 0.2, 0.12, 0.05), 0.008, 0.5),
              0.5 * numpy.sin(beat * 0.6))
    for bar, chord in enumerate(CHORDS):
        place(mix, bar * 4, 0.45 * tone(chord[0] - 12, 4 * BEAT_S, (1, 0.5, 0.25, 0.1), 0.02, 1.2), 0)
        for step, index in enumerate(FIGURE):
            place(mix, bar * 4 + step / 2, 0.17 * tone(chord[index], 0.8, (1, 0.3, 0.1), 0.02, 0.4),
                  -0.7 if step % 2 else 0.7)
    echo(mix, 0.75 * BEAT_S, 0.3)
    return mix * (PEAK / numpy.abs(mix).max())


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    samples = numpy.round(compose() * 32767).astype("<i2")
    times = max(1, math.ceil(float(sys.argv[2]) * RATE / len(samples)))
    with wave.open(sys.argv[1], "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes() * times)


if __name__ == "__main__":
    main()
