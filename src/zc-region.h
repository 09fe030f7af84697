/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-region.h: blocks of a slab that lie side by side in one piece of memory, which comes and goes as a whole.
 *
 * A region that was drained keeps its place and its ZcBlocks, so that a thread that is just about to look into it finds
 * it empty; only the memory that the data are in goes back to the system.
 *
 * Threads: pop and push from any number at once; fill and drain by one at a time, which the slab sees to. */
#pragma once

#include "zc-slab.h"

G_BEGIN_DECLS

typedef struct _ZcRegion ZcRegion;

/* Room for `room` (> 0) blocks, none of which has memory. `spec` stays the slab's. */
ZcRegion *zc_region_new (ZcSlab *slab, guint room, const ZcSlabSpec *spec);
void zc_region_free (ZcRegion *region);

guint zc_region_room (const ZcRegion *region);

/* Memory for `n` blocks (1 to room) of a region that has none. All are idle then, but for the first if it is asked for
 * (`first` not NULL). FALSE if the system has no memory. */
gboolean zc_region_fill (ZcRegion *region, guint n, ZcBlock **first);

/* At this moment; see drain. */
gboolean zc_region_is_idle (const ZcRegion *region);

/* Its memory goes back to the system, if all of its blocks are idle; FALSE if not. Meanwhile nobody finds one. */
gboolean zc_region_drain (ZcRegion *region);

/* Blocks that have memory; bytes of that, whole pages. By one at a time with fill and drain, as the next. */
guint zc_region_size (const ZcRegion *region);
gsize zc_region_bytes (const ZcRegion *region);

/* Adds what the system says of its memory. */
void zc_region_read_pages (const ZcRegion *region, ZcPagesState *state);

/* Each idle block is stripped by the hook. */
void zc_region_strip (ZcRegion *region);

/* An idle block, or NULL. Lock-free, as is push. */
ZcBlock *zc_region_pop (ZcRegion *region);
void zc_region_push (ZcBlock *block);

G_END_DECLS
