/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times without packets: the device is lost, or idle. */
#include "zctest.h"

/* The next message of these types is ours, of this name. */
static void
assert_told (ZcTest *test, GstMessageType types, const gchar *name)
{
  GstMessage *message = zc_test_message (test, types);

  fail_unless (gst_message_has_name (message, name), "%" GST_PTR_FORMAT, message);
  gst_message_unref (message);
}

/* Ten packets, and then no device for 300 ms. */
static void
start_and_lose (ZcTest *test)
{
  zc_test_start (test, "packet=480 play=4800 lose away-ms=300", NULL, NULL);
  zc_test_crank_ms (test, 100);
  for (guint i = 0; i < 10; i++)
    gst_buffer_unref (zc_test_pull (test));
  assert_told (test, GST_MESSAGE_ELEMENT, "zcloopback-lost");
}

GST_START_TEST (loss_is_one_error_after_all_that_came)
{
  ZcTest test;
  GstBuffer *buffer;
  GstEvent *event;
  gboolean eos = FALSE;

  zc_test_start (&test, "packet=480 play=500 lose", "on-loss=error", NULL);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  zc_test_crank_ms (&test, 10);
  zc_test_assert_one_error (&test, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "went away");
  buffer = gst_harness_try_pull (test.harness);
  fail_unless (buffer != NULL, "the 20 frames of the unfinished packet");
  fail_unless_equals_int (gst_buffer_get_size (buffer), 20 * FRAME_BYTES);
  gst_buffer_unref (buffer);
  while (!eos && (event = gst_harness_pull_event (test.harness)) != NULL) {
    eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  fail_unless (eos, "downstream may finish its file");
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* On a clock that stands still nothing happens while the device is gone, but each 5 ms it is looked at again. */
GST_START_TEST (loss_is_bridged_with_silence)
{
  guint64 lost_at, sound_at = 0;
  GstBuffer *buffer;
  ZcTest test;

  start_and_lose (&test);
  lost_at = test.pulled_frames;
  fail_unless_equals_uint64 (lost_at, 4800);

  while (sound_at == 0) {
    zc_test_pass_ms (&test, 10);
    buffer = gst_harness_try_pull (test.harness);
    if (buffer == NULL)
      continue;
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), test.pulled_frames);
    fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT), test.pulled_frames == lost_at);
    test.pulled_frames = GST_BUFFER_OFFSET_END (buffer);
    if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP))
      sound_at = GST_BUFFER_OFFSET (buffer);
    gst_buffer_unref (buffer);
  }
  fail_unless (sound_at >= 4800 + 300 * 48, "%" G_GUINT64_FORMAT, sound_at);
  assert_told (&test, GST_MESSAGE_ELEMENT, "zcloopback-recovered");
  zc_test_finish (&test);
}
GST_END_TEST

/* A pause, a flush, other caps: the stream begins anew, and goes on with silence. */
GST_START_TEST (pause_without_the_device_is_no_end)
{
  gboolean sound = FALSE;
  GstBuffer *buffer;
  guint gaps = 0;
  ZcTest test;

  start_and_lose (&test);
  gst_element_set_state (test.element, GST_STATE_PAUSED);
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  while (!sound) {
    zc_test_pass_ms (&test, 10);
    buffer = gst_harness_try_pull (test.harness);
    if (buffer == NULL)
      continue;
    sound = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);
    gaps += !sound;
    gst_buffer_unref (buffer);
  }
  fail_unless (gaps > 10, "%u packets of silence", gaps);
  assert_told (&test, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR, "zcloopback-recovered");
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (loss_can_become_an_error_while_it_lasts)
{
  ZcTest test;

  zc_test_start (&test, "packet=480 play=480 lose away-ms=1000000", NULL, NULL);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  assert_told (&test, GST_MESSAGE_ELEMENT, "zcloopback-lost");
  gst_util_set_object_arg (G_OBJECT (test.element), "on-loss", "error");
  zc_test_pass_ms (&test, 1000);
  zc_test_assert_one_error (&test, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, "went away");
  zc_test_finish (&test);
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 1000000 * GST_MSECOND); /* all devices are back */
}
GST_END_TEST

/* No packet for two seconds in the middle: GAP buffers in time, one stream. */
GST_START_TEST (idle_time_is_silence_if_asked)
{
  guint64 position = 0, silent = 0;
  ZcTest test;

  zc_test_start (&test, "packet=480 play=4800 idle=95900 play=1", "idle=synthesize", NULL);
  while (position < 3 * 48000) {
    GstBuffer *buffer;

    zc_test_pass_ms (&test, 5);
    while ((buffer = gst_harness_try_pull (test.harness)) != NULL) {
      fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), position);
      fail_unless_equals_int (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT), position == 0);
      fail_unless_equals_int (gst_buffer_get_size (buffer), 480 * FRAME_BYTES);
      position = GST_BUFFER_OFFSET_END (buffer);
      if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP))
        silent += position - GST_BUFFER_OFFSET (buffer);
      gst_buffer_unref (buffer);
    }
  }
  fail_unless (silent >= 96000 - 2 * 480 && silent <= 96000, "%" G_GUINT64_FORMAT, silent);
  fail_unless_equals_uint64 (zc_test_stat (&test, "glitches"), 0);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* What the device marks as silent is not sound that a silence could join. */
GST_START_TEST (idle_time_and_silence_of_the_device_are_gaps)
{
  guint64 position = 0;
  ZcTest test;

  zc_test_start (&test, "packet=480 play=4800 idle=95900 silent=1440 play=1", NULL, NULL);
  while (position < 3 * 48000) {
    GstBuffer *buffer;

    zc_test_pass_ms (&test, 5);
    while ((buffer = gst_harness_try_pull (test.harness)) != NULL) {
      fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), position);
      position = GST_BUFFER_OFFSET_END (buffer);
      fail_unless (gst_buffer_get_size (buffer) == 480 * FRAME_BYTES
          || GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
      fail_unless (gst_buffer_memcmp (buffer, 0, (guint8[8 * FRAME_BYTES]){ 0 }, 8 * FRAME_BYTES) != 0
          || GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
      gst_buffer_unref (buffer);
    }
  }
  zc_test_finish (&test);
}
GST_END_TEST

static Suite *
absence_suite (void)
{
  Suite *suite = suite_create ("absence");
  TCase *tc = tcase_create ("absence");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, loss_is_one_error_after_all_that_came);
  tcase_add_test (tc, loss_is_bridged_with_silence);
  tcase_add_test (tc, pause_without_the_device_is_no_end);
  tcase_add_test (tc, loss_can_become_an_error_while_it_lasts);
  tcase_add_test (tc, idle_time_is_silence_if_asked);
  tcase_add_test (tc, idle_time_and_silence_of_the_device_are_gaps);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, absence_suite ());
}
