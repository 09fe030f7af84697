/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zcfloorsrc: the least a GStreamer source can do to capture what a PulseAudio sink plays. Never installed.
 *
 *   gst-launch-1.0 zcfloorsrc device=zc.monitor ! fakesink
 *   gst-launch-1.0 zcfloorsrc num-buffers=1000 ! fakesink         no server: zeros, as fast as they are taken,
 *                                                                 to see what a downstream costs by itself
 *
 * The bound for the bench: libpulse's loop run in create(), one fixed format, one copy into recycled memory, and
 * nothing else. Timestamps count bytes; no recovery, no statistics, and it cannot be woken while it waits: not a
 * source to use. What zcloopbacksrc costs above this is what its features cost. */

#include "floorpool.h"

#include <gst/base/gstpushsrc.h>
#include <pulse/pulseaudio.h>

typedef struct
{
  GstPushSrc parent;
  gchar *device;
  pa_mainloop *loop;
  pa_context *context;
  pa_stream *stream;
  GstBufferPool *pool;
  const guint8 *fragment;       /* what peek() lent and we have not used up */
  size_t fragment_bytes;
  size_t used_bytes;
  guint64 packets;
} FloorSrc;
typedef GstPushSrcClass FloorSrcClass;

GType floor_src_get_type (void);
G_DEFINE_TYPE (FloorSrc, floor_src, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate floor_template =
GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (FLOOR_CAPS));

static gboolean
connect_stream (FloorSrc *self)
{
  const pa_sample_spec spec = { PA_SAMPLE_FLOAT32LE, 48000, 2 };
  const pa_buffer_attr attr = { .maxlength = G_MAXUINT32, .fragsize = PACKET_BYTES };

  if (pa_context_connect (self->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
    return FALSE;
  while (pa_context_get_state (self->context) != PA_CONTEXT_READY) {
    if (!PA_CONTEXT_IS_GOOD (pa_context_get_state (self->context)))
      return FALSE;
    pa_mainloop_iterate (self->loop, 1, NULL);
  }
  self->stream = pa_stream_new (self->context, "floorsrc", &spec, NULL);
  return pa_stream_connect_record (self->stream, self->device, &attr, PA_STREAM_ADJUST_LATENCY) >= 0;
}

static gboolean
floor_src_start (GstBaseSrc *base)
{
  FloorSrc *self = (FloorSrc *) base;

  self->pool = floor_pool_new_active ();
  if (!self->device)
    return TRUE;
  self->loop = pa_mainloop_new ();
  self->context = pa_context_new (pa_mainloop_get_api (self->loop), "floorsrc");
  return connect_stream (self);
}

static gboolean
floor_src_stop (GstBaseSrc *base)
{
  FloorSrc *self = (FloorSrc *) base;

  if (self->stream) {
    pa_stream_disconnect (self->stream);
    pa_stream_unref (self->stream);
  }
  if (self->context) {
    pa_context_disconnect (self->context);
    pa_context_unref (self->context);
    pa_mainloop_free (self->loop);
  }
  gst_buffer_pool_set_active (self->pool, FALSE);
  gst_object_unref (self->pool);
  return TRUE;
}

/* FALSE when the stream is dead. Blocks until something is readable. */
static gboolean
next_fragment (FloorSrc *self)
{
  const void *data = NULL;

  if (self->fragment) {
    pa_stream_drop (self->stream);
    self->fragment = NULL;
  }
  while (!data) {
    if (pa_stream_get_state (self->stream) == PA_STREAM_READY &&
        pa_stream_readable_size (self->stream) > 0) {
      pa_stream_peek (self->stream, &data, &self->fragment_bytes);
    } else if (!PA_STREAM_IS_GOOD (pa_stream_get_state (self->stream)) ||
        pa_mainloop_iterate (self->loop, 1, NULL) < 0) {
      return FALSE;
    }
  }
  self->fragment = data;
  self->used_bytes = 0;
  return TRUE;
}

static gboolean
fill_packet (FloorSrc *self, GstBuffer *packet)
{
  size_t filled = 0;

  while (filled < PACKET_BYTES) {
    size_t part;

    if ((!self->fragment || self->used_bytes == self->fragment_bytes) && !next_fragment (self))
      return FALSE;
    part = MIN (PACKET_BYTES - filled, self->fragment_bytes - self->used_bytes);
    gst_buffer_fill (packet, filled, self->fragment + self->used_bytes, part);
    self->used_bytes += part;
    filled += part;
  }
  return TRUE;
}

static GstFlowReturn
floor_src_create (GstPushSrc *push, GstBuffer **out)
{
  FloorSrc *self = (FloorSrc *) push;

  if (gst_buffer_pool_acquire_buffer (self->pool, out, NULL) != GST_FLOW_OK)
    return GST_FLOW_ERROR;
  if (self->device && !fill_packet (self, *out)) {
    gst_clear_buffer (out);
    return GST_FLOW_ERROR;
  }
  GST_BUFFER_PTS (*out) = self->packets++ * PACKET_NS;
  GST_BUFFER_DURATION (*out) = PACKET_NS;
  return GST_FLOW_OK;
}

static void
floor_src_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  (void) id;
  (void) pspec;
  g_free (((FloorSrc *) object)->device);
  ((FloorSrc *) object)->device = g_value_dup_string (value);
}

static void
floor_src_finalize (GObject *object)
{
  g_free (((FloorSrc *) object)->device);
  G_OBJECT_CLASS (floor_src_parent_class)->finalize (object);
}

static void
floor_src_class_init (FloorSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstBaseSrcClass *base_class = (GstBaseSrcClass *) klass;

  object_class->set_property = floor_src_set_property;
  object_class->finalize = floor_src_finalize;
  g_object_class_install_property (object_class, 1, g_param_spec_string ("device", "Device",
          "PulseAudio source to read", NULL, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "Floor source", "Source/Audio",
      "The least a capture through PulseAudio can do: the bench's lower bound", "zcloopback");
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass), &floor_template);
  base_class->start = floor_src_start;
  base_class->stop = floor_src_stop;
  klass->create = floor_src_create;
}

static void
floor_src_init (FloorSrc *self)
{
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}
