/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-numa.h"

#include <numa.h>
#include <numaif.h>

/* Preferred, not bound: a node that is full would otherwise have the kernel end the program. */
void
zc_numa_prefer (gpointer data, gsize bytes, gint node)
{
  struct bitmask *nodes;

  if (numa_available () < 0 || node > numa_max_node ())
    return;
  nodes = numa_allocate_nodemask ();
  numa_bitmask_setbit (nodes, (unsigned) node);
  mbind (data, bytes, MPOL_PREFERRED, nodes->maskp, nodes->size + 1, 0);
  numa_bitmask_free (nodes);
}
