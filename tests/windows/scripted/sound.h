/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sound.h: sample formats, and what a scripted endpoint plays.
 *
 * The counting signal is that of tests/support/signals.py, to the bit: every sample is a hash of its frame's number
 * and its channel, so that a few frames of a capture tell where they are from. README.md has the formula. */
#pragma once

#include "object.h"

#include <mmreg.h>
#include <ks.h>
#include <ksmedia.h>

typedef enum { SA_F32, SA_S16, SA_S24, SA_S24_IN_32, SA_S32, SA_SAMPLES } SaSample;

typedef struct {
  SaSample sample;
  unsigned rate;
  unsigned channels;
  DWORD mask; /* of speakers; 0: none given */
} SaFormat;

typedef enum { SA_COUNTING, SA_SINE, SA_SILENCE } SaSignal;

unsigned sa_format_frame_bytes (const SaFormat *format);

/* The name in scripts, and back; SA_SAMPLES if there is none. */
SaSample sa_sample_from_name (const char *name);
const char *sa_sample_name (SaSample sample);

/* As Windows writes it; free with CoTaskMemFree. */
WAVEFORMATEX *sa_format_to_wave (const SaFormat *format);
bool sa_format_from_wave (const WAVEFORMATEX *wave, SaFormat *format);
bool sa_format_equal (const SaFormat *a, const SaFormat *b);

/* Writes `frames` frames of the signal from `first_frame` on; `tag` makes signals of several sources differ. */
void sa_signal_fill (SaSignal signal, const SaFormat *format, unsigned tag, uint64_t first_frame, BYTE *data,
    unsigned frames);

/* What nobody may read: bytes of a silent packet, of a packet that was released. Not silent in any format, and the
 * same in every channel, which no counting signal is. */
void sa_signal_garbage (const SaFormat *format, BYTE *data, unsigned frames);

/* A number that depends on nothing but `n`, 0 to 1. */
double sa_hash_unit (uint64_t n);
