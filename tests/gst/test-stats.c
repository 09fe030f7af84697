/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element counts, and tells without being asked. */
#include "zctest.h"

static const gchar *const causes[] = { "frames-lost-device", "frames-lost-unseen", "frames-lost-overflow",
  "frames-lost-early", "frames-lost-unfinished" };

static void
assert_causes_add_up (ZcTest *test)
{
  guint64 sum = 0;

  for (guint i = 0; i < G_N_ELEMENTS (causes); i++)
    sum += zc_test_stat (test, causes[i]);
  fail_unless_equals_uint64 (sum, zc_test_stat (test, "frames-lost"));
}

/* Downstream holds two packets while the next two come; later 100 frames are missing; part of a packet is left at the
 * end. */
GST_START_TEST (lost_frames_have_a_cause)
{
  GstBuffer *held[2];
  ZcTest test;

  zc_test_start (&test, "packet=240 play=3360 glitch=100 play=1", "pool-min-buffers=2 pool-max-buffers=2 on-glitch=gap",
      NULL);
  zc_test_crank_ms (&test, 40);
  for (guint i = 0; i < 2; i++)
    held[i] = zc_test_pull (&test);
  while (zc_test_stat (&test, "frames-lost-overflow") < 2 * 480)
    g_thread_yield ();
  for (guint i = 0; i < 2; i++)
    gst_buffer_unref (held[i]);
  for (guint i = 0; i < 14; i++) {
    GstBuffer *buffer;
    zc_test_crank_ms (&test, 5);
    zc_test_crank_ms (&test, 0); /* it waits again: what came is taken */
    while ((buffer = gst_harness_try_pull (test.harness)) != NULL)
      gst_buffer_unref (buffer);
  }
  gst_element_set_state (test.element, GST_STATE_NULL);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost-overflow"), 2 * 480);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost-device"), 100);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost-unfinished"), 240);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost-unseen"), 0);
  assert_causes_add_up (&test);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-captured") + zc_test_stat (&test, "frames-lost"),
      zc_test_stat (&test, "frames-expected"));
  zc_test_finish (&test);
}
GST_END_TEST

/* Five packets that are seen at once were due 10 ms apart. The packet's times are exact here. */
GST_START_TEST (lateness_is_told)
{
  ZcTest test;

  zc_test_start (&test, "", NULL, NULL);
  for (guint i = 0; i < 95; i++) {
    zc_test_crank_ms (&test, 10);
    gst_buffer_unref (zc_test_pull (&test));
  }
  fail_unless (zc_test_stat (&test, "scheduling-latency-max") < GST_MSECOND);
  zc_test_crank_ms (&test, 50);
  for (guint i = 0; i < 5; i++)
    gst_buffer_unref (zc_test_pull (&test));
  fail_unless (zc_test_stat (&test, "scheduling-latency-p50") < GST_MSECOND);
  fail_unless (zc_test_stat (&test, "scheduling-latency-p99") >= 29 * GST_MSECOND);
  fail_unless (zc_test_stat (&test, "scheduling-latency-p99") <= 35 * GST_MSECOND);
  fail_unless (ABS (GST_CLOCK_DIFF (40 * GST_MSECOND, zc_test_stat (&test, "scheduling-latency-max"))) < GST_MSECOND);
  zc_test_finish (&test);
}
GST_END_TEST

static void
play_ms (ZcTest *test, guint ms)
{
  for (guint i = 0; i < ms / 10; i++) {
    zc_test_crank_ms (test, 10);
    gst_buffer_unref (zc_test_pull (test));
  }
  zc_test_crank_ms (test, 0); /* it waits again: what it had to tell is told */
}

static guint
told (ZcTest *test, guint64 *packets)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (GST_ELEMENT_BUS (test->element), GST_MESSAGE_ELEMENT)) != NULL) {
    const GstStructure *stats = gst_message_get_structure (message);
    fail_unless (gst_structure_has_name (stats, "zcloopback-stats"));
    fail_unless (gst_structure_get_uint64 (stats, "packets", packets));
    gst_message_unref (message);
    n++;
  }
  return n;
}

/* Of sound, not of time: with a clock in hand, to the packet. */
GST_START_TEST (stats_are_posted_at_the_interval)
{
  guint64 packets = 0;
  ZcTest test;

  zc_test_start (&test, "", "stats-interval=100", NULL);
  play_ms (&test, 500);
  fail_unless_equals_int (told (&test, &packets), 5);
  fail_unless_equals_uint64 (packets, 50);
  g_object_set (test.element, "stats-interval", 200, NULL);
  play_ms (&test, 400);
  fail_unless_equals_int (told (&test, &packets), 2);
  g_object_set (test.element, "stats-interval", 0, NULL);
  play_ms (&test, 400);
  fail_unless_equals_int (told (&test, &packets), 0);
  fail_unless_equals_uint64 (zc_test_stat (&test, "allocations"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* No sound has passed where no stream could be made. */
GST_START_TEST (no_stats_without_a_stream)
{
  guint64 packets = 0;
  ZcTest test;

  zc_test_start (&test, "", "stats-interval=10", "audio/x-raw,format=S16LE,channels=33");
  gst_message_unref (zc_test_message (&test, GST_MESSAGE_ERROR));
  gst_element_set_state (test.element, GST_STATE_NULL);
  fail_unless_equals_int (told (&test, &packets), 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* All of it: the packet that completes the interval is held, and there is no other. */
GST_START_TEST (message_and_property_say_the_same)
{
  g_autoptr (GstStructure) stats = NULL;
  const GstStructure *posted;
  GstMessage *message;
  GstBuffer *held;
  ZcTest test;

  zc_test_start (&test, "", "stats-interval=50", NULL);
  play_ms (&test, 40);
  zc_test_crank_ms (&test, 10);
  held = zc_test_pull (&test);
  message = zc_test_message (&test, GST_MESSAGE_ELEMENT);
  posted = gst_message_get_structure (message);
  g_object_get (test.element, "stats", &stats, NULL);
  fail_unless_equals_int (gst_structure_n_fields (stats), gst_structure_n_fields (posted));
  for (gint i = 0; i < gst_structure_n_fields (stats); i++) {
    const gchar *name = gst_structure_nth_field_name (stats, (guint) i);
    const GValue *one = gst_structure_get_value (posted, name);
    fail_unless (one != NULL && gst_value_compare (one, gst_structure_get_value (stats, name)) == GST_VALUE_EQUAL, "%s",
        name);
  }
  gst_message_unref (message);
  gst_buffer_unref (held);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (shares_of_a_packet)
{
  g_autoptr (GstStructure) stats = NULL;
  gdouble copied, allocated;
  ZcTest test;

  zc_test_start (&test, "", "memory-mode=copy", NULL);
  play_ms (&test, 100);
  g_object_get (test.element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_double (stats, "bytes-copied-per-packet", &copied) && copied == 480 * 8);
  fail_unless (gst_structure_get_double (stats, "allocations-per-packet", &allocated) && allocated == 1);
  zc_test_finish (&test);
}
GST_END_TEST

static Suite *
stats_suite (void)
{
  Suite *suite = suite_create ("stats");
  TCase *tc = tcase_create ("stats");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, lost_frames_have_a_cause);
  tcase_add_test (tc, lateness_is_told);
  tcase_add_test (tc, stats_are_posted_at_the_interval);
  tcase_add_test (tc, no_stats_without_a_stream);
  tcase_add_test (tc, message_and_property_say_the_same);
  tcase_add_test (tc, shares_of_a_packet);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, stats_suite ());
}
