/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcallocator.h"
#include "gstzcbufferpool.h"
#include "zctest.h"

#include <string.h>

/* Pieces of 1, 7, 1000 and 480 frames come; packets of 480 go. */
GST_START_TEST (odd_pieces_become_steady_packets)
{
  ZcTest test;
  GstClockTime end = GST_CLOCK_TIME_NONE;

  zc_test_start (&test, "packet=1:7:1000:480", NULL, NULL);
  zc_test_crank_ms (&test, 200);
  for (guint i = 0; i < 18; i++) {
    GstBuffer *buffer = zc_test_pull (&test);

    fail_unless_equals_int (gst_buffer_get_size (buffer), 480 * FRAME_BYTES);
    fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT), i == 0);
    fail_unless (i == 0 || GST_BUFFER_PTS (buffer) == end);
    fail_unless (ABS (GST_CLOCK_DIFF (10 * GST_MSECOND, GST_BUFFER_DURATION (buffer))) < 1000);
    zc_test_assert_counts (buffer, 480 * i);
    end = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
    gst_buffer_unref (buffer);
  }
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (pts_is_the_time_of_capture)
{
  ZcTest test;
  GstClockTime begin;
  GstBuffer *buffer;

  zc_test_start (&test, "", NULL, NULL);
  begin = (GstClockTime) zc_sim_get_now_ns ();
  zc_test_crank_ms (&test, 30);
  buffer = zc_test_pull (&test);
  fail_unless_equals_clocktime (GST_BUFFER_PTS (buffer), begin);
  gst_buffer_unref (buffer);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (glitch_is_a_gap_to_the_frame)
{
  ZcTest test;
  GstBuffer *before, *after;

  zc_test_start (&test, "packet=480 play=500 glitch=100 play=1", "on-glitch=gap", NULL);
  zc_test_crank_ms (&test, 50);
  gst_buffer_unref (zc_test_pull (&test));
  before = zc_test_pull (&test); /* the 20 frames before the glitch: nothing captured is lost */
  after = zc_test_pull (&test);
  fail_unless_equals_int (gst_buffer_get_size (before), 20 * FRAME_BYTES);
  zc_test_assert_counts (before, 480);
  zc_test_assert_counts (after, 600);
  fail_unless (GST_BUFFER_FLAG_IS_SET (after, GST_BUFFER_FLAG_DISCONT));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (after), 600);
  fail_unless (ABS (GST_CLOCK_DIFF (GST_BUFFER_PTS (before) + GST_BUFFER_DURATION (before)
      + gst_util_uint64_scale (100, GST_SECOND, 48000), GST_BUFFER_PTS (after))) <= 2);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost"), 100);
  fail_unless_equals_uint64 (zc_test_stat (&test, "glitches"), 1);
  gst_buffer_unref (before);
  gst_buffer_unref (after);
  zc_test_finish (&test);
}
GST_END_TEST

/* How far two neighbours are from being 10 ms apart, at most, on a device whose time is told with 2 ms of jitter. */
static GstClockTimeDiff
worst_distance (const gchar *properties)
{
  GstClockTime before = GST_CLOCK_TIME_NONE;
  GstClockTimeDiff worst = 0;
  ZcTest test;

  zc_test_start (&test, "packet=480 jitter-us=2000", properties, NULL);
  for (guint i = 0; i < 50; i++) {
    GstBuffer *buffer;

    zc_test_crank_ms (&test, 10);
    buffer = gst_harness_pull (test.harness);
    if (i > 10) /* those at the start may be cut off at 0 */
      worst = MAX (worst, ABS (GST_CLOCK_DIFF (before, GST_BUFFER_PTS (buffer)) - 10 * GST_MSECOND));
    before = GST_BUFFER_PTS (buffer);
    test.pulled_frames += gst_buffer_get_size (buffer) / 8;
    gst_buffer_unref (buffer);
  }
  zc_test_finish (&test);
  return worst;
}

GST_START_TEST (timestamps_are_of_the_chosen_mode)
{
  fail_unless (worst_distance ("timestamp-mode=count") <= 1);
  fail_unless (worst_distance ("timestamp-mode=smooth") <= 40 * GST_USECOND);
  fail_unless (worst_distance ("timestamp-mode=arrival") >= GST_MSECOND);
}
GST_END_TEST

