/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zctest.h"

#include "zc-clock.h"

#define READINGS 20000

/* Capture times are told in the one and PTS in the other: each reading of GstSystemClock lies between two of ours. */
GST_START_TEST (it_is_the_clock_of_pipelines)
{
  GstClock *clock = gst_system_clock_obtain ();

  for (guint i = 0; i < READINGS; i++) {
    gint64 before_ns = zc_clock_now_ns ();
    gint64 theirs_ns = (gint64) gst_clock_get_internal_time (clock);
    gint64 after_ns = zc_clock_now_ns ();

    fail_unless (before_ns <= theirs_ns && theirs_ns <= after_ns, "%" G_GINT64_FORMAT " is not between %"
        G_GINT64_FORMAT " and %" G_GINT64_FORMAT, theirs_ns, before_ns, after_ns);
  }
  gst_object_unref (clock);
}
GST_END_TEST

GST_START_TEST (it_never_goes_back_and_is_finer_than_a_microsecond)
{
  gint64 last_ns = zc_clock_now_ns ();
  guint between = 0;

  for (guint i = 0; i < READINGS; i++) {
    gint64 now_ns = zc_clock_now_ns ();

    fail_unless (now_ns >= last_ns);
    between += now_ns % 1000 != 0;
    last_ns = now_ns;
  }
  fail_unless (between > READINGS / 10);
}
GST_END_TEST

#define SECONDS 4

/* A device that gains 4 ms a second, in real time: the pipeline runs by it. */
GST_START_TEST (devices_clock_goes_as_the_device)
{
  GstElement *pipeline = gst_parse_launch ("zcloopbacksrc backend=simulated device=\"drift-ppm=4000 jitter-us=1000\" "
      "provide-clock=true ! fakesink", NULL);
  GstClock *system_clock = gst_system_clock_obtain (), *clock;
  GstClockTime shown, passed;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL, 2 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
  clock = gst_pipeline_get_clock (GST_PIPELINE (pipeline));
  fail_unless (g_str_has_prefix (GST_OBJECT_NAME (clock), "GstZcLoopbackClock"));
  shown = gst_clock_get_time (clock);
  passed = gst_clock_get_time (system_clock);
  g_usleep (SECONDS * G_USEC_PER_SEC);
  shown = gst_clock_get_time (clock) - shown;
  passed = gst_clock_get_time (system_clock) - passed;
  fail_unless (shown > passed + SECONDS * GST_MSECOND && shown < passed + 5 * SECONDS * GST_MSECOND,
      "%" G_GUINT64_FORMAT " ns in %" G_GUINT64_FORMAT, shown, passed);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (clock);
  gst_object_unref (system_clock);
  gst_object_unref (pipeline);
}
GST_END_TEST

/* A bin looks at an element's flags when it is added. */
GST_START_TEST (a_clock_can_be_asked_for_in_a_bin)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *source = gst_element_factory_make ("zcloopbacksrc", NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstClock *clock;

  gst_bin_add_many (GST_BIN (pipeline), source, sink, NULL);
  fail_unless (gst_element_link (source, sink));
  gst_util_set_object_arg (G_OBJECT (source), "backend", "simulated");
  g_object_set (source, "provide-clock", TRUE, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL, 2 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
  clock = gst_pipeline_get_clock (GST_PIPELINE (pipeline));
  fail_unless (g_str_has_prefix (GST_OBJECT_NAME (clock), "GstZcLoopbackClock"));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (clock);
  gst_object_unref (pipeline);
}
GST_END_TEST

GST_START_TEST (no_clock_is_provided_unless_asked)
{
  GstElement *element = gst_element_factory_make ("zcloopbacksrc", NULL);

  fail_unless (gst_element_provide_clock (element) == NULL);
  gst_object_unref (element);
}
GST_END_TEST

/* Ten packets, which follow each other from `pts` on. Returns the end of the last. */
static GstClockTime
pull_from (ZcTest *test, GstClockTime pts)
{
  for (guint i = 0; i < 10; i++) {
    GstBuffer *buffer;

    while ((buffer = gst_harness_try_pull (test->harness)) == NULL)
      zc_test_pass_ms (test, 10);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
    pts += GST_BUFFER_DURATION (buffer);
    gst_buffer_unref (buffer);
  }
  return pts;
}

static void
flush (ZcTest *test, gboolean reset_time)
{
  gst_element_send_event (test->element, gst_event_new_flush_start ());
  gst_element_send_event (test->element, gst_event_new_flush_stop (reset_time));
}

static GstPadProbeReturn
note_blocked (GstPad *pad, GstPadProbeInfo *info, gpointer blocked)
{
  g_atomic_int_set ((gint *) blocked, TRUE);
  return GST_PAD_PROBE_OK;
}

/* As by a full queue. */
static void
flush_while_downstream_blocks (ZcTest *test)
{
  GstPad *pad = gst_element_get_static_pad (test->element, "src");
  gint blocked = FALSE;
  gulong probe = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER, note_blocked, &blocked,
      NULL);

  while (!g_atomic_int_get (&blocked))
    zc_test_pass_ms (test, 10);
  gst_element_send_event (test->element, gst_event_new_flush_start ());
  gst_pad_remove_probe (pad, probe);
  gst_element_send_event (test->element, gst_event_new_flush_stop (TRUE));
  gst_object_unref (pad);
}

/* As in gst_pipeline_use_clock (pipeline, NULL): a second stream goes on where the first one ended, but for a flush that
 * has running time begin again. */
GST_START_TEST (without_a_clock_times_go_on_after_a_pause)
{
  GstClockTime end;
  ZcTest test;

  zc_test_prepare (&test, "packet=480", NULL, NULL);
  gst_element_set_clock (test.element, NULL);
  gst_harness_play (test.harness);
  end = pull_from (&test, 0);
  gst_element_set_state (test.element, GST_STATE_PAUSED);
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  end = pull_from (&test, end);
  flush (&test, FALSE);
  pull_from (&test, end);
  flush (&test, TRUE);
  pull_from (&test, 0);
  flush_while_downstream_blocks (&test);
  pull_from (&test, 0);
  zc_test_finish (&test);
}
GST_END_TEST

static Suite *
clock_suite (void)
{
  Suite *suite = suite_create ("clock");
  TCase *tc = tcase_create ("clock");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, it_is_the_clock_of_pipelines);
  tcase_add_test (tc, it_never_goes_back_and_is_finer_than_a_microsecond);
  tcase_add_test (tc, devices_clock_goes_as_the_device);
  tcase_add_test (tc, a_clock_can_be_asked_for_in_a_bin);
  tcase_add_test (tc, no_clock_is_provided_unless_asked);
  tcase_add_test (tc, without_a_clock_times_go_on_after_a_pause);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, clock_suite ());
}
