/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What source and downstream agree on: caps and pool. */
#include "gstzcbufferpool.h"
#include "zctest.h"

typedef struct {
  GstBufferPool *pool;
  guint size;
  guint min_buffers;
} Proposal;

static GstPadProbeReturn
propose (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  const Proposal *proposal = data;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_add_allocation_pool (query, proposal->pool, proposal->size, proposal->min_buffers, 0);
  return GST_PAD_PROBE_HANDLED;
}

/* With a sink that proposes this, the first buffer's pool. */
static GstBufferPool *
pool_for (const Proposal *proposal, guint64 *pool_size)
{
  GstPad *pad;
  GstBufferPool *pool;
  GstBuffer *buffer;
  ZcTest test;

  zc_test_start (&test, "", NULL, NULL);
  gst_element_set_state (test.element, GST_STATE_READY);
  pad = gst_element_get_static_pad (test.element, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH, propose,
      (gpointer) proposal, NULL);
  gst_object_unref (pad);
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  zc_test_crank_ms (&test, 10);
  buffer = zc_test_pull (&test);
  zc_test_assert_counts (buffer, 0);
  fail_unless_equals_int (gst_buffer_get_size (buffer), 480 * FRAME_BYTES);
  pool = buffer->pool != NULL ? gst_object_ref (buffer->pool) : NULL;
  *pool_size = zc_test_stat (&test, "pool-size");
  gst_buffer_unref (buffer);
  zc_test_finish (&test);
  return pool;
}

GST_START_TEST (downstreams_pool_is_taken_if_it_fits)
{
  Proposal fits = { gst_buffer_pool_new (), 5000, 2 }, small = { gst_buffer_pool_new (), 100, 2 };
  Proposal deep = { NULL, 0, 100 };
  GstBufferPool *pool;
  guint64 size;

  pool = pool_for (&fits, &size);
  fail_unless (pool == fits.pool);
  gst_object_unref (pool);
  pool = pool_for (&small, &size);
  fail_unless (pool != small.pool && GST_IS_ZC_BUFFER_POOL (pool));
  gst_object_unref (pool);
  pool = pool_for (&deep, &size); /* no pool, but a wish for its depth */
  fail_unless (GST_IS_ZC_BUFFER_POOL (pool));
  fail_unless_equals_uint64 (size, 100);
  gst_object_unref (pool);
  gst_object_unref (fits.pool);
  gst_object_unref (small.pool);
}
GST_END_TEST

GST_START_TEST (caps_are_the_devices_own)
{
  ZcTest test;
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstCaps) expected = gst_caps_from_string ("audio/x-raw,format=S24LE,layout=interleaved,rate=96000,"
      "channels=6,channel-mask=(bitmask)0x3f");

  zc_test_start (&test, "format=S24LE rate=96000 channels=6 packet=960", NULL, NULL);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  caps = gst_pad_get_current_caps (test.harness->sinkpad);
  fail_unless (gst_caps_is_equal (caps, expected));
  zc_test_finish (&test);
}
GST_END_TEST

static void
assert_negotiates (const gchar *script, const gchar *sink_caps, const gchar *expected_caps)
{
  g_autoptr (GstCaps) caps = NULL, expected = gst_caps_from_string (expected_caps);
  ZcTest test;

  zc_test_start (&test, script, NULL, sink_caps);
  zc_test_crank_ms (&test, 50);
  gst_buffer_unref (zc_test_pull (&test));
  caps = gst_pad_get_current_caps (test.harness->sinkpad);
  fail_unless (gst_caps_is_equal (caps, expected), "%" GST_PTR_FORMAT, caps);
  zc_test_finish (&test);
}

