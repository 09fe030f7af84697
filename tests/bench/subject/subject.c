/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* subject: runs a pipeline and tells what a stretch of its sound cost, once it is warm.
 *
 *   subject [--warm N] [--packets N] [--crank] [--clicks] PIPELINE...
 *
 *   subject zcloopbacksrc backend=pulse memory-mode=lease ! fakesink
 *   subject --crank --packets 360000 zcloopbacksrc backend=simulated device=clock=manual ! fakesink
 *
 * A packet is 10 ms of 48 kHz stereo float, however many buffers a source makes of it; with several sources N is of
 * each. The window begins and ends in a source's streaming thread, as a buffer leaves it: at both ends the same
 * buffer is out, so that a difference of 0 bytes is one. Prints "begin.NAME value" and "end.NAME value" (snapshot.h).
 *
 * --crank: time is the simulated device's (clock=manual), for the pipeline too, and goes on by a packet with each
 * packet that came: an hour takes seconds. One source only.
 * --clicks: prints "click NS" for each click in the sound (see clicker.c): when its buffer left the source.
 *
 * zcloopbacksrc is linked in, since it is the same code that turns the simulated clock; all others are plugins. */

#include "snapshot.h"

#include "gstzcloopbacksrc.h"
#include "zc-backend-sim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PACKET_BYTES 3840
#define PACKET_NS (10 * GST_MSECOND)
#define MAX_CLICKS 16384
#define CLICK_LEVEL 0.25f
#define QUIET_NS (30 * GST_MSECOND) /* clicks are further apart, and shorter */
#define LOOK_NS (20 * GST_MSECOND)

typedef struct {
  gint warm_packets;
  gint packets;
  gboolean crank;
  gboolean clicks;
} Options;

static Options options = { .warm_packets = 300, .packets = 1000 };

static GstElement *pipeline;
static GPtrArray *sources;
static gint64 begin_bytes, end_bytes;
static gint64 n_buffers, n_bytes; /* atomic: sources have a thread each */
static Snapshot begin, end;
static gint64 clicks_ns[MAX_CLICKS];
static guint n_clicks;

/* The simulated device's time as a pipeline's clock. */
typedef GstClock SimClock;
typedef GstClockClass SimClockClass;

GType sim_clock_get_type (void);
G_DEFINE_TYPE (SimClock, sim_clock, GST_TYPE_CLOCK)

static GstClockTime
sim_clock_get_internal_time (GstClock *clock)
{
  return (GstClockTime) zc_sim_get_now_ns ();
}

static void
sim_clock_class_init (SimClockClass *klass)
{
  klass->get_internal_time = sim_clock_get_internal_time;
}

static void
sim_clock_init (SimClock *clock)
{
}

static void
crank (void)
{
  zc_sim_set_now_ns (zc_sim_get_now_ns () + (gint64) PACKET_NS);
}

static void
note_click (GstBuffer *buffer)
{
  const gint64 now_ns = g_get_monotonic_time () * 1000;
  GstMapInfo map;

  if (n_clicks == MAX_CLICKS || (n_clicks > 0 && now_ns - clicks_ns[n_clicks - 1] < (gint64) QUIET_NS)
      || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  for (gsize i = 0; i < map.size / sizeof (gfloat); i++) {
    if (fabsf (((const gfloat *) map.data)[i]) > CLICK_LEVEL) {
      clicks_ns[n_clicks++] = now_ns;
      break;
    }
  }
  gst_buffer_unmap (buffer, &map);
}

static void
finish_snapshot (Snapshot *snapshot, gint64 buffers, gint64 bytes)
{
  snapshot->counts[COUNT_BUFFERS] = buffers;
  snapshot->counts[COUNT_SOUND_BYTES] = bytes;
}

/* The streaming thread whose buffer reaches the mark takes the snapshot. Reading the stats allocates: outside of it. */
static void
count_buffer (gint64 bytes)
{
  const gint64 buffers = __atomic_add_fetch (&n_buffers, 1, __ATOMIC_RELAXED);
  const gint64 total = __atomic_add_fetch (&n_bytes, bytes, __ATOMIC_RELAXED);

  if (total >= begin_bytes && total - bytes < begin_bytes) {
    snapshot_take_stats (&begin, sources);
    finish_snapshot (&begin, buffers, total);
    snapshot_take (&begin);
  } else if (total >= end_bytes && total - bytes < end_bytes) {
    snapshot_take (&end);
    finish_snapshot (&end, buffers, total);
    snapshot_take_stats (&end, sources);
    gst_element_post_message (pipeline, gst_message_new_application (GST_OBJECT (pipeline),
        gst_structure_new_empty ("end")));
  }
}

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  count_buffer ((gint64) gst_buffer_get_size (buffer));
  if (options.clicks)
    note_click (buffer);
  if (options.crank)
    crank ();
  return GST_PAD_PROBE_OK;
}

