/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows tells what of a page is so by one call alone, which zc-pages makes. */
#include "oracle.h"

gboolean
oracle_locked_bytes (gsize *bytes)
{
  return FALSE;
}

gboolean
oracle_can_lock (gsize bytes)
{
  return FALSE;
}

gboolean
oracle_huge_bytes (gsize *bytes)
{
  return FALSE;
}

gint
oracle_node (gconstpointer address)
{
  return -1;
}
