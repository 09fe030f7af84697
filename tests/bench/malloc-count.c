/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* malloc-count: counts every heap allocation of a process from outside (LD_PRELOAD).
 *
 * The claim under test is "no allocation per packet, the server's client library included", so the counter
 * sits below all of them, in front of the C library's allocator. Start-up cost is the caller's business: run the
 * same pipeline at two lengths and divide the difference.
 *
 *   ZC_MALLOC_COUNT_FILE      where the summary goes at exit, "key value" lines (unset: standard error)
 *   ZC_MALLOC_COUNT_FROM_MS   window start, in ms since the process began (default 0)
 *   ZC_MALLOC_COUNT_UNTIL_MS  window end (default: never)
 *   ZC_MALLOC_COUNT_STACKS    1: also say who allocates inside the window, most frequent first
 *
 * A program that knows of it reads the counters while it runs: zc_malloc_count_read(), found with dlsym().
 *
 * Threads: any. Plain counting is one relaxed add per call; the stack table is behind a spin lock, and only
 * used when asked for. Limits: needs glibc (its __libc_ entry points avoid dlsym, which allocates); what the C
 * library maps for its own arenas is not seen as mmap, nor is what a forked child does after the fork. */

#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS        /* else the headers rename mmap to mmap64, and both are defined here */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default")))
#define MAX_DEPTH 24
#define MAX_STACKS 2048         /* a power of two: the table's index is masked */
#define OWN_FRAMES 2            /* note_stack() and the wrapper that called it */
#define SHOWN_STACKS 25

EXPORT void zc_malloc_count_read (uint64_t *calls, uint64_t *bytes, int64_t *live);

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *block, size_t size);
extern void *__libc_memalign (size_t alignment, size_t size);
extern void __libc_free (void *block);

typedef enum
{
  KIND_MALLOC,
  KIND_CALLOC,
  KIND_REALLOC,
  KIND_ALIGNED,
  KIND_FREE,
  KIND_MMAP,
  N_KINDS
} Kind;

static const char *const kind_names[N_KINDS] = {
  "malloc", "calloc", "realloc", "aligned", "free", "mmap"
};

typedef struct
{
  void *frames[MAX_DEPTH];
  int depth;
  uint64_t calls;
  uint64_t bytes;
  char thread[16];
} Stack;

/* One line per counter, so that threads that count different things do not meet. */
typedef struct
{
  _Alignas (64) atomic_uint_fast64_t calls;
  atomic_uint_fast64_t bytes;
} Counter;

static Counter counters[N_KINDS];
static Counter window_calls;
static atomic_int_fast64_t live_bytes;

static struct
{
  bool stacks;
  int64_t from_ms;
  int64_t until_ms;
  struct timespec start;
} options = { .until_ms = INT64_MAX };

static atomic_flag stacks_lock = ATOMIC_FLAG_INIT;  /* guards the two below */
static Stack stacks[MAX_STACKS];
static uint64_t stacks_lost;

/* Initial-exec: the dynamic TLS model may allocate on first use, inside malloc. */
static __thread bool inside __attribute__ ((tls_model ("initial-exec")));

static int64_t
now_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (now.tv_sec - options.start.tv_sec) * 1000 +
      (now.tv_nsec - options.start.tv_nsec) / 1000000;
}

static bool
in_window (void)
{
  int64_t ms;

  if (options.from_ms == 0 && options.until_ms == INT64_MAX)
    return true;
  ms = now_ms ();
  return ms >= options.from_ms && ms < options.until_ms;
}

static uint64_t
hash_frames (void *const *frames, int depth)
{
  uint64_t hash = 14695981039346656037u;

  for (int i = 0; i < depth; i++)
    hash = (hash ^ (uintptr_t) frames[i]) * 1099511628211u;
  return hash ^ (hash >> 29);
}

/* NULL when the table is full. Call with stacks_lock held. */
static Stack *
find_stack (void *const *frames, int depth)
{
  uint64_t at = hash_frames (frames, depth);

  for (int i = 0; i < MAX_STACKS; i++, at++) {
    Stack *stack = &stacks[at & (MAX_STACKS - 1)];

    if (stack->depth == 0) {
      memcpy (stack->frames, frames, depth * sizeof *frames);
      stack->depth = depth;
      pthread_getname_np (pthread_self (), stack->thread, sizeof stack->thread);
      return stack;
    }
    if (stack->depth == depth && memcmp (stack->frames, frames, depth * sizeof *frames) == 0)
      return stack;
  }
  return NULL;
}

