/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The front end over scripted packets; time is cranked, nothing waits. */
#include "zc-backend-sim.h"
#include "zc-capture.h"

#include <string.h>

#define MS G_GINT64_CONSTANT (1000000)

typedef struct {
  ZcStats stats;
  ZcCapture *capture;
  ZcStreamSpec spec;
} Fixture;

static void
start_target (Fixture *fixture, const gchar *device)
{
  ZcTarget target = { .device = device };
  g_autoptr (GError) error = NULL;

  zc_stats_reset (&fixture->stats);
  fixture->capture = zc_capture_open ("simulated", &target, &fixture->stats, &error);
  g_assert_no_error (error);
  fixture->spec = (ZcStreamSpec){ .format = *zc_capture_native_format (fixture->capture), .latency_frames = 480,
    .buffer_frames = 480000 };
  g_assert_true (zc_capture_start (fixture->capture, &fixture->spec, &error));
}

/* `script` at 48 kHz. */
static void
start_now (Fixture *fixture, const gchar *script)
{
  g_autofree gchar *device = g_strdup_printf ("clock=manual %s", script);

  start_target (fixture, device);
}

/* The clock is far ahead, so that every packet is there at once. */
static void
start (Fixture *fixture, const gchar *script)
{
  start_now (fixture, script);
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 5000 * MS);
}

static void
finish (Fixture *fixture)
{
  zc_capture_close (fixture->capture);
  g_assert_cmpuint (zc_stats_get (&fixture->stats, ZC_STAT_FRAMES_EXPECTED), >=,
      zc_stats_get (&fixture->stats, ZC_STAT_FRAMES_LOST));
}

static ZcSpan
next (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  ZcSpan span;

  g_assert_cmpint (zc_capture_next (fixture->capture, &span, &error), ==, ZC_NEXT_SPAN);
  return span;
}

static void
assert_counts (Fixture *fixture, const ZcSpan *span, guint64 first_frame)
{
  gsize bytes = (gsize) span->frames * zc_format_frame_bytes (&fixture->spec.format);
  g_autofree guint8 *expected = g_malloc (bytes);

  zc_sim_fill_counting (&fixture->spec.format, first_frame, expected, span->frames);
  g_assert_cmpmem (span->data, bytes, expected, bytes);
}

/* Of simulated time: ZC_HOURS. */
static guint
hours (void)
{
  const gchar *said = g_getenv ("ZC_HOURS");

  return said != NULL ? (guint) g_ascii_strtoull (said, NULL, 10) : 1;
}

static void
spans_are_taken_in_parts (void)
{
  Fixture fixture;
  ZcSpan span;

  start (&fixture, "packet=480");
  span = next (&fixture);
  g_assert_true (span.discont);
  g_assert_cmpuint (span.frames, ==, 480);
  zc_capture_advance (fixture.capture, 100);
  span = next (&fixture);
  g_assert_false (span.discont);
  g_assert_cmpuint (span.position, ==, 100);
  g_assert_cmpuint (span.frames, ==, 380);
  assert_counts (&fixture, &span, 100);
  zc_capture_advance (fixture.capture, 380);
  span = next (&fixture);
  g_assert_cmpuint (span.position, ==, 480);
  assert_counts (&fixture, &span, 480);
  finish (&fixture);
}

static void
silence_has_no_bytes (void)
{
  Fixture fixture;
  ZcSpan span;

  start (&fixture, "packet=480 silent=480 play=1");
  span = next (&fixture);
  g_assert_null (span.data);
  zc_capture_advance (fixture.capture, 480);
  span = next (&fixture);
  assert_counts (&fixture, &span, 480);
  finish (&fixture);
}

static void
glitch_is_counted_to_the_frame (void)
{
  Fixture fixture;
  ZcSpan span;

  start (&fixture, "packet=480 play=480 glitch=123 play=1");
  span = next (&fixture);
  zc_capture_advance (fixture.capture, 480);
  span = next (&fixture);
  g_assert_true (span.discont);
  g_assert_cmpuint (span.position, ==, 603);
  assert_counts (&fixture, &span, 603);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_LOST), ==, 123);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_EXPECTED), ==, 480 + 123);
  zc_capture_advance (fixture.capture, 480);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_EXPECTED), ==, 480 + 123 + 480);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_GLITCHES), ==, 1);
  finish (&fixture);
}

