/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Five seconds of what this computer plays: the peak of every buffer, then the statistics.
 *
 *   cc embed.c -o embed $(pkg-config --cflags --libs gstreamer-app-1.0 gstreamer-audio-1.0) -lm
 *   ./embed [PROPERTY=VALUE ...]                   for example: ./embed device=my-sink */
#include <gst/app/app.h>
#include <math.h>

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_autofree gchar *properties = g_strjoinv (" ", argv + 1);
  g_autofree gchar *description = g_strdup_printf ("zcloopbacksrc name=capture num-buffers=500 %s ! audioconvert "
      "! audio/x-raw,format=F32LE ! appsink name=sink sync=false", properties);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch_full (description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline == NULL) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  g_autoptr (GstElement) capture = gst_bin_get_by_name (GST_BIN (pipeline), "capture");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink))) != NULL) {
    GstBuffer *buffer = gst_sample_get_buffer (sample); /* its memory goes back to the pool with the sample */
    GstMapInfo map;
    gfloat peak = 0;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    for (gsize i = 0; i < map.size / sizeof (gfloat); i++)
      peak = fmaxf (peak, fabsf (((const gfloat *) map.data)[i]));
    gst_buffer_unmap (buffer, &map);
    g_print ("%" GST_TIME_FORMAT "  peak %6.1f dBFS\n", GST_TIME_ARGS (GST_BUFFER_PTS (buffer)),
        20 * log10 (peak + 1e-9));
    gst_sample_unref (sample);
  }

  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_autoptr (GstStructure) stats = NULL;
  if (message != NULL)
    gst_message_parse_error (message, &error, NULL);
  g_object_get (capture, "stats", &stats, NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_print ("%s\n", error != NULL ? error->message : gst_structure_to_string (stats));
  return error != NULL;
}
