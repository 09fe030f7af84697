/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-pages.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES 100000

/* A child that waits until `end` is closed. */
static pid_t
fork_waiting (int *end)
{
  int ends[2];
  pid_t child;
  char byte;

  g_assert_cmpint (pipe (ends), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    close (ends[1]);
    _exit (read (ends[0], &byte, 1) == 0 ? 0 : 1);
  }
  close (ends[0]);
  *end = ends[1];
  return child;
}

/* Its pages are ours, too, until one of us writes: ours are locked all the same. */
static void
a_child_takes_nothing_away (void)
{
  ZcPagesWish wish = { .lock = TRUE, .huge = TRUE, .numa_node = -1 };
  ZcPagesState alone = ZC_PAGES_STATE_NONE, together = ZC_PAGES_STATE_NONE;
  ZcPages pages;
  pid_t child;
  int end;

  g_assert_true (zc_pages_get (&pages, BYTES, &wish));
  memset (pages.data, 1, pages.bytes);
  zc_pages_read (&pages, &alone);
  child = fork_waiting (&end);
  zc_pages_read (&pages, &together);
  close (end);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  g_assert_cmpuint (together.locked_bytes, ==, alone.locked_bytes);
  g_assert_cmpuint (together.huge_bytes, ==, alone.huge_bytes);
  zc_pages_put (&pages);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pages-linux/a-child-takes-nothing-away", a_child_takes_nothing_away);
  return g_test_run ();
}