static __attribute__ ((noinline)) void
note_stack (size_t bytes)
{
  void *frames[MAX_DEPTH];
  Stack *stack;
  int depth;

  if (inside)
    return;
  inside = true;                /* backtrace() may itself allocate */
  depth = backtrace (frames, MAX_DEPTH);
  while (atomic_flag_test_and_set_explicit (&stacks_lock, memory_order_acquire));
  stack = depth > OWN_FRAMES ? find_stack (frames + OWN_FRAMES, depth - OWN_FRAMES) : NULL;
  if (stack) {
    stack->calls++;
    stack->bytes += bytes;
  } else {
    stacks_lost++;
  }
  atomic_flag_clear_explicit (&stacks_lock, memory_order_release);
  inside = false;
}

static inline __attribute__ ((always_inline)) void
count (Kind kind, size_t bytes)
{
  atomic_fetch_add_explicit (&counters[kind].calls, 1, memory_order_relaxed);
  atomic_fetch_add_explicit (&counters[kind].bytes, bytes, memory_order_relaxed);
  if (kind == KIND_FREE || !in_window ())
    return;
  if (kind != KIND_MMAP)
    atomic_fetch_add_explicit (&window_calls.calls, 1, memory_order_relaxed);
  if (options.stacks)
    note_stack (bytes);
}

static void
add_live (void *block)
{
  if (block)
    atomic_fetch_add_explicit (&live_bytes, malloc_usable_size (block), memory_order_relaxed);
}

static void
remove_live (void *block)
{
  if (block)
    atomic_fetch_sub_explicit (&live_bytes, malloc_usable_size (block), memory_order_relaxed);
}

EXPORT void *
malloc (size_t size)
{
  void *block = __libc_malloc (size);

  count (KIND_MALLOC, size);
  add_live (block);
  return block;
}

EXPORT void *
calloc (size_t n, size_t size)
{
  void *block = __libc_calloc (n, size);

  count (KIND_CALLOC, n * size);
  add_live (block);
  return block;
}

EXPORT void *
realloc (void *old, size_t size)
{
  size_t old_usable = old ? malloc_usable_size (old) : 0;
  void *block = __libc_realloc (old, size);

  count (KIND_REALLOC, size);
  if (block || size == 0) {     /* on failure the old block lives on */
    atomic_fetch_sub_explicit (&live_bytes, old_usable, memory_order_relaxed);
    add_live (block);
  }
  return block;
}

