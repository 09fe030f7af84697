/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcpacker.h"

#include "gstzcbufferpool.h"

#include <string.h>

/* Buffers over one block of silence: GstMiniObject counts who shares it in 16 bits. */
#define MOST_SHARERS 30000

struct _GstZcPacker {
  ZcStats *stats;
  ZcFormat format;
  GstZcReorder reorder;
  guint frame_bytes;
  guint packet_frames;
  GstBufferPool *pool;
  gboolean own_pool;   /* it counts hits, misses and allocations itself */
  GstZcLoans *loans;   /* or NULL */
  GstMemory *silence;  /* packet_frames of it, read-only */
  guint sharers;       /* that were made of it */
  gboolean discont;    /* of the next buffer */
  guint64 dropped;     /* frames, since last asked */
  guint to_drop;       /* frames of the packet that found no memory */

  /* The buffer being filled; NULL between packets. */
  GstBuffer *buffer;
  GstMapInfo map;
  guint64 position; /* of its first frame */
  guint filled;     /* frames */
};

GstZcPacker *
gst_zc_packer_new (ZcStats *stats)
{
  GstZcPacker *self = g_new0 (GstZcPacker, 1);

  self->stats = stats;
  return self;
}

static void
forget (GstZcPacker *self)
{
  if (self->buffer != NULL)
    gst_buffer_unmap (self->buffer, &self->map);
  gst_clear_buffer (&self->buffer);
  self->filled = 0;
}

void
gst_zc_packer_free (GstZcPacker *self)
{
  forget (self);
  g_clear_pointer (&self->silence, gst_memory_unref);
  gst_clear_object (&self->pool);
  g_free (self);
}

static GstMemory *
make_silence (const ZcFormat *format, gsize bytes)
{
  guint8 *data = g_malloc (bytes);

  zc_format_fill_silence (format, data, bytes);
  return gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, data, bytes, 0, bytes, data, g_free);
}

static void
renew_silence (GstZcPacker *self)
{
  g_clear_pointer (&self->silence, gst_memory_unref);
  self->silence = make_silence (&self->format, (gsize) self->packet_frames * self->frame_bytes);
  self->sharers = 0;
}

void
gst_zc_packer_set_format (GstZcPacker *self, const ZcFormat *format, guint packet_frames)
{
  gst_zc_packer_reset (self);
  self->format = *format;
  self->frame_bytes = zc_format_frame_bytes (format);
  self->packet_frames = packet_frames;
  gst_zc_reorder_init (&self->reorder, format);
  renew_silence (self);
}

void
gst_zc_packer_set_pool (GstZcPacker *self, GstBufferPool *pool)
{
  gst_object_replace ((GstObject **) &self->pool, (GstObject *) pool);
  self->own_pool = pool != NULL && GST_IS_ZC_BUFFER_POOL (pool);
}

void
gst_zc_packer_set_loans (GstZcPacker *self, GstZcLoans *loans)
{
  self->loans = loans;
}

void
gst_zc_packer_reset (GstZcPacker *self)
{
  zc_stats_lose (self->stats, ZC_STAT_LOST_UNFINISHED, self->filled);
  forget (self);
  self->to_drop = 0;
  self->discont = TRUE;
}

guint64
gst_zc_packer_take_dropped (GstZcPacker *self)
{
  guint64 dropped = self->dropped;

  self->dropped = 0;
  return dropped;
}

/* A buffer made for this packet alone. */
static GstBuffer *
allocate (GstZcPacker *self)
{
  zc_stats_add (self->stats, ZC_STAT_ALLOCATIONS, 1);
  return gst_buffer_new_allocate (NULL, (gsize) self->packet_frames * self->frame_bytes, NULL);
}

/* FALSE if there is none, or none of use: a foreign pool may give anything. */
static gboolean
map_buffer (GstZcPacker *self)
{
  if (self->buffer != NULL && !gst_buffer_map (self->buffer, &self->map, GST_MAP_WRITE))
    gst_clear_buffer (&self->buffer);
  if (self->buffer != NULL && self->map.size < (gsize) self->packet_frames * self->frame_bytes) {
    gst_buffer_unmap (self->buffer, &self->map);
    gst_clear_buffer (&self->buffer);
  }
  return self->buffer != NULL;
}

/* EOS: the pool is at its bound. FLUSHING: the capture is about to be woken (a foreign pool may mean anything by it).
 * Memory of its own helps against any other trouble with a pool. `flow` is what the pool said about this packet
 * already, OK if nothing. */
static GstFlowReturn
begin (GstZcPacker *self, guint64 position, GstZcOverflow overflow, GstFlowReturn flow)
{
  GstBufferPoolAcquireParams params = { .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };

  if (self->pool != NULL && flow == GST_FLOW_OK)
    flow = gst_buffer_pool_acquire_buffer (self->pool, &self->buffer, &params);
  if ((flow == GST_FLOW_FLUSHING && self->own_pool) || (flow == GST_FLOW_EOS && overflow == GST_ZC_OVERFLOW_DROP))
    return flow;
  if (!map_buffer (self)) {
    self->buffer = allocate (self);
    map_buffer (self);
  }
  self->position = position;
  self->filled = 0;
  return GST_FLOW_OK;
}

