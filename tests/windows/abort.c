/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linked into the test programs: abort(), and so a failed assertion, is an exception that nobody handles, as any other
 * crash. Without, the C library would end the process in silence, and no debugger would tell where. */
#include <signal.h>
#include <windows.h>

/* ntdll; documented, and in no header of MinGW's. */
NTSYSAPI BOOLEAN NTAPI RtlDllShutdownInProgress (void);

static void
on_abort (int signal_number)
{
  /* The DLLs are about to go, GStreamer with its leaks tracer, say, which warns only then. An exception does no good
   * any more, and the exit status is fixed, unless the process is ended at once. */
  if (RtlDllShutdownInProgress ())
    TerminateProcess (GetCurrentProcess (), 3);
  RaiseException (STATUS_FATAL_APP_EXIT, EXCEPTION_NONCONTINUABLE, 0, NULL);
}

static void __attribute__ ((constructor))
watch_abort (void)
{
  signal (SIGABRT, on_abort);
}
