/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spill.h: where the sound goes that a late reader has not taken when PipeWire needs its buffers for what comes next.
 *
 * A ring of bytes. What was put is taken out in the same order. Threads: one puts, another one takes; neither waits. */
#pragma once

#include <glib.h>
#include <stdatomic.h>

G_BEGIN_DECLS

typedef struct {
  guint8 *memory; /* not touched before it is needed */
  gsize size;
  gsize put;           /* bytes, of all time; the writer's */
  _Atomic gsize taken; /* the same, the reader's */
} ZcPipeWireSpill;

void zc_pipewire_spill_init (ZcPipeWireSpill *spill, gsize bytes);
void zc_pipewire_spill_clear (ZcPipeWireSpill *spill);

/* A copy of `bytes` bytes, and in *space what to tell take() later; NULL if there is no room. */
const guint8 *zc_pipewire_spill_put (ZcPipeWireSpill *spill, const guint8 *data, gsize bytes, gsize *space);

/* The oldest copy is not needed any more. */
void zc_pipewire_spill_take (ZcPipeWireSpill *spill, gsize space);

G_END_DECLS
