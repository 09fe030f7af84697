# SPDX-License-Identifier: LGPL-2.1-or-later
"""Known signals, and the exact account of what came back.

The counting signal: every frame of every channel is a different, known number, so that a missing, repeated or
displaced frame and a swapped channel are found exactly, not by ear. A sample's *code* is its integer value;
float32 carries 24-bit codes (value = code / 2^23), which it holds without rounding.
"""

import dataclasses
import wave

import numpy as np

TONE_HZ = 997  # prime: whole periods in each second, at no rate a divisor of it
BLOCK_FRAMES = 1 << 20
GIVE_UP_FRAMES = 2000
GAPS_SHOWN = 10


@dataclasses.dataclass(frozen=True)
class Format:
    """A sample format under its two names. `code_bits` of each sample carry the counting signal."""

    pulse: str
    gst: str
    bytes: int
    code_bits: int

    def encode(self, codes):
        """Codes (an integer array) -> the bytes that a client plays."""
        if self.gst == 'F32LE':
            return (codes / np.float32(1 << 23)).astype('<f4').tobytes()
        if self.gst == 'U8':
            return (codes + 128).astype('u1').tobytes()
        if self.gst == 'S24LE':
            return codes.astype('<i4').reshape(-1, 1).view('u1')[:, :3].tobytes()
        return codes.astype(f'<i{self.bytes}').tobytes()

    def decode(self, data):
        """Bytes -> codes. A float that is no whole code becomes the nearest one: not exact, so not equal."""
        if self.gst == 'F32LE':
            return np.rint(np.frombuffer(data, '<f4') * np.float64(1 << 23)).astype(np.int32)
        if self.gst == 'U8':
            return np.frombuffer(data, 'u1').astype(np.int32) - 128
        if self.gst == 'S24LE':
            return _decode_s24(data)
        codes = np.frombuffer(data, f'<i{self.bytes}').astype(np.int32)
        return (codes << 8) >> 8 if self.gst == 'S24_32LE' else codes

    def level(self, data):
        """Bytes -> samples where full scale is 1.0."""
        if self.gst == 'F32LE':
            return np.frombuffer(data, '<f4').astype(np.float64)
        return self.decode(data) / float(1 << (self.code_bits - 1))


def _decode_s24(data):
    samples = np.frombuffer(data, 'u1').reshape(-1, 3)
    wide = np.zeros((len(samples), 4), 'u1')
    wide[:, 1:] = samples
    return wide.view('<i4')[:, 0] >> 8


FORMATS = {fmt.pulse: fmt for fmt in (
    Format('u8', 'U8', 1, 8),
    Format('s16le', 'S16LE', 2, 16),
    Format('s24le', 'S24LE', 3, 24),
    Format('s24-32le', 'S24_32LE', 4, 24),
    Format('s32le', 'S32LE', 4, 32),
    Format('float32le', 'F32LE', 4, 24),
)}
BY_GST_NAME = {fmt.gst: fmt for fmt in FORMATS.values()}

# PulseAudio's channel positions in GStreamer's canonical order (the order of the bits of channel-mask).
CANONICAL_BITS = {
    'front-left': 0, 'front-right': 1, 'front-center': 2, 'lfe': 3, 'rear-left': 4, 'rear-right': 5,
    'front-left-of-center': 6, 'front-right-of-center': 7, 'rear-center': 8, 'side-left': 10, 'side-right': 11,
    'top-front-left': 12, 'top-front-right': 13, 'top-front-center': 14, 'top-center': 15, 'top-rear-left': 16,
    'top-rear-right': 17, 'top-rear-center': 20,
}


def canonical_order(positions):
    """For each channel of a canonically ordered capture: its index among the sink's positions."""
    if positions == ['mono']:
        return [0]
    return sorted(range(len(positions)), key=lambda index: CANONICAL_BITS[positions[index]])


def channel_mask(positions):
    return 0 if positions == ['mono'] else sum(1 << CANONICAL_BITS[position] for position in positions)