/* What is missing is silence, and the bus hears of it. */
GST_START_TEST (glitch_is_filled_to_the_frame)
{
  guint64 frames, position = 0, sound = 0;
  const GstStructure *told;
  GstMessage *message;
  ZcTest test;

  zc_test_start (&test, "packet=480 play=480 glitch=960 play=1", NULL, NULL);
  zc_test_crank_ms (&test, 60);
  while (position < 5 * 480) {
    GstBuffer *buffer = zc_test_pull (&test);

    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), position);
    fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT), position == 0 || position == 480);
    if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP)) {
      zc_test_assert_counts (buffer, position);
      sound += 480;
    }
    position = GST_BUFFER_OFFSET_END (buffer);
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_uint64 (sound, 3 * 480);
  message = zc_test_message (&test, GST_MESSAGE_ELEMENT);
  fail_unless (gst_message_has_name (message, "zcloopback-glitch"));
  told = gst_message_get_structure (message);
  fail_unless (gst_structure_get_uint64 (told, "frames", &frames) && frames == 960);
  fail_unless (gst_structure_has_field_typed (told, "cause", G_TYPE_STRING));
  fail_unless (gst_structure_has_field_typed (told, "device", G_TYPE_STRING));
  gst_message_unref (message);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost"), 0);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-filled"), 960);
  zc_test_finish (&test);
}
GST_END_TEST

