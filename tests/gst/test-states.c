/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* States, pauses and base times. */
#include "zctest.h"

#include <gst/base/gstbasesrc.h>

/* What was played during the pause is not delivered after it, and time goes on. */
/* Running time stands still, as a pipeline has it. */
static void
pause_for_a_second (ZcTest *test)
{
  gst_element_set_state (test->element, GST_STATE_PAUSED);
  while (zc_sim_waiting () > 0)
    g_thread_yield ();
  zc_sim_set_now_ns (zc_sim_get_now_ns () + GST_SECOND);
  gst_harness_set_time (test->harness, (GstClockTime) zc_sim_get_now_ns ());
  gst_element_set_base_time (test->element, gst_element_get_base_time (test->element) + GST_SECOND);
  gst_element_set_state (test->element, GST_STATE_PLAYING);
}

GST_START_TEST (pause_starts_anew)
{
  ZcTest test;
  GstBuffer *buffer;
  GstClockTime begin;

  zc_test_start (&test, "", NULL, NULL);
  begin = (GstClockTime) zc_sim_get_now_ns ();
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  pause_for_a_second (&test);
  zc_test_crank_ms (&test, 10);
  buffer = zc_test_pull (&test);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
  fail_unless_equals_clocktime (GST_BUFFER_PTS (buffer), begin + 10 * GST_MSECOND);
  zc_test_assert_counts (buffer, 0);
  gst_buffer_unref (buffer);
  zc_test_finish (&test);
}
GST_END_TEST

/* Headphones are heard later than the speakers that are captured after the pause: what these play until the headphones'
 * last sound is heard is not recorded beside it. */
GST_START_TEST (pause_never_takes_times_back)
{
  GstClockTime begin, end;
  ZcTest test;

  zc_test_start (&test, "delay-us=95000", NULL, NULL);
  begin = end = (GstClockTime) zc_sim_get_now_ns ();
  for (guint i = 0; i < 100; i++) {
    GstBuffer *buffer;

    if (i == 50) {
      g_object_set (test.element, "device", "clock=manual", NULL);
      pause_for_a_second (&test);
    }
    zc_test_pass_ms (&test, 10);
    while ((buffer = gst_harness_try_pull (test.harness)) != NULL) {
      fail_unless (GST_BUFFER_PTS (buffer) >= end);
      end = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
      gst_buffer_unref (buffer);
    }
  }
  fail_unless (end - begin >= 970 * GST_MSECOND && end - begin <= 1000 * GST_MSECOND);
  fail_unless (zc_test_stat (&test, "frames-lost-early") >= 3840);
  zc_test_finish (&test);
}
GST_END_TEST

/* So quick that the streaming thread may not see the pause as such. Running time has stood still all the same. */
GST_START_TEST (quick_pause_starts_anew_too)
{
  ZcTest test;
  GstClockTime end;
  guint stale = 0;

  zc_test_start (&test, "", NULL, NULL);
  end = (GstClockTime) zc_sim_get_now_ns ();
  for (guint i = 0; i < 50; i++) {
    GstBuffer *buffer;

    gst_element_set_state (test.element, GST_STATE_PAUSED);
    gst_element_set_state (test.element, GST_STATE_PLAYING);
    /* A buffer of the stream before may still be on its way. */
    for (gboolean anew = FALSE; !anew;) {
      zc_test_crank_ms (&test, 10);
      buffer = gst_harness_try_pull (test.harness);
      if (buffer == NULL)
        continue;
      anew = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT);
      if (anew) {
        zc_test_assert_counts (buffer, 0);
        fail_unless (GST_BUFFER_PTS (buffer) >= end && GST_BUFFER_PTS (buffer) <= end + 50 * GST_MSECOND,
            "%" GST_TIME_FORMAT " after %" GST_TIME_FORMAT, GST_TIME_ARGS (GST_BUFFER_PTS (buffer)), GST_TIME_ARGS (end));
      } else
        fail_unless (stale++ < 3 * (i + 1), "a pause went unnoticed");
      end = GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer);
      gst_buffer_unref (buffer);
    }
  }
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (events_in_null_do_no_harm)
{
  GstElement *element = gst_element_factory_make ("zcloopbacksrc", NULL);

  gst_element_send_event (element, gst_event_new_eos ());
  gst_element_send_event (element, gst_event_new_flush_start ());
  gst_element_send_event (element, gst_event_new_flush_stop (TRUE));
  gst_object_unref (element);
}
GST_END_TEST

