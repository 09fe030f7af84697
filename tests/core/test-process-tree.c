/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-backend-pulse/process-tree.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* As an upgrade does with what runs. */
static void
replaced_executable_keeps_its_name (void)
{
  g_autofree gchar *directory = g_dir_make_tmp ("zc-tree-XXXXXX", NULL);
  g_autofree gchar *name = g_strdup_printf ("zc-sleep-%d", (int) getpid ());
  g_autofree gchar *program = g_build_filename (directory, name, NULL);
  g_autofree gchar *sleep = g_find_program_in_path ("sleep"), *copy = g_strdup_printf ("cp %s %s", sleep, program);
  gchar *argv[] = { program, (gchar *) "60", NULL };
  GPid child;

  g_assert_true (g_spawn_command_line_sync (copy, NULL, NULL, NULL, NULL));
  g_assert_true (g_spawn_async (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &child, NULL));
  g_assert_true (zc_process_name_exists (name));
  g_assert_cmpint (g_unlink (program), ==, 0);
  g_assert_true (zc_process_name_exists (name));
  g_assert_true (zc_process_is_within_name ((guint) child, name));
  g_assert_true (zc_process_is_within ((guint) child, (guint) getpid ()));
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
  g_assert_false (zc_process_name_exists (name));
  g_rmdir (directory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/process-tree/replaced-executable-keeps-its-name", replaced_executable_keeps_its_name);
  return g_test_run ();
}