static GstBuffer *
label (GstZcPacker *self, GstBuffer *buffer, guint64 position, guint frames)
{
  GST_BUFFER_OFFSET (buffer) = position;
  GST_BUFFER_OFFSET_END (buffer) = position + frames;
  if (self->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
  return buffer;
}

static GstBuffer *
finish (GstZcPacker *self)
{
  GstBuffer *buffer = g_steal_pointer (&self->buffer);
  gsize bytes = (gsize) self->filled * self->frame_bytes;

  gst_zc_reorder_apply (&self->reorder, self->map.data, bytes);
  gst_buffer_unmap (buffer, &self->map);
  if (bytes != self->map.size)
    gst_buffer_set_size (buffer, (gssize) bytes);
  zc_stats_add (self->stats, ZC_STAT_BYTES_COPIED, bytes);
  label (self, buffer, self->position, self->filled);
  self->filled = 0;
  return buffer;
}

GstBuffer *
gst_zc_packer_flush (GstZcPacker *self)
{
  return self->buffer != NULL ? finish (self) : NULL;
}

/* One buffer of silence: a header, and the block that all silence shares. */
static GstBuffer *
silence (GstZcPacker *self, guint64 position, guint frames)
{
  GstBufferPoolAcquireParams params = { .flags = GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_BARE };
  GstBuffer *buffer = NULL;
  GstMemory *memory;

  if (!self->own_pool || gst_buffer_pool_acquire_buffer (self->pool, &buffer, &params) != GST_FLOW_OK)
    buffer = gst_buffer_new ();
  if (self->sharers++ == MOST_SHARERS)
    renew_silence (self);
  memory = frames == self->packet_frames ? gst_memory_ref (self->silence)
                                         : gst_memory_share (self->silence, 0, (gssize) frames * self->frame_bytes);
  gst_buffer_append_memory (buffer, memory);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  return label (self, buffer, position, frames);
}

/* The rest of the packet that found no memory. */
static guint
drop (GstZcPacker *self, guint frames)
{
  guint dropped = MIN (frames, self->to_drop);

  zc_stats_lose (self->stats, ZC_STAT_LOST_OVERFLOW, dropped);
  self->to_drop -= dropped;
  self->dropped += dropped;
  self->discont = TRUE;
  return dropped;
}

/* FALSE if the frames are not to be taken, but dropped (or left, when flushing): `at_stake` of them from here on. */
static gboolean
ready (GstZcPacker *self, guint64 position, GstZcOverflow overflow, GstFlowReturn flow, guint at_stake)
{
  if (self->buffer == NULL && self->to_drop == 0)
    flow = begin (self, position, overflow, flow);
  if (flow == GST_FLOW_EOS) {
    zc_stats_add (self->stats, ZC_STAT_OVERFLOWS, 1);
    self->to_drop = at_stake;
  }
  return self->buffer != NULL;
}

/* Servers cut packets where players' writes end, and who asks for leases wants no copy: the pieces go as they are. */
static gboolean
is_lending (GstZcPacker *self)
{
  return self->loans != NULL && self->own_pool && !self->reorder.needed && self->to_drop == 0;
}

/* A block holds one packet: what the engine gives beyond that goes in parts, none of which is a crumb. */
static guint
even_part (GstZcPacker *self, guint frames)
{
  guint parts = (frames + self->packet_frames - 1) / self->packet_frames;

  return (frames + parts - 1) / parts;
}

/* What the pool said: EOS at its bound. */
static GstFlowReturn
lend (GstZcPacker *self, const ZcSpan *span, guint frames, GstBuffer **lent)
{
  gsize bytes = (gsize) frames * self->frame_bytes;
  GstZcLeaseParams params = {
    .params.flags = GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_LEASE, .data = span->data, .bytes = bytes,
  };
  GstFlowReturn flow = gst_buffer_pool_acquire_buffer (self->pool, lent, &params.params);

  if (flow != GST_FLOW_OK)
    return flow;
  gst_zc_loans_add (self->loans, gst_buffer_peek_memory (*lent, 0));
  zc_stats_add (self->stats, ZC_STAT_BYTES_LEASED, bytes);
  label (self, *lent, span->position, frames);
  return GST_FLOW_OK;
}

/* The rest of a silence begins the packet of the sound that follows, so that packets are of one length again; in leases
 * nothing is joined. FALSE if it goes alone, as without memory, too. */
static gboolean
begin_with_silence (GstZcPacker *self, const ZcSpan *span, GstZcOverflow overflow)
{
  gsize bytes = (gsize) span->frames * self->frame_bytes;

  if (!span->joins || self->discont || self->loans != NULL || span->frames >= self->packet_frames)
    return FALSE;
  if (begin (self, span->position, overflow, GST_FLOW_OK) != GST_FLOW_OK)
    return FALSE;
  zc_format_fill_silence (&self->format, self->map.data, bytes);
  self->filled = span->frames;
  return TRUE;
}

guint
gst_zc_packer_add (GstZcPacker *self, const ZcSpan *span, GstZcOverflow overflow, GstBuffer **buffer)
{
  gboolean follows = !span->discont && span->data != NULL;
  gboolean lendable = span->data != NULL && is_lending (self);
  guint frames = lendable ? even_part (self, span->frames) : MIN (span->frames, self->packet_frames - self->filled);
  GstFlowReturn flow = GST_FLOW_OK;

  *buffer = NULL;
  if (self->buffer != NULL && (lendable || !follows)) {
    *buffer = finish (self);
    return 0;
  }
  if (!follows)
    self->to_drop = 0;
  self->discont |= span->discont;
  if (span->data == NULL && begin_with_silence (self, span, overflow))
    return frames;
  if (span->data == NULL) {
    *buffer = silence (self, span->position, frames);
    return frames;
  }
  if (lendable) {
    flow = lend (self, span, frames, buffer);
    if (flow == GST_FLOW_OK)
      return frames;
  }
  if (!ready (self, span->position, overflow, flow, lendable ? frames : self->packet_frames))
    return drop (self, frames);
  memcpy (self->map.data + (gsize) self->filled * self->frame_bytes, span->data, (gsize) frames * self->frame_bytes);
  self->filled += frames;
  if (self->filled == self->packet_frames)
    *buffer = finish (self);
  return frames;
}
