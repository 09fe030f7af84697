/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zctest.h"

#include "zc-clock.h"

#define READINGS 20000

/* Capture times are told in the one and PTS in the other: each reading of GstSystemClock lies between two of ours. */
GST_START_TEST (it_is_the_clock_of_pipelines)
{
  GstClock *clock = gst_system_clock_obtain ();

  for (guint i = 0; i < READINGS; i++) {
    gint64 before_ns = zc_clock_now_ns ();
    gint64 theirs_ns = (gint64) gst_clock_get_internal_time (clock);
    gint64 after_ns = zc_clock_now_ns ();

    fail_unless (before_ns <= theirs_ns && theirs_ns <= after_ns, "%" G_GINT64_FORMAT " is not between %"
        G_GINT64_FORMAT " and %" G_GINT64_FORMAT, theirs_ns, before_ns, after_ns);
  }
  gst_object_unref (clock);
}
GST_END_TEST

GST_START_TEST (it_never_goes_back_and_is_finer_than_a_microsecond)
{
  gint64 last_ns = zc_clock_now_ns ();
  guint between = 0;

  for (guint i = 0; i < READINGS; i++) {
    gint64 now_ns = zc_clock_now_ns ();

    fail_unless (now_ns >= last_ns);
    between += now_ns % 1000 != 0;
    last_ns = now_ns;
  }
  fail_unless (between > READINGS / 10);
}
GST_END_TEST

static Suite *
clock_suite (void)
{
  Suite *suite = suite_create ("clock");
  TCase *tc = tcase_create ("clock");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, it_is_the_clock_of_pipelines);
  tcase_add_test (tc, it_never_goes_back_and_is_finer_than_a_microsecond);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, clock_suite ());
}
