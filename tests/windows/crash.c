/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* crash HOW [THREAD]: ends in each way in which a test may end before its time; or does not end. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

static gint *volatile nowhere;

/* Not inlined, so that a backtrace has them. */
static void __attribute__ ((noinline))
crash_here (const gchar *how)
{
  if (strcmp (how, "write") == 0)
    *nowhere = 1;
  else if (strcmp (how, "abort") == 0)
    abort ();
  else if (strcmp (how, "assert") == 0)
    g_assert_cmpstr (how, ==, "something else");
  else if (strcmp (how, "warning") == 0)
    g_warning ("fatal by G_DEBUG");
  else if (strcmp (how, "hang") == 0) {
    g_print ("hanging\n");
    g_usleep (1000 * G_USEC_PER_SEC);
  }
}

static gpointer
crash_there (gpointer how)
{
  crash_here (how);
  return NULL;
}

int
main (int argc, char **argv)
{
  if (argc > 2)
    g_thread_join (g_thread_new ("crashing", crash_there, argv[1]));
  else if (argc > 1)
    crash_here (argv[1]);
  g_print ("ok\n");
  return argc > 1 ? 77 : 0;
}
