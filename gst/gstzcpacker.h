/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcpacker.h: from spans of captured frames to buffers of one size.
 *
 * Servers hand out sound in pieces of any size. As each is copied once anyway, the packer joins them: every buffer
 * holds packet_frames frames, but for the last before a break or before silence. Silence costs no copy: it is one
 * shared block of zeros, with GAP.
 *
 * Threads: the streaming thread. */
#pragma once

#include "gstzcenums.h"
#include "gstzcformat.h"
#include "gstzcloans.h"
#include "zc-capture.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstZcPacker GstZcPacker;

/* `stats` stays the caller's. */
GstZcPacker *gst_zc_packer_new (ZcStats *stats);
void gst_zc_packer_free (GstZcPacker *self);

/* Buffers of packet_frames (> 0) frames of `format` from now on; what was unfinished is reset. */
void gst_zc_packer_set_format (GstZcPacker *self, const ZcFormat *format, guint packet_frames);

/* The coming ones from `pool` (active by then, its buffers large enough); NULL: each is allocated anew. */
void gst_zc_packer_set_pool (GstZcPacker *self, GstBufferPool *pool);

/* From now on pieces go downstream in the engine's own memory as it cuts them, or in even parts where they are larger
 * than a packet, and are noted in `loans` (which stays the caller's). The pool has to be ours. NULL: every piece is copied. */
void gst_zc_packer_set_loans (GstZcPacker *self, GstZcLoans *loans);

/* Takes frames from the start of the span. Returns how many (0 to span->frames), and *buffer (transfer full) if that
 * completed one, else NULL: then call again, with what is left or with the next. Neither if the pool is flushing. The
 * buffer's OFFSET and OFFSET_END are the positions of its frames; DISCONT and GAP are set, times are not. */
guint gst_zc_packer_add (GstZcPacker *self, const ZcSpan *span, GstZcOverflow overflow, GstBuffer **buffer);

/* The unfinished buffer as it is, or NULL if there is none: nothing will come after it. Transfer full. */
GstBuffer *gst_zc_packer_flush (GstZcPacker *self);

/* Frames that were dropped at the pool's bound since this was last asked. */
guint64 gst_zc_packer_take_dropped (GstZcPacker *self);

/* Forgets the frames of the unfinished buffer, counting them as lost; DISCONT on the next. */
void gst_zc_packer_reset (GstZcPacker *self);

G_END_DECLS
