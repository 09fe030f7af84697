/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* oracle.h: what the system says of memory, asked in another way than zc-pages asks it. One file per system, chosen by
 * Meson. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes that this process has locked. FALSE if the system does not tell. */
gboolean oracle_locked_bytes (gsize *bytes);

/* So many more can be locked: it was done, and undone. */
gboolean oracle_can_lock (gsize bytes);

/* Bytes of this process on large pages. FALSE if the system does not tell. */
gboolean oracle_huge_bytes (gsize *bytes);

/* The node that the page at `address` is on; -1 if the system does not tell. */
gint oracle_node (gconstpointer address);

G_END_DECLS
