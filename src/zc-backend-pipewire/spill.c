/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spill.h"

#include <string.h>

void
zc_pipewire_spill_init (ZcPipeWireSpill *spill, gsize bytes)
{
  *spill = (ZcPipeWireSpill){ .memory = g_malloc (bytes), .size = bytes };
}

void
zc_pipewire_spill_clear (ZcPipeWireSpill *spill)
{
  g_clear_pointer (&spill->memory, g_free);
}

/* In one piece: what is left before the end of the ring is passed over, if it is too short. */
const guint8 *
zc_pipewire_spill_put (ZcPipeWireSpill *spill, const guint8 *data, gsize bytes, gsize *space)
{
  gsize at = spill->put % spill->size;
  gsize passed = bytes > spill->size - at ? spill->size - at : 0;
  gsize used = spill->put - atomic_load_explicit (&spill->taken, memory_order_acquire);
  guint8 *copy = spill->memory + (passed > 0 ? 0 : at);

  if (bytes > spill->size || passed + bytes > spill->size - used)
    return NULL;
  memcpy (copy, data, bytes);
  *space = passed + bytes;
  spill->put += *space;
  return copy;
}

void
zc_pipewire_spill_take (ZcPipeWireSpill *spill, gsize space)
{
  atomic_fetch_add_explicit (&spill->taken, space, memory_order_release);
}
