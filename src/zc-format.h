/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-format.h: what the frames of a stream are made of.
 *
 * Audio is interleaved: a block of n frames is n x channels samples, the channels of one frame side by side, in the
 * order of `positions`. Names of samples and positions are those of GStreamer's GstAudioFormat and
 * GstAudioChannelPosition; nothing here depends on GStreamer. */
#pragma once

#include "zc-limits.h"

G_BEGIN_DECLS

typedef enum {
  ZC_SAMPLE_UNKNOWN,
  ZC_SAMPLE_U8,
  ZC_SAMPLE_ALAW,
  ZC_SAMPLE_MULAW,
  ZC_SAMPLE_S16LE,
  ZC_SAMPLE_S16BE,
  ZC_SAMPLE_S24LE, /* 3 bytes */
  ZC_SAMPLE_S24BE,
  ZC_SAMPLE_S24_32LE, /* 4 bytes, the low 24 bits used */
  ZC_SAMPLE_S24_32BE,
  ZC_SAMPLE_S32LE,
  ZC_SAMPLE_S32BE,
  ZC_SAMPLE_F32LE, /* full scale is -1.0 to 1.0 */
  ZC_SAMPLE_F32BE,
  ZC_N_SAMPLES,
} ZcSample;

/* Where a channel is meant to be heard. The first 18 are in the order of the bits of a WAVEFORMATEXTENSIBLE channel
 * mask (Windows SDK, ksmedia.h, SPEAKER_*), which GStreamer's channel-mask follows. */
typedef enum {
  ZC_POSITION_FRONT_LEFT,
  ZC_POSITION_FRONT_RIGHT,
  ZC_POSITION_FRONT_CENTER,
  ZC_POSITION_LFE,
  ZC_POSITION_REAR_LEFT,
  ZC_POSITION_REAR_RIGHT,
  ZC_POSITION_FRONT_LEFT_OF_CENTER,
  ZC_POSITION_FRONT_RIGHT_OF_CENTER,
  ZC_POSITION_REAR_CENTER,
  ZC_POSITION_SIDE_LEFT,
  ZC_POSITION_SIDE_RIGHT,
  ZC_POSITION_TOP_CENTER,
  ZC_POSITION_TOP_FRONT_LEFT,
  ZC_POSITION_TOP_FRONT_CENTER,
  ZC_POSITION_TOP_FRONT_RIGHT,
  ZC_POSITION_TOP_REAR_LEFT,
  ZC_POSITION_TOP_REAR_CENTER,
  ZC_POSITION_TOP_REAR_RIGHT,
  ZC_POSITION_MONO, /* the only channel of a stream */
  ZC_POSITION_NONE, /* a channel without a place */
  ZC_N_POSITIONS,
} ZcPosition;

typedef struct {
  ZcSample sample;
  guint rate;     /* frames per second, 1 to ZC_MAX_RATE */
  guint channels; /* 1 to ZC_MAX_CHANNELS */
  ZcPosition positions[ZC_MAX_CHANNELS]; /* of each channel, in the order of the bytes */
} ZcFormat;

/* Bytes of one sample; 0 for ZC_SAMPLE_UNKNOWN. */
guint zc_sample_bytes (ZcSample sample);

/* "S16LE" and so on, never NULL. */
const gchar *zc_sample_name (ZcSample sample);

/* ZC_SAMPLE_UNKNOWN if there is no such name. */
ZcSample zc_sample_from_name (const gchar *name);

/* Bytes of one frame (all channels). */
guint zc_format_frame_bytes (const ZcFormat *format);

/* Writes `bytes` bytes that sound like nothing. */
void zc_format_fill_silence (const ZcFormat *format, guint8 *data, gsize bytes);

/* The usual places of 1, 2, 3 ... 8 channels; NONE for all channels of any other number. */
void zc_format_default_positions (ZcFormat *format);

/* Makes sense of places that a system told: a single channel is MONO wherever it stands; where one of several has no
 * place, or two have the same, none has. */
void zc_format_settle_positions (ZcFormat *format);

gboolean zc_format_equal (const ZcFormat *a, const ZcFormat *b);

/* "F32LE, 48000 Hz, 2 channels", for messages. Free with g_free(). */
gchar *zc_format_describe (const ZcFormat *format);

/* frames <-> ns at `rate`, rounded down. Exact up to 2^63 ns (292 years). */
guint64 zc_frames_to_ns (guint64 frames, guint rate);
guint64 zc_ns_to_frames (guint64 ns, guint rate);

G_END_DECLS
