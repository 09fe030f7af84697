/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-ticks.h"

#define RATE   48000
#define PACKET 480
#define MS     G_GINT64_CONSTANT (1000000)
#define US     G_GINT64_CONSTANT (1000)
#define BEGIN  (5000 * MS)

/* When a device that is `ppm` too fast plays the frame at `position`. */
static gint64
heard_ns (guint64 position, gdouble ppm)
{
  return BEGIN + (gint64) ((gdouble) position * 1e9 / RATE / (1 + ppm * 1e-6));
}

static void
it_is_the_systems_before_anything_is_known (void)
{
  ZcTicks *ticks = zc_ticks_new ();

  g_assert_cmpint (zc_ticks_at (ticks, BEGIN), ==, BEGIN);
  g_assert_cmpint (zc_ticks_at (ticks, BEGIN + 7), ==, BEGIN + 7);
  zc_ticks_free (ticks);
}

/* One hour: what it shows is the device's frames, though the system's word on them is off by up to 2 ms. */
static void
it_counts_the_frames_of_the_device (gconstpointer data)
{
  const gdouble ppm = GPOINTER_TO_INT (data);
  ZcTicks *ticks = zc_ticks_new ();
  GRand *random = g_rand_new_with_seed (1);
  gint64 last_ns = 0;

  zc_ticks_begin (ticks, RATE);
  for (guint64 position = 0; position < G_GUINT64_CONSTANT (3600) * RATE; position += PACKET) {
    gint64 jitter_ns = position == 0 ? 0 : g_rand_int_range (random, -2 * MS, 2 * MS);
    gint64 shown_ns;

    zc_ticks_observe (ticks, position, heard_ns (position, ppm) + jitter_ns, PACKET);
    shown_ns = zc_ticks_at (ticks, heard_ns (position + PACKET, ppm));
    g_assert_cmpint (ABS (shown_ns - (BEGIN + (gint64) ((gdouble) (position + PACKET) * 1e9 / RATE))), <, MS);
    g_assert_cmpint (shown_ns, >, last_ns);
    if (last_ns != 0)
      g_assert_cmpint (ABS (shown_ns - last_ns - 10 * MS), <, 50 * US);
    last_ns = shown_ns;
  }
  g_rand_free (random);
  zc_ticks_free (ticks);
}

/* A pause of a second, a stream of another rate, and one that begins late: no step. */
static void
it_goes_on_between_streams (void)
{
  ZcTicks *ticks = zc_ticks_new ();
  gint64 before_ns;

  zc_ticks_begin (ticks, RATE);
  for (guint64 position = 0; position < 100 * PACKET; position += PACKET)
    zc_ticks_observe (ticks, position, heard_ns (position, 0), PACKET);
  before_ns = zc_ticks_at (ticks, BEGIN + 2000 * MS);
  g_assert_cmpint (ABS (before_ns - (BEGIN + 2000 * MS)), <, US);

  zc_ticks_begin (ticks, 44100);
  zc_ticks_observe (ticks, 0, BEGIN + 2000 * MS, 441);
  g_assert_cmpint (ABS (zc_ticks_at (ticks, BEGIN + 2000 * MS) - before_ns), <, US);
  g_assert_cmpint (ABS (zc_ticks_at (ticks, BEGIN + 2010 * MS) - before_ns - 10 * MS), <, US);
  zc_ticks_free (ticks);
}

/* Frames that the positions do not know of: the clock is the time's again within half a second. */
static void
it_outlives_what_was_lost_unseen (void)
{
  ZcTicks *ticks = zc_ticks_new ();
  guint64 position = 0;

  zc_ticks_begin (ticks, RATE);
  for (; position < 100 * PACKET; position += PACKET)
    zc_ticks_observe (ticks, position, heard_ns (position, 0), PACKET);
  for (; position < 150 * PACKET; position += PACKET)
    zc_ticks_observe (ticks, position, heard_ns (position, 0) + 300 * MS, PACKET);
  g_assert_cmpint (ABS (zc_ticks_at (ticks, BEGIN + 1800 * MS) - (BEGIN + 1800 * MS)), <, MS);
  zc_ticks_free (ticks);
}

static void
it_never_goes_back (void)
{
  ZcTicks *ticks = zc_ticks_new ();
  gint64 seen_ns;

  zc_ticks_begin (ticks, RATE);
  zc_ticks_observe (ticks, 0, BEGIN, PACKET);
  seen_ns = zc_ticks_at (ticks, BEGIN + 50 * MS);
  zc_ticks_observe (ticks, PACKET, BEGIN + 60 * MS, PACKET); /* 50 ms behind: it goes slower, for a time */
  g_assert_cmpint (zc_ticks_at (ticks, BEGIN + 50 * MS), >=, seen_ns);
  zc_ticks_free (ticks);
}

/* A device that is heard with jitter for a minute, and then not for ten: no step when it is heard again. */
static void
it_makes_no_step_after_a_rest (void)
{
  const guint64 rest = G_GUINT64_CONSTANT (600) * RATE;
  ZcTicks *ticks = zc_ticks_new ();
  GRand *random = g_rand_new_with_seed (1);
  gint64 before_ns, now_ns;
  guint64 position;

  zc_ticks_begin (ticks, RATE);
  for (position = 0; position < 60 * RATE; position += PACKET)
    zc_ticks_observe (ticks, position, heard_ns (position, 100) + g_rand_int_range (random, -2 * MS, 2 * MS), PACKET);
  now_ns = heard_ns (position + rest, 100);
  before_ns = zc_ticks_at (ticks, now_ns);
  g_assert_cmpint (ABS (before_ns - BEGIN - (gint64) ((position + rest) * 1e9 / RATE)), <, 20 * MS);
  zc_ticks_begin (ticks, RATE);
  zc_ticks_observe (ticks, position + rest, now_ns, PACKET);
  g_assert_cmpint (ABS (zc_ticks_at (ticks, now_ns) - before_ns), <, US);
  g_assert_cmpint (ABS (zc_ticks_at (ticks, now_ns + 10 * MS) - before_ns - 10 * MS), <, 20 * US);
  g_rand_free (random);
  zc_ticks_free (ticks);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ticks/before-anything", it_is_the_systems_before_anything_is_known);
  g_test_add_data_func ("/ticks/drift-up", GINT_TO_POINTER (200), it_counts_the_frames_of_the_device);
  g_test_add_data_func ("/ticks/drift-down", GINT_TO_POINTER (-200), it_counts_the_frames_of_the_device);
  g_test_add_func ("/ticks/between-streams", it_goes_on_between_streams);
  g_test_add_func ("/ticks/lost-unseen", it_outlives_what_was_lost_unseen);
  g_test_add_func ("/ticks/rest", it_makes_no_step_after_a_rest);
  g_test_add_func ("/ticks/never-back", it_never_goes_back);
  return g_test_run ();
}
