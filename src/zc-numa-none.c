/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-numa.h"

/* Of a computer with one node, or a build without libnuma. */
void
zc_numa_prefer (gpointer data, gsize bytes, gint node)
{
}
