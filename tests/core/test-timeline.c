/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-timeline.h"

#define RATE   48000
#define PACKET 480
#define MS     G_GINT64_CONSTANT (1000000)

/* A device whose clock is off by `ppm`, and a system that tells its time with an error of up to jitter_ns. */
typedef struct {
  ZcTimeline *timeline;
  GRand *random;
  gdouble ppm;
  gdouble jitter_ns;
  guint64 position;
  gint64 previous_end_ns;
  gint64 previous_length_ns;
  gint64 worst_error_ns; /* of a stamp against the true time */
  gint64 worst_step_ns;  /* between the lengths of neighbours */
} Run;

static void
run_init (Run *run, gdouble ppm, gdouble jitter_ns)
{
  *run = (Run){ .timeline = zc_timeline_new (), .random = g_rand_new_with_seed (1), .ppm = ppm,
    .jitter_ns = jitter_ns };
  zc_timeline_reset (run->timeline, RATE, ZC_STAMPS_SMOOTH);
}

static void
run_clear (Run *run)
{
  zc_timeline_free (run->timeline);
  g_rand_free (run->random);
}

static gint64
true_ns (const Run *run, guint64 position)
{
  return (gint64) ((gdouble) position * 1e9 / RATE / (1 + run->ppm * 1e-6)) + 5000 * MS;
}

static void
run_packet (Run *run)
{
  gint64 jitter_ns = (gint64) g_rand_double_range (run->random, -run->jitter_ns, run->jitter_ns + 1e-9);
  gboolean first = run->position == 0;
  ZcStamp stamp;

  /* The first observation sets the phase: how good it is, is not the loop's doing. */
  g_assert_cmpuint (zc_timeline_observe (run->timeline, run->position, true_ns (run, run->position)
      + (first ? 0 : jitter_ns), PACKET), ==, 0);
  stamp = zc_timeline_stamp (run->timeline, run->position, PACKET);
  if (!first) {
    g_assert_cmpint (stamp.start_ns, ==, run->previous_end_ns);
    run->worst_step_ns = MAX (run->worst_step_ns, ABS (stamp.end_ns - stamp.start_ns - run->previous_length_ns));
  }
  run->worst_error_ns = MAX (run->worst_error_ns, ABS (stamp.start_ns - true_ns (run, run->position)));
  run->previous_length_ns = stamp.end_ns - stamp.start_ns;
  run->previous_end_ns = stamp.end_ns;
  run->position += PACKET;
}

/* A day of each: jitter of 2 ms and any drift that a sound card has stay under 1 ms and 20 us. */
static void
drift_is_followed_without_a_step (void)
{
  const gdouble drifts_ppm[] = { 0, 200, -200 };

  for (guint i = 0; i < G_N_ELEMENTS (drifts_ppm); i++) {
    Run run;

    run_init (&run, drifts_ppm[i], 2e6);
    for (guint packet = 0; packet < 24 * 360000; packet++)
      run_packet (&run);
    g_test_message ("%+.0f ppm: error %.3f ms, step %.1f us", drifts_ppm[i], run.worst_error_ns / 1e6,
        run.worst_step_ns / 1e3);
    g_assert_cmpint (run.worst_error_ns, <, 1 * MS);
    g_assert_cmpint (run.worst_step_ns, <, 20000);
    run_clear (&run);
  }
}

static void
lost_frames_are_a_gap (void)
{
  Run run;
  ZcStamp before, after;

  run_init (&run, 0, 0);
  zc_timeline_observe (run.timeline, 0, 0, PACKET);
  before = zc_timeline_stamp (run.timeline, 0, PACKET);
  zc_timeline_observe (run.timeline, 10 * PACKET, 100 * MS, PACKET);
  after = zc_timeline_stamp (run.timeline, 10 * PACKET, PACKET);
  g_assert_cmpint (before.end_ns, ==, 10 * MS);
  g_assert_cmpint (after.start_ns, ==, 100 * MS);
  run_clear (&run);
}

/* The device's positions go on as if nothing were missing, but its time is one second ahead. */
static void
unseen_loss_is_found (void)
{
  Run run;
  guint64 lost = 0;
  guint packets = 0;

  run_init (&run, 0, 0);
  for (guint i = 0; i < 100; i++)
    run_packet (&run);
  while (lost == 0 && packets++ < 100) {
    lost = zc_timeline_observe (run.timeline, run.position, true_ns (&run, run.position) + 1000 * MS, PACKET);
    run.position += PACKET;
  }
  g_assert_cmpuint (packets, ==, ZC_JUMP_SUSTAINED_NS / (10 * MS));
  g_assert_cmpuint (lost, >=, RATE - 1);
  g_assert_cmpuint (lost, <=, RATE + 1);
  run_clear (&run);
}

