/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-histogram.h"

static void
nothing_is_zero (void)
{
  ZcHistogram histogram = { 0 };

  g_assert_cmpint (zc_histogram_quantile (&histogram, 0.5), ==, 0);
  g_assert_cmpint (zc_histogram_max (&histogram), ==, 0);
}

/* Each time by itself is told to an eighth, and never as less than it was; the longest is told as it was. */
static void
every_time_is_told_to_an_eighth (void)
{
  for (gint64 ns = 1; ns < G_GINT64_CONSTANT (8000000000); ns += ns / 50 + 1) {
    ZcHistogram histogram = { 0 };
    gint64 told;

    zc_histogram_add (&histogram, ns);
    g_assert_cmpint (zc_histogram_quantile (&histogram, 0.5), ==, ns); /* it is the longest, too */
    zc_histogram_add (&histogram, 2 * ns + 2000000);
    told = zc_histogram_quantile (&histogram, 0.5);
    g_assert_cmpint (told, >=, ns);
    g_assert_cmpint (told, <=, ns + ns / 8 + 1024);
  }
}

static void
quantiles_of_what_is_known (void)
{
  ZcHistogram histogram = { 0 };

  for (gint64 us = 1; us <= 1000; us++)
    zc_histogram_add (&histogram, us * 1000);
  g_assert_cmpint (zc_histogram_quantile (&histogram, 0.5), >=, 500000);
  g_assert_cmpint (zc_histogram_quantile (&histogram, 0.5), <=, 563500);
  g_assert_cmpint (zc_histogram_quantile (&histogram, 0.99), >=, 990000);
  g_assert_cmpint (zc_histogram_quantile (&histogram, 0.99), <=, 1000000);
  g_assert_cmpint (zc_histogram_max (&histogram), ==, 1000000);
  zc_histogram_reset (&histogram);
  g_assert_cmpint (zc_histogram_quantile (&histogram, 1), ==, 0);
}

static void
far_off_is_kept (void)
{
  ZcHistogram histogram = { 0 };

  zc_histogram_add (&histogram, -5);
  g_assert_cmpint (zc_histogram_quantile (&histogram, 1), ==, 0);
  zc_histogram_add (&histogram, G_MAXINT64);
  g_assert_cmpint (zc_histogram_quantile (&histogram, 1), ==, G_MAXINT64);
  g_assert_cmpint (zc_histogram_quantile (&histogram, 0.5), <=, 1024);
}

/* In units of 1.024 us this is 8 beyond 32 bits. */
static void
more_than_an_hour_is_long (void)
{
  ZcHistogram histogram = { 0 };
  gint64 ns = (G_GINT64_CONSTANT (1) << 42) + 8 * 1024;

  zc_histogram_add (&histogram, G_GINT64_CONSTANT (1) << 42);
  zc_histogram_add (&histogram, ns);
  zc_histogram_add (&histogram, ns);
  g_assert_cmpuint (histogram.n[ZC_HISTOGRAM_BUCKETS - 1], ==, 3);
  g_assert_cmpint (zc_histogram_quantile (&histogram, 0.5), ==, ns);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/histogram/nothing-is-zero", nothing_is_zero);
  g_test_add_func ("/histogram/every-time-is-told-to-an-eighth", every_time_is_told_to_an_eighth);
  g_test_add_func ("/histogram/quantiles-of-what-is-known", quantiles_of_what_is_known);
  g_test_add_func ("/histogram/far-off-is-kept", far_off_is_kept);
  g_test_add_func ("/histogram/more-than-an-hour-is-long", more_than_an_hour_is_long);
  return g_test_run ();
}
