/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* known-allocations N: N times each call that malloc-count counts, for the test of the counter. */

#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

static void *volatile seen;     /* or the compiler drops allocations that nobody looks at */

static void
look_and_free (void *block)
{
  seen = block;
  free (seen);
}

static void
once (void)
{
  void *block = NULL;

  look_and_free (malloc (100));
  look_and_free (calloc (10, 10));
  seen = NULL;
  look_and_free (realloc (seen, 100));
  look_and_free (memalign (64, 100));
  look_and_free (aligned_alloc (64, 128));
  if (posix_memalign (&block, 64, 100) == 0)
    look_and_free (block);
  block = mmap (NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block != MAP_FAILED)
    munmap (block, 4096);
}

int
main (int argc, char **argv)
{
  for (int i = argc > 1 ? atoi (argv[1]) : 0; i > 0; i--)
    once ();
  return 0;
}