/* The device leaves garbage under the SILENT flag. Odd amounts, to see parts of the shared block too. */
GST_START_TEST (silence_is_a_gap_and_no_copy)
{
  ZcTest test;
  guint64 frames = 0;

  zc_test_start (&test, "packet=480 silent=1000 play=1", NULL, NULL);
  zc_test_crank_ms (&test, 25);
  while (frames < 1000) {
    GstBuffer *buffer = zc_test_pull (&test);
    guint8 zeros[480 * FRAME_BYTES] = { 0 };

    fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
    gst_check_buffer_data (buffer, zeros, gst_buffer_get_size (buffer));
    frames += gst_buffer_get_size (buffer) / FRAME_BYTES;
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_uint64 (frames, 1000);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-silence"), 1000);
  fail_unless_equals_uint64 (zc_test_stat (&test, "bytes-copied"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* For good: as Wine does once its clock has overflown. */
GST_START_TEST (times_that_are_nonsense_are_none)
{
  GstClockTime next = GST_CLOCK_TIME_NONE;
  ZcTest test;

  zc_test_start (&test, "wild-times", NULL, NULL);
  for (guint i = 0; i < 20; i++) {
    GstBuffer *buffer;

    zc_test_crank_ms (&test, 10);
    buffer = zc_test_pull (&test);
    fail_unless (i == 0 || GST_BUFFER_PTS (buffer) == next);
    fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT), i == 0);
    next = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
    gst_buffer_unref (buffer);
  }
  zc_test_finish (&test);
}
GST_END_TEST

/* More than the 16 bits in which a GstMemory counts the buffers that share it. */
GST_START_TEST (silence_can_be_held_for_ever)
{
  const guint wanted = G_MAXUINT16 + 2000;
  g_autoptr (GPtrArray) held = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  ZcTest test;

  zc_test_start (&test, "packet=48 silent=4000000", "latency-time=1000", NULL);
  while (held->len < wanted) {
    GstBuffer *buffer;

    zc_test_crank_ms (&test, 20);
    while ((buffer = gst_harness_try_pull (test.harness)) != NULL) {
      fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
      g_ptr_array_add (held, buffer);
    }
  }
  fail_unless (gst_buffer_is_all_memory_writable (g_ptr_array_index (held, 0)) == FALSE);
  g_ptr_array_set_size (held, 0);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (buffers_are_recycled)
{
  GQuark mark = g_quark_from_static_string ("zc-test-mark");
  ZcTest test;
  GstBuffer *buffer;

  zc_test_start (&test, "", NULL, NULL);
  zc_test_crank_ms (&test, 10);
  buffer = zc_test_pull (&test);
  gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (buffer), mark, (gpointer) "seen", NULL);
  gst_buffer_unref (buffer);
  for (guint i = 0; i < 100; i++) {
    zc_test_crank_ms (&test, 10);
    buffer = zc_test_pull (&test);
    fail_unless_equals_string (gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (buffer), mark), "seen");
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-misses"), 0);
  fail_unless_equals_uint64 (zc_test_stat (&test, "allocations"), 0);
  fail_unless_equals_uint64 (zc_test_stat (&test, "bytes-copied"), 101 * 480 * FRAME_BYTES);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (copy_mode_shows_its_true_number)
{
  ZcTest test;

  zc_test_start (&test, "", "memory-mode=copy", NULL);
  zc_test_crank_ms (&test, 100);
  for (guint i = 0; i < 10; i++)
    gst_buffer_unref (zc_test_pull (&test));
  fail_unless_equals_uint64 (zc_test_stat (&test, "allocations"), 10);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-size"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* 10,000 parts of buffers, held over NULL and over the element's end. */
GST_START_TEST (parts_outlive_the_element)
{
  static GstBuffer *parts[10000];
  ZcTest test;
  guint n = 0;

  zc_test_start (&test, "", "pool-max-buffers=1024", NULL);
  while (n < G_N_ELEMENTS (parts)) {
    GstBuffer *buffer;

    zc_test_crank_ms (&test, 10);
    buffer = zc_test_pull (&test);
    for (guint i = 0; i < 16 && n < G_N_ELEMENTS (parts); i++, n++)
      parts[n] = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, i * 30 * FRAME_BYTES, 30 * FRAME_BYTES);
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-outstanding"), 10000 / 16);
  zc_test_finish (&test);

  for (guint i = 0; i < n; i++) {
    zc_test_assert_counts (parts[i], i * 30);
    gst_buffer_unref (parts[i]);
  }
}
GST_END_TEST

GST_START_TEST (outstanding_is_zero_after_null)
{
  ZcTest test;
  GstBuffer *held;

  zc_test_start (&test, "", NULL, NULL);
  zc_test_crank_ms (&test, 10);
  held = zc_test_pull (&test);
  gst_element_set_state (test.element, GST_STATE_NULL);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-outstanding"), 1);
  gst_buffer_unref (held);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-outstanding"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* Downstream holds all there is; what comes then is dropped, counted and told; then the stream goes on. */
GST_START_TEST (overflow_drops_and_tells)
{
  ZcTest test;
  GstBuffer *first, *second, *next;
  GstMessage *message;
  guint64 frames = 0;

  zc_test_start (&test, "", "pool-min-buffers=2 pool-max-buffers=2", NULL);
  zc_test_crank_ms (&test, 20);
  first = zc_test_pull (&test);
  second = zc_test_pull (&test);
  zc_test_crank_ms (&test, 30);
  while (zc_test_stat (&test, "overflows") < 3)
    g_thread_yield ();
  gst_buffer_unref (first);
  gst_buffer_unref (second);
  zc_test_crank_ms (&test, 10);
  next = zc_test_pull (&test);
  zc_test_assert_counts (next, 5 * 480);
  fail_unless (GST_BUFFER_FLAG_IS_SET (next, GST_BUFFER_FLAG_DISCONT));
  gst_buffer_unref (next);
  for (guint i = 0; i < 2; i++) { /* one at once, one for the rest */
    message = zc_test_message (&test, GST_MESSAGE_ELEMENT);
    fail_unless (gst_message_has_name (message, "zcloopback-overflow"));
    fail_unless (gst_structure_get_uint64 (gst_message_get_structure (message), "frames", &frames));
    fail_unless_equals_uint64 (frames, (i + 1) * 480);
    gst_message_unref (message);
  }
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost"), 3 * 480);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (overflow_allocates_if_asked)
{
  ZcTest test;
  GstBuffer *held[5];

  zc_test_start (&test, "", "pool-min-buffers=2 pool-max-buffers=2 overflow=allocate", NULL);
  zc_test_crank_ms (&test, 50);
  for (guint i = 0; i < 5; i++) {
    held[i] = zc_test_pull (&test);
    zc_test_assert_counts (held[i], i * 480);
  }
  for (guint i = 0; i < 5; i++)
    gst_buffer_unref (held[i]);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-misses"), 3);
  fail_unless_equals_uint64 (zc_test_stat (&test, "allocations"), 3);
  zc_test_finish (&test);
}
GST_END_TEST

static void
assert_start_fails (const gchar *script, const gchar *properties, gint code, const gchar *word)
{
  ZcTest test;

  zc_test_prepare (&test, script, properties, NULL);
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  zc_test_assert_one_error (&test, GST_RESOURCE_ERROR, code, word);
  zc_test_finish (&test);
}

GST_START_TEST (bad_settings_are_one_error)
{
  assert_start_fails ("", "pool-min-buffers=5 pool-max-buffers=4", GST_RESOURCE_ERROR_SETTINGS, "pool-min-buffers");
  assert_start_fails ("nowhere", NULL, GST_RESOURCE_ERROR_NOT_FOUND, "nowhere");
  assert_start_fails ("fail=open", NULL, GST_RESOURCE_ERROR_FAILED, "fail=open");
  assert_start_fails ("fail=start", NULL, GST_RESOURCE_ERROR_FAILED, "fail=start");
}
GST_END_TEST

GST_START_TEST (latency_is_told_and_changes_are_posted)
{
  ZcTest test;
  GstClockTime min, max;
  gboolean live;
  GstQuery *query = gst_query_new_latency ();

  zc_test_start (&test, "packet=960", "latency-time=5000 buffer-time=500000", NULL);
  zc_test_crank_ms (&test, 20);
  gst_buffer_unref (zc_test_pull (&test));
  gst_message_unref (zc_test_message (&test, GST_MESSAGE_LATENCY));
  fail_unless (gst_element_query (test.element, query));
  gst_query_parse_latency (query, &live, &min, &max);
  fail_unless (live);
  fail_unless_equals_clocktime (min, 25 * GST_MSECOND); /* 20 ms to come, 5 ms to be joined */
  fail_unless_equals_clocktime (max, 500 * GST_MSECOND);
  gst_query_unref (query);
  zc_test_finish (&test);
}
GST_END_TEST

/* Pieces of a millisecond: what is dropped are packets all the same. */
GST_START_TEST (overflow_drops_whole_packets)
{
  ZcTest test;
  GstBuffer *held;

  zc_test_start (&test, "packet=48", "pool-min-buffers=1 pool-max-buffers=1", NULL);
  zc_test_crank_ms (&test, 10);
  held = zc_test_pull (&test);
  zc_test_crank_ms (&test, 40);
  while (zc_test_stat (&test, "frames-lost") < 4 * 480)
    g_thread_yield ();
  fail_unless_equals_uint64 (zc_test_stat (&test, "overflows"), 4);
  gst_buffer_unref (held);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (overflow_is_told_at_the_stop_too)
{
  ZcTest test;
  GstBuffer *held;
  guint64 frames = 0;

  zc_test_start (&test, "", "pool-min-buffers=1 pool-max-buffers=1", NULL);
  zc_test_crank_ms (&test, 10);
  held = zc_test_pull (&test);
  zc_test_crank_ms (&test, 40);
  while (zc_test_stat (&test, "frames-lost") < 4 * 480)
    g_thread_yield ();
  gst_element_set_state (test.element, GST_STATE_READY);
  for (guint i = 0; i < 2; i++) {
    GstMessage *message = zc_test_message (&test, GST_MESSAGE_ELEMENT);
    fail_unless (gst_structure_get_uint64 (gst_message_get_structure (message), "frames", &frames));
    fail_unless_equals_uint64 (frames, i == 0 ? 480 : 3 * 480);
    gst_message_unref (message);
  }
  gst_buffer_unref (held);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (properties_begin_as_they_say)
{
  GstElement *element = gst_element_factory_make ("zcloopbacksrc", NULL);
  g_autofree GParamSpec **specs = NULL;
  guint n, own = 0;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT;

    if (specs[i]->owner_type != G_OBJECT_TYPE (element) || (specs[i]->flags & G_PARAM_READWRITE) != G_PARAM_READWRITE)
      continue;
    g_object_get_property (G_OBJECT (element), specs[i]->name, &value);
    fail_unless (g_param_value_defaults (specs[i], &value), "%s", specs[i]->name);
    own++;
  }
  fail_unless (own > 20);
  gst_object_unref (element);
}
GST_END_TEST

static Suite *
element_suite (void)
{
  Suite *suite = suite_create ("element");
  TCase *tc = tcase_create ("element");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, properties_begin_as_they_say);
  tcase_add_test (tc, odd_pieces_become_steady_packets);
  tcase_add_test (tc, pts_is_the_time_of_capture);
  tcase_add_test (tc, glitch_is_a_gap_to_the_frame);
  tcase_add_test (tc, timestamps_are_of_the_chosen_mode);
  tcase_add_test (tc, glitch_is_filled_to_the_frame);
  tcase_add_test (tc, silence_is_a_gap_and_no_copy);
  tcase_add_test (tc, silence_can_be_held_for_ever);
  tcase_add_test (tc, times_that_are_nonsense_are_none);
  tcase_add_test (tc, buffers_are_recycled);
  tcase_add_test (tc, copy_mode_shows_its_true_number);
  tcase_add_test (tc, parts_outlive_the_element);
  tcase_add_test (tc, outstanding_is_zero_after_null);
  tcase_add_test (tc, overflow_drops_and_tells);
  tcase_add_test (tc, overflow_allocates_if_asked);
  tcase_add_test (tc, bad_settings_are_one_error);
  tcase_add_test (tc, latency_is_told_and_changes_are_posted);
  tcase_add_test (tc, overflow_drops_whole_packets);
  tcase_add_test (tc, overflow_is_told_at_the_stop_too);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, element_suite ());
}
