/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A test program as those of gst/, that passes and leaves an object behind. */
#include <gst/check/gstcheck.h>

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  gst_bin_new ("left behind");
  g_print ("ok\n");
  return 0;
}
