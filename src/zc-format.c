/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-format.h"

#include <string.h>

static const struct {
  const gchar *name;
  guint bytes;
  guint8 silence; /* each byte of a silent sample */
} samples[ZC_N_SAMPLES] = {
  [ZC_SAMPLE_UNKNOWN] = { "unknown", 0, 0 },
  [ZC_SAMPLE_U8] = { "U8", 1, 0x80 },
  [ZC_SAMPLE_ALAW] = { "ALAW", 1, 0xd5 },   /* ITU-T G.711, table 1a: +0 */
  [ZC_SAMPLE_MULAW] = { "MULAW", 1, 0xff }, /* ITU-T G.711, table 2a: +0 */
  [ZC_SAMPLE_S16LE] = { "S16LE", 2, 0 },
  [ZC_SAMPLE_S16BE] = { "S16BE", 2, 0 },
  [ZC_SAMPLE_S24LE] = { "S24LE", 3, 0 },
  [ZC_SAMPLE_S24BE] = { "S24BE", 3, 0 },
  [ZC_SAMPLE_S24_32LE] = { "S24_32LE", 4, 0 },
  [ZC_SAMPLE_S24_32BE] = { "S24_32BE", 4, 0 },
  [ZC_SAMPLE_S32LE] = { "S32LE", 4, 0 },
  [ZC_SAMPLE_S32BE] = { "S32BE", 4, 0 },
  [ZC_SAMPLE_F32LE] = { "F32LE", 4, 0 },
  [ZC_SAMPLE_F32BE] = { "F32BE", 4, 0 },
};

guint
zc_sample_bytes (ZcSample sample)
{
  return samples[sample].bytes;
}

const gchar *
zc_sample_name (ZcSample sample)
{
  return samples[sample].name;
}

ZcSample
zc_sample_from_name (const gchar *name)
{
  for (guint i = ZC_SAMPLE_UNKNOWN + 1; i < ZC_N_SAMPLES; i++)
    if (g_strcmp0 (name, samples[i].name) == 0)
      return (ZcSample) i;
  return ZC_SAMPLE_UNKNOWN;
}

guint
zc_format_frame_bytes (const ZcFormat *format)
{
  return zc_sample_bytes (format->sample) * format->channels;
}

void
zc_format_fill_silence (const ZcFormat *format, guint8 *data, gsize bytes)
{
  memset (data, samples[format->sample].silence, bytes);
}

void
zc_format_default_positions (ZcFormat *format)
{
  static const guint n_usual = 8;
  static const ZcPosition usual[8][8] = {
    { ZC_POSITION_MONO },
    { ZC_POSITION_FRONT_LEFT, ZC_POSITION_FRONT_RIGHT },
    { ZC_POSITION_FRONT_LEFT, ZC_POSITION_FRONT_RIGHT, ZC_POSITION_LFE },
    { ZC_POSITION_FRONT_LEFT, ZC_POSITION_FRONT_RIGHT, ZC_POSITION_REAR_LEFT, ZC_POSITION_REAR_RIGHT },
    { ZC_POSITION_FRONT_LEFT, ZC_POSITION_FRONT_RIGHT, ZC_POSITION_FRONT_CENTER, ZC_POSITION_REAR_LEFT,
        ZC_POSITION_REAR_RIGHT },
    { ZC_POSITION_FRONT_LEFT, ZC_POSITION_FRONT_RIGHT, ZC_POSITION_FRONT_CENTER, ZC_POSITION_LFE,
        ZC_POSITION_REAR_LEFT, ZC_POSITION_REAR_RIGHT },
    { ZC_POSITION_FRONT_LEFT, ZC_POSITION_FRONT_RIGHT, ZC_POSITION_FRONT_CENTER, ZC_POSITION_LFE,
        ZC_POSITION_REAR_LEFT, ZC_POSITION_REAR_RIGHT, ZC_POSITION_REAR_CENTER },
    { ZC_POSITION_FRONT_LEFT, ZC_POSITION_FRONT_RIGHT, ZC_POSITION_FRONT_CENTER, ZC_POSITION_LFE,
        ZC_POSITION_REAR_LEFT, ZC_POSITION_REAR_RIGHT, ZC_POSITION_SIDE_LEFT, ZC_POSITION_SIDE_RIGHT },
  };

  for (guint i = 0; i < format->channels; i++)
    format->positions[i] = format->channels <= n_usual ? usual[format->channels - 1][i] : ZC_POSITION_NONE;
}

static gboolean
each_has_a_place (const ZcFormat *format)
{
  guint seen = 0;

  for (guint i = 0; i < format->channels; i++) {
    if (format->positions[i] == ZC_POSITION_NONE || (seen & 1u << format->positions[i]) != 0)
      return FALSE;
    seen |= 1u << format->positions[i];
  }
  return TRUE;
}

void
zc_format_settle_positions (ZcFormat *format)
{
  if (format->channels == 1)
    format->positions[0] = ZC_POSITION_MONO;
  else if (!each_has_a_place (format))
    for (guint i = 0; i < format->channels; i++)
      format->positions[i] = ZC_POSITION_NONE;
}

gboolean
zc_format_equal (const ZcFormat *a, const ZcFormat *b)
{
  return a->sample == b->sample && a->rate == b->rate && a->channels == b->channels
      && memcmp (a->positions, b->positions, a->channels * sizeof a->positions[0]) == 0;
}

gchar *
zc_format_describe (const ZcFormat *format)
{
  return g_strdup_printf ("%s, %u Hz, %u channel%s", zc_sample_name (format->sample), format->rate, format->channels,
      format->channels == 1 ? "" : "s");
}

/* Whole seconds apart, so that the product of the rest never leaves 64 bits. */
guint64
zc_frames_to_ns (guint64 frames, guint rate)
{
  return frames / rate * G_GUINT64_CONSTANT (1000000000) + frames % rate * G_GUINT64_CONSTANT (1000000000) / rate;
}

guint64
zc_ns_to_frames (guint64 ns, guint rate)
{
  const guint64 second = G_GUINT64_CONSTANT (1000000000);

  return ns / second * rate + ns % second * rate / second;
}
