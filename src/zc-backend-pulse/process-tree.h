/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* process-tree.h: who is whose child, of the processes of this computer. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean zc_process_exists (guint process_id);

/* One of that executable, without its folders. */
gboolean zc_process_name_exists (const gchar *name);

/* It is that one, or one that it has started, or one that such a one has. */
gboolean zc_process_is_within (guint process_id, guint ancestor);
gboolean zc_process_is_within_name (guint process_id, const gchar *name);

G_END_DECLS
