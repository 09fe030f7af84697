/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zcpwfloorsrc: the least a GStreamer source can do to capture what a PipeWire sink plays. Never installed.
 *
 *   gst-launch-1.0 zcpwfloorsrc device=zc ! fakesink
 *
 * As zcfloorsrc, by PipeWire's own API: its main loop run in create(), one fixed format, one copy into recycled memory,
 * and nothing else. */

#include "floorpool.h"

#include <gst/base/gstpushsrc.h>
#include <pipewire/pipewire.h>
#include <spa/param/audio/format-utils.h>
#include <string.h>

typedef struct
{
  GstPushSrc parent;
  gchar *device;
  struct pw_main_loop *loop;
  struct pw_stream *stream;
  struct pw_buffer *turn;       /* what the stream lent and we have not used up */
  guint32 used_bytes;
  GstBufferPool *pool;
  guint64 packets;
} PwFloorSrc;
typedef GstPushSrcClass PwFloorSrcClass;

GType pw_floor_src_get_type (void);
G_DEFINE_TYPE (PwFloorSrc, pw_floor_src, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate floor_template =
GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (FLOOR_CAPS));

static const struct pw_stream_events events = { PW_VERSION_STREAM_EVENTS };

static gboolean
pw_floor_src_start (GstBaseSrc *base)
{
  PwFloorSrc *self = (PwFloorSrc *) base;
  struct spa_audio_info_raw info = { .format = SPA_AUDIO_FORMAT_F32, .rate = 48000, .channels = 2,
    .position = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR } };
  uint8_t space[1024];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT (space, sizeof space);
  const struct spa_pod *params[1] = { spa_format_audio_raw_build (&builder, SPA_PARAM_EnumFormat, &info) };

  pw_init (NULL, NULL);
  self->pool = floor_pool_new_active ();
  self->loop = pw_main_loop_new (NULL);
  self->stream = pw_stream_new_simple (pw_main_loop_get_loop (self->loop), "pwfloorsrc",
      pw_properties_new (PW_KEY_MEDIA_TYPE, "Audio", PW_KEY_MEDIA_CATEGORY, "Capture", PW_KEY_STREAM_CAPTURE_SINK,
          "true", PW_KEY_TARGET_OBJECT, self->device, PW_KEY_NODE_LATENCY, "480/48000", NULL), &events, self);
  return pw_stream_connect (self->stream, PW_DIRECTION_INPUT, PW_ID_ANY,
      PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS, params, 1) >= 0;
}

static gboolean
pw_floor_src_stop (GstBaseSrc *base)
{
  PwFloorSrc *self = (PwFloorSrc *) base;

  pw_stream_destroy (self->stream);
  pw_main_loop_destroy (self->loop);
  gst_buffer_pool_set_active (self->pool, FALSE);
  gst_object_unref (self->pool);
  return TRUE;
}

/* Blocks until something is readable. */
static void
next_turn (PwFloorSrc *self)
{
  struct pw_loop *loop = pw_main_loop_get_loop (self->loop);

  if (self->turn)
    pw_stream_queue_buffer (self->stream, self->turn);
  pw_loop_enter (loop);
  while (!(self->turn = pw_stream_dequeue_buffer (self->stream)))
    pw_loop_iterate (loop, -1);
  pw_loop_leave (loop);
  self->used_bytes = 0;
}

static void
fill_packet (PwFloorSrc *self, GstBuffer *packet)
{
  gsize filled = 0;

  while (filled < PACKET_BYTES) {
    const struct spa_data *data = self->turn ? &self->turn->buffer->datas[0] : NULL;
    gsize part;

    if (!data || self->used_bytes == data->chunk->size) {
      next_turn (self);
      continue;
    }
    part = MIN (PACKET_BYTES - filled, data->chunk->size - self->used_bytes);
    gst_buffer_fill (packet, filled, (const guint8 *) data->data + self->used_bytes, part);
    self->used_bytes += part;
    filled += part;
  }
}

static GstFlowReturn
pw_floor_src_create (GstPushSrc *push, GstBuffer **out)
{
  PwFloorSrc *self = (PwFloorSrc *) push;

  if (gst_buffer_pool_acquire_buffer (self->pool, out, NULL) != GST_FLOW_OK)
    return GST_FLOW_ERROR;
  fill_packet (self, *out);
  GST_BUFFER_PTS (*out) = self->packets++ * PACKET_NS;
  GST_BUFFER_DURATION (*out) = PACKET_NS;
  return GST_FLOW_OK;
}

static void
pw_floor_src_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  (void) id;
  (void) pspec;
  g_free (((PwFloorSrc *) object)->device);
  ((PwFloorSrc *) object)->device = g_value_dup_string (value);
}

static void
pw_floor_src_finalize (GObject *object)
{
  g_free (((PwFloorSrc *) object)->device);
  G_OBJECT_CLASS (pw_floor_src_parent_class)->finalize (object);
}

static void
pw_floor_src_class_init (PwFloorSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseSrcClass *base_class = (GstBaseSrcClass *) klass;

  object_class->set_property = pw_floor_src_set_property;
  object_class->finalize = pw_floor_src_finalize;
  g_object_class_install_property (object_class, 1, g_param_spec_string ("device", "Device",
          "PipeWire sink to capture", NULL, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "Floor source for PipeWire", "Source/Audio",
      "The least a capture through PipeWire can do: the bench's lower bound", "zcloopback");
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass), &floor_template);
  base_class->start = pw_floor_src_start;
  base_class->stop = pw_floor_src_stop;
  klass->create = pw_floor_src_create;
}

static void
pw_floor_src_init (PwFloorSrc *self)
{
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}
