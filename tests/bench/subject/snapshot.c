/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "snapshot.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const gchar *const names[COUNT_STATS] = {
  "at_ns", "cpu_ns", "voluntary", "involuntary", "threads", "heap_bytes", "rss_bytes", "anon_bytes", "mapped_bytes",
  "allocs", "alloc_bytes", "live_bytes", "copies", "copy_bytes", "buffers", "sound_bytes"
};

static const gchar *const stat_names[N_STATS] = {
  "frames-captured", "frames-silence", "frames-lost", "frames-expected", "packets", "bytes-copied", "bytes-leased",
  "evacuations", "allocations", "glitches", "overflows", "wakeups", "pool-hits", "pool-misses", "pool-high-water",
  "pool-size"
};

static void (*read_mallocs) (guint64 *calls, guint64 *bytes, gint64 *live);
static void (*read_copies) (guint64 *calls, guint64 *bytes);

void
snapshot_init (void)
{
  *(void **) &read_mallocs = dlsym (RTLD_DEFAULT, "zc_malloc_count_read");
  *(void **) &read_copies = dlsym (RTLD_DEFAULT, "zc_copy_count_read");
}

/* A file of /proc into the caller's memory, with a 0 at its end. */
static void
read_file (const gchar *path, gchar *text, gsize room)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gsize filled = 0;
  gssize got = 0;

  while (fd >= 0 && filled < room - 1 && (got = read (fd, text + filled, room - 1 - filled)) > 0)
    filled += (gsize) got;
  text[filled] = '\0';
  if (fd >= 0)
    close (fd);
}

/* The number after "\nName:" */
static gint64
field (const gchar *text, const gchar *name)
{
  const gchar *found = strstr (text, name);

  return found != NULL ? strtoll (found + strlen (name), NULL, 10) : -1;
}

static gint64
clock_ns (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static void
take_memory (gint64 *counts)
{
  const struct mallinfo2 heap = mallinfo2 ();
  gchar text[4096];

  counts[COUNT_HEAP_BYTES] = (gint64) (heap.uordblks + heap.hblkhd);
  read_file ("/proc/self/smaps_rollup", text, sizeof text);
  counts[COUNT_RSS_BYTES] = field (text, "\nRss:") * 1024;
  counts[COUNT_ANON_BYTES] = field (text, "\nAnonymous:") * 1024;
  read_file ("/proc/self/status", text, sizeof text);
  counts[COUNT_MAPPED_BYTES] = field (text, "\nVmSize:") * 1024;
  counts[COUNT_THREADS] = field (text, "\nThreads:");
}

static void
take_preloaded (gint64 *counts)
{
  guint64 calls, bytes;

  for (Count count = COUNT_ALLOCS; count <= COUNT_COPY_BYTES; count++)
    counts[count] = -1;
  if (read_mallocs != NULL) {
    read_mallocs (&calls, &bytes, &counts[COUNT_LIVE_BYTES]);
    counts[COUNT_ALLOCS] = (gint64) calls;
    counts[COUNT_ALLOC_BYTES] = (gint64) bytes;
  }
  if (read_copies != NULL) {
    read_copies (&calls, &bytes);
    counts[COUNT_COPIES] = (gint64) calls;
    counts[COUNT_COPY_BYTES] = (gint64) bytes;
  }
}

void
snapshot_take (Snapshot *snapshot)
{
  gint64 *counts = snapshot->counts;
  struct rusage usage;

  take_preloaded (counts);
  counts[COUNT_AT_NS] = clock_ns (CLOCK_MONOTONIC);
  counts[COUNT_CPU_NS] = clock_ns (CLOCK_PROCESS_CPUTIME_ID);
  getrusage (RUSAGE_SELF, &usage);
  counts[COUNT_VOLUNTARY] = usage.ru_nvcsw;
  counts[COUNT_INVOLUNTARY] = usage.ru_nivcsw;
  take_memory (counts);
}

void
snapshot_take_stats (Snapshot *snapshot, GPtrArray *elements)
{
  for (guint i = 0; i < N_STATS; i++)
    snapshot->counts[COUNT_STATS + i] = -1;
  for (guint e = 0; e < elements->len; e++) {
    GObject *element = g_ptr_array_index (elements, e);
    g_autoptr (GstStructure) stats = NULL;

    if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "stats") == NULL)
      continue;
    g_object_get (element, "stats", &stats, NULL);
    for (guint i = 0; i < N_STATS && stats != NULL; i++) {
      gint64 *sum = &snapshot->counts[COUNT_STATS + i];
      guint64 value;

      if (gst_structure_get_uint64 (stats, stat_names[i], &value))
        *sum = (*sum == -1 ? 0 : *sum) + (gint64) value;
    }
  }
}

void
snapshot_print (const Snapshot *snapshot, const gchar *prefix)
{
  for (guint i = 0; i < N_COUNTS; i++)
    printf ("%s.%s %" G_GINT64_FORMAT "\n", prefix, i < COUNT_STATS ? names[i] : stat_names[i - COUNT_STATS],
        snapshot->counts[i]);
}
