/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* floor: the least a program can do to read what a PulseAudio sink plays. No GStreamer, no copy.
 *
 *   floor SOURCE PACKETS      e.g. floor zc.monitor 1000: exits after 1000 x 3840 bytes
 *
 * The bound for the bench: what this costs in CPU time, system calls and allocations is libpulse's own and no
 * capture through libpulse can cost less. 48 kHz stereo float, packets of 10 ms. One thread: the main one. */

#include <pulse/pulseaudio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PACKET_BYTES 3840

static const pa_sample_spec spec = { .format = PA_SAMPLE_FLOAT32LE, .rate = 48000, .channels = 2 };

/* True while the loop may go on; false when the server is gone or said no. */
static bool
iterate (pa_mainloop *loop)
{
  return pa_mainloop_iterate (loop, 1, NULL) >= 0;
}

static bool
wait_for_server (pa_mainloop *loop, pa_context *context)
{
  while (pa_context_get_state (context) != PA_CONTEXT_READY) {
    if (!PA_CONTEXT_IS_GOOD (pa_context_get_state (context)) || !iterate (loop))
      return false;
  }
  return true;
}

static bool
wait_for_stream (pa_mainloop *loop, pa_stream *stream)
{
  while (pa_stream_get_state (stream) != PA_STREAM_READY) {
    if (!PA_STREAM_IS_GOOD (pa_stream_get_state (stream)) || !iterate (loop))
      return false;
  }
  return true;
}

/* What is readable now, read and dropped; a hole counts as its length. */
static uint64_t
drain (pa_stream *stream)
{
  uint64_t total = 0;
  const void *data;
  size_t bytes;

  while (pa_stream_readable_size (stream) > 0) {
    if (pa_stream_peek (stream, &data, &bytes) < 0 || bytes == 0)
      break;
    total += bytes;
    pa_stream_drop (stream);
  }
  return total;
}

static bool
capture (const char *source, uint64_t wanted_bytes)
{
  const pa_buffer_attr attr = { .maxlength = UINT32_MAX, .fragsize = PACKET_BYTES };
  pa_mainloop *loop = pa_mainloop_new ();
  pa_context *context = pa_context_new (pa_mainloop_get_api (loop), "floor");
  pa_stream *stream;
  uint64_t got_bytes = 0;

  if (pa_context_connect (context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0 ||
      !wait_for_server (loop, context))
    return false;
  stream = pa_stream_new (context, "floor", &spec, NULL);
  if (pa_stream_connect_record (stream, source, &attr, PA_STREAM_ADJUST_LATENCY) < 0 ||
      !wait_for_stream (loop, stream))
    return false;

  while (got_bytes < wanted_bytes && iterate (loop))
    got_bytes += drain (stream);

  pa_stream_disconnect (stream);
  pa_stream_unref (stream);
  pa_context_disconnect (context);
  pa_context_unref (context);
  pa_mainloop_free (loop);
  return got_bytes >= wanted_bytes;
}

int
main (int argc, char **argv)
{
  if (argc != 3) {
    fprintf (stderr, "usage: floor SOURCE PACKETS\n");
    return 2;
  }
  if (!capture (argv[1], strtoull (argv[2], NULL, 10) * PACKET_BYTES)) {
    fprintf (stderr, "floor: no capture from \"%s\": is the server running, and is that the source's name?\n",
        argv[1]);
    return 1;
  }
  return 0;
}
