/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory of a stream, by the element's properties; the pool by itself is test-pool's. */
#include "oracle.h"
#include "zctest.h"

/* 192 kHz, eight channels, packets of odd sizes: blocks hold the largest, and no packet is a miss. */
GST_START_TEST (pool_holds_the_largest_packet)
{
  static const gchar *const modes[] = { "memory-mode=pool", "memory-mode=lease" };
  GstBuffer *held[8];
  ZcTest test;

  for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
    zc_test_start (&test, "rate=192000 channels=8 packet=1920:7:1913:4001", modes[m], NULL);
    for (guint i = 0; i < G_N_ELEMENTS (held); i++) {
      zc_test_crank_ms (&test, 40);
      held[i] = zc_test_pull (&test);
      fail_unless (gst_buffer_get_size (held[i]) <= 1920 * 8 * 4);
    }
    for (guint i = 0; i < G_N_ELEMENTS (held); i++)
      gst_buffer_unref (held[i]);
    fail_unless_equals_uint64 (zc_test_stat (&test, "pool-misses"), 0);
    fail_unless_equals_uint64 (zc_test_stat (&test, "allocations"), 0);
    gst_element_set_state (test.element, GST_STATE_NULL);
    test.pulled_frames = 0;
    zc_test_finish (&test);
  }
}
GST_END_TEST

GST_START_TEST (fixed_pool_is_there_from_the_start)
{
  ZcTest test;

  zc_test_start (&test, "", "pool-strategy=fixed pool-max-buffers=10", NULL);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-size"), 10);
  zc_test_finish (&test);
}
GST_END_TEST

/* Downstream holds all there may be; more are allowed, and it goes on. */
GST_START_TEST (bounds_change_while_playing)
{
  GstBuffer *held[6];
  ZcTest test;

  zc_test_start (&test, "", "pool-min-buffers=2 pool-max-buffers=2", NULL);
  zc_test_crank_ms (&test, 20);
  held[0] = zc_test_pull (&test);
  held[1] = zc_test_pull (&test);
  zc_test_crank_ms (&test, 10);
  while (zc_test_stat (&test, "overflows") < 1)
    g_thread_yield ();
  g_object_set (test.element, "pool-min-buffers", 6, NULL); /* above the maximum: it waits for a new one */
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-size"), 2);
  g_object_set (test.element, "pool-max-buffers", 6, NULL);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-size"), 6);
  zc_test_crank_ms (&test, 40);
  for (guint i = 2; i < 6; i++)
    held[i] = zc_test_pull (&test);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-outstanding"), 6);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-misses"), 1);
  g_object_set (test.element, "pool-min-buffers", 1, "pool-max-buffers", 3, NULL);
  zc_test_crank_ms (&test, 10);
  while (zc_test_stat (&test, "overflows") < 2)
    g_thread_yield ();
  for (guint i = 0; i < 6; i++)
    gst_buffer_unref (held[i]);
  zc_test_finish (&test);
}
GST_END_TEST

/* Called where the element says so, in its streaming thread: between the decision on memory and the start of the
 * pool. */
static void
raise_bounds (GstDebugCategory *category, GstDebugLevel level, const gchar *file, const gchar *function, gint line,
    GObject *object, GstDebugMessage *message, gpointer data)
{
  gboolean *raised = data;

  if (*raised || !g_str_has_suffix (function, "loopback_src_decide_allocation"))
    return;
  *raised = TRUE;
  g_object_set (object, "pool-max-buffers", 9, "pool-min-buffers", 9, NULL);
}

GST_START_TEST (bounds_are_not_lost_before_the_pool_starts)
{
  GstDebugLevel level = gst_debug_get_default_threshold ();
  gboolean raised = FALSE;
  ZcTest test;

  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (raise_bounds, &raised, NULL);
  gst_debug_set_threshold_for_name ("zcloopbacksrc", GST_LEVEL_DEBUG);
  zc_test_start (&test, "", "pool-min-buffers=2 pool-max-buffers=2", NULL);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  gst_debug_set_threshold_for_name ("zcloopbacksrc", level);
  gst_debug_remove_log_function (raise_bounds);
  gst_debug_add_log_function (gst_debug_log_default, NULL, NULL);
  fail_unless (raised);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-size"), 9);
  zc_test_finish (&test);
}
GST_END_TEST

