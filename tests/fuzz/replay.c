/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of libFuzzer, where it is not: runs a target over the files that are named, and over parts of each. */
#include "fuzz.h"

#include <stdio.h>

static void
replay (const gchar *path)
{
  g_autofree gchar *data = NULL;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, NULL))
    g_error ("cannot read %s", path);
  for (gsize part = 0; part <= size; part += MAX (size / 64, 1))
    LLVMFuzzerTestOneInput ((const guint8 *) data + part, size - part);
}

int
main (int argc, char **argv)
{
  printf ("1..%d\n", argc - 1);
  for (int i = 1; i < argc; i++) {
    g_autofree gchar *name = g_path_get_basename (argv[i]);

    replay (argv[i]);
    printf ("ok %d %s\n", i, name);
  }
  return 0;
}
