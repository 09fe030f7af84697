/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What several play, added up at its place. Frames here are one sample wide, or two. */
#include "zc-backend-pulse/mix.h"

#include <string.h>

#define ROOM 8

static const ZcFormat mono = { .sample = ZC_SAMPLE_S16LE, .rate = 48000, .channels = 1 };

static guint
add (ZcPulseMix *mix, gint64 position, const gint16 *samples, guint frames)
{
  return zc_pulse_mix_add (mix, position, (const guint8 *) samples, frames);
}

/* Takes what lies side by side, and compares. */
static void
assert_next (ZcPulseMix *mix, const gint16 *expected, guint frames)
{
  const guint8 *data;

  g_assert_cmpuint (zc_pulse_mix_peek (mix, frames, &data), ==, frames);
  g_assert_cmpmem (data, frames * 2, expected, frames * 2);
  zc_pulse_mix_take (mix, frames);
}

static void
samples_are_added_where_they_belong (void)
{
  ZcPulseMix mix;

  zc_pulse_mix_init (&mix, &mono, ROOM);
  g_assert_cmpuint (add (&mix, 0, (gint16[]){ 1, 2, 3, 4 }, 4), ==, 4);
  g_assert_cmpuint (add (&mix, 2, (gint16[]){ 10, 20, 30 }, 3), ==, 3);
  assert_next (&mix, (gint16[]){ 1, 2, 13, 24, 30, 0 }, 6);
  zc_pulse_mix_clear (&mix);
}

/* Nobody has added: nothing to read, whatever lies there. Once somebody has, what was taken is silent. */
static void
silence_is_told (void)
{
  const guint8 *data;
  ZcPulseMix mix;

  zc_pulse_mix_init (&mix, &mono, ROOM);
  g_assert_cmpuint (zc_pulse_mix_peek (&mix, 4, &data), ==, 4);
  g_assert_null (data);
  add (&mix, 0, (gint16[]){ 5, 5, 5, 5, 5, 5, 5, 5 }, 8);
  zc_pulse_mix_take (&mix, 8);
  zc_pulse_mix_peek (&mix, 4, &data);
  g_assert_null (data);
  add (&mix, 10, (gint16[]){ 7 }, 1);
  assert_next (&mix, (gint16[]){ 0, 0, 7, 0 }, 4);
  zc_pulse_mix_clear (&mix);
}

static void
late_frames_are_dropped_and_there_is_an_end (void)
{
  ZcPulseMix mix;

  zc_pulse_mix_init (&mix, &mono, ROOM);
  zc_pulse_mix_take (&mix, 6);
  g_assert_cmpuint (add (&mix, 2, (gint16[]){ 1, 1, 1 }, 3), ==, 3);
  g_assert_cmpuint (add (&mix, -3, (gint16[]){ 1, 1, 1 }, 3), ==, 3);
  g_assert_cmpuint (add (&mix, 5, (gint16[]){ 1, 2, 3 }, 3), ==, 3);
  g_assert_cmpuint (add (&mix, 12, (gint16[]){ 8, 9, 10 }, 3), ==, 2); /* 6 + ROOM is the end */
  g_assert_cmpuint (add (&mix, 14, (gint16[]){ 10 }, 1), ==, 0);
  assert_next (&mix, (gint16[]){ 2, 3 }, 2); /* up to where the ring begins again */
  assert_next (&mix, (gint16[]){ 0, 0, 0, 0, 8, 9 }, 6);
  zc_pulse_mix_clear (&mix);
}

static void
integers_stop_at_full_scale (void)
{
  const ZcFormat wide = { .sample = ZC_SAMPLE_S32LE, .rate = 48000, .channels = 2 };
  const gint32 loud[] = { G_MAXINT32 - 5, G_MININT32 + 5 };
  const guint8 *data;
  ZcPulseMix mix;

  zc_pulse_mix_init (&mix, &mono, ROOM);
  add (&mix, 0, (gint16[]){ 30000, -30000 }, 2);
  add (&mix, 0, (gint16[]){ 3000, -3000 }, 2);
  assert_next (&mix, (gint16[]){ G_MAXINT16, G_MININT16 }, 2);
  zc_pulse_mix_clear (&mix);

  zc_pulse_mix_init (&mix, &wide, ROOM);
  zc_pulse_mix_add (&mix, 0, (const guint8 *) loud, 1);
  zc_pulse_mix_add (&mix, 0, (const guint8 *) loud, 1);
  zc_pulse_mix_peek (&mix, 1, &data);
  g_assert_cmpmem (data, 8, ((gint32[]){ G_MAXINT32, G_MININT32 }), 8);
  zc_pulse_mix_clear (&mix);
}

