/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"
#include "object.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 1024

static HANDLE file = INVALID_HANDLE_VALUE;
static bool tracing;
static LONG violations;

void
sa_report_open (void)
{
  wchar_t path[MAX_PATH * 4], trace[8], program[MAX_PATH];
  DWORD length = GetEnvironmentVariableW (L"ZC_WASAPI_REPORT", path, ARRAYSIZE (path));

  if (length == 0 || length >= ARRAYSIZE (path))
    return;
  /* Each write goes to the end, whoever else writes. */
  file = CreateFileW (path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
      OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
  tracing = GetEnvironmentVariableW (L"ZC_WASAPI_TRACE", trace, ARRAYSIZE (trace)) > 0;
  GetModuleFileNameW (NULL, program, ARRAYSIZE (program));
  sa_report ("open pid=%lu program=%ls", (unsigned long) GetCurrentProcessId (), program);
}

static double
seconds (void)
{
  LARGE_INTEGER now, frequency;

  QueryPerformanceCounter (&now);
  QueryPerformanceFrequency (&frequency);
  return (double) now.QuadPart / (double) frequency.QuadPart;
}

static void
write_line (const char *head, const char *format, va_list args)
{
  char line[LINE_BYTES];
  int length;
  DWORD written;

  if (file == INVALID_HANDLE_VALUE)
    return;
  length = snprintf (line, sizeof line, "%s", head);
  length += vsnprintf (line + length, sizeof line - (size_t) length, format, args);
  if (length > (int) sizeof line - 2)
    length = (int) sizeof line - 2;
  line[length++] = '\n';
  WriteFile (file, line, (DWORD) length, &written, NULL);
}

void
sa_report (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  write_line ("", format, args);
  va_end (args);
}

void
sa_violation (const char *name, const char *format, ...)
{
  char head[128];
  va_list args;

  InterlockedIncrement (&violations);
  snprintf (head, sizeof head, "violation %s thread=%lu ", name, (unsigned long) GetCurrentThreadId ());
  va_start (args, format);
  write_line (head, format, args);
  va_end (args);
}

void
sa_trace (const char *format, ...)
{
  char head[64];
  va_list args;

  if (!tracing)
    return;
  snprintf (head, sizeof head, "trace %.6f thread=%lu ", seconds (), (unsigned long) GetCurrentThreadId ());
  va_start (args, format);
  write_line (head, format, args);
  va_end (args);
}

void
sa_report_end (void)
{
  sa_report ("end violations=%ld", (long) violations);
}
