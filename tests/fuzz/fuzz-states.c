/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An application that does not know what it wants: properties of any value, states, seeks, flushes and queries in any
 * order, on devices of any kind. Nothing is critical, every change of state ends, and every frame has its place. */
#include "fuzz.h"

#include "gstzcloopbacksrc.h"
#include "zc-backend-sim.h"

#define MOST_STEPS 64
#define MS         G_GINT64_CONSTANT (1000000)

static const gchar *const devices[] = {
  "clock=manual",
  "clock=manual packet=480:7:1000 play=5000 glitch=100 play=3000 silent=700",
  "clock=manual format=S16LE rate=44100 channels=1 play=2000 lose",
  "clock=manual format=S24LE rate=192000 channels=8 idle=5000 play=100",
  "clock=manual lend=4 lend-briefly play=1000 lose away-ms=20",
  "clock=manual untimed jitter-us=5000 drift-ppm=300",
  "clock=manual fail=start",
  "clock=manual fail=open",
  "no such word",
};

typedef struct {
  GstElement *pipeline;
  GstElement *source;
  FuzzInput input;
} Run;

/* A number that is small most of the time: sizes and times have to be met, not to be waited for. */
static gint64
some_number (FuzzInput *input, gint64 least, gint64 most)
{
  guint usual = (fuzz_byte (input) & 7) == 0 ? 0xffff : 200;

  return least + fuzz_uint (input, (guint) MIN (most - least, usual));
}

static void
set_property (Run *run)
{
  guint n_specs = 0;
  g_autofree GParamSpec **specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (run->source), &n_specs);
  GParamSpec *spec = specs[fuzz_uint (&run->input, n_specs - 1)];
  GValue value = G_VALUE_INIT;

  if ((spec->flags & G_PARAM_WRITABLE) == 0 || spec->owner_type != G_OBJECT_TYPE (run->source)
      || g_str_equal (spec->name, "backend"))
    return;
  g_value_init (&value, spec->value_type);
  if (G_IS_PARAM_SPEC_ENUM (spec)) {
    GEnumClass *choices = G_PARAM_SPEC_ENUM (spec)->enum_class;
    g_value_set_enum (&value, choices->values[fuzz_uint (&run->input, choices->n_values - 1)].value);
  } else if (G_IS_PARAM_SPEC_UINT (spec)) {
    g_value_set_uint (&value, (guint) some_number (&run->input, G_PARAM_SPEC_UINT (spec)->minimum,
        G_PARAM_SPEC_UINT (spec)->maximum));
  } else if (G_IS_PARAM_SPEC_INT (spec)) {
    g_value_set_int (&value, (gint) some_number (&run->input, G_PARAM_SPEC_INT (spec)->minimum,
        G_PARAM_SPEC_INT (spec)->maximum));
  } else if (G_IS_PARAM_SPEC_INT64 (spec)) {
    g_value_set_int64 (&value, some_number (&run->input, G_PARAM_SPEC_INT64 (spec)->minimum,
        G_PARAM_SPEC_INT64 (spec)->maximum));
  } else if (G_IS_PARAM_SPEC_BOOLEAN (spec)) {
    g_value_set_boolean (&value, fuzz_byte (&run->input) & 1);
  } else if (g_str_equal (spec->name, "device")) {
    g_value_set_static_string (&value, devices[fuzz_uint (&run->input, G_N_ELEMENTS (devices) - 1)]);
  }
  g_object_set_property (G_OBJECT (run->source), spec->name, &value);
  g_value_unset (&value);
}

static void
set_state (Run *run, GstState state)
{
  gint64 begin_us = g_get_monotonic_time ();

  gst_element_set_state (run->pipeline, state);
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <, 5 * G_USEC_PER_SEC); /* 2 s, and a slow machine */
}

static void
pass (guint ms)
{
  zc_sim_set_now_ns (zc_sim_get_now_ns () + ms * MS);
  g_thread_yield ();
}