GST_START_TEST (what_is_set_in_ready_counts)
{
  g_autoptr (GstCaps) caps = NULL;
  gint rate = 0;
  ZcTest test;

  zc_test_prepare (&test, "", NULL, NULL);
  gst_element_set_state (test.element, GST_STATE_READY);
  g_object_set (test.element, "device", "clock=manual rate=22050 packet=441", NULL);
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  zc_test_crank_ms (&test, 20);
  gst_buffer_unref (zc_test_pull (&test));
  caps = gst_pad_get_current_caps (test.harness->sinkpad);
  fail_unless (gst_structure_get_int (gst_caps_get_structure (caps, 0), "rate", &rate) && rate == 22050);

  gst_element_set_state (test.element, GST_STATE_READY);
  g_object_set (test.element, "pool-min-buffers", 9, "pool-max-buffers", 3, NULL);
  fail_unless_equals_int (gst_element_set_state (test.element, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  zc_test_assert_one_error (&test, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "pool-min-buffers");
  zc_test_finish (&test);
}
GST_END_TEST

/* The device is gone when it is opened anew, and comes back later. */
GST_START_TEST (ready_may_be_tried_again)
{
  ZcTest test;

  zc_test_prepare (&test, "", NULL, NULL);
  gst_element_set_state (test.element, GST_STATE_READY);
  g_object_set (test.element, "device", "fail=open", NULL);
  fail_unless_equals_int (gst_element_set_state (test.element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  fail_unless_equals_int (gst_element_set_state (test.element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  g_object_set (test.element, "device", "clock=manual", NULL);
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (new_base_time_counts_at_once)
{
  ZcTest test;
  GstBuffer *buffer;
  GstClockTime base;

  zc_test_start (&test, "", NULL, NULL);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  base = (GstClockTime) zc_sim_get_now_ns ();
  gst_element_set_base_time (test.element, base);
  zc_test_crank_ms (&test, 10);
  buffer = zc_test_pull (&test);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
  fail_unless (GST_BUFFER_PTS (buffer) < 1000);
  gst_buffer_unref (buffer);
  zc_test_finish (&test);
}
GST_END_TEST

static gint hammering;

static gpointer
hammer (gpointer element)
{
  while (g_atomic_int_get (&hammering))
    GST_BASE_SRC_GET_CLASS (element)->unlock_stop (element);
  return NULL;
}

/* GStreamer 1.26 unlocks a source for a pause, and takes that back in the streaming thread, which may be after the
 * unlocking for the end has come: create() has to return all the same. */
GST_START_TEST (late_unlock_stop_holds_nothing_up)
{
  for (guint i = 0; i < 50; i++) {
    GThread *thread;
    ZcTest test;

    zc_test_start (&test, "", NULL, NULL);
    zc_test_crank_ms (&test, 10);
    gst_buffer_unref (zc_test_pull (&test));
    g_atomic_int_set (&hammering, TRUE);
    thread = g_thread_new ("hammer", hammer, test.element);
    gst_element_set_state (test.element, GST_STATE_NULL);
    g_atomic_int_set (&hammering, FALSE);
    g_thread_join (thread);
    zc_test_finish (&test);
  }
}
GST_END_TEST

/* The pipeline began to run while the second of three packets was captured: the first is not for it. */
GST_START_TEST (frames_from_before_the_base_time_are_lost)
{
  ZcTest test;
  GstBuffer *buffer;

  zc_test_start (&test, "", NULL, NULL);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  gst_element_set_base_time (test.element, (GstClockTime) zc_sim_get_now_ns () + 15 * GST_MSECOND);
  zc_test_crank_ms (&test, 30);
  buffer = zc_test_pull (&test);
  fail_unless (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
  fail_unless_equals_clocktime (GST_BUFFER_PTS (buffer), 0);
  zc_test_assert_counts (buffer, 2 * 480);
  gst_buffer_unref (buffer);
  gst_buffer_unref (zc_test_pull (&test));
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost"), 480);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-captured"), 3 * 480);
  fail_unless_equals_uint64 (zc_test_stat (&test, "packets"), 3);
  zc_test_finish (&test);
}
GST_END_TEST

static gint meeting;

/* The streaming thread asks downstream what it takes, and has no answer before a flush begins. */
static GstPadProbeReturn
wait_for_flush (GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
  if (GST_QUERY_TYPE (GST_PAD_PROBE_INFO_QUERY (info)) == GST_QUERY_CAPS
      && g_atomic_int_compare_and_exchange (&meeting, 1, 2))
    while (!GST_PAD_IS_FLUSHING (pad))
      g_thread_yield ();
  return GST_PAD_PROBE_OK;
}

GST_START_TEST (flush_may_meet_a_negotiation)
{
  for (guint first = 0; first < 2; first++) {
    ZcTest test;
    GstPad *pad;

    zc_test_prepare (&test, "", NULL, NULL);
    pad = gst_element_get_static_pad (test.element, "src");
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH, wait_for_flush, NULL,
        NULL);
    g_atomic_int_set (&meeting, first);
    gst_harness_play (test.harness);
    if (!first) {
      zc_test_crank_ms (&test, 10);
      gst_buffer_unref (zc_test_pull (&test));
      g_atomic_int_set (&meeting, 1);
      gst_pad_send_event (pad, gst_event_new_reconfigure ());
      zc_test_pass_ms (&test, 10);
    }
    while (g_atomic_int_get (&meeting) != 2)
      zc_test_pass_ms (&test, 1);
    gst_element_send_event (test.element, gst_event_new_flush_start ());
    gst_element_send_event (test.element, gst_event_new_flush_stop (FALSE));
    for (guint i = 0; i < 100 && gst_harness_buffers_received (test.harness) < 3; i++)
      zc_test_pass_ms (&test, 10);
    fail_unless (gst_harness_buffers_received (test.harness) >= 3);
    gst_object_unref (pad);
    zc_test_finish (&test);
  }
}
GST_END_TEST

/* At any moment: in the wait, in the push, between. Nobody cranks the clock, so a wait that is not ended hangs. */
GST_START_TEST (states_change_at_any_moment)
{
  GRand *random = g_rand_new_with_seed (42);
  ZcTest test;

  zc_test_start (&test, "packet=48", NULL, NULL);
  for (guint i = 0; i < 200; i++) {
    gint64 begin = g_get_monotonic_time ();
    gst_element_set_state (test.element, GST_STATE_PLAYING);
    if (g_rand_boolean (random))
      zc_test_crank_ms (&test, (guint) g_rand_int_range (random, 1, 30));
    if (g_rand_boolean (random))
      gst_element_set_state (test.element, GST_STATE_PAUSED);
    gst_element_set_state (test.element, GST_STATE_NULL);
    fail_unless (g_get_monotonic_time () - begin < 2 * G_USEC_PER_SEC);
  }
  g_rand_free (random);
  zc_test_finish (&test);
}
GST_END_TEST

static Suite *
states_suite (void)
{
  Suite *suite = suite_create ("states");
  TCase *tc = tcase_create ("states");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, pause_starts_anew);
  tcase_add_test (tc, pause_never_takes_times_back);
  tcase_add_test (tc, quick_pause_starts_anew_too);
  tcase_add_test (tc, events_in_null_do_no_harm);
  tcase_add_test (tc, what_is_set_in_ready_counts);
  tcase_add_test (tc, ready_may_be_tried_again);
  tcase_add_test (tc, new_base_time_counts_at_once);
  tcase_add_test (tc, late_unlock_stop_holds_nothing_up);
  tcase_add_test (tc, frames_from_before_the_base_time_are_lost);
  tcase_add_test (tc, flush_may_meet_a_negotiation);
  tcase_add_test (tc, states_change_at_any_moment);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, states_suite ());
}
