/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process-tree.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMM_BYTES 15
#define REPLACED " (deleted)"
#define DEEPEST 64 /* a process whose parents are born again while we look has no end */

gboolean
zc_process_exists (guint process_id)
{
  return process_id <= G_MAXINT && (kill ((pid_t) process_id, 0) == 0 || errno == EPERM);
}

/* 0 if there is none, or no way to know. /proc/PID/stat is "PID (NAME) STATE PARENT ...", whatever NAME has in it
 * (proc(5)). */
static guint
parent_of (guint process_id)
{
  g_autofree gchar *path = g_strdup_printf ("/proc/%u/stat", process_id), *text = NULL;
  const gchar *end;
  guint parent = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL) || (end = strrchr (text, ')')) == NULL
      || sscanf (end, ") %*c %u", &parent) != 1)
    return 0;
  return parent;
}

/* Of an executable that was replaced since it was started, as by an upgrade, the link says so (proc(5)). */
static gchar *
executable_of (guint process_id)
{
  g_autofree gchar *link = g_strdup_printf ("/proc/%u/exe", process_id);
  g_autofree gchar *path = g_file_read_link (link, NULL);

  if (path != NULL && g_str_has_suffix (path, REPLACED))
    path[strlen (path) - strlen (REPLACED)] = '\0';
  return path != NULL ? g_path_get_basename (path) : NULL;
}

/* The executable; of another user's process, what it calls itself (15 bytes of that). */
static gboolean
has_name (guint process_id, const gchar *name)
{
  g_autofree gchar *called = g_strdup_printf ("/proc/%u/comm", process_id), *text = NULL;
  g_autofree gchar *file = executable_of (process_id);

  if (file != NULL)
    return g_str_equal (file, name);
  return g_file_get_contents (called, &text, NULL, NULL) && strncmp (g_strchomp (text), name, COMM_BYTES) == 0;
}

gboolean
zc_process_name_exists (const gchar *name)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc", 0, NULL);
  const gchar *entry = NULL;

  while (directory != NULL && (entry = g_dir_read_name (directory)) != NULL)
    if (g_ascii_isdigit (entry[0]) && has_name ((guint) strtoul (entry, NULL, 10), name))
      return TRUE;
  return FALSE;
}

gboolean
zc_process_is_within_name (guint process_id, const gchar *name)
{
  for (guint depth = 0; process_id != 0 && depth < DEEPEST; depth++, process_id = parent_of (process_id))
    if (has_name (process_id, name))
      return TRUE;
  return FALSE;
}

gboolean
zc_process_is_within (guint process_id, guint ancestor)
{
  for (guint depth = 0; process_id != 0 && depth < DEEPEST; depth++, process_id = parent_of (process_id))
    if (process_id == ancestor)
      return TRUE;
  return FALSE;
}