static void
ask (Run *run)
{
  GstQuery *query = gst_query_new_latency ();
  g_autoptr (GstStructure) stats = NULL;
  g_autofree gchar *device = NULL;

  gst_element_query (run->pipeline, query);
  gst_query_unref (query);
  g_object_get (run->source, "stats", &stats, "actual-device", &device, NULL);
  g_assert_nonnull (stats);
}

/* GStreamer's locks of states go from a bin to its elements; who sends to an element alone has to begin with the bin's.
 * Else a flush that resets the time meets a thread of the bin's that changes states, and both wait for ever. */
static void
send (Run *run)
{
  GST_STATE_LOCK (run->pipeline);
  switch (fuzz_byte (&run->input) % 4) {
    case 0: /* GstBaseSrc (1.22) keeps one for ever that it gets when stopped, and waits for a sink that is prerolled */
      if (GST_STATE (run->pipeline) == GST_STATE_PLAYING)
        gst_element_send_event (run->source, gst_event_new_eos ());
      break;
    case 1:
      gst_element_send_event (run->source, gst_event_new_flush_start ());
      gst_element_send_event (run->source, gst_event_new_flush_stop (TRUE));
      break;
    case 2:
      gst_element_send_event (run->source, gst_event_new_latency (MS));
      break;
    default:
      gst_element_seek_simple (run->pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0);
  }
  GST_STATE_UNLOCK (run->pipeline);
}

static void
step (Run *run)
{
  switch (fuzz_byte (&run->input) % 6) {
    case 0:
    case 1:
      set_property (run);
      break;
    case 2:
      set_state (run, (GstState) (GST_STATE_NULL + fuzz_uint (&run->input, GST_STATE_PLAYING - GST_STATE_NULL)));
      break;
    case 3:
      pass (1 + fuzz_uint (&run->input, 200));
      break;
    case 4:
      ask (run);
      break;
    default:
      send (run);
  }
}

static guint64
stat_of (const GstStructure *stats, const gchar *name)
{
  guint64 value = 0;

  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

/* One that ended in the middle of a packet leaves that: of the longest that is set here (66 ms) at the highest rate,
 * and what a device delivers at once. */
#define MOST_LEFT_FRAMES 16000

static void
check_account (Run *run)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 accounted, expected;

  g_object_get (run->source, "stats", &stats, NULL);
  accounted = stat_of (stats, "frames-captured") + stat_of (stats, "frames-silence") + stat_of (stats, "frames-lost");
  expected = stat_of (stats, "frames-expected");
  g_assert_cmpuint (accounted, <=, expected);
  g_assert_cmpuint (expected - accounted, <=, MOST_LEFT_FRAMES);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  GstElement *sink;
  Run run;

  if (!gst_is_initialized ()) {
    gst_init (NULL, NULL);
    GST_ELEMENT_REGISTER (zcloopbacksrc, NULL);
    g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FLAG_FATAL);
  }
  fuzz_input_init (&run.input, data, size);
  run.pipeline = gst_pipeline_new (NULL);
  run.source = gst_element_factory_make ("zcloopbacksrc", NULL);
  sink = gst_element_factory_make ("fakesink", NULL);
  g_object_set (sink, "sync", FALSE, NULL);
  gst_util_set_object_arg (G_OBJECT (run.source), "backend", "simulated");
  g_object_set (run.source, "device", devices[fuzz_byte (&run.input) % G_N_ELEMENTS (devices)], NULL);
  gst_bin_add_many (GST_BIN (run.pipeline), run.source, sink, NULL);
  gst_element_link (run.source, sink);
  for (guint steps = 0; steps < MOST_STEPS && !fuzz_is_over (&run.input); steps++)
    step (&run);
  set_state (&run, GST_STATE_NULL);
  check_account (&run);
  gst_object_unref (run.pipeline);
  return 0;
}
