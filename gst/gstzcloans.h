/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcloans.h: packets of the engine that are downstream as they are, the oldest first.
 *
 * Each loan holds a reference to its memory: when that is the last one, nobody reads the engine's bytes any more. What
 * somebody still holds when the engine wants its packet back is evacuated: copied into a block of the pool, under those
 * who hold it.
 *
 * Threads: the streaming thread, but for the one of abandon(). */
#pragma once

#include "zc-capture.h"

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

/* Packets that nobody downstream holds any more go back to the engine. `capture` keeps as many packets as were ended
 * here. */
void gst_zc_loans_give_back_free (GstZcLoans *self, ZcCapture *capture);

/* The oldest packet / every packet goes back to the engine, evacuated if need be. FALSE if somebody has some of it
 * mapped, and still has after timeout_ns. */
gboolean gst_zc_loans_call_in_oldest (GstZcLoans *self, ZcCapture *capture, gint64 timeout_ns);
gboolean gst_zc_loans_call_in_all (GstZcLoans *self, ZcCapture *capture, gint64 timeout_ns);

/* TRUE once, when the oldest packet could not be called in for ZC_UNMAP_TIMEOUT_NS. */
gboolean gst_zc_loans_take_stuck (GstZcLoans *self);

/* A thread of its own calls them in once they are unmapped, and closes the capture. Both are taken over; `owner`, whose
 * counters they have, is kept until then. */
void gst_zc_loans_abandon (GstZcLoans *self, ZcCapture *capture, GstObject *owner);

G_END_DECLS
