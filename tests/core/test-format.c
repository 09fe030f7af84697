/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-format.h"

static void
names_go_both_ways (void)
{
  for (guint i = ZC_SAMPLE_UNKNOWN + 1; i < ZC_N_SAMPLES; i++) {
    g_assert_cmpint (zc_sample_from_name (zc_sample_name ((ZcSample) i)), ==, i);
    g_assert_cmpuint (zc_sample_bytes ((ZcSample) i), >, 0);
  }
  g_assert_cmpint (zc_sample_from_name ("S17"), ==, ZC_SAMPLE_UNKNOWN);
  g_assert_cmpint (zc_sample_from_name (NULL), ==, ZC_SAMPLE_UNKNOWN);
}

static void
time_and_frames_agree (void)
{
  const guint rates[] = { 1, 8000, 11025, 44100, 48000, 192000, ZC_MAX_RATE };
  const guint64 year_s = 365 * 24 * 3600;

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    g_assert_cmpuint (zc_frames_to_ns (rates[i], rates[i]), ==, 1000000000);
    g_assert_cmpuint (zc_frames_to_ns (rates[i] * year_s, rates[i]), ==, year_s * 1000000000);
    g_assert_cmpuint (zc_ns_to_frames (year_s * 1000000000, rates[i]), ==, rates[i] * year_s);
  }
  g_assert_cmpuint (zc_frames_to_ns (1, 44100), ==, 22675);
}

static void
silence_is_silent (void)
{
  ZcFormat format = { .sample = ZC_SAMPLE_U8, .rate = 8000, .channels = 1 };
  guint8 bytes[4];

  zc_format_fill_silence (&format, bytes, sizeof bytes);
  g_assert_cmpuint (bytes[3], ==, 0x80);
  format.sample = ZC_SAMPLE_S32BE;
  zc_format_fill_silence (&format, bytes, sizeof bytes);
  g_assert_cmpuint (bytes[0], ==, 0);
}

static void
default_positions_differ (void)
{
  for (guint channels = 1; channels <= ZC_MAX_CHANNELS; channels++) {
    ZcFormat format = { .sample = ZC_SAMPLE_S16LE, .rate = 48000, .channels = channels };
    guint seen = 0;

    zc_format_default_positions (&format);
    for (guint i = 0; i < channels; i++)
      seen |= 1u << format.positions[i];
    g_assert_cmpuint (g_bit_nth_lsf (seen, -1), >=, 0);
    if (channels > 8)
      g_assert_cmpuint (seen, ==, 1u << ZC_POSITION_NONE);
    else
      for (guint i = 1; i < channels; i++)
        g_assert_cmpint (format.positions[i], >, format.positions[i - 1]);
  }
}

static void
assert_settled (const ZcPosition *told, guint channels, const ZcPosition *expected)
{
  ZcFormat format = { .sample = ZC_SAMPLE_S16LE, .rate = 48000, .channels = channels };

  for (guint i = 0; i < channels; i++)
    format.positions[i] = told[i];
  zc_format_settle_positions (&format);
  for (guint i = 0; i < channels; i++)
    g_assert_cmpint (format.positions[i], ==, expected[i]);
}

static void
positions_make_sense_together (void)
{
  const ZcPosition swapped[] = { ZC_POSITION_FRONT_RIGHT, ZC_POSITION_FRONT_LEFT };
  const ZcPosition twice[] = { ZC_POSITION_FRONT_LEFT, ZC_POSITION_FRONT_LEFT };
  const ZcPosition auxiliary[] = { ZC_POSITION_FRONT_LEFT, ZC_POSITION_NONE };
  const ZcPosition none[] = { ZC_POSITION_NONE, ZC_POSITION_NONE };
  const ZcPosition mono[] = { ZC_POSITION_MONO };

  assert_settled (swapped, 2, swapped);
  assert_settled (twice, 2, none);
  assert_settled (auxiliary, 2, none);
  assert_settled (twice, 1, mono);
  assert_settled (none, 1, mono);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/format/names-go-both-ways", names_go_both_ways);
  g_test_add_func ("/format/time-and-frames-agree", time_and_frames_agree);
  g_test_add_func ("/format/silence-is-silent", silence_is_silent);
  g_test_add_func ("/format/default-positions-differ", default_positions_differ);
  g_test_add_func ("/format/positions-make-sense-together", positions_make_sense_together);
  return g_test_run ();
}
