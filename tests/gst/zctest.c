/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zctest.h"

#include "gstzcloopbacksrc.h"

#define MS GST_MSECOND

static void
set_properties (GstElement *element, const gchar *properties)
{
  g_auto (GStrv) words = g_strsplit (properties != NULL ? properties : "", " ", -1);

  for (guint i = 0; words[i] != NULL && *words[i] != '\0'; i++) {
    g_auto (GStrv) pair = g_strsplit (words[i], "=", 2);
    gst_util_set_object_arg (G_OBJECT (element), pair[0], pair[1]);
  }
}

void
zc_test_prepare (ZcTest *test, const gchar *script, const gchar *properties, const gchar *sink_caps)
{
  g_autofree gchar *device = g_strdup_printf ("clock=manual %s", script);
  GstBus *bus = gst_bus_new ();

  *test = (ZcTest){ .element = gst_element_factory_make ("zcloopbacksrc", NULL) };
  gst_util_set_object_arg (G_OBJECT (test->element), "backend", "simulated");
  g_object_set (test->element, "device", device, NULL);
  set_properties (test->element, properties);
  test->harness = gst_harness_new_with_element (test->element, NULL, "src");
  gst_harness_use_testclock (test->harness);
  gst_harness_set_time (test->harness, (GstClockTime) zc_sim_get_now_ns ());
  gst_element_set_bus (test->element, bus);
  gst_object_unref (bus);
  if (sink_caps != NULL)
    gst_harness_set_sink_caps_str (test->harness, sink_caps);
}

void
zc_test_start (ZcTest *test, const gchar *script, const gchar *properties, const gchar *sink_caps)
{
  zc_test_prepare (test, script, properties, sink_caps);
  gst_harness_play (test->harness);
}

void
zc_test_finish (ZcTest *test)
{
  guint64 accounted, expected;

  gst_element_set_state (test->element, GST_STATE_NULL);
  accounted = zc_test_stat (test, "frames-captured") + zc_test_stat (test, "frames-silence")
      + zc_test_stat (test, "frames-lost");
  expected = zc_test_stat (test, "frames-expected");
  fail_unless (accounted <= expected && expected - accounted <= 4800, "%" G_GUINT64_FORMAT " frames of %"
      G_GUINT64_FORMAT, accounted, expected);
  gst_element_set_bus (test->element, NULL);
  gst_harness_teardown (test->harness);
  gst_object_unref (test->element);
}

/* Polled, as the streaming thread has no way to tell; ends in microseconds unless something is broken. */
static void
until_device_waits (void)
{
  gint64 deadline = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;

  while (zc_sim_waiting () == 0 && g_get_monotonic_time () < deadline)
    g_usleep (50);
  fail_unless (zc_sim_waiting () > 0, "nobody waits for the device");
}

static void
crank_ms (ZcTest *test, guint ms)
{
  gint64 now_ns = zc_sim_get_now_ns () + (gint64) (ms * MS);

  gst_harness_set_time (test->harness, (GstClockTime) now_ns);
  zc_sim_set_now_ns (now_ns);
}

void
zc_test_crank_ms (ZcTest *test, guint ms)
{
  until_device_waits ();
  crank_ms (test, ms);
}

void
zc_test_pass_ms (ZcTest *test, guint ms)
{
  crank_ms (test, ms);
  g_usleep (6000);
}

GstBuffer *
zc_test_pull (ZcTest *test)
{
  GstBuffer *buffer = gst_harness_pull (test->harness);

  fail_unless (buffer != NULL, "no buffer came");
  fail_unless (GST_BUFFER_PTS_IS_VALID (buffer) && GST_BUFFER_DURATION_IS_VALID (buffer));
  if (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT))
    fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), test->pulled_frames);
  test->pulled_frames = GST_BUFFER_OFFSET_END (buffer);
  return buffer;
}

void
zc_test_assert_counts (GstBuffer *buffer, guint64 first_frame)
{
  ZcFormat format = { .sample = ZC_SAMPLE_F32LE, .rate = 48000, .channels = 2 };
  gsize bytes = gst_buffer_get_size (buffer);
  g_autofree guint8 *expected = g_malloc (bytes);

  zc_sim_fill_counting (&format, first_frame, expected, (guint) (bytes / zc_format_frame_bytes (&format)));
  gst_check_buffer_data (buffer, expected, bytes);
}

guint64
zc_test_stat (ZcTest *test, const gchar *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (test->element, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value), "no %s in stats", name);
  return value;
}

GstMessage *
zc_test_message (ZcTest *test, GstMessageType type)
{
  GstMessage *message = gst_bus_timed_pop_filtered (GST_ELEMENT_BUS (test->element), 5 * GST_SECOND, type);

  fail_unless (message != NULL, "no message %s came", gst_message_type_get_name (type));
  return message;
}

void
zc_test_assert_one_error (ZcTest *test, GQuark domain, gint code, const gchar *word)
{
  GstMessage *message = zc_test_message (test, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
  gst_message_unref (message);
  fail_unless (gst_bus_pop_filtered (GST_ELEMENT_BUS (test->element), GST_MESSAGE_ERROR) == NULL);
}

int
zc_test_main (int argc, char **argv, Suite *suite)
{
  SRunner *runner = srunner_create (suite);
  int failed;

  gst_check_init (&argc, &argv);
  GST_ELEMENT_REGISTER (zcloopbacksrc, NULL);
  srunner_set_tap (runner, "-");
  srunner_run_all (runner, CK_SILENT);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed;
}