static void
glitch_is_filled_to_the_frame (void)
{
  Fixture fixture;
  ZcGlitch glitch;
  ZcSpan span;

  start (&fixture, "packet=480 play=480 glitch=623 play=1");
  zc_capture_set_fills (fixture.capture, ZC_FILL_GLITCHES);
  span = next (&fixture);
  zc_capture_advance (fixture.capture, 480);
  g_assert_false (zc_capture_take_glitch (fixture.capture, &glitch));
  span = next (&fixture);
  g_assert_true (zc_capture_take_glitch (fixture.capture, &glitch));
  g_assert_cmpuint (glitch.frames, ==, 623);
  g_assert_false (zc_capture_take_glitch (fixture.capture, &glitch));
  g_assert_true (span.discont && span.data == NULL && span.position == 480 && span.frames == 480);
  zc_capture_advance (fixture.capture, 480);
  span = next (&fixture);
  g_assert_true (!span.discont && span.data == NULL && span.position == 960 && span.frames == 143);
  zc_capture_advance (fixture.capture, 143);
  span = next (&fixture);
  g_assert_true (!span.discont && span.position == 480 + 623);
  assert_counts (&fixture, &span, 480 + 623);
  zc_capture_advance (fixture.capture, 480);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_LOST), ==, 0);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_FILLED), ==, 623);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_EXPECTED), ==, 480 + 623 + 480);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_GLITCHES), ==, 1);
  finish (&fixture);
}

/* -- idle time --------------------------------------------------------------------------------------------------- */

static gint cranking;
static gint64 crank_step_ns = MS;

/* A step at a time, as soon as nothing is left to do. */
static gpointer
crank (gpointer data)
{
  while (g_atomic_int_get (&cranking)) {
    if (zc_sim_waiting () > 0)
      zc_sim_set_now_ns (zc_sim_get_now_ns () + crank_step_ns);
    else
      g_thread_yield ();
  }
  return NULL;
}

static GThread *
start_cranking (void)
{
  g_atomic_int_set (&cranking, TRUE);
  return g_thread_new ("crank", crank, NULL);
}

static void
stop_cranking (GThread *thread)
{
  g_atomic_int_set (&cranking, FALSE);
  g_thread_join (thread);
}

typedef struct {
  guint64 silence; /* frames */
  guint64 jumped;  /* frames */
  guint64 sound;
  guint64 position; /* after all of them */
  guint disconts;
} Taken;

/* Takes frames up to this position; each one of sound is the next that the script plays. */
static Taken
take_until (Fixture *fixture, guint64 position)
{
  GThread *thread = start_cranking ();
  Taken taken = { 0 };

  while (taken.position < position) {
    ZcSpan span = next (fixture);

    g_assert_cmpuint (span.position, >=, taken.position);
    taken.jumped += span.position - taken.position;
    taken.disconts += span.discont;
    *(span.data != NULL ? &taken.sound : &taken.silence) += span.frames;
    if (span.data != NULL)
      assert_counts (fixture, &span, taken.sound - span.frames);
    taken.position = span.position + span.frames;
    zc_capture_stamp (fixture->capture, span.position, span.frames);
    zc_capture_advance (fixture->capture, span.frames);
  }
  stop_cranking (thread);
  return taken;
}

/* One second of nothing between two of sound, and one before: as much silence, not a frame more or less. */
static void
idle_time_is_filled (void)
{
  const guint64 total = 4 * 48000;
  Fixture fixture;
  Taken taken;

  start_now (&fixture, "packet=480 idle=48000 play=48000 idle=48000 play=1");
  zc_capture_set_fills (fixture.capture, ZC_FILL_IDLE);
  taken = take_until (&fixture, total);
  g_assert_cmpuint (taken.disconts, ==, 1);
  g_assert_cmpuint (taken.jumped, ==, 0);
  g_assert_cmpint (ABS ((gint64) taken.silence - 2 * 48000), <=, 96); /* 1 ms is the clock's step */
  g_assert_cmpuint (taken.silence + taken.sound, ==, taken.position);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_FILLED), ==, taken.silence);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_EXPECTED), ==, taken.position);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_GLITCHES), ==, 0);
  finish (&fixture);
}

