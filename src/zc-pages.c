/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-pages.h"

gchar *
zc_pages_describe_lack (const ZcPagesWish *wish, const ZcPagesState *state)
{
  g_autoptr (GString) lack = g_string_new (NULL);

  if (wish->huge && state->huge_bytes < state->bytes)
    g_string_append (lack, ", large pages");
  if (wish->lock && state->locked_bytes < state->bytes)
    g_string_append (lack, ", locked memory");
  if (wish->numa_node >= 0 && state->numa_node != wish->numa_node)
    g_string_append_printf (lack, ", memory of NUMA node %d", wish->numa_node);
  return lack->len > 0 ? g_strdup (lack->str + 2) : NULL;
}

void
zc_pages_state_add (ZcPagesState *state, gsize bytes, gsize huge_bytes, gsize locked_bytes, gint numa_node)
{
  state->numa_node = state->bytes == 0 || state->numa_node == numa_node ? numa_node : -1;
  state->bytes += bytes;
  state->huge_bytes += MIN (huge_bytes, bytes);
  state->locked_bytes += MIN (locked_bytes, bytes);
}
