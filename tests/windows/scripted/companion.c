/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* companion.c: a process to be captured: writes its id to the file that it is given, and lives until it is killed. */
#include <stdio.h>
#include <windows.h>

int
main (int argc, char *argv[])
{
  FILE *file = argc > 1 ? fopen (argv[1], "w") : NULL;

  if (!file)
    return 1;
  fprintf (file, "%lu\n", (unsigned long) GetCurrentProcessId ());
  fclose (file);
  Sleep (INFINITE);
  return 0;
}