static void
one_wild_time_is_ignored (void)
{
  Run run;

  run_init (&run, 0, 0);
  for (guint i = 0; i < 100; i++)
    run_packet (&run);
  g_assert_cmpuint (zc_timeline_observe (run.timeline, run.position, true_ns (&run, run.position) + 5000 * MS,
      PACKET), ==, 0);
  for (guint i = 0; i < 100; i++)
    run_packet (&run);
  g_assert_cmpint (run.worst_error_ns, <, 1000);
  run_clear (&run);
}

/* Fragments of all sizes, some a single frame. */
static void
odd_sizes_meet_to_the_ns (void)
{
  ZcTimeline *timeline = zc_timeline_new ();
  const guint sizes[] = { 1, 479, 480, 7, 4800 };
  guint64 position = 0;
  gint64 end_ns = 0;

  zc_timeline_reset (timeline, 44100, ZC_STAMPS_SMOOTH);
  for (guint i = 0; i < 10000; i++) {
    guint frames = sizes[i % G_N_ELEMENTS (sizes)];
    ZcStamp stamp;

    zc_timeline_observe (timeline, position, (gint64) (position * 1e9 / 44100), frames);
    stamp = zc_timeline_stamp (timeline, position, frames);
    g_assert_cmpint (stamp.start_ns, ==, end_ns);
    g_assert_cmpint (stamp.end_ns, >, stamp.start_ns);
    end_ns = stamp.end_ns;
    position += frames;
  }
  g_assert_cmpint (ABS (end_ns - (gint64) (position * 1e9 / 44100)), <, 1000);
  zc_timeline_free (timeline);
}

/* However the observations are off: what was counted. And what they say is not taken for a loss. */
static void
counted_stamps_ask_nobody (void)
{
  ZcTimeline *timeline = zc_timeline_new ();

  zc_timeline_reset (timeline, RATE, ZC_STAMPS_COUNT);
  for (guint i = 0; i < 1000; i++) {
    ZcStamp stamp;

    g_assert_cmpuint (zc_timeline_observe (timeline, i * PACKET, 5 * MS + i * 11 * MS, PACKET), ==, 0);
    stamp = zc_timeline_stamp (timeline, i * PACKET, PACKET);
    g_assert_cmpint (stamp.start_ns, ==, 5 * MS + i * 10 * MS);
    g_assert_cmpint (stamp.end_ns, ==, stamp.start_ns + 10 * MS);
  }
  zc_timeline_free (timeline);
}

static void
arrivals_are_stamps_that_never_go_back (void)
{
  const gint64 times_ms[] = { 0, 13, 18, 17, 40, 60 };
  const gint64 stamps_ms[] = { 0, 13, 18, 18, 40, 60 };
  ZcTimeline *timeline = zc_timeline_new ();

  zc_timeline_reset (timeline, RATE, ZC_STAMPS_ARRIVAL);
  for (guint i = 0; i < G_N_ELEMENTS (times_ms); i++) {
    ZcStamp stamp;

    zc_timeline_observe (timeline, i * PACKET, times_ms[i] * MS, PACKET);
    stamp = zc_timeline_stamp (timeline, i * PACKET, PACKET);
    g_assert_cmpint (ABS (stamp.start_ns - stamps_ms[i] * MS), <=, 1);
    g_assert_cmpint (ABS (stamp.end_ns - stamp.start_ns - 10 * MS), <=, 1);
  }
  zc_timeline_free (timeline);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/timeline/drift-is-followed-without-a-step", drift_is_followed_without_a_step);
  g_test_add_func ("/timeline/lost-frames-are-a-gap", lost_frames_are_a_gap);
  g_test_add_func ("/timeline/unseen-loss-is-found", unseen_loss_is_found);
  g_test_add_func ("/timeline/one-wild-time-is-ignored", one_wild_time_is_ignored);
  g_test_add_func ("/timeline/odd-sizes-meet-to-the-ns", odd_sizes_meet_to_the_ns);
  g_test_add_func ("/timeline/counted-stamps-ask-nobody", counted_stamps_ask_nobody);
  g_test_add_func ("/timeline/arrivals-are-stamps-that-never-go-back", arrivals_are_stamps_that_never_go_back);
  return g_test_run ();
}