/* As on Windows, where a wait may take a tick of 15.6 ms: silence comes as fast as time passes all the same. */
static void
idle_silence_keeps_up (void)
{
  Fixture fixture;
  gint64 begin_ns;

  start_now (&fixture, "packet=480 idle=480000 play=1");
  zc_capture_set_fills (fixture.capture, ZC_FILL_IDLE);
  begin_ns = zc_sim_get_now_ns ();
  crank_step_ns = 15625 * (MS / 1000);
  take_until (&fixture, 5 * 48000);
  crank_step_ns = MS;
  g_assert_cmpint (zc_sim_get_now_ns () - begin_ns, <=, 5300 * MS);
  finish (&fixture);
}

/* It is no loss, and the sound after it lies where it was heard. */
static void
idle_time_can_be_left_out (void)
{
  const guint64 total = 3 * 48000;
  Fixture fixture;
  Taken taken;

  start_now (&fixture, "packet=480 idle=48000 play=48000 idle=48000 play=1");
  taken = take_until (&fixture, total);
  g_assert_cmpuint (taken.disconts, ==, 2);
  g_assert_cmpuint (taken.silence, ==, 0);
  g_assert_cmpint (ABS ((gint64) taken.jumped - 48000), <=, 96); /* position 0 is the first frame */
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_LOST), ==, 0);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_EXPECTED), ==, taken.sound);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_GLITCHES), ==, 0);
  finish (&fixture);
}

/* Shorter than what a busy driver may take: nothing is made up. */
static void
hesitation_is_no_idle_time (void)
{
  Fixture fixture;
  Taken taken;

  start_now (&fixture, "packet=480 play=4800 idle=4800 play=1");
  zc_capture_set_fills (fixture.capture, ZC_FILL_IDLE);
  taken = take_until (&fixture, 9600);
  g_assert_cmpuint (taken.silence, ==, 0);
  g_assert_cmpuint (taken.disconts, ==, 1);
  finish (&fixture);
}

static void
loss_is_a_result (void)
{
  Fixture fixture;
  g_autoptr (GError) error = NULL;
  ZcSpan span;

  start (&fixture, "packet=480 play=480 lose play=1");
  span = next (&fixture);
  zc_capture_advance (fixture.capture, span.frames);
  g_assert_cmpint (zc_capture_next (fixture.capture, &span, &error), ==, ZC_NEXT_LOST);
  g_assert_error (error, ZC_ERROR, ZC_ERROR_LOST);
  finish (&fixture);
}

/* Takes spans until something else comes, and checks that they meet. Returns the position after them. */
static guint64
take_all (Fixture *fixture, guint64 position, gboolean silent, ZcNext until)
{
  g_autoptr (GError) error = NULL;
  ZcSpan span;
  ZcNext got;

  while ((got = zc_capture_next (fixture->capture, &span, &error)) == ZC_NEXT_SPAN) {
    ZcStamp stamp = zc_capture_stamp (fixture->capture, span.position, span.frames);

    g_assert_cmpuint (span.position, ==, position);
    g_assert_cmpint (span.data == NULL, ==, silent);
    g_assert_cmpint (stamp.end_ns - stamp.start_ns, >, 0);
    position += span.frames;
    zc_capture_advance (fixture->capture, span.frames);
  }
  g_assert_cmpint (got, ==, until);
  return position;
}

/* The first to wait for a packet is the stream that was begun anew. */
static gpointer
crank_when_waited_for (gpointer data)
{
  while (zc_sim_waiting () == 0)
    g_usleep (50);
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 20 * MS);
  return NULL;
}

