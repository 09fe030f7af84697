/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcallocation.h: whose memory the packets go into: downstream's pool, ours, or none; and what our pools counted
 * over a run, as a renegotiation replaces them.
 *
 * Threads: begin, decide and take_pages by the thread that has the stream; the others by any. */
#pragma once

#include "gstzcbufferpool.h"
#include "gstzcsettings.h"

G_BEGIN_DECLS

typedef struct {
  GMutex lock;               /* guards the others; no other lock is taken and nothing is let go under it */
  GstBufferPool *pool;       /* ours, the newest; or NULL */
  GstZcBufferPoolStats past; /* of the pools before it */
  guint floor_buffers;       /* that downstream asked for */
} GstZcAllocation;

void gst_zc_allocation_init (GstZcAllocation *self);
void gst_zc_allocation_clear (GstZcAllocation *self);

/* A new run: everything counts from 0. */
void gst_zc_allocation_begin (GstZcAllocation *self);

/* Our pool, which nobody uses any more, goes, unless somebody has buffers of it: then it stays, to tell how many, until
 * the next begin or the end. What it counted stays in any case. */
void gst_zc_allocation_end (GstZcAllocation *self);

/* Completes the ALLOCATION query for packets of packet_bytes. Returns the pool to use, active or about to be (transfer
 * full), or NULL if each packet is to be allocated, or there is no memory for a pool. Downstream's pool is taken if its
 * buffers hold our packets and they are copied at all; else ours, at least as deep as downstream asks. */
GstBufferPool *gst_zc_allocation_decide (GstZcAllocation *self, GstQuery *query, const GstZcSettings *settings,
    guint packet_bytes);

/* The bounds in `settings` are those of our pool from now on. Bounds that contradict each other change nothing. Any
 * thread that has the time to allocate. */
void gst_zc_allocation_set_bounds (GstZcAllocation *self, const GstZcSettings *settings);

/* What the system says of the memory of our pool, the newest. Any thread; takes milliseconds. */
ZcPagesState gst_zc_allocation_read_pages (GstZcAllocation *self);

/* The same, when it was read anew; see gst_zc_buffer_pool_take_pages(). */
gboolean gst_zc_allocation_take_pages (GstZcAllocation *self, ZcPagesState *state);

/* Of all our pools of this run. */
void gst_zc_allocation_totals (GstZcAllocation *self, GstZcBufferPoolStats *totals);

G_END_DECLS
