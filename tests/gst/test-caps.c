/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcformat.h"
#include "zctest.h"

static void
assert_caps (const ZcFormat *format, const gchar *text)
{
  g_autoptr (GstCaps) caps = gst_zc_format_to_caps (format);
  g_autoptr (GstCaps) expected = gst_caps_from_string (text);
  ZcFormat back;

  fail_unless (gst_caps_is_equal (caps, expected), "%s is not %s", gst_caps_to_string (caps), text);
  fail_unless (gst_zc_format_from_caps (caps, format, &back));
  fail_unless (zc_format_equal (&back, format));
}

GST_START_TEST (every_format_goes_both_ways)
{
  for (guint sample = ZC_SAMPLE_UNKNOWN + 1; sample < ZC_N_SAMPLES; sample++)
    for (guint channels = 1; channels <= ZC_MAX_CHANNELS; channels++) {
      ZcFormat format = { .sample = (ZcSample) sample, .rate = 96000, .channels = channels };
      g_autoptr (GstCaps) caps = NULL, template = gst_caps_from_string (GST_ZC_CAPS);
      ZcFormat back;

      zc_format_default_positions (&format);
      caps = gst_zc_format_to_caps (&format);
      fail_unless (gst_caps_is_fixed (caps) && gst_caps_is_subset (caps, template));
      fail_unless (gst_zc_format_from_caps (caps, &format, &back) && zc_format_equal (&back, &format));
    }
}
GST_END_TEST

GST_START_TEST (places_are_gstreamers)
{
  ZcFormat format = { .sample = ZC_SAMPLE_S16LE, .rate = 44100, .channels = 2 };

  zc_format_default_positions (&format);
  assert_caps (&format, "audio/x-raw,format=S16LE,layout=interleaved,rate=44100,channels=2,"
      "channel-mask=(bitmask)0x3");
  format.channels = 1;
  zc_format_default_positions (&format);
  assert_caps (&format, "audio/x-raw,format=S16LE,layout=interleaved,rate=44100,channels=1");
  format.channels = 6;
  zc_format_default_positions (&format);
  assert_caps (&format, "audio/x-raw,format=S16LE,layout=interleaved,rate=44100,channels=6,"
      "channel-mask=(bitmask)0x3f");
}
GST_END_TEST

/* PulseAudio's usual 5.1 has the rear before the centre. */
GST_START_TEST (channels_move_into_gstreamers_order)
{
  ZcFormat format = { .sample = ZC_SAMPLE_U8, .rate = 48000, .channels = 6, .positions = { ZC_POSITION_FRONT_LEFT,
      ZC_POSITION_FRONT_RIGHT, ZC_POSITION_REAR_LEFT, ZC_POSITION_REAR_RIGHT, ZC_POSITION_FRONT_CENTER,
      ZC_POSITION_LFE } };
  guint8 bytes[] = { 1, 2, 5, 6, 3, 4, 11, 12, 15, 16, 13, 14 };
  const guint8 expected[] = { 1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16 };
  GstZcReorder reorder;

  assert_caps (&format, "audio/x-raw,format=U8,layout=interleaved,rate=48000,channels=6,"
      "channel-mask=(bitmask)0x3f");
  gst_zc_reorder_init (&reorder, &format);
  fail_unless (reorder.needed);
  gst_zc_reorder_apply (&reorder, bytes, sizeof bytes);
  fail_unless (memcmp (bytes, expected, sizeof bytes) == 0);

  zc_format_default_positions (&format);
  gst_zc_reorder_init (&reorder, &format);
  fail_unless (!reorder.needed);
}
GST_END_TEST

GST_START_TEST (foreign_caps_are_refused)
{
  const gchar *const foreign[] = { "video/x-raw", "audio/x-raw,format=F64LE,layout=interleaved,rate=48000,channels=1",
    "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=33,channel-mask=(bitmask)0x0" };
  ZcFormat native = { .sample = ZC_SAMPLE_F32LE, .rate = 48000, .channels = 2 }, format;

  for (guint i = 0; i < G_N_ELEMENTS (foreign); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (foreign[i]);
    fail_if (gst_zc_format_from_caps (caps, &native, &format));
  }
}
GST_END_TEST

static void
assert_sample (ZcSample native, const gchar *offered, const gchar *chosen)
{
  ZcFormat format = { .sample = native, .rate = 48000, .channels = 2 };
  g_autofree gchar *text = g_strdup_printf ("audio/x-raw,format=%s,layout=interleaved,rate=[1,max],channels=[1,max]",
      offered);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text), closest = NULL;

  zc_format_default_positions (&format);
  closest = gst_zc_format_closest_caps (&format, caps);
  assert_equals_string (gst_structure_get_string (gst_caps_get_structure (closest, 0), "format"), chosen);
}

/* What downstream offers first need not be what loses least. */
GST_START_TEST (the_sample_that_loses_least)
{
  assert_sample (ZC_SAMPLE_S16BE, "{ F32LE, S32LE, S24LE, S16LE, U8 }", "S16LE");
  assert_sample (ZC_SAMPLE_S24_32LE, "{ F32LE, S32LE, S24LE, S16LE, U8 }", "S24LE");
  assert_sample (ZC_SAMPLE_F32LE, "{ S8, S16LE, S24_32LE }", "S24_32LE");
  assert_sample (ZC_SAMPLE_F32LE, "{ S16LE, S32LE, F32LE }", "F32LE");
  assert_sample (ZC_SAMPLE_F32LE, "{ U8, S16LE }", "S16LE");
  assert_sample (ZC_SAMPLE_U8, "{ F32LE, S16LE }", "S16LE");
  assert_sample (ZC_SAMPLE_S32LE, "{ S16LE, F32LE }", "F32LE");
  assert_sample (ZC_SAMPLE_ALAW, "{ F32LE, S16LE, U8 }", "S16LE");
}
GST_END_TEST

static Suite *
caps_suite (void)
{
  Suite *suite = suite_create ("caps");
  TCase *tc = tcase_create ("caps");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, every_format_goes_both_ways);
  tcase_add_test (tc, places_are_gstreamers);
  tcase_add_test (tc, channels_move_into_gstreamers_order);
  tcase_add_test (tc, foreign_caps_are_refused);
  tcase_add_test (tc, the_sample_that_loses_least);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, caps_suite ());
}
