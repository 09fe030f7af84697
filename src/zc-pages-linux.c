/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the memory lies between pages that nobody may touch, it is a mapping of its own in /proc/self/smaps and
 * numa_maps, which the kernel joins with no neighbour: what they say is said of this memory alone. And who writes
 * beyond it is stopped. */
#include "zc-pages.h"

#include "zc-numa.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define DEFAULT_HUGE_BYTES (2 * 1024 * 1024)

static gsize
page_bytes (void)
{
  return (gsize) sysconf (_SC_PAGESIZE);
}

static gsize
huge_page_bytes (void)
{
  g_autofree gchar *text = NULL;
  guint64 bytes = 0;

  if (g_file_get_contents ("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &text, NULL, NULL))
    bytes = g_ascii_strtoull (text, NULL, 10);
  return bytes > 0 ? (gsize) bytes : DEFAULT_HUGE_BYTES;
}

static gsize
round_up (gsize bytes, gsize unit)
{
  return (bytes + unit - 1) / unit * unit;
}

static void
make_present (ZcPages *pages)
{
  for (gsize at = 0; at < pages->bytes; at += page_bytes ())
    *(volatile guint8 *) (pages->data + at) = 0;
}

/* Pages that the administrator has set aside. Had at once, or not at all: touching what is not there would end the
 * program. Of the size that is named: the system's default may be another one (default_hugepagesz), which `rounded` is
 * no multiple of. */
static gboolean
get_reserved (ZcPages *pages, gsize bytes, const ZcPagesWish *wish)
{
  gsize unit = huge_page_bytes (), rounded = round_up (bytes, unit);
  int kind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | g_bit_nth_msf (unit, -1) << MAP_HUGE_SHIFT;
  gpointer data = mmap (NULL, rounded, PROT_READ | PROT_WRITE, kind, -1, 0);

  if (data == MAP_FAILED)
    return FALSE;
  if (wish->numa_node >= 0)
    zc_numa_prefer (data, rounded, wish->numa_node);
  if (madvise (data, rounded, MADV_POPULATE_WRITE) != 0) {
    munmap (data, rounded);
    return FALSE;
  }
  *pages = (ZcPages){ .data = data, .bytes = rounded, .base = data, .base_bytes = rounded };
  return TRUE;
}

static gboolean
get_ordinary (ZcPages *pages, gsize bytes, const ZcPagesWish *wish)
{
  gsize page = page_bytes (), unit = wish->huge ? huge_page_bytes () : page;
  gsize rounded = round_up (bytes, unit), base_bytes = rounded + unit + 2 * page;
  guint8 *base = mmap (NULL, base_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  guint8 *data = (guint8 *) round_up ((guintptr) base + page, unit);

  if (base == MAP_FAILED)
    return FALSE;
  if (mprotect (data, rounded, PROT_READ | PROT_WRITE) != 0) {
    munmap (base, base_bytes);
    return FALSE;
  }
  if (wish->huge)
    madvise (data, rounded, MADV_HUGEPAGE);
  if (wish->numa_node >= 0)
    zc_numa_prefer (data, rounded, wish->numa_node);
  *pages = (ZcPages){ .data = data, .bytes = rounded, .base = base, .base_bytes = base_bytes };
  make_present (pages);
  return TRUE;
}

gboolean
zc_pages_get (ZcPages *pages, gsize bytes, const ZcPagesWish *wish)
{
  g_assert (bytes > 0);
  if ((!wish->huge || !get_reserved (pages, bytes, wish)) && !get_ordinary (pages, bytes, wish))
    return FALSE;
  if (wish->lock)
    (void) !mlock (pages->data, pages->bytes); /* smaps tells */
  return TRUE;
}

void
zc_pages_put (ZcPages *pages)
{
  munmap (pages->base, pages->base_bytes);
  *pages = (ZcPages){ 0 };
}

/* -- what the kernel says ---------------------------------------------------------------------------------------- */

typedef struct {
  gsize huge_kb;
  gsize reserved_kb; /* huge, and never paged out by nature */
  gsize present_kb;
  gboolean locked; /* what is present */
} Mapping;

static gboolean
is_range (const gchar *line, const ZcPages *pages)
{
  guint64 start = g_ascii_strtoull (line, NULL, 16);

  return start == (guintptr) pages->data;
}

/* Of /proc/self/smaps: the lines "Field: N kB" under that of the mapping's range, and "VmFlags: rd wr ...". (Its
 * "Locked:" is what this process has of it in proportion: half, while the pages are those of a child, too.) */
static Mapping
read_smaps (const ZcPages *pages)
{
  Mapping mapping = { 0 };
  FILE *file = fopen ("/proc/self/smaps", "re");
  gboolean ours = FALSE;
  gchar line[512];

  while (file != NULL && fgets (line, sizeof line, file) != NULL) {
    gsize kb;
    if (line[strcspn (line, " :-")] == '-') /* a range; fields have no dash before their colon */
      ours = is_range (line, pages);
    else if (ours && sscanf (line, "AnonHugePages: %zu kB", &kb) == 1)
      mapping.huge_kb += kb;
    else if (ours && sscanf (line, "Private_Hugetlb: %zu kB", &kb) == 1)
      mapping.reserved_kb += kb;
    else if (ours && sscanf (line, "Shared_Hugetlb: %zu kB", &kb) == 1)
      mapping.reserved_kb += kb;
    else if (ours && sscanf (line, "Rss: %zu kB", &kb) == 1)
      mapping.present_kb += kb;
    else if (ours && g_str_has_prefix (line, "VmFlags:"))
      mapping.locked = strstr (line, " lo") != NULL;
  }
  if (file != NULL)
    fclose (file);
  return mapping;
}

/* Of /proc/self/numa_maps: "7f0000000000 default anon=60 dirty=60 N0=60 ...". */
static gint
node_of_line (const gchar *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  gint node = -1;

  for (gchar **word = words; *word != NULL; word++) {
    if ((*word)[0] != 'N' || !g_ascii_isdigit ((*word)[1]))
      continue;
    if (node >= 0)
      return -1; /* on several */
    node = (gint) g_ascii_strtoull (*word + 1, NULL, 10);
  }
  return node;
}

static gint
read_numa_node (const ZcPages *pages)
{
  FILE *file = fopen ("/proc/self/numa_maps", "re");
  gint node = -1;
  gchar line[512];

  while (file != NULL && fgets (line, sizeof line, file) != NULL)
    if (is_range (line, pages))
      node = node_of_line (line);
  if (file != NULL)
    fclose (file);
  return node;
}

void
zc_pages_read (const ZcPages *pages, ZcPagesState *state)
{
  Mapping mapping = read_smaps (pages);
  gsize locked_kb = mapping.locked ? mapping.present_kb : 0;

  zc_pages_state_add (state, pages->bytes, (mapping.huge_kb + mapping.reserved_kb) * 1024,
      (locked_kb + mapping.reserved_kb) * 1024, read_numa_node (pages));
}
