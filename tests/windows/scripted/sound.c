/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sound.h"

#include <math.h>
#include <string.h>

#define SINE_HZ 440
#define SINE_PEAK 0.5

static const struct {
  const char *name;
  WORD bytes, bits, code_bits;
} samples[SA_SAMPLES] = {
  [SA_F32] = { "f32", 4, 32, 24 },
  [SA_S16] = { "s16", 2, 16, 16 },
  [SA_S24] = { "s24", 3, 24, 24 },
  [SA_S24_IN_32] = { "s24in32", 4, 24, 24 },
  [SA_S32] = { "s32", 4, 32, 32 },
};

unsigned
sa_format_frame_bytes (const SaFormat *format)
{
  return samples[format->sample].bytes * format->channels;
}

SaSample
sa_sample_from_name (const char *name)
{
  SaSample sample = 0;

  while (sample < SA_SAMPLES && strcmp (samples[sample].name, name))
    sample++;
  return sample;
}

const char *
sa_sample_name (SaSample sample)
{
  return samples[sample].name;
}

WAVEFORMATEX *
sa_format_to_wave (const SaFormat *format)
{
  WAVEFORMATEXTENSIBLE *wave = CoTaskMemAlloc (sizeof *wave);

  if (!wave)
    return NULL;
  memset (wave, 0, sizeof *wave);
  wave->Format.wFormatTag = WAVE_FORMAT_EXTENSIBLE;
  wave->Format.nChannels = (WORD) format->channels;
  wave->Format.nSamplesPerSec = format->rate;
  wave->Format.nBlockAlign = (WORD) sa_format_frame_bytes (format);
  wave->Format.nAvgBytesPerSec = format->rate * wave->Format.nBlockAlign;
  wave->Format.wBitsPerSample = (WORD) (samples[format->sample].bytes * 8);
  wave->Format.cbSize = sizeof *wave - sizeof wave->Format;
  wave->Samples.wValidBitsPerSample = samples[format->sample].bits;
  wave->dwChannelMask = format->mask;
  wave->SubFormat = format->sample == SA_F32 ? KSDATAFORMAT_SUBTYPE_IEEE_FLOAT : KSDATAFORMAT_SUBTYPE_PCM;
  return &wave->Format;
}

static bool
sample_from_bits (bool is_float, unsigned container, unsigned valid, SaSample *sample)
{
  if (is_float) {
    *sample = SA_F32;
    return container == 32;
  }
  for (SaSample i = SA_S16; i < SA_SAMPLES; i++) {
    if (samples[i].bytes * 8u == container && samples[i].bits == valid) {
      *sample = i;
      return true;
    }
  }
  return false;
}

bool
sa_format_from_wave (const WAVEFORMATEX *wave, SaFormat *format)
{
  unsigned valid = wave->wBitsPerSample;
  bool is_float = wave->wFormatTag == WAVE_FORMAT_IEEE_FLOAT;

  memset (format, 0, sizeof *format);
  format->rate = wave->nSamplesPerSec;
  format->channels = wave->nChannels;
  if (wave->wFormatTag == WAVE_FORMAT_EXTENSIBLE) {
    const WAVEFORMATEXTENSIBLE *extensible = (const WAVEFORMATEXTENSIBLE *) wave;

    if (wave->cbSize < sizeof *extensible - sizeof *wave)
      return false;
    is_float = IsEqualGUID (&extensible->SubFormat, &KSDATAFORMAT_SUBTYPE_IEEE_FLOAT);
    if (!is_float && !IsEqualGUID (&extensible->SubFormat, &KSDATAFORMAT_SUBTYPE_PCM))
      return false;
    if (extensible->Samples.wValidBitsPerSample)
      valid = extensible->Samples.wValidBitsPerSample;
    format->mask = extensible->dwChannelMask;
  } else if (!is_float && wave->wFormatTag != WAVE_FORMAT_PCM) {
    return false;
  }
  return sample_from_bits (is_float, wave->wBitsPerSample, valid, &format->sample)
      && format->rate && format->channels && wave->nBlockAlign == sa_format_frame_bytes (format)
      && wave->nAvgBytesPerSec == format->rate * wave->nBlockAlign;
}

/* Without a mask, the channels are where Windows puts that many. */
bool
sa_format_equal (const SaFormat *a, const SaFormat *b)
{
  return a->sample == b->sample && a->rate == b->rate && a->channels == b->channels
      && (a->mask == b->mask || !a->mask || !b->mask);
}

/* The finish of splitmix64. */
static uint64_t
mixed (uint64_t z)
{
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

double
sa_hash_unit (uint64_t n)
{
  return (double) (mixed ((n + 1) * 0x9E3779B97F4A7C15u) >> 11) / 9007199254740992.0;
}

/* Of the counting signal: signed, never 0, and as far down as up. */
static int32_t
counting_code (uint64_t number, unsigned channel, unsigned bits)
{
  uint64_t z = (number + 1) * 0x9E3779B97F4A7C15u + (channel + 1) * 0xD1B54A32D192ED03u;
  int64_t full_scale = (int64_t) 1 << (bits - 1);
  int64_t code = (int64_t) (mixed (z) >> (64 - bits)) - full_scale;

  if (code == 0)
    return 1;
  return (int32_t) (code < 1 - full_scale ? 1 - full_scale : code);
}

static int32_t
sine_code (uint64_t number, unsigned rate, unsigned bits)
{
  double turn = (double) (number * SINE_HZ % rate) / rate;

  return (int32_t) lrint (SINE_PEAK * sin (2 * 3.14159265358979323846 * turn) * (double) ((int64_t) 1 << (bits - 1)));
}

static BYTE *
put (SaSample sample, int32_t code, BYTE *data)
{
  float value = (float) code / (float) (1 << 23);
  uint32_t word = (uint32_t) code;

  if (sample == SA_F32)
    memcpy (&word, &value, sizeof word);
  else if (sample == SA_S24_IN_32)
    word <<= 8; /* Windows keeps the valid bits on top */
  for (unsigned i = 0; i < samples[sample].bytes; i++)
    *data++ = (BYTE) (word >> (8 * i));
  return data;
}

void
sa_signal_fill (SaSignal signal, const SaFormat *format, unsigned tag, uint64_t first_frame, BYTE *data,
    unsigned frames)
{
  unsigned bits = samples[format->sample].code_bits;

  if (signal == SA_SILENCE) {
    memset (data, 0, (size_t) frames * sa_format_frame_bytes (format));
    return;
  }
  for (unsigned i = 0; i < frames; i++) {
    for (unsigned channel = 0; channel < format->channels; channel++) {
      uint64_t number = first_frame + i;
      int32_t code = signal == SA_SINE ? sine_code (number, format->rate, bits)
          : counting_code (number + ((uint64_t) tag << 40), channel, bits);

      data = put (format->sample, code, data);
    }
  }
}

void
sa_signal_garbage (const SaFormat *format, BYTE *data, unsigned frames)
{
  unsigned bits = samples[format->sample].code_bits;

  for (unsigned i = 0; i < frames * format->channels; i++)
    data = put (format->sample, (int32_t) 0x5A5A5A5A >> (32 - bits), data);
}
