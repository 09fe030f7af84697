/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oracle.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sum of the lines "Field: N kB" of a file. */
static gboolean
add_field (const gchar *path, const gchar *field, gsize *bytes)
{
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean found = FALSE;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (gchar **line = lines; *line != NULL; line++) {
    if (!g_str_has_prefix (*line, field))
      continue;
    *bytes += (gsize) g_ascii_strtoull (*line + strlen (field), NULL, 10) * 1024;
    found = TRUE;
  }
  return found;
}

gboolean
oracle_locked_bytes (gsize *bytes)
{
  *bytes = 0;
  return add_field ("/proc/self/status", "VmLck:", bytes);
}

/* Really: mlock() of a sanitizer does nothing, and says that all is well. */
gboolean
oracle_can_lock (gsize bytes)
{
  gsize before = 0, after = 0;
  gpointer data = mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gboolean locked = oracle_locked_bytes (&before) && data != MAP_FAILED && mlock (data, bytes) == 0
      && oracle_locked_bytes (&after) && after >= before + bytes;

  if (data != MAP_FAILED)
    munmap (data, bytes);
  return locked;
}

gboolean
oracle_huge_bytes (gsize *bytes)
{
  *bytes = 0;
  return add_field ("/proc/self/smaps_rollup", "AnonHugePages:", bytes)
      && add_field ("/proc/self/status", "HugetlbPages:", bytes);
}

gint
oracle_node (gconstpointer address)
{
  const void *pages[1] = { address };
  int node = -1;

  return syscall (SYS_move_pages, 0, 1UL, pages, NULL, &node, 0) == 0 ? MAX (node, -1) : -1;
}
