/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another device: asked for while the stream runs or rests, or as it is the default now. */
#include "zctest.h"

#include <string.h>

/* Time passes until a message of ours comes; all buffers on the way are one stream, that begins anew after a pause.
 * Transfer full. */
static GstMessage *
wait_for_news (ZcTest *test)
{
  for (guint i = 0; i < 1000; i++) {
    GstMessage *message = gst_bus_pop_filtered (GST_ELEMENT_BUS (test->element),
        GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
    GstBuffer *buffer;

    while ((buffer = gst_harness_try_pull (test->harness)) != NULL) {
      fail_unless (GST_BUFFER_OFFSET (buffer) == test->pulled_frames || GST_BUFFER_OFFSET (buffer) == 0);
      test->pulled_frames = GST_BUFFER_OFFSET_END (buffer);
      gst_buffer_unref (buffer);
    }
    if (message != NULL)
      return message;
    zc_test_pass_ms (test, 10);
  }
  fail ("no message came");
  return NULL;
}

static void
pass_200_ms (ZcTest *test)
{
  for (guint i = 0; i < 20; i++)
    zc_test_pass_ms (test, 10);
}

/* On this device, and playing. */
static void
begin (ZcTest *test, const gchar *words)
{
  zc_test_start (test, words, NULL, NULL);
  zc_test_pass_ms (test, 50);
}

/* On the default, which is followed, or on a device that is named. */
static void
prepare_with_default (ZcTest *test, const gchar *default_device, const gchar *device)
{
  zc_sim_set_default (default_device);
  zc_test_prepare (test, "", NULL, NULL);
  g_object_set (test->element, "device", device, NULL);
}

static void
begin_with_default (ZcTest *test, const gchar *default_device, const gchar *device)
{
  prepare_with_default (test, default_device, device);
  gst_harness_play (test->harness);
  zc_test_pass_ms (test, 50);
}

static void
finish_with_default (ZcTest *test)
{
  zc_test_finish (test);
  zc_sim_set_default (NULL);
}

static void
assert_news (ZcTest *test, const gchar *name)
{
  GstMessage *message = wait_for_news (test);

  fail_unless (gst_message_has_name (message, name), "%" GST_PTR_FORMAT, message);
  gst_message_unref (message);
}

static void
assert_warned (ZcTest *test, const gchar *word)
{
  GstMessage *message = wait_for_news (test);
  g_autoptr (GError) error = NULL;

  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
  gst_message_unref (message);
}

static void
assert_changed_to (ZcTest *test, const gchar *device)
{
  GstMessage *message = wait_for_news (test);
  const GstStructure *told = gst_message_get_structure (message);
  g_autofree gchar *actual = NULL;

  fail_unless (gst_structure_has_name (told, "zcloopback-device-changed"), "%s", gst_structure_get_name (told));
  fail_unless_equals_string (gst_structure_get_string (told, "device"), device);
  fail_unless (gst_structure_has_field_typed (told, "frames", G_TYPE_UINT64));
  g_object_get (test->element, "actual-device", &actual, NULL);
  fail_unless_equals_string (actual, device);
  gst_message_unref (message);
}

GST_START_TEST (device_can_be_set_while_playing)
{
  const gchar *const others[]
      = { "clock=manual packet=240 signal=tone", "clock=manual format=S16LE rate=44100 packet=441" };
  ZcTest test;

  begin (&test, "packet=480");
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_object_set (test.element, "device", others[i], NULL);
    assert_changed_to (&test, others[i]);
  }
  g_object_set (test.element, "device", "nonsense", NULL);
  assert_warned (&test, "nonsense");
  g_object_set (test.element, "device", others[0], NULL);
  assert_changed_to (&test, others[0]);
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (default_is_followed_if_wanted)
{
  const gchar *const defaults[] = { "clock=manual", "clock=manual packet=240", "clock=manual packet=120" };
  GstMessage *message;
  ZcTest test;

  begin_with_default (&test, defaults[0], NULL);
  zc_sim_set_default (defaults[1]);
  assert_changed_to (&test, defaults[1]);
  g_object_set (test.element, "follow-default", FALSE, NULL);
  zc_test_pass_ms (&test, 20);
  zc_sim_set_default (defaults[2]);
  pass_200_ms (&test);
  message = gst_bus_pop_filtered (GST_ELEMENT_BUS (test.element),
      GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  fail_unless (message == NULL);
  g_object_set (test.element, "follow-default", TRUE, NULL);
  assert_changed_to (&test, defaults[2]);
  finish_with_default (&test);
}
GST_END_TEST

/* Named, and then followed as the default that it is. */
GST_START_TEST (default_is_followed_after_its_name)
{
  const gchar *const defaults[] = { "clock=manual", "clock=manual packet=240" };
  ZcTest test;

  begin_with_default (&test, defaults[0], defaults[0]);
  g_object_set (test.element, "device", NULL, NULL);
  assert_changed_to (&test, defaults[0]);
  zc_sim_set_default (defaults[1]);
  assert_changed_to (&test, defaults[1]);
  finish_with_default (&test);
}
GST_END_TEST

static void
assert_captures (ZcTest *test, const gchar *device)
{
  guint64 captured = zc_test_stat (test, "frames-captured");
  g_autofree gchar *actual = NULL;

  for (guint i = 0; i < 100 && zc_test_stat (test, "frames-captured") == captured; i++)
    zc_test_pass_ms (test, 10);
  fail_unless (zc_test_stat (test, "frames-captured") > captured, "nothing is captured any more");
  g_object_get (test->element, "actual-device", &actual, NULL);
  fail_unless_equals_string (actual, device);
}

/* One warning, and the first one goes on: also after a loss, when it is there again. */
GST_START_TEST (device_that_does_not_start_is_refused)
{
  const gchar *const others[] = { "clock=manual fail=start", "clock=manual fail=open" };
  ZcTest test;

  begin (&test, "packet=480");
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_object_set (test.element, "device", others[i], NULL);
    assert_warned (&test, others[i]);
    assert_captures (&test, "clock=manual packet=480");
    while (gst_bus_have_pending (GST_ELEMENT_BUS (test.element))) { /* how long the break was */
      GstMessage *message = gst_bus_pop (GST_ELEMENT_BUS (test.element));

      fail_if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING || GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
      gst_message_unref (message);
    }
  }
  zc_test_finish (&test);
}
GST_END_TEST

/* No loop of breaks: it is tried once, and again when the stream begins anew. */
GST_START_TEST (default_that_does_not_start_is_refused_once)
{
  ZcTest test;

  begin_with_default (&test, "clock=manual", NULL);
  zc_sim_set_default ("clock=manual fail=start");
  assert_warned (&test, "fail=start");
  assert_captures (&test, "clock=manual");
  fail_unless_equals_uint64 (zc_test_stat (&test, "glitches"), 1);
  pass_200_ms (&test);
  fail_unless_equals_uint64 (zc_test_stat (&test, "glitches"), 1);
  finish_with_default (&test);
}
GST_END_TEST

static void
set_device (GObject *element, GParamSpec *pspec, gpointer device)
{
  g_autofree gchar *actual = NULL;

  g_object_get (element, "actual-device", &actual, NULL);
  if (actual == NULL)
    g_object_set (element, "device", device, NULL);
}

/* As another thread may while one device is closed and the next is opened. */
GST_START_TEST (device_can_be_set_while_another_is_opened)
{
  gchar last[] = "clock=manual packet=240";
  ZcTest test;

  zc_test_prepare (&test, "", NULL, NULL);
  gst_element_set_state (test.element, GST_STATE_READY);
  g_object_set (test.element, "device", "clock=manual packet=120", NULL);
  g_signal_connect (test.element, "notify::actual-device", G_CALLBACK (set_device), last);
  gst_harness_play (test.harness);
  assert_changed_to (&test, last);
  zc_test_finish (&test);
}
GST_END_TEST

/* It may have been in use by somebody else then. */
GST_START_TEST (default_that_was_refused_is_tried_when_it_is_the_default_again)
{
  ZcTest test;

  begin_with_default (&test, "clock=manual", NULL);
  for (guint i = 0; i < 2; i++) {
    zc_sim_set_default ("clock=manual fail=start");
    assert_warned (&test, "fail=start");
    assert_captures (&test, "clock=manual");
    assert_news (&test, "zcloopback-device-changed"); /* how long the break was */
    zc_sim_set_default ("clock=manual");
    pass_200_ms (&test);
  }
  finish_with_default (&test);
}
GST_END_TEST

static void
assert_format_soon (ZcTest *test, GstCaps *expected)
{
  g_autoptr (GstCaps) caps = NULL;

  pass_200_ms (test);
  caps = gst_pad_get_current_caps (test->harness->sinkpad);
  fail_unless (gst_caps_is_equal (caps, expected), "%" GST_PTR_FORMAT, caps);
}

/* As a tee asks for it when it gets another branch; also one that cannot have what the first device has. */
GST_START_TEST (format_stays_when_downstream_asks_anew)
{
  const gchar *other = "clock=manual format=S16LE packet=441";
  const gchar *const accepted[] = { "audio/x-raw", "audio/x-raw, format={ S24LE, S16LE }" };
  g_autoptr (GstCaps) before = NULL;
  ZcTest test;

  begin (&test, "");
  gst_harness_set_sink_caps_str (test.harness, accepted[__i__]);
  pass_200_ms (&test);
  before = gst_pad_get_current_caps (test.harness->sinkpad);
  g_object_set (test.element, "device", other, NULL);
  assert_changed_to (&test, other);
  gst_harness_push_upstream_event (test.harness, gst_event_new_reconfigure ());
  for (guint i = 0; i < 4; i++)
    assert_format_soon (&test, before);
  zc_test_finish (&test);
}
GST_END_TEST

/* What downstream took once for want of better is not what it gets for ever. */
GST_START_TEST (format_is_the_devices_when_downstream_can_have_it_again)
{
  g_autoptr (GstCaps) own = NULL;
  ZcTest test;

  begin (&test, "");
  own = gst_pad_get_current_caps (test.harness->sinkpad);
  gst_harness_set_sink_caps_str (test.harness, "audio/x-raw, format=S16LE, rate=8000, channels=1");
  pass_200_ms (&test);
  gst_harness_set_sink_caps (test.harness, gst_pad_get_pad_template_caps (test.harness->sinkpad));
  assert_format_soon (&test, own);
  zc_test_finish (&test);
}
GST_END_TEST

/* Its name, and what is wrong with it, are told; what cannot be opened leaves what there was. */
GST_START_TEST (device_can_be_set_while_paused)
{
  ZcTest test;

  begin (&test, "");
  gst_element_set_state (test.element, GST_STATE_PAUSED);
  g_object_set (test.element, "device", "clock=manual packet=240", NULL);
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  assert_changed_to (&test, "clock=manual packet=240");
  for (const gchar *const *bad = (const gchar *const[]){ "fail=open", "fail=start", NULL }; *bad != NULL; bad++) {
    gst_element_set_state (test.element, GST_STATE_PAUSED);
    g_object_set (test.element, "device", *bad, NULL);
    gst_element_set_state (test.element, GST_STATE_PLAYING);
    assert_warned (&test, *bad);
    assert_captures (&test, "clock=manual packet=240");
  }
  zc_test_finish (&test);
}
GST_END_TEST

/* As a device of Windows is on which nothing plays. */
GST_START_TEST (device_that_never_delivers_can_be_left)
{
  ZcTest test;

  begin (&test, "");
  g_object_set (test.element, "device", "clock=manual idle=48000000 play=1", NULL);
  pass_200_ms (&test);
  g_object_set (test.element, "device", "fail=open", NULL);
  assert_warned (&test, "fail=open");
  g_object_set (test.element, "device", "clock=manual packet=240", NULL);
  assert_changed_to (&test, "clock=manual packet=240");
  zc_test_finish (&test);
}
GST_END_TEST

/* A refused one is not what is looked for after a loss. */
GST_START_TEST (loss_after_a_refusal_is_bridged)
{
  ZcTest test;

  begin (&test, "play=48000 lose");
  g_object_set (test.element, "device", "nonsense", NULL);
  assert_warned (&test, "nonsense");
  assert_news (&test, "zcloopback-lost");
  assert_news (&test, "zcloopback-recovered");
  assert_captures (&test, "clock=manual play=48000 lose");
  zc_test_finish (&test);
}
GST_END_TEST

/* What else is set has no say in it. */
GST_START_TEST (bounds_of_the_pool_do_not_keep_a_device)
{
  ZcTest test;

  begin (&test, "");
  g_object_set (test.element, "pool-max-buffers", 32, NULL);
  g_object_set (test.element, "device", "clock=manual packet=240", NULL);
  assert_changed_to (&test, "clock=manual packet=240");
  zc_test_finish (&test);
}
GST_END_TEST

/* The device that it was opened on is gone before the first start, and comes back as another one does. */
GST_START_TEST (default_is_followed_from_the_first_start)
{
  ZcTest test;

  prepare_with_default (&test, "clock=manual", NULL);
  gst_element_set_state (test.element, GST_STATE_READY);
  zc_sim_set_default ("clock=manual packet=240");
  gst_harness_play (test.harness);
  assert_changed_to (&test, "clock=manual packet=240");
  finish_with_default (&test);
}
GST_END_TEST

static Suite *
move_suite (void)
{
  Suite *suite = suite_create ("move");
  TCase *tc = tcase_create ("move");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, device_can_be_set_while_playing);
  tcase_add_test (tc, device_can_be_set_while_paused);
  tcase_add_test (tc, device_can_be_set_while_another_is_opened);
  tcase_add_test (tc, device_that_does_not_start_is_refused);
  tcase_add_test (tc, device_that_never_delivers_can_be_left);
  tcase_add_test (tc, loss_after_a_refusal_is_bridged);
  tcase_add_test (tc, bounds_of_the_pool_do_not_keep_a_device);
  tcase_add_test (tc, default_is_followed_if_wanted);
  tcase_add_test (tc, default_is_followed_after_its_name);
  tcase_add_test (tc, default_is_followed_from_the_first_start);
  tcase_add_test (tc, default_that_does_not_start_is_refused_once);
  tcase_add_test (tc, default_that_was_refused_is_tried_when_it_is_the_default_again);
  tcase_add_loop_test (tc, format_stays_when_downstream_asks_anew, 0, 2);
  tcase_add_test (tc, format_is_the_devices_when_downstream_can_have_it_again);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, move_suite ());
}