/* Gone for 5 s: silence of that length, and what comes then lies where its time says. */
static void
absence_is_bridged (void)
{
  gint64 begin_ns = zc_sim_get_now_ns ();
  guint64 position, back_at;
  GThread *thread;
  Fixture fixture;
  ZcSpan span;

  start (&fixture, "packet=480 play=4800 lose away-ms=100");
  position = take_all (&fixture, 0, FALSE, ZC_NEXT_LOST);
  g_assert_cmpuint (position, ==, 4800);
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 150 * MS);
  thread = g_thread_new ("crank", crank_when_waited_for, NULL);
  position = take_all (&fixture, position, TRUE, ZC_NEXT_FOUND);
  g_thread_join (thread);
  back_at = zc_ns_to_frames ((guint64) (zc_sim_get_now_ns () - 20 * MS - begin_ns), 48000);
  g_assert_cmpuint (back_at, ==, 5150 * 48);
  g_assert_cmpuint (position, <=, back_at);

  while ((span = next (&fixture)).data == NULL) {
    g_assert_cmpuint (span.position, ==, position);
    position += span.frames;
    zc_capture_advance (fixture.capture, span.frames);
  }
  g_assert_cmpuint (span.position, ==, back_at);
  g_assert_false (span.discont); /* the silence had it */
  assert_counts (&fixture, &span, 0);
  g_assert_cmpuint (zc_capture_bridged_frames (fixture.capture), ==, back_at - 4800);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_EXPECTED), ==, back_at);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_LOST), ==, 0);
  finish (&fixture);
}

static gpointer
wake_soon (gpointer capture)
{
  g_usleep (20000);
  zc_capture_wake (capture, TRUE);
  return NULL;
}

static void
absence_can_be_woken_from_and_stopped (void)
{
  g_autoptr (GError) error = NULL;
  GThread *thread;
  Fixture fixture;
  ZcSpan span;

  start (&fixture, "packet=480 lose away-ms=1000000");
  g_assert_cmpint (zc_capture_next (fixture.capture, &span, &error), ==, ZC_NEXT_LOST);
  thread = g_thread_new ("wake", wake_soon, fixture.capture);
  g_assert_cmpint (zc_capture_next (fixture.capture, &span, NULL), ==, ZC_NEXT_WOKEN);
  g_thread_join (thread);
  zc_capture_wake (fixture.capture, FALSE);
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 100 * MS);
  span = next (&fixture); /* lost before its first packet: silence all the same */
  g_assert_null (span.data);
  g_assert_cmpuint (span.position, ==, 0);
  zc_capture_stop (fixture.capture);
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 1000000 * MS); /* all devices are back */
  finish (&fixture);
}

/* A reader that is always later than silence is due gets the device all the same. */
static void
absence_ends_for_a_late_reader (void)
{
  gint64 deadline_us = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;
  Fixture fixture;
  ZcSpan span;

  start (&fixture, "packet=480 play=480 lose away-ms=100");
  take_all (&fixture, 0, FALSE, ZC_NEXT_LOST);
  while (zc_capture_next (fixture.capture, &span, NULL) == ZC_NEXT_SPAN) {
    ZcStamp stamp = zc_capture_stamp (fixture.capture, span.position, span.frames);

    zc_capture_advance (fixture.capture, span.frames);
    zc_sim_set_now_ns (stamp.end_ns + 250 * MS);
    g_assert_cmpint (g_get_monotonic_time (), <, deadline_us);
  }
  g_assert_cmpuint (zc_capture_bridged_frames (fixture.capture), >, 4800);
  finish (&fixture);
}

/* Back so soon that there is nothing to fill: the break shows all the same. */
static void
absence_without_silence_is_a_break (void)
{
  GThread *thread;
  Fixture fixture;
  ZcSpan span;

  start_now (&fixture, "packet=480 play=480 lose");
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 10 * MS);
  g_assert_cmpuint (take_all (&fixture, 0, FALSE, ZC_NEXT_LOST), ==, 480);
  thread = g_thread_new ("crank", crank_when_waited_for, NULL);
  g_assert_cmpuint (take_all (&fixture, 480, TRUE, ZC_NEXT_FOUND), ==, 480);
  g_thread_join (thread);
  span = next (&fixture);
  g_assert_true (span.discont && span.data != NULL && span.position == 480);
  finish (&fixture);
}