/* Of 24 bits: 3 bytes, or 4 of which the highest may be anything. */
static void
three_bytes_are_added_and_stop (void)
{
  const ZcFormat packed = { .sample = ZC_SAMPLE_S24LE, .rate = 48000, .channels = 2 };
  const ZcFormat wide = { .sample = ZC_SAMPLE_S24_32LE, .rate = 48000, .channels = 2 };
  const guint8 loud[] = { 0xfe, 0xff, 0x7f, 0xff, 0xff, 0xff }; /* full scale but one; -1 */
  const guint8 loud_wide[] = { 0xfe, 0xff, 0x7f, 0x55, 0xff, 0xff, 0xff, 0x00 };
  const guint8 *data;
  ZcPulseMix mix;

  zc_pulse_mix_init (&mix, &packed, ROOM);
  zc_pulse_mix_add (&mix, 0, loud, 1);
  zc_pulse_mix_add (&mix, 0, loud, 1);
  zc_pulse_mix_peek (&mix, 1, &data);
  g_assert_cmpmem (data, 6, ((guint8[]){ 0xff, 0xff, 0x7f, 0xfe, 0xff, 0xff }), 6);
  zc_pulse_mix_clear (&mix);

  zc_pulse_mix_init (&mix, &wide, ROOM);
  zc_pulse_mix_add (&mix, 0, loud_wide, 1);
  zc_pulse_mix_add (&mix, 0, loud_wide, 1);
  zc_pulse_mix_peek (&mix, 1, &data);
  g_assert_cmpmem (data, 8, ((guint8[]){ 0xff, 0xff, 0x7f, 0x00, 0xfe, 0xff, 0xff, 0xff }), 8);
  zc_pulse_mix_clear (&mix);
}

static void
float_has_room_above (void)
{
  const ZcFormat format = { .sample = ZC_SAMPLE_F32LE, .rate = 48000, .channels = 2 };
  const float loud[] = { 0.75f, -1.0f };
  const guint8 *data;
  ZcPulseMix mix;

  zc_pulse_mix_init (&mix, &format, ROOM);
  zc_pulse_mix_add (&mix, 0, (const guint8 *) loud, 1);
  zc_pulse_mix_add (&mix, 0, (const guint8 *) loud, 1);
  zc_pulse_mix_peek (&mix, 1, &data);
  g_assert_cmpmem (data, 8, ((float[]){ 1.5f, -2.0f }), 8);
  zc_pulse_mix_clear (&mix);
}

static void
other_formats_cannot_be_mixed (void)
{
  guint can = 0;

  for (ZcSample sample = ZC_SAMPLE_UNKNOWN; sample < ZC_N_SAMPLES; sample++)
    can += zc_pulse_mix_can (&(ZcFormat){ .sample = sample });
  g_assert_cmpuint (can, ==, 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mix/samples-are-added-where-they-belong", samples_are_added_where_they_belong);
  g_test_add_func ("/mix/silence-is-told", silence_is_told);
  g_test_add_func ("/mix/late-frames-are-dropped-and-there-is-an-end", late_frames_are_dropped_and_there_is_an_end);
  g_test_add_func ("/mix/integers-stop-at-full-scale", integers_stop_at_full_scale);
  g_test_add_func ("/mix/three-bytes-are-added-and-stop", three_bytes_are_added_and_stop);
  g_test_add_func ("/mix/float-has-room-above", float_has_room_above);
  g_test_add_func ("/mix/other-formats-cannot-be-mixed", other_formats_cannot_be_mixed);
  return g_test_run ();
}
