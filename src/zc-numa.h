/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-numa.h: where memory is to be on Linux, for zc-pages-linux.c. With libnuma or without, chosen by Meson. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Pages that nobody has touched yet are to come from this node, while it has any. Nothing happens if there is no such
 * node: what came of it is read back (zc-pages.h). */
void zc_numa_prefer (gpointer data, gsize bytes, gint node);

G_END_DECLS
