/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An application on Windows: its main thread is in an apartment of COM, or in none, and opens, plays and closes a
 * pipeline again and again. After each time it tells how many handles and threads it has.
 *
 *   application sta|mta|none TIMES DESCRIPTION     "@OWN@" in the description is its own process id
 *
 * The main thread in the single-threaded apartment does not pump messages: who makes COM call back into it hangs, and
 * is found out.
 *
 * GetProcessHandleCount always answers 0 in Wine, so handles are counted in the system's table. */
#include <gst/gst.h>

#include <windows.h>
#include <objbase.h>
#include <tlhelp32.h>
#include <winternl.h>

#include <stdlib.h>

#define PLAY_BOUND (10 * GST_SECOND)

/* Of NtQuerySystemInformation; winternl.h has neither. */
#define EXTENDED_HANDLE_INFORMATION 64
#define LENGTH_MISMATCH             ((NTSTATUS) 0xC0000004)

typedef struct {
  PVOID object;
  ULONG_PTR process_id;
  ULONG_PTR handle;
  ULONG access;
  USHORT creator;
  USHORT type;
  ULONG attributes;
  ULONG reserved;
} HandleEntry;

typedef struct {
  ULONG_PTR count;
  ULONG_PTR reserved;
  HandleEntry entries[];
} HandleTable;

static HandleTable *
read_handles (void)
{
  HandleTable *table = NULL;
  ULONG size = 1 << 16;
  NTSTATUS status;

  do {
    size *= 2;
    table = g_realloc (table, size);
    status = NtQuerySystemInformation ((SYSTEM_INFORMATION_CLASS) EXTENDED_HANDLE_INFORMATION, table, size, NULL);
  } while (status == LENGTH_MISMATCH);
  if (status != 0)
    g_error ("no table of handles: 0x%lx", status);
  return table;
}

static guint
count_handles (void)
{
  g_autofree HandleTable *table = read_handles ();
  guint count = 0;

  for (ULONG_PTR i = 0; i < table->count; i++)
    count += table->entries[i].process_id == GetCurrentProcessId ();
  return count;
}

static guint
count_threads (void)
{
  HANDLE snapshot = CreateToolhelp32Snapshot (TH32CS_SNAPTHREAD, 0);
  THREADENTRY32 entry = { .dwSize = sizeof entry };
  guint count = 0;

  for (BOOL more = Thread32First (snapshot, &entry); more; more = Thread32Next (snapshot, &entry))
    count += entry.th32OwnerProcessID == GetCurrentProcessId ();
  CloseHandle (snapshot);
  return count;
}

static void
tell_error (GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  g_printerr ("ERROR: from element %s: %s\n", GST_OBJECT_NAME (message->src), error->message);
}

/* Until its end of stream; FALSE if it does not come. */
static gboolean
play (const gchar *description)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;
  gboolean ended;

  if (pipeline == NULL)
    g_error ("%s: %s", description, error->message);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, PLAY_BOUND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ended = message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  if (message == NULL)
    g_printerr ("neither end nor error\n");
  else if (!ended)
    tell_error (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return ended;
}

static gchar *
with_own_id (const gchar *description)
{
  g_autofree gchar *own = g_strdup_printf ("%lu", GetCurrentProcessId ());
  g_auto (GStrv) parts = g_strsplit (description, "@OWN@", -1);

  return g_strjoinv (own, parts);
}

static void
enter_apartment (const gchar *name)
{
  HRESULT result = S_OK;

  if (g_str_equal (name, "sta"))
    result = CoInitializeEx (NULL, COINIT_APARTMENTTHREADED);
  else if (g_str_equal (name, "mta"))
    result = CoInitializeEx (NULL, COINIT_MULTITHREADED);
  else
    g_assert (g_str_equal (name, "none"));
  g_assert (SUCCEEDED (result));
}

/* The main thread is still in its apartment: nobody has left it in our place, or changed it. */
static gboolean
is_still_in (const gchar *name)
{
  APTTYPEQUALIFIER qualifier;
  APTTYPE type;
  HRESULT result = CoGetApartmentType (&type, &qualifier);

  if (g_str_equal (name, "sta"))
    return SUCCEEDED (result) && (type == APTTYPE_STA || type == APTTYPE_MAINSTA);
  if (g_str_equal (name, "mta"))
    return SUCCEEDED (result) && type == APTTYPE_MTA && qualifier == APTTYPEQUALIFIER_NONE;
  return result == CO_E_NOTINITIALIZED || (type == APTTYPE_MTA && qualifier == APTTYPEQUALIFIER_IMPLICIT_MTA);
}

int
main (int argc, char **argv)
{
  g_autofree gchar *description = NULL;
  gint times;

  g_assert (argc == 4);
  times = atoi (argv[2]);
  enter_apartment (argv[1]);
  gst_init (NULL, NULL);
  description = with_own_id (argv[3]);
  for (gint i = 0; i < times; i++) {
    if (!play (description))
      return 1;
    g_print ("%d handles %u threads %u\n", i + 1, count_handles (), count_threads ());
  }
  if (!is_still_in (argv[1])) {
    g_printerr ("the main thread is in another apartment than before\n");
    return 2;
  }
  return 0;
}