EXPORT void *
reallocarray (void *old, size_t n, size_t size)
{
  size_t bytes;

  if (__builtin_mul_overflow (n, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc (old, bytes);
}

static inline __attribute__ ((always_inline)) void *
aligned (size_t alignment, size_t size)
{
  void *block = __libc_memalign (alignment, size);

  count (KIND_ALIGNED, size);
  add_live (block);
  return block;
}

EXPORT void *
memalign (size_t alignment, size_t size)
{
  return aligned (alignment, size);
}

EXPORT void *
aligned_alloc (size_t alignment, size_t size)
{
  return aligned (alignment, size);
}

EXPORT int
posix_memalign (void **out, size_t alignment, size_t size)
{
  void *block;

  if (alignment < sizeof (void *) || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  block = aligned (alignment, size);
  if (!block)
    return ENOMEM;
  *out = block;
  return 0;
}

EXPORT void *
valloc (size_t size)
{
  return aligned ((size_t) sysconf (_SC_PAGESIZE), size);
}

EXPORT void
free (void *block)
{
  if (block)
    count (KIND_FREE, 0);
  remove_live (block);
  __libc_free (block);
}

EXPORT void *
mmap (void *where, size_t size, int protection, int flags, int fd, off_t offset)
{
  count (KIND_MMAP, size);
  return (void *) syscall (SYS_mmap, where, size, protection, flags, fd, offset);
}

EXPORT void *
mmap64 (void *where, size_t size, int protection, int flags, int fd, off64_t offset)
{
  count (KIND_MMAP, size);
  return (void *) syscall (SYS_mmap, where, size, protection, flags, fd, offset);
}

/* For a program that reads the counters while it runs. The bytes are those asked for, given back or not. */
void
zc_malloc_count_read (uint64_t *calls, uint64_t *bytes, int64_t *live)
{
  *calls = *bytes = 0;
  for (Kind kind = KIND_MALLOC; kind <= KIND_ALIGNED; kind++) {
    *calls += atomic_load_explicit (&counters[kind].calls, memory_order_relaxed);
    *bytes += atomic_load_explicit (&counters[kind].bytes, memory_order_relaxed);
  }
  *live = atomic_load_explicit (&live_bytes, memory_order_relaxed);
}

static int
more_calls_first (const void *a, const void *b)
{
  const Stack *left = a, *right = b;

  return (left->calls < right->calls) - (left->calls > right->calls);
}

static void
print_frame (FILE *out, void *address)
{
  Dl_info info;

  if (!dladdr (address, &info) || !info.dli_fname)
    fprintf (out, "    %p\n", address);
  else if (info.dli_sname)
    fprintf (out, "    %s+0x%tx (%s)\n", info.dli_sname,
        (char *) address - (char *) info.dli_saddr, info.dli_fname);
  else
    fprintf (out, "    0x%tx (%s)\n", (char *) address - (char *) info.dli_fbase, info.dli_fname);
}

static void
print_stacks (FILE *out)
{
  qsort (stacks, MAX_STACKS, sizeof stacks[0], more_calls_first);
  fprintf (out, "stacks_lost %llu\n", (unsigned long long) stacks_lost);
  for (int i = 0; i < SHOWN_STACKS && stacks[i].calls > 0; i++) {
    fprintf (out, "stack %llu calls %llu bytes thread %s\n", (unsigned long long) stacks[i].calls,
        (unsigned long long) stacks[i].bytes, stacks[i].thread);
    for (int f = 0; f < stacks[i].depth; f++)
      print_frame (out, stacks[i].frames[f]);
  }
}

static uint64_t
calls_of (Kind kind)
{
  return atomic_load_explicit (&counters[kind].calls, memory_order_relaxed);
}

static int64_t
option_ms (const char *name, int64_t fallback)
{
  const char *text = getenv (name);

  return text ? strtoll (text, NULL, 10) : fallback;
}

static __attribute__ ((constructor)) void
begin (void)
{
  void *frames[1];

  clock_gettime (CLOCK_MONOTONIC, &options.start);
  options.from_ms = option_ms ("ZC_MALLOC_COUNT_FROM_MS", 0);
  options.until_ms = option_ms ("ZC_MALLOC_COUNT_UNTIL_MS", INT64_MAX);
  if (option_ms ("ZC_MALLOC_COUNT_STACKS", 0) != 0) {
    inside = true;              /* the first backtrace loads the unwinder */
    backtrace (frames, 1);
    inside = false;
    options.stacks = true;
  }
}

/* The figures are read before the first line is written: writing allocates. */
static __attribute__ ((destructor)) void
end (void)
{
  const char *path = getenv ("ZC_MALLOC_COUNT_FILE");
  uint64_t calls[N_KINDS], window, total;
  long long live;
  FILE *out;

  for (Kind kind = 0; kind < N_KINDS; kind++)
    calls[kind] = calls_of (kind);
  total = calls[KIND_MALLOC] + calls[KIND_CALLOC] + calls[KIND_REALLOC] + calls[KIND_ALIGNED];
  window = atomic_load_explicit (&window_calls.calls, memory_order_relaxed);
  live = atomic_load_explicit (&live_bytes, memory_order_relaxed);
  options.stacks = false;

  out = path ? fopen (path, "we") : stderr;
  if (!out)
    return;
  fprintf (out, "pid %d\nheap %llu\n", (int) getpid (), (unsigned long long) total);
  for (Kind kind = 0; kind < N_KINDS; kind++)
    fprintf (out, "%s %llu\n", kind_names[kind], (unsigned long long) calls[kind]);
  fprintf (out, "window %llu\nlive_bytes %lld\n", (unsigned long long) window, live);
  print_stacks (out);
  if (out != stderr)
    fclose (out);
}
