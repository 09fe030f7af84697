/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcloans.h: packets of the engine that are downstream as they are, the oldest first.
 *
 * Each loan holds a reference to its memory: when that is the last one, nobody reads the engine's bytes any more. What somebody
 * still holds when the engine wants its packet back is evacuated: copied into a block of the pool, under those who hold it.
 *
 * Threads: the streaming thread. */
#pragma once

#include "zc-stats.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstZcLoans GstZcLoans;

/* `stats` stays the caller's. */
GstZcLoans *gst_zc_loans_new (ZcStats *stats);

/* Nothing is on loan any more. */
void gst_zc_loans_free (GstZcLoans *self);

/* `memory` (a reference is taken) holds bytes of the packet that is being taken from the engine. */
void gst_zc_loans_add (GstZcLoans *self, GstMemory *memory);

/* That was all of the packet, of which maybe nothing is on loan. */
void gst_zc_loans_end_packet (GstZcLoans *self);

/* TRUE if there is a packet and nobody downstream holds anything of the oldest one. */
gboolean gst_zc_loans_oldest_is_free (GstZcLoans *self);

/* Forgets the oldest packet: TRUE, and its bytes may go back to the engine. FALSE if somebody still has some of it mapped
 * after timeout_us. */
gboolean gst_zc_loans_settle_oldest (GstZcLoans *self, gint64 timeout_us);

G_END_DECLS