static void
add_source (const GValue *item, gpointer data)
{
  GstElement *element = g_value_get_object (item);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "src");

  if (!GST_OBJECT_FLAG_IS_SET (element, GST_ELEMENT_FLAG_SOURCE))
    return;
  g_ptr_array_add (sources, gst_object_ref (element));
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, NULL, NULL);
}

static gboolean
make_pipeline (char **words, GError **error)
{
  g_autofree gchar *description = g_strjoinv (" ", words);
  GstIterator *found;

  pipeline = gst_parse_launch_full (description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!GST_IS_PIPELINE (pipeline)) /* NULL, or a single element */
    return FALSE;
  if (options.crank)
    gst_pipeline_use_clock (GST_PIPELINE (pipeline), g_object_new (sim_clock_get_type (), NULL));
  sources = g_ptr_array_new_with_free_func (gst_object_unref);
  found = gst_bin_iterate_elements (GST_BIN (pipeline));
  gst_iterator_foreach (found, add_source, NULL);
  gst_iterator_free (found);
  begin_bytes = (gint64) PACKET_BYTES * options.warm_packets * sources->len;
  end_bytes = begin_bytes + (gint64) PACKET_BYTES * options.packets * sources->len;
  return TRUE;
}

/* TRUE when the window is full; else there was an error, or the stream ended before. */
static gboolean
run (void)
{
  const GstMessageType ends = GST_MESSAGE_APPLICATION | GST_MESSAGE_ERROR | GST_MESSAGE_EOS;
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((message = gst_bus_timed_pop_filtered (bus, LOOK_NS, ends)) == NULL) {
    if (options.crank && zc_sim_waiting () > 0) /* the start; afterwards each packet brings the next */
      crank ();
  }
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_APPLICATION)
    fprintf (stderr, "subject: %s\n", error != NULL ? error->message : "the stream ended before the window did");
  return GST_MESSAGE_TYPE (message) == GST_MESSAGE_APPLICATION;
}

static gboolean
read_options (int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "warm", 0, 0, G_OPTION_ARG_INT, &options.warm_packets, "packets before the window", "N" },
    { "packets", 0, 0, G_OPTION_ARG_INT, &options.packets, "packets of the window", "N" },
    { "crank", 0, 0, G_OPTION_ARG_NONE, &options.crank, "time goes on with each packet", NULL },
    { "clicks", 0, 0, G_OPTION_ARG_NONE, &options.clicks, "tell when each click came", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("PIPELINE...");

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  return g_option_context_parse (context, argc, argv, error);
}

static void
print_results (void)
{
  snapshot_print (&begin, "begin");
  snapshot_print (&end, "end");
  printf ("sources %u\n", sources->len);
  for (guint i = 0; i < n_clicks; i++)
    printf ("click %" G_GINT64_FORMAT "\n", clicks_ns[i]);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gboolean complete;

  if (!read_options (&argc, &argv, &error) || !GST_ELEMENT_REGISTER (zcloopbacksrc, NULL)
      || !make_pipeline (argv + 1, &error)) {
    fprintf (stderr, "subject: %s\n", error != NULL ? error->message : "that is no pipeline with a source");
    return EXIT_FAILURE;
  }
  snapshot_init ();
  complete = run ();
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (complete)
    print_results ();
  g_ptr_array_unref (sources);
  gst_object_unref (pipeline);
  return complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