def counting(format, channels, frames, code_bits=None, tag=0):
    """Codes of the counting signal, (frames, channels). Never silence: channel 0 is never 0.

    Each sample is a hash of its frame number and channel: neighbouring frames share nothing, so a short stretch
    says where in the signal it comes from even in 8 bits, and no volume, mix or shift leaves it unnoticed.
    `code_bits`: how many of a sample's high bits carry the signal (a server that mixes in float32 keeps 24).
    `tag`: signals with different ones have no stretch in common."""
    kept = code_bits or format.code_bits
    codes = np.empty((frames, channels), np.int32)
    for start in range(0, frames, BLOCK_FRAMES):
        number = np.arange(start, min(start + BLOCK_FRAMES, frames), dtype=np.uint64)
        for channel in range(channels):
            codes[start:start + len(number), channel] = _hash(number + np.uint64(tag << 40), channel, kept) << (format.code_bits - kept)
    return codes


def convert_codes(codes, played, captured):
    """The codes as another format carries them: more bits below, or only the high ones."""
    shift = captured.code_bits - played.code_bits
    return codes << shift if shift >= 0 else codes >> -shift


def silence(format, channels, frames):
    return format.encode(np.zeros((frames, channels), np.int32))


def _hash(number, channel, bits):
    """splitmix64's finish over the frame number, cut to a signed code: never 0, and as far down as up."""
    z = (number + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64((channel + 1) * 0xD1B54A32D192ED03 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    full_scale = 1 << (bits - 1)
    code = (z >> np.uint64(64 - bits)).astype(np.int64) - full_scale
    return np.where(code == 0, 1, np.maximum(code, 1 - full_scale))


def tone(rate, channels, seconds, amplitude=0.5, frequency=TONE_HZ):
    """A sine on all channels, samples where full scale is 1.0, (frames, channels). Keep amplitude below 1."""
    phase = 2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate
    return np.repeat((amplitude * np.sin(phase))[:, None], channels, axis=1)


def encode_level(format, samples):
    """Samples where full scale is 1.0 -> bytes in the format."""
    if format.gst == 'F32LE':
        return samples.astype('<f4').tobytes()
    return format.encode(np.rint(samples * (1 << (format.code_bits - 1))).astype(np.int64))


def level_db(samples, rate, frequency=TONE_HZ):
    """Level of a sine in dB of full scale, per channel: its projection, so noise and quantisation stay out.

    Measured over whole seconds from the middle, where the tone is for certain playing."""
    sounding = np.flatnonzero(np.abs(samples[:, 0]) > 1e-3)
    if len(sounding) == 0:
        return np.full(samples.shape[1], -np.inf)
    middle = samples[sounding[0]:sounding[-1] + 1]
    seconds = len(middle) // rate - 1
    if seconds < 1:
        raise ValueError('a level needs two seconds of tone')
    part = middle[rate // 2:rate // 2 + seconds * rate]
    turn = np.exp(-2j * np.pi * frequency * np.arange(len(part)) / rate)
    return 20 * np.log10(2 * np.abs(turn @ part) / len(part))


@dataclasses.dataclass(repr=False)
class Report:
    """What became of a counting signal. All counts are frames; `unrecognised` is neither silence nor signal;
    `noise_before` and `noise_after` are that before the signal's first and after its last frame."""

    captured: int = 0
    silence_before: int = 0
    silence_after: int = 0
    silence_inside: int = 0
    noise_before: int = 0
    noise_after: int = 0
    missing: int = 0
    repeated: int = 0
    unrecognised: int = 0
    first: int = -1
    last: int = -1
    played: int = 0
    matched: int = 0
    worst_error: int = 0
    channels_found: list = dataclasses.field(default_factory=list)
    gaps: list = dataclasses.field(default_factory=list)

    def __str__(self):
        counts = ', '.join(f'{field.name} {getattr(self, field.name)}' for field in dataclasses.fields(self)[:-1])
        more = f' and {len(self.gaps) - GAPS_SHOWN} more' if len(self.gaps) > GAPS_SHOWN else ''
        return f'{counts}; gaps (position, kind, frames) {self.gaps[:GAPS_SHOWN]}{more}'

    __repr__ = __str__

    @property
    def perfect(self):
        """Every frame played arrived once, in order, in its channel; before and after it, nothing but silence."""
        return (self.first == 0 and self.last == self.played - 1 and self.matched == self.played
                and not (self.missing or self.repeated or self.unrecognised or self.silence_inside))

    @property
    def unbroken(self):
        """As perfect, for a capture that began late or was cut off."""
        return (self.matched > 0 and self.matched == self.last - self.first + 1
                and not (self.missing or self.repeated or self.unrecognised or self.silence_inside))


def check_counting(codes, reference, tolerance=0):
    """Accounts for each frame of a capture against the signal that was played.

    `reference` has its channels in the order that the capture's caps promise. `tolerance` in codes is for a
    server that does not carry samples bit by bit; the Report's worst_error says what was really needed."""
    report = Report(captured=len(codes), played=len(reference))
    sounding = np.flatnonzero((np.abs(codes) > tolerance).any(axis=1))
    if len(sounding) == 0:
        report.silence_before = len(codes)
        return report
    start, end = int(sounding[0]), int(sounding[-1]) + 1
    report.silence_before, report.silence_after = start, len(codes) - end
    _follow(codes[start:end], reference, tolerance, report)
    if report.matched == 0 or report.unrecognised > report.captured // 10:
        report.channels_found = _find_channels(codes[start:end], reference, tolerance)
    return report


def _follow(codes, reference, tolerance, report):
    """Matches run after run; between two runs lies a gap of a kind."""
    position, expected = 0, None
    unrecognised_then = silence_then = 0
    while position < len(codes):
        silent = _silent_run(codes, position, tolerance)
        if silent:
            report.silence_inside += silent
            report.gaps.append((position, 'silence', silent))
            position += silent
            continue
        found = _locate(codes, position, reference, expected, tolerance)
        if found is None:
            report.unrecognised += 1
            position += 1
            if report.unrecognised > GIVE_UP_FRAMES and report.matched == 0:
                report.unrecognised += len(codes) - position
                return
            continue
        if expected is None:
            report.noise_before, report.unrecognised = report.unrecognised, 0
            report.silence_before += report.silence_inside
            report.silence_inside = 0
        _note_jump(report, position, expected, found)
        run = _matching_run(codes, position, reference, found, tolerance, report)
        report.matched += run
        report.last = found + run - 1
        position, expected = position + run, found + run
        unrecognised_then, silence_then = report.unrecognised, report.silence_inside
    if report.matched and report.last == len(reference) - 1:
        report.noise_after = report.unrecognised - unrecognised_then
        report.silence_after += report.silence_inside - silence_then
        report.unrecognised, report.silence_inside = unrecognised_then, silence_then


def _note_jump(report, position, expected, found):
    if expected is None:
        report.first = found
    elif found > expected:
        report.missing += found - expected
        report.gaps.append((position, 'missing', found - expected))
    elif found < expected:
        report.repeated += expected - found
        report.gaps.append((position, 'repeated', expected - found))


def _silent_run(codes, position, tolerance):
    run = 0
    while position + run < len(codes) and (np.abs(codes[position + run]) <= tolerance).all():
        run += 1
    return run


def _window(codes, reference, tolerance):
    """Frames that identify a place beyond doubt: 48 bits of signal."""
    span = int(np.abs(reference[:1000]).max()) / (2 * tolerance + 1)
    return max(2, int(np.ceil(48 / (codes.shape[1] * max(1.0, np.log2(span + 1) + 1)))))


def _locate(codes, position, reference, expected, tolerance):
    """Where in the reference the frames at `position` are from; None if nowhere."""
    window = _window(codes, reference, tolerance)
    wanted = codes[position:position + window].astype(np.int64)
    if expected is not None and _equal(wanted, reference[expected:expected + len(wanted)], tolerance):
        return expected
    if len(wanted) < window:
        return None  # too few to tell
    candidates = np.flatnonzero(np.abs(reference[:len(reference) - window + 1, 0] - wanted[0, 0]) <= tolerance)
    for frame in range(window):
        near = np.abs(reference[candidates + frame] - wanted[frame]) <= tolerance
        candidates = candidates[near.all(axis=1)]
        if len(candidates) == 0:
            return None
    return int(candidates[0])


def _equal(a, b, tolerance):
    return len(a) == len(b) and bool((np.abs(a - b) <= tolerance).all())


def _matching_run(codes, position, reference, found, tolerance, report):
    run = 0
    limit = min(len(codes) - position, len(reference) - found)
    while run < limit:
        size = min(BLOCK_FRAMES, limit - run)
        error = np.abs(codes[position + run:position + run + size].astype(np.int64)
                       - reference[found + run:found + run + size]).max(axis=1)
        wrong = np.flatnonzero(error > tolerance)
        good = int(wrong[0]) if len(wrong) else size
        if good:
            report.worst_error = max(report.worst_error, int(error[:good].max()))
        run += good
        if good < size:
            break
    return run


def _find_channels(codes, reference, tolerance):
    """For each captured channel the reference channel that it really is (-1: none): names a wrong order."""
    middle = len(codes) // 2
    window = 24
    sample = codes[middle:middle + window].astype(np.int64)
    found = []
    for channel in range(codes.shape[1]):
        matches = [other for other in range(reference.shape[1])
                   if _locate(sample[:, [channel]], 0, reference[:, [other]], None, tolerance) is not None]
        found.append(matches[0] if matches else -1)
    return found


def read_raw(path, format, channels):
    """A raw capture as codes, (frames, channels), block by block: ten minutes need no second copy in memory."""
    frame_bytes = format.bytes * channels
    data = np.memmap(path, 'u1', 'r') if _size(path) else np.empty(0, 'u1')
    frames = len(data) // frame_bytes
    codes = np.empty((frames, channels), np.int32)
    for start in range(0, frames, BLOCK_FRAMES):
        end = min(start + BLOCK_FRAMES, frames)
        block = format.decode(data[start * frame_bytes:end * frame_bytes].tobytes())
        codes[start:end] = block.reshape(-1, channels)
    return codes


def read_levels(path, format, channels):
    """A raw capture as samples where full scale is 1.0, (frames, channels)."""
    with open(path, 'rb') as file:
        data = file.read()
    whole = len(data) - len(data) % (format.bytes * channels)
    return format.level(data[:whole]).reshape(-1, channels)


def _size(path):
    with open(path, 'rb') as file:
        return file.seek(0, 2)


def write_file(path, data):
    with open(path, 'wb') as file:
        file.write(data)
    return path


WAVE_PCM, WAVE_FLOAT, WAVE_EXTENSIBLE = 1, 3, 0xFFFE


def write_wav(path, format, rate, channels, data):
    """A plain WAV (integer formats only: Python's own writer knows no float)."""
    if format.gst == 'F32LE':
        raise ValueError('play float32 raw')
    with wave.open(path, 'wb') as file:
        file.setnchannels(channels)
        file.setsampwidth(format.bytes)
        file.setframerate(rate)
        file.writeframes(data)
    return path


def read_wav(path):
    """(format, rate, channels, bytes) of a WAV of any sample format, float and extensible included; a file that
    a killed writer left with its sizes unset is read to its end."""
    with open(path, 'rb') as file:
        data = file.read()
    if data[:4] != b'RIFF' or data[8:12] != b'WAVE':
        raise ValueError(f'{path}: no WAV')
    described, at = None, 12
    while at + 8 <= len(data):
        name, size = data[at:at + 4], int.from_bytes(data[at + 4:at + 8], 'little')
        body = data[at + 8:at + 8 + size]
        if name == b'fmt ':
            described = _wave_format(body)
        elif name == b'data':
            return (*described, body if 0 < size < 0xFFFF0000 else data[at + 8:])
        at += 8 + size + size % 2
    raise ValueError(f'{path}: no data')


def _wave_format(body):
    def number(start, length):
        return int.from_bytes(body[start:start + length], 'little')
    tag, channels, rate, bits = number(0, 2), number(2, 2), number(4, 4), number(14, 2)
    valid = bits
    if tag == WAVE_EXTENSIBLE:
        valid, tag = number(18, 2) or bits, number(24, 2)
    if tag == WAVE_FLOAT:
        return FORMATS['float32le'], rate, channels
    names = {(8, 8): 'u8', (16, 16): 's16le', (24, 24): 's24le', (32, 24): 's24-32le', (32, 32): 's32le'}
    return FORMATS[names[bits, valid]], rate, channels
