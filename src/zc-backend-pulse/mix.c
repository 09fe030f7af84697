/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mix.h"

#include <string.h>

static void
add_s16 (guint8 *dst, const guint8 *src, gsize n)
{
  for (gsize i = 0; i < n; i++, dst += 2, src += 2) {
    gint16 a, b;

    memcpy (&a, dst, 2);
    memcpy (&b, src, 2);
    a = GINT16_TO_LE ((gint16) CLAMP ((gint32) GINT16_FROM_LE (a) + GINT16_FROM_LE (b), G_MININT16, G_MAXINT16));
    memcpy (dst, &a, 2);
  }
}

static void
add_s32 (guint8 *dst, const guint8 *src, gsize n)
{
  for (gsize i = 0; i < n; i++, dst += 4, src += 4) {
    gint32 a, b;

    memcpy (&a, dst, 4);
    memcpy (&b, src, 4);
    a = GINT32_TO_LE ((gint32) CLAMP ((gint64) GINT32_FROM_LE (a) + GINT32_FROM_LE (b), G_MININT32, G_MAXINT32));
    memcpy (dst, &a, 4);
  }
}

#define MAX_S24 0x7fffff

static gint32
clamp_s24 (gint32 sample)
{
  return CLAMP (sample, -MAX_S24 - 1, MAX_S24);
}

static gint32
s24_at (const guint8 *bytes)
{
  return (gint32) ((guint32) bytes[0] << 8 | (guint32) bytes[1] << 16 | (guint32) bytes[2] << 24) >> 8;
}

static void
add_s24 (guint8 *dst, const guint8 *src, gsize n)
{
  for (gsize i = 0; i < n; i++, dst += 3, src += 3) {
    guint32 sum = (guint32) clamp_s24 (s24_at (dst) + s24_at (src));

    dst[0] = (guint8) sum;
    dst[1] = (guint8) (sum >> 8);
    dst[2] = (guint8) (sum >> 16);
  }
}

/* The high byte says nothing of the sample, and is its sign afterwards. */
static void
add_s24_32 (guint8 *dst, const guint8 *src, gsize n)
{
  for (gsize i = 0; i < n; i++, dst += 4, src += 4) {
    gint32 sum = GINT32_TO_LE (clamp_s24 (s24_at (dst) + s24_at (src)));

    memcpy (dst, &sum, 4);
  }
}

static float
float_at (const guint8 *bytes)
{
  union { guint32 word; float sample; } both;

  memcpy (&both.word, bytes, 4);
  both.word = GUINT32_FROM_LE (both.word);
  return both.sample;
}

/* Float has room beyond full scale: whoever makes integers of it decides. */
static void
add_f32 (guint8 *dst, const guint8 *src, gsize n)
{
  for (gsize i = 0; i < n; i++, dst += 4, src += 4) {
    union { float sample; guint32 word; } both = { float_at (dst) + float_at (src) };

    both.word = GUINT32_TO_LE (both.word);
    memcpy (dst, &both.word, 4);
  }
}

static const ZcPulseAdd adders[ZC_N_SAMPLES] = {
  [ZC_SAMPLE_S16LE] = add_s16,
  [ZC_SAMPLE_S24LE] = add_s24,
  [ZC_SAMPLE_S24_32LE] = add_s24_32,
  [ZC_SAMPLE_S32LE] = add_s32,
  [ZC_SAMPLE_F32LE] = add_f32,
};

gboolean
zc_pulse_mix_can (const ZcFormat *format)
{
  return adders[format->sample] != NULL;
}

/* The silence of all these formats is 0. */
void
zc_pulse_mix_init (ZcPulseMix *mix, const ZcFormat *format, guint capacity_frames)
{
  *mix = (ZcPulseMix){ .add = adders[format->sample], .capacity_frames = capacity_frames,
    .frame_bytes = zc_format_frame_bytes (format), .channels = format->channels };
  mix->data = g_malloc0_n (capacity_frames, mix->frame_bytes);
}

void
zc_pulse_mix_clear (ZcPulseMix *mix)
{
  g_clear_pointer (&mix->data, g_free);
}

/* How many of `frames` lie side by side from that position on. */
static guint
side_by_side (const ZcPulseMix *mix, guint64 position, guint frames)
{
  return MIN (frames, mix->capacity_frames - (guint) (position % mix->capacity_frames));
}

static guint8 *
place (const ZcPulseMix *mix, guint64 position)
{
  return mix->data + (gsize) (position % mix->capacity_frames) * mix->frame_bytes;
}

guint
zc_pulse_mix_add (ZcPulseMix *mix, gint64 position, const guint8 *data, guint frames)
{
  gint64 late = CLAMP ((gint64) mix->begin - position, 0, (gint64) frames);
  gint64 room = MAX ((gint64) (mix->begin + mix->capacity_frames) - position, 0);
  guint end = (guint) MIN ((gint64) frames, room);

  for (guint done = (guint) late, n; done < end; done += n) {
    guint64 at = (guint64) (position + done);

    n = side_by_side (mix, at, end - done);
    mix->add (place (mix, at), data + (gsize) done * mix->frame_bytes, (gsize) n * mix->channels);
    mix->sounding_to = MAX (mix->sounding_to, at + n);
  }
  return MAX (end, (guint) late);
}

guint
zc_pulse_mix_peek (const ZcPulseMix *mix, guint frames, const guint8 **data)
{
  *data = mix->sounding_to > mix->begin ? place (mix, mix->begin) : NULL;
  return side_by_side (mix, mix->begin, frames);
}

void
zc_pulse_mix_take (ZcPulseMix *mix, guint frames)
{
  memset (place (mix, mix->begin), 0, (gsize) frames * mix->frame_bytes);
  mix->begin += frames;
}
