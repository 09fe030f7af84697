/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pwfloor: the least a program can do to read what a PipeWire sink plays. No GStreamer, no copy.
 *
 *   pwfloor SINK PACKETS      e.g. pwfloor zc 1000: exits after 1000 x 3840 bytes
 *
 * As floor, by PipeWire's own API. */

#include <pipewire/pipewire.h>
#include <spa/param/audio/format-utils.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PACKET_BYTES 3840

struct capture
{
  struct pw_main_loop *loop;
  struct pw_stream *stream;
  uint64_t wanted_bytes, got_bytes;
};

static void
on_process (void *data)
{
  struct capture *capture = data;
  struct pw_buffer *buffer;

  while ((buffer = pw_stream_dequeue_buffer (capture->stream))) {
    capture->got_bytes += buffer->buffer->datas[0].chunk->size;
    pw_stream_queue_buffer (capture->stream, buffer);
  }
  if (capture->got_bytes >= capture->wanted_bytes)
    pw_main_loop_quit (capture->loop);
}

static void
on_state (void *data, enum pw_stream_state before, enum pw_stream_state state, const char *error)
{
  (void) before;
  (void) error;
  if (state == PW_STREAM_STATE_ERROR || state == PW_STREAM_STATE_UNCONNECTED)
    pw_main_loop_quit (((struct capture *) data)->loop);
}

static const struct pw_stream_events events = { PW_VERSION_STREAM_EVENTS, .process = on_process,
  .state_changed = on_state };

static int
run (struct capture *capture, const char *sink)
{
  struct spa_audio_info_raw info = { .format = SPA_AUDIO_FORMAT_F32, .rate = 48000, .channels = 2,
    .position = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR } };
  uint8_t space[1024];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT (space, sizeof space);
  const struct spa_pod *params[1] = { spa_format_audio_raw_build (&builder, SPA_PARAM_EnumFormat, &info) };

  capture->loop = pw_main_loop_new (NULL);
  capture->stream = pw_stream_new_simple (pw_main_loop_get_loop (capture->loop), "pwfloor",
      pw_properties_new (PW_KEY_MEDIA_TYPE, "Audio", PW_KEY_MEDIA_CATEGORY, "Capture", PW_KEY_STREAM_CAPTURE_SINK,
          "true", PW_KEY_TARGET_OBJECT, sink, PW_KEY_NODE_LATENCY, "480/48000", NULL), &events, capture);
  if (!capture->stream || pw_stream_connect (capture->stream, PW_DIRECTION_INPUT, PW_ID_ANY,
          PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS, params, 1) < 0)
    return 1;
  pw_main_loop_run (capture->loop);
  pw_stream_destroy (capture->stream);
  pw_main_loop_destroy (capture->loop);
  return capture->got_bytes >= capture->wanted_bytes ? 0 : 1;
}

int
main (int argc, char **argv)
{
  struct capture capture = { 0 };

  if (argc != 3) {
    fprintf (stderr, "usage: pwfloor SINK PACKETS\n");
    return 2;
  }
  pw_init (&argc, &argv);
  capture.wanted_bytes = strtoull (argv[2], NULL, 10) * PACKET_BYTES;
  if (run (&capture, argv[1])) {
    fprintf (stderr, "pwfloor: no capture from \"%s\": is PipeWire running, and is that the sink's name?\n", argv[1]);
    return 1;
  }
  return 0;
}