/* A flush, say, while the device is gone: the stream begins anew, without it. */
static void
absence_can_be_begun_with (void)
{
  g_autoptr (GError) error = NULL;
  Fixture fixture;
  ZcSpan span;

  start (&fixture, "packet=480 play=480 lose away-ms=100");
  take_all (&fixture, 0, FALSE, ZC_NEXT_LOST);
  zc_capture_stop (fixture.capture);
  g_assert_false (zc_capture_start (fixture.capture, &fixture.spec, &error));
  g_assert_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE);
  g_assert_true (zc_capture_is_gone (fixture.capture));
  zc_capture_start_gone (fixture.capture);
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 50 * MS);
  span = next (&fixture);
  g_assert_true (span.discont && span.data == NULL && span.position == 0);
  zc_capture_stop (fixture.capture);

  zc_sim_set_now_ns (zc_sim_get_now_ns () + 100 * MS);
  g_clear_error (&error);
  g_assert_true (zc_capture_start (fixture.capture, &fixture.spec, &error));
  g_assert_false (zc_capture_is_gone (fixture.capture));
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 20 * MS);
  span = next (&fixture);
  assert_counts (&fixture, &span, 0);
  finish (&fixture);
}

static void
wake_lasts_until_it_is_off (void)
{
  Fixture fixture;
  g_autoptr (GError) error = NULL;
  ZcSpan span;

  start (&fixture, "");
  zc_capture_wake (fixture.capture, TRUE);
  g_assert_cmpint (zc_capture_next (fixture.capture, &span, &error), ==, ZC_NEXT_WOKEN);
  g_assert_cmpint (zc_capture_next (fixture.capture, &span, &error), ==, ZC_NEXT_WOKEN);
  zc_capture_wake (fixture.capture, FALSE);
  span = next (&fixture);
  g_assert_cmpuint (span.position, ==, 0);
  finish (&fixture);
}

static gint64
constant_clock (gpointer data)
{
  return *(gint64 *) data;
}

static void
stamps_are_in_the_callers_clock (void)
{
  Fixture fixture;
  gint64 now_ns = 777 * MS;
  ZcStamp stamp;
  ZcSpan span;

  start (&fixture, "");
  zc_capture_set_clock (fixture.capture, constant_clock, &now_ns);
  span = next (&fixture);
  stamp = zc_capture_stamp (fixture.capture, span.position, span.frames);
  g_assert_cmpint (stamp.start_ns, ==, now_ns - 5000 * MS); /* captured 5 s before now */
  g_assert_cmpint (stamp.end_ns, ==, stamp.start_ns + 10 * MS);
  finish (&fixture);
}

/* Hours of a device whose clock is off, and which tells its time with errors. The first of these errors is all that is
 * known then: 2 ms a second are slewed. */
static void
assert_stamps_follow (gint ppm, guint jitter_us, guint settling_packets)
{
  g_autofree gchar *script = g_strdup_printf ("drift-ppm=%d jitter-us=%u", ppm, jitter_us);
  const guint packets = hours () * 360000;
  gint64 begin_ns = zc_sim_get_now_ns (), worst_ns = 0, step_ns = 0, length_ns = 0, end_ns = 0;
  Fixture fixture;

  start_now (&fixture, script);
  for (guint64 packet = 0; packet < packets; packet++) {
    gdouble ns = packet * 1e7 / (1 + ppm * 1e-6);
    ZcStamp stamp;
    ZcSpan span;

    zc_sim_set_now_ns (begin_ns + (gint64) ns + 10 * MS + MS / 10);
    span = next (&fixture);
    g_assert_true (span.position == packet * 480 && span.frames == 480 && span.discont == (packet == 0));
    stamp = zc_capture_stamp (fixture.capture, span.position, span.frames);
    if (packet > 0) {
      g_assert_cmpint (stamp.start_ns, ==, end_ns);
      step_ns = MAX (step_ns, ABS (stamp.end_ns - stamp.start_ns - length_ns));
    }
    if (packet >= settling_packets)
      worst_ns = MAX (worst_ns, ABS (stamp.start_ns - begin_ns - (gint64) ns));
    length_ns = stamp.end_ns - stamp.start_ns;
    end_ns = stamp.end_ns;
    zc_capture_advance (fixture.capture, span.frames);
  }
  g_test_message ("%u h, %+d ppm, %u us: error %.3f ms, step %.1f us", hours (), ppm, jitter_us, worst_ns / 1e6,
      step_ns / 1e3);
  g_assert_cmpint (worst_ns, <, 1 * MS);
  g_assert_cmpint (step_ns, <, 20000);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_GLITCHES), ==, 0);
  finish (&fixture);
}

