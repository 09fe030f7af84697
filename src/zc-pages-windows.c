/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define PSAPI_VERSION 2 /* QueryWorkingSetEx of kernel32 */
#include "zc-pages.h"

#include <windows.h>
#include <psapi.h>

static gsize
page_bytes (void)
{
  SYSTEM_INFO info;

  GetSystemInfo (&info);
  return info.dwPageSize;
}

static gsize
round_up (gsize bytes, gsize unit)
{
  return (bytes + unit - 1) / unit * unit;
}

/* Large pages take a privilege that an administrator gives ("Lock pages in memory"), and that has to be switched on. */
static void
enable_large_pages (void)
{
  TOKEN_PRIVILEGES wanted = { .PrivilegeCount = 1, .Privileges = { { .Attributes = SE_PRIVILEGE_ENABLED } } };
  HANDLE token;

  if (!OpenProcessToken (GetCurrentProcess (), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token))
    return;
  if (LookupPrivilegeValueW (NULL, L"SeLockMemoryPrivilege", &wanted.Privileges[0].Luid))
    AdjustTokenPrivileges (token, FALSE, &wanted, 0, NULL, NULL);
  CloseHandle (token);
}

static gpointer
allocate (gsize bytes, DWORD kind, gint numa_node)
{
  DWORD node = numa_node >= 0 ? (DWORD) numa_node : NUMA_NO_PREFERRED_NODE;

  return VirtualAllocExNuma (GetCurrentProcess (), NULL, bytes, MEM_RESERVE | MEM_COMMIT | kind, PAGE_READWRITE, node);
}

/* The node is only preferred; one that does not exist is refused. */
static gpointer
allocate_somewhere (gsize bytes, DWORD kind, gint numa_node)
{
  gpointer data = allocate (bytes, kind, numa_node);

  return data != NULL || numa_node < 0 ? data : allocate (bytes, kind, -1);
}

static gboolean
get_large (ZcPages *pages, gsize bytes, gint numa_node)
{
  gsize unit = GetLargePageMinimum ();

  if (unit == 0)
    return FALSE;
  enable_large_pages ();
  pages->bytes = round_up (bytes, unit);
  pages->data = allocate_somewhere (pages->bytes, MEM_LARGE_PAGES, numa_node);
  return pages->data != NULL;
}

/* Guards the size of the process's working set against another of us between its being got and being set. */
static GMutex working_set;

static gboolean
change_working_set (gssize bytes)
{
  HANDLE process = GetCurrentProcess ();
  SIZE_T least, most;
  gboolean done;

  g_mutex_lock (&working_set);
  done = GetProcessWorkingSetSize (process, &least, &most)
      && SetProcessWorkingSetSize (process, least + (SIZE_T) bytes, most + (SIZE_T) bytes);
  g_mutex_unlock (&working_set);
  return done;
}

/* A process may lock about as much as its least working set, which is 200 KB unless it says so. Large pages are locked
 * by nature, and in no working set. */
static void
lock (ZcPages *pages)
{
  if (change_working_set ((gssize) pages->bytes))
    pages->raised_bytes = pages->bytes;
  VirtualLock (pages->data, pages->bytes);
}

gboolean
zc_pages_get (ZcPages *pages, gsize bytes, const ZcPagesWish *wish)
{
  gsize page = page_bytes ();
  gboolean large;

  g_assert (bytes > 0);
  *pages = (ZcPages){ 0 };
  large = wish->huge && get_large (pages, bytes, wish->numa_node);
  if (!large) {
    pages->bytes = round_up (bytes, page);
    pages->data = allocate_somewhere (pages->bytes, 0, wish->numa_node);
  }
  if (pages->data == NULL)
    return FALSE;
  pages->base = pages->data;
  pages->base_bytes = pages->bytes;
  for (gsize at = 0; at < pages->bytes; at += page)
    *(volatile guint8 *) (pages->data + at) = 0;
  if (wish->lock && !large)
    lock (pages);
  return TRUE;
}

void
zc_pages_put (ZcPages *pages)
{
  VirtualFree (pages->base, 0, MEM_RELEASE); /* unlocks, too */
  if (pages->raised_bytes > 0)
    change_working_set (-(gssize) pages->raised_bytes);
  *pages = (ZcPages){ 0 };
}

void
zc_pages_read (const ZcPages *pages, ZcPagesState *state)
{
  gsize page = page_bytes (), n = pages->bytes / page;
  g_autofree PSAPI_WORKING_SET_EX_INFORMATION *asked = g_new0 (PSAPI_WORKING_SET_EX_INFORMATION, n);

  for (gsize i = 0; i < n; i++)
    asked[i].VirtualAddress = pages->data + i * page;
  if (!QueryWorkingSetEx (GetCurrentProcess (), asked, (DWORD) (n * sizeof *asked))) {
    zc_pages_state_add (state, pages->bytes, 0, 0, -1);
    return;
  }
  for (gsize i = 0; i < n; i++) {
    const PSAPI_WORKING_SET_EX_BLOCK *told = &asked[i].VirtualAttributes;
    zc_pages_state_add (state, page, told->LargePage ? page : 0, told->Locked || told->LargePage ? page : 0,
        told->Valid ? (gint) told->Node : -1);
  }
}
