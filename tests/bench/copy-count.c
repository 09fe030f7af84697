/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* copy-count: counts the bytes that a process copies in pieces of the size of sound (LD_PRELOAD).
 *
 * The element says how many bytes it copied; this is the count from outside, libpulse and GStreamer included. A bare
 * libpulse program has a figure of its own: what is above it is the source's and its downstream's.
 *
 *   ZC_COPY_COUNT_FILE      where the totals go at exit, "key value" lines (unset: nowhere)
 *
 * A program that knows of it reads the totals while it runs: zc_copy_count_read(), found with dlsym().
 *
 * Threads: any; two relaxed adds per call that counts. Limits: a copy that the compiler put in place of the call is not
 * seen (it does that for small, fixed sizes), nor is one inside the C library or inside the kernel. The copying
 * itself is left to memmove of the C library, found once; before that, and only there, bytes are moved one by one. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__ ((visibility ("default")))
#define LEAST_BYTES 512         /* 1.3 ms of 48 kHz stereo float: less is no packet, nor a part that matters */

typedef void *(*MoveFunc) (void *to, const void *from, size_t bytes);

EXPORT void zc_copy_count_read (uint64_t *calls, uint64_t *bytes);
EXPORT void *__memcpy_chk (void *to, const void *from, size_t bytes, size_t room);
EXPORT void *__memmove_chk (void *to, const void *from, size_t bytes, size_t room);

static struct
{
  _Alignas (64) atomic_uint_fast64_t calls;
  atomic_uint_fast64_t bytes;
} total;

static _Atomic (MoveFunc) real_move;

/* While dlsym() itself runs. Volatile, else the compiler makes a call to memmove of it. */
static void *
move_slowly (void *to, const void *from, size_t bytes)
{
  volatile uint8_t *out = to;
  const volatile uint8_t *in = from;

  if ((uintptr_t) to < (uintptr_t) from) {
    for (size_t i = 0; i < bytes; i++)
      out[i] = in[i];
  } else {
    while (bytes-- > 0)
      out[bytes] = in[bytes];
  }
  return to;
}

static inline void *
count_and_move (void *to, const void *from, size_t bytes)
{
  MoveFunc move = atomic_load_explicit (&real_move, memory_order_relaxed);

  if (bytes >= LEAST_BYTES) {
    atomic_fetch_add_explicit (&total.calls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit (&total.bytes, bytes, memory_order_relaxed);
  }
  return move ? move (to, from, bytes) : move_slowly (to, from, bytes);
}

EXPORT void *
memcpy (void *restrict to, const void *restrict from, size_t bytes)
{
  return count_and_move (to, from, bytes);
}

EXPORT void *
memmove (void *to, const void *from, size_t bytes)
{
  return count_and_move (to, from, bytes);
}

EXPORT void *
mempcpy (void *restrict to, const void *restrict from, size_t bytes)
{
  return (char *) count_and_move (to, from, bytes) + bytes;
}

EXPORT void *
__memcpy_chk (void *to, const void *from, size_t bytes, size_t room)
{
  if (bytes > room)
    abort ();
  return count_and_move (to, from, bytes);
}

EXPORT void *
__memmove_chk (void *to, const void *from, size_t bytes, size_t room)
{
  if (bytes > room)
    abort ();
  return count_and_move (to, from, bytes);
}

void
zc_copy_count_read (uint64_t *calls, uint64_t *bytes)
{
  *calls = atomic_load_explicit (&total.calls, memory_order_relaxed);
  *bytes = atomic_load_explicit (&total.bytes, memory_order_relaxed);
}

static __attribute__ ((constructor)) void
begin (void)
{
  atomic_store (&real_move, (MoveFunc) dlsym (RTLD_NEXT, "memmove"));
}

static __attribute__ ((destructor)) void
end (void)
{
  const char *path = getenv ("ZC_COPY_COUNT_FILE");
  uint64_t calls, bytes;
  FILE *out;

  zc_copy_count_read (&calls, &bytes);
  if (!path || !(out = fopen (path, "we")))
    return;
  fprintf (out, "copies %llu\ncopied_bytes %llu\n", (unsigned long long) calls, (unsigned long long) bytes);
  fclose (out);
}