/* The device's own format wherever it stands; else what is closest: as many channels first, then the rate. */
GST_START_TEST (downstream_may_ask_for_another_format)
{
  assert_negotiates ("rate=44100", "audio/x-raw,format=S16LE", "audio/x-raw,format=S16LE,layout=interleaved,"
      "rate=44100,channels=2,channel-mask=(bitmask)0x3");
  assert_negotiates ("", "audio/x-raw,format=S16LE,channels=1; audio/x-raw,format={S16LE,F32LE},channels=[1,8]",
      "audio/x-raw,format=F32LE,layout=interleaved,rate=48000,channels=2,channel-mask=(bitmask)0x3");
  assert_negotiates ("format=S24_32LE", "audio/x-raw,format=F32LE; audio/x-alaw; audio/x-mulaw",
      "audio/x-raw,format=F32LE,layout=interleaved,rate=48000,channels=2,channel-mask=(bitmask)0x3");
  assert_negotiates ("format=S16LE", "audio/x-raw,rate=22050", "audio/x-raw,format=S16LE,layout=interleaved,"
      "rate=22050,channels=2,channel-mask=(bitmask)0x3");
  assert_negotiates ("", "audio/x-mulaw; audio/x-raw,format=S16LE,channels=1",
      "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1");
  assert_negotiates ("", "audio/x-raw,format=S16LE,channels=1; audio/x-raw,format=S16LE,channels=2,rate=44100",
      "audio/x-raw,format=S16LE,layout=interleaved,rate=44100,channels=2,channel-mask=(bitmask)0x3");
}
GST_END_TEST

GST_START_TEST (renegotiates_while_playing)
{
  ZcTest test;
  g_autoptr (GstCaps) caps = NULL;
  GstBuffer *buffer;

  zc_test_start (&test, "", NULL, "audio/x-raw,format=F32LE");
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  gst_harness_set_sink_caps_str (test.harness, "audio/x-raw,format=S16LE,rate=48000,channels=1");
  gst_harness_push_upstream_event (test.harness, gst_event_new_reconfigure ());
  do { /* a packet may have been on its way already */
    zc_test_crank_ms (&test, 10);
    buffer = zc_test_pull (&test);
    caps = gst_pad_get_current_caps (test.harness->sinkpad);
    if (gst_buffer_get_size (buffer) == 480 * 2)
      break;
    gst_buffer_unref (buffer);
    gst_clear_caps (&caps);
  } while (TRUE);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
  fail_unless (strstr (gst_structure_get_string (gst_caps_get_structure (caps, 0), "format"), "S16LE") != NULL);
  gst_buffer_unref (buffer);
  zc_test_finish (&test);
}
GST_END_TEST

/* Downstream asks anew, with the same answer: not a frame may be lost. */
GST_START_TEST (same_caps_again_lose_nothing)
{
  ZcTest test;

  zc_test_start (&test, "packet=700", NULL, NULL);
  for (guint i = 0; i < 20; i++) {
    GstBuffer *buffer;
    zc_test_crank_ms (&test, 15);
    gst_harness_push_upstream_event (test.harness, gst_event_new_reconfigure ());
    buffer = zc_test_pull (&test);
    zc_test_assert_counts (buffer, i * 480);
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost"), 0);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-misses"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (impossible_caps_are_one_error)
{
  ZcTest test;

  zc_test_start (&test, "", NULL, "audio/x-raw,format=S16LE,channels=33");
  zc_test_assert_one_error (&test, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, "channels=(int)33");
  zc_test_finish (&test);
}
GST_END_TEST

static Suite *
negotiation_suite (void)
{
  Suite *suite = suite_create ("negotiation");
  TCase *tc = tcase_create ("negotiation");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, downstreams_pool_is_taken_if_it_fits);
  tcase_add_test (tc, caps_are_the_devices_own);
  tcase_add_test (tc, downstream_may_ask_for_another_format);
  tcase_add_test (tc, renegotiates_while_playing);
  tcase_add_test (tc, same_caps_again_lose_nothing);
  tcase_add_test (tc, impossible_caps_are_one_error);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, negotiation_suite ());
}
