/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report.h: the file that ZC_WASAPI_REPORT names, a line for each thing worth telling; README.md has the words.
 *
 * Lines are appended one by one, each with one write: what a program that crashed had done so far is there. Any
 * thread. */
#pragma once

/* Opens the file; nothing is written without one. */
void sa_report_open (void);

void sa_report (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* A rule of Windows' that the program broke; `name` is one of README.md. */
void sa_violation (const char *name, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* Each call, if ZC_WASAPI_TRACE is set. */
void sa_trace (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* The last line. */
void sa_report_end (void);