static guint64
read_uint64 (ZcTest *test, const gchar *name)
{
  guint64 value;

  g_object_get (test->element, name, &value, NULL);
  return value;
}

/* What cannot be had is one warning, and sound comes all the same. */
GST_START_TEST (pages_that_cannot_be_had_are_one_warning)
{
  g_autoptr (GError) error = NULL;
  GstMessage *message;
  ZcTest test;
  gint node;

  zc_test_start (&test, "", "huge-pages=true numa-node=1023", NULL);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer;
    zc_test_crank_ms (&test, 10);
    buffer = zc_test_pull (&test);
    zc_test_assert_counts (buffer, i * 480);
    gst_buffer_unref (buffer);
  }
  message = zc_test_message (&test, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message, "NUMA node 1023") != NULL, "%s", error->message);
  fail_unless ((strstr (error->message, "large pages") == NULL)
      == (read_uint64 (&test, "actual-huge-pages") == zc_test_stat (&test, "pool-bytes")), "%s", error->message);
  gst_message_unref (message);
  gst_element_set_state (test.element, GST_STATE_PAUSED); /* another stream of the same run */
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  for (gboolean anew = FALSE; !anew;) { /* it may see the pause only after the next packet */
    GstBuffer *buffer;
    zc_test_crank_ms (&test, 10);
    buffer = gst_harness_try_pull (test.harness);
    anew = buffer != NULL && GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    gst_clear_buffer (&buffer);
  }
  g_object_get (test.element, "actual-numa-node", &node, NULL);
  fail_unless (node != 1023);
  fail_unless (gst_bus_pop_filtered (GST_ELEMENT_BUS (test.element), GST_MESSAGE_WARNING | GST_MESSAGE_ERROR) == NULL);
  zc_test_finish (&test);
}
GST_END_TEST

/* Locked, or told; locked where a plain lock of that size is to be had. Without a wish nothing is locked, and nothing
 * told. */
GST_START_TEST (locked_memory_is_what_the_system_says)
{
  for (guint lock = 0; lock < 2; lock++) {
    gsize before = 0, after = 0;
    gboolean known = oracle_locked_bytes (&before), possible;
    GstMessage *warning;
    guint64 locked, bytes;
    ZcTest test;

    zc_test_start (&test, "", lock ? "lock-memory=true" : NULL, NULL);
    zc_test_crank_ms (&test, 10);
    gst_buffer_unref (zc_test_pull (&test));
    warning = gst_bus_pop_filtered (GST_ELEMENT_BUS (test.element), GST_MESSAGE_WARNING);
    locked = read_uint64 (&test, "actual-locked-memory");
    bytes = zc_test_stat (&test, "pool-bytes");
    if (known)
      fail_unless (oracle_locked_bytes (&after));
    fail_unless (bytes >= 64 * 480 * 8);
    fail_unless_equals_int (warning == NULL, !lock || locked == bytes);
    fail_unless (lock || locked == 0);
    if (known)
      fail_unless_equals_uint64 (after - before, locked);
    gst_clear_message (&warning);
    gst_element_set_state (test.element, GST_STATE_NULL);
    possible = oracle_can_lock (bytes);
    fail_unless (!lock || !possible || locked == bytes);
    zc_test_finish (&test);
  }
}
GST_END_TEST

static Suite *
memory_suite (void)
{
  Suite *suite = suite_create ("memory");
  TCase *tc = tcase_create ("memory");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, pool_holds_the_largest_packet);
  tcase_add_test (tc, fixed_pool_is_there_from_the_start);
  tcase_add_test (tc, bounds_change_while_playing);
  tcase_add_test (tc, bounds_are_not_lost_before_the_pool_starts);
  tcase_add_test (tc, pages_that_cannot_be_had_are_one_warning);
  tcase_add_test (tc, locked_memory_is_what_the_system_says);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, memory_suite ());
}
