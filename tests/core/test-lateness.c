/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-lateness.h"

#define MS        G_GINT64_CONSTANT (1000000)
#define PACKET_NS (10 * MS)

/* Packets of 10 ms that come `delay_ns` after their end. Returns the latest of them. */
static gint64
play (ZcLateness *lateness, gint64 *end_ns, guint packets, gint64 delay_ns)
{
  gint64 latest = 0;

  for (guint i = 0; i < packets; i++) {
    gint64 late = zc_lateness_note (lateness, *end_ns, *end_ns + delay_ns);
    g_assert_cmpint (late, >=, 0);
    latest = MAX (latest, late);
    *end_ns += PACKET_NS;
  }
  return latest;
}

/* Also of a device that tells its sound before it is heard. */
static void
steady_is_punctual (void)
{
  for (gint64 delay_ns = -2000 * MS; delay_ns <= 2000 * MS; delay_ns += 100 * MS) {
    ZcLateness lateness = { 0 };
    gint64 end_ns = 5 * MS;

    g_assert_cmpint (play (&lateness, &end_ns, 3000, delay_ns), ==, 0);
  }
}

static void
stall_is_told_packet_by_packet (void)
{
  ZcLateness lateness = { 0 };
  gint64 end_ns = 0, now_ns;

  play (&lateness, &end_ns, 100, 20 * MS);
  now_ns = end_ns + 20 * MS + 50 * MS;
  for (gint64 late = 50; late >= 0; late -= 10) {
    g_assert_cmpint (zc_lateness_note (&lateness, end_ns, now_ns), ==, late * MS);
    end_ns += PACKET_NS;
  }
}

/* A device that changes its ways is believed after two windows, and what is earlier than ever at once. */
static void
change_is_learnt (void)
{
  ZcLateness lateness = { 0 };
  gint64 end_ns = 0;

  play (&lateness, &end_ns, 1000, 20 * MS);
  g_assert_cmpint (play (&lateness, &end_ns, 810, 25 * MS), ==, 5 * MS);
  g_assert_cmpint (play (&lateness, &end_ns, 1000, 25 * MS), ==, 0);
  g_assert_cmpint (play (&lateness, &end_ns, 1000, 3 * MS), ==, 0);
  zc_lateness_reset (&lateness);
  g_assert_cmpint (play (&lateness, &end_ns, 1, 70 * MS), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lateness/steady-is-punctual", steady_is_punctual);
  g_test_add_func ("/lateness/stall-is-told-packet-by-packet", stall_is_told_packet_by_packet);
  g_test_add_func ("/lateness/change-is-learnt", change_is_learnt);
  return g_test_run ();
}