static void
stamps_follow_for_hours (void)
{
  const gint drifts_ppm[] = { 200, -200 };

  for (guint i = 0; i < G_N_ELEMENTS (drifts_ppm); i++) {
    assert_stamps_follow (drifts_ppm[i], 1000, 0);
    assert_stamps_follow (drifts_ppm[i], 2000, 200);
  }
}

static void
late_reader_loses_what_the_engine_cannot_hold (void)
{
  Fixture fixture;
  ZcSpan span;

  start (&fixture, "packet=480");
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 15000 * MS); /* 20 s late, 10 s deep */
  span = next (&fixture);
  g_assert_cmpuint (span.frames, ==, 480);
  g_assert_cmpuint (zc_stats_get (&fixture.stats, ZC_STAT_FRAMES_LOST), ==, 0); /* the first is where it begins */
  assert_counts (&fixture, &span, 480000);
  finish (&fixture);
}

/* Five packets of 10 ms are always there. When the default changes, they are taken before another device is. */
static void
move_is_noticed_though_packets_never_run_out (void)
{
  const gchar *const defaults[] = { "clock=manual packet=480", "clock=manual packet=480 signal=counting" };
  guint packets = 0;
  GThread *thread;
  Fixture fixture;
  ZcSpan span;

  zc_sim_set_default (defaults[0]);
  start_target (&fixture, NULL);
  zc_capture_set_follow (fixture.capture, TRUE);
  zc_sim_set_now_ns (zc_sim_get_now_ns () + 50 * MS);
  thread = start_cranking (); /* for the device that comes then */
  while (zc_capture_next (fixture.capture, &span, NULL) == ZC_NEXT_SPAN && span.data != NULL) {
    g_assert_cmpuint (span.position, ==, 480 * packets);
    zc_capture_advance (fixture.capture, span.frames);
    zc_sim_set_now_ns (zc_sim_get_now_ns () + 10 * MS);
    if (++packets == 100)
      zc_sim_set_default (defaults[1]);
    g_assert_cmpuint (packets, <, 130);
  }
  g_assert_cmpuint (packets, >=, 105);
  g_assert_cmpstr (zc_capture_device_name (fixture.capture), ==, defaults[1]);
  stop_cranking (thread);
  finish (&fixture);
  zc_sim_set_default (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/capture/spans-are-taken-in-parts", spans_are_taken_in_parts);
  g_test_add_func ("/capture/silence-has-no-bytes", silence_has_no_bytes);
  g_test_add_func ("/capture/glitch-is-counted-to-the-frame", glitch_is_counted_to_the_frame);
  g_test_add_func ("/capture/glitch-is-filled-to-the-frame", glitch_is_filled_to_the_frame);
  g_test_add_func ("/capture/idle-time-is-filled", idle_time_is_filled);
  g_test_add_func ("/capture/idle-silence-keeps-up", idle_silence_keeps_up);
  g_test_add_func ("/capture/idle-time-can-be-left-out", idle_time_can_be_left_out);
  g_test_add_func ("/capture/hesitation-is-no-idle-time", hesitation_is_no_idle_time);
  g_test_add_func ("/capture/loss-is-a-result", loss_is_a_result);
  g_test_add_func ("/capture/absence-is-bridged", absence_is_bridged);
  g_test_add_func ("/capture/absence-can-be-woken-from-and-stopped", absence_can_be_woken_from_and_stopped);
  g_test_add_func ("/capture/absence-ends-for-a-late-reader", absence_ends_for_a_late_reader);
  g_test_add_func ("/capture/absence-without-silence-is-a-break", absence_without_silence_is_a_break);
  g_test_add_func ("/capture/absence-can-be-begun-with", absence_can_be_begun_with);
  g_test_add_func ("/capture/wake-lasts-until-it-is-off", wake_lasts_until_it_is_off);
  g_test_add_func ("/capture/stamps-are-in-the-callers-clock", stamps_are_in_the_callers_clock);
  g_test_add_func ("/capture/stamps-follow-for-hours", stamps_follow_for_hours);
  g_test_add_func ("/capture/late-reader-loses-what-the-engine-cannot-hold",
      late_reader_loses_what_the_engine_cannot_hold);
  g_test_add_func ("/capture/move-is-noticed-though-packets-never-run-out",
      move_is_noticed_though_packets_never_run_out);
  return g_test_run ();
}
