/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory-mode=lease: the engine's own memory downstream. The simulated device overwrites what it has back, so whoever
 * still reads it sees other bytes. */
#include "gstzcallocator.h"
#include "zctest.h"

#include <string.h>

static void
start (ZcTest *test, const gchar *script)
{
  zc_test_start (test, script, "memory-mode=lease", NULL);
}

static void
assert_memory (ZcTest *test, guint64 leased, guint64 evacuations)
{
  fail_unless_equals_uint64 (zc_test_stat (test, "bytes-leased"), leased * 480 * FRAME_BYTES);
  fail_unless_equals_uint64 (zc_test_stat (test, "evacuations"), evacuations);
  fail_unless_equals_uint64 (zc_test_stat (test, "bytes-copied"), evacuations * 480 * FRAME_BYTES);
}

GST_START_TEST (nothing_is_copied_if_downstream_is_done_in_time)
{
  ZcTest test;

  start (&test, "");
  for (guint i = 0; i < 20; i++) {
    GstBuffer *buffer;

    zc_test_crank_ms (&test, 10);
    buffer = zc_test_pull (&test);
    fail_unless (GST_MEMORY_IS_READONLY (gst_buffer_peek_memory (buffer, 0)));
    zc_test_assert_counts (buffer, i * 480);
    gst_buffer_unref (buffer);
  }
  assert_memory (&test, 20, 0);
  fail_unless_equals_uint64 (zc_test_stat (&test, "allocations"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (what_is_held_is_copied_under_its_holder)
{
  ZcTest test;
  GstBuffer *buffers[5], *part;

  start (&test, "");
  for (guint i = 0; i < 5; i++) {
    zc_test_crank_ms (&test, 10);
    buffers[i] = zc_test_pull (&test);
  }
  part = gst_buffer_copy_region (buffers[1], GST_BUFFER_COPY_MEMORY, 100 * FRAME_BYTES, 50 * FRAME_BYTES);
  gst_clear_buffer (&buffers[1]);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test)); /* the fifth has gone now, too */
  for (guint i = 0; i < 5; i++)
    if (buffers[i] != NULL) {
      zc_test_assert_counts (buffers[i], i * 480);
      gst_buffer_unref (buffers[i]);
    }
  zc_test_assert_counts (part, 480 + 100);
  gst_buffer_unref (part);
  assert_memory (&test, 6, 5);
  zc_test_finish (&test);
}
GST_END_TEST

/* lend=4: three may be held, and none is copied. */
GST_START_TEST (engine_that_lends_more_copies_less)
{
  ZcTest test;
  GstBuffer *held[3] = { NULL };

  start (&test, "lend=4");
  for (guint i = 0; i < 20; i++) {
    zc_test_crank_ms (&test, 10);
    gst_clear_buffer (&held[i % 3]);
    held[i % 3] = zc_test_pull (&test);
    for (guint j = 0; j < 3; j++)
      if (held[j] != NULL)
        zc_test_assert_counts (held[j], GST_BUFFER_OFFSET (held[j]));
  }
  for (guint i = 0; i < 3; i++)
    gst_clear_buffer (&held[i]);
  assert_memory (&test, 20, 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* Where the engine's memory may not be out while it is waited for. */
GST_START_TEST (brief_lender_gets_it_back_before_the_wait)
{
  ZcTest test;
  GstBuffer *buffer;

  start (&test, "lend-briefly");
  zc_test_crank_ms (&test, 10);
  buffer = zc_test_pull (&test);
  zc_test_crank_ms (&test, 0); /* it waits again */
  assert_memory (&test, 1, 1);
  zc_test_assert_counts (buffer, 0);
  gst_buffer_unref (buffer);
  zc_test_finish (&test);
}
GST_END_TEST

/* Mapped memory does not move: the stream waits, and loses nothing. */
GST_START_TEST (mapped_memory_stays)
{
  ZcTest test;
  GstBuffer *first, *copy;
  GstMapInfo map;

  start (&test, "");
  zc_test_crank_ms (&test, 10);
  first = zc_test_pull (&test);
  fail_unless (gst_buffer_map (first, &map, GST_MAP_READ));
  copy = gst_buffer_copy_deep (first);
  zc_test_crank_ms (&test, 30);
  fail_unless (gst_harness_try_pull (test.harness) == NULL);
  fail_unless (memcmp (map.data, "\xa5\xa5\xa5\xa5", 4) != 0);
  zc_test_assert_counts (copy, 0);
  gst_buffer_unref (copy);
  gst_buffer_unmap (first, &map);
  for (guint i = 1; i < 4; i++) {
    GstBuffer *buffer = zc_test_pull (&test);
    zc_test_assert_counts (buffer, i * 480);
    fail_if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
    gst_buffer_unref (buffer);
  }
  zc_test_assert_counts (first, 0);
  gst_buffer_unref (first);
  zc_test_finish (&test);
}
GST_END_TEST

/* One warning, however long it lasts. */
GST_START_TEST (who_never_unmaps_is_told)
{
  ZcTest test;
  GstBuffer *held;
  GstMapInfo map;

  start (&test, "");
  zc_test_crank_ms (&test, 10);
  held = zc_test_pull (&test);
  fail_unless (gst_buffer_map (held, &map, GST_MAP_READ));
  zc_test_crank_ms (&test, 10);
  gst_message_unref (zc_test_message (&test, GST_MESSAGE_WARNING));
  gst_buffer_unmap (held, &map);
  gst_buffer_unref (held);
  held = zc_test_pull (&test);
  zc_test_assert_counts (held, 480);
  gst_buffer_unref (held);
  fail_unless (gst_bus_pop_filtered (GST_ELEMENT_BUS (test.element), GST_MESSAGE_WARNING) == NULL);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (bytes_outlive_the_stream)
{
  ZcTest test;
  GstBuffer *held;

  start (&test, "");
  zc_test_crank_ms (&test, 10);
  held = zc_test_pull (&test);
  gst_element_set_state (test.element, GST_STATE_NULL);
  assert_memory (&test, 1, 1);
  zc_test_finish (&test);
  zc_test_assert_counts (held, 0);
  gst_buffer_unref (held);
}
GST_END_TEST

static GstPadProbeReturn
enough (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  if (GST_BUFFER_OFFSET (GST_PAD_PROBE_INFO_BUFFER (info)) < 3 * 480)
    return GST_PAD_PROBE_OK;
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_DATA (info) = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

/* The engine's packet is ten of ours, and downstream wants no more than three. */
GST_START_TEST (stream_may_end_within_a_packet)
{
  ZcTest test;
  GstBuffer *held[3];
  GstPad *pad;

  start (&test, "packet=4800");
  pad = gst_element_get_static_pad (test.element, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, enough, NULL, NULL);
  gst_object_unref (pad);
  zc_test_crank_ms (&test, 100);
  for (guint i = 0; i < 3; i++)
    held[i] = zc_test_pull (&test);
  gst_element_set_state (test.element, GST_STATE_NULL);
  for (guint i = 0; i < 3; i++) {
    zc_test_assert_counts (held[i], i * 480);
    gst_buffer_unref (held[i]);
  }
  fail_unless_equals_uint64 (zc_test_stat (&test, "evacuations"), 3);
  zc_test_finish (&test);
}
GST_END_TEST

/* An application that never unmaps does not hang the pipeline, nor does it read what is gone. */
GST_START_TEST (mapped_memory_outlives_the_stream)
{
  gint64 begin_us;
  ZcTest test;
  GstBuffer *held;
  GstMapInfo map;
  guint8 expected[480 * FRAME_BYTES];
  gint refs;

  zc_test_prepare (&test, "", "memory-mode=lease", NULL);
  gst_harness_play (test.harness);
  gst_element_set_state (test.element, GST_STATE_NULL);
  gst_bus_set_flushing (GST_ELEMENT_BUS (test.element), TRUE); /* messages hold the element, too */
  refs = GST_OBJECT_REFCOUNT_VALUE (test.element);
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  zc_test_crank_ms (&test, 10);
  held = zc_test_pull (&test);
  fail_unless (gst_buffer_map (held, &map, GST_MAP_READ));
  memcpy (expected, map.data, sizeof expected);
  begin_us = g_get_monotonic_time ();
  gst_element_set_state (test.element, GST_STATE_NULL);
  fail_unless (g_get_monotonic_time () - begin_us < 2 * G_USEC_PER_SEC);
  fail_unless (memcmp (map.data, expected, sizeof expected) == 0);

  /* The element is as good as new. */
  gst_element_set_state (test.element, GST_STATE_PLAYING);
  zc_test_crank_ms (&test, 10);
  gst_buffer_unref (zc_test_pull (&test));
  fail_unless (memcmp (map.data, expected, sizeof expected) == 0);
  gst_buffer_unmap (held, &map);
  gst_buffer_unref (held);
  gst_element_set_state (test.element, GST_STATE_NULL);
  while (GST_OBJECT_REFCOUNT_VALUE (test.element) > refs) /* who waited for the unmap is done at once */
    g_thread_yield ();
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (writers_get_a_copy)
{
  ZcTest test;
  GstBuffer *buffer;
  GstMapInfo map;

  start (&test, "");
  zc_test_crank_ms (&test, 10);
  buffer = gst_buffer_make_writable (zc_test_pull (&test));
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READWRITE));
  memset (map.data, 0, map.size);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  zc_test_crank_ms (&test, 10);
  buffer = zc_test_pull (&test);
  zc_test_assert_counts (buffer, 480);
  gst_buffer_unref (buffer);
  zc_test_finish (&test);
}
GST_END_TEST

/* Who asks before mapping, as audioconvert does, is told to read: mapping for writing would copy. */
GST_START_TEST (leased_memory_is_not_writable)
{
  ZcTest test;
  GstBuffer *buffer;

  start (&test, "");
  zc_test_crank_ms (&test, 10);
  buffer = zc_test_pull (&test);
  fail_unless (gst_buffer_is_writable (buffer));
  fail_if (gst_memory_is_writable (gst_buffer_peek_memory (buffer, 0)));
  gst_buffer_unref (buffer);
  zc_test_finish (&test);
}
GST_END_TEST

static guint
pull_frames (ZcTest *test, guint64 first_frame)
{
  GstBuffer *buffer = zc_test_pull (test);
  guint frames = (guint) gst_buffer_get_size (buffer) / FRAME_BYTES;

  zc_test_assert_counts (buffer, first_frame);
  gst_buffer_unref (buffer);
  return frames;
}

typedef struct {
  guint ms;     /* that pass first */
  guint frames; /* of the buffer that comes then */
} Piece;

/* Two pieces after one another, some times. */
static void
assert_pieces (ZcTest *test, const Piece *pieces, guint times)
{
  guint64 position = 0;

  for (guint i = 0; i < 2 * times; i++) {
    const Piece *piece = &pieces[i % 2];

    if (piece->ms > 0)
      zc_test_crank_ms (test, piece->ms);
    fail_unless_equals_int (pull_frames (test, position), piece->frames);
    position += piece->frames;
  }
}

/* As servers do where a player's write ends within a packet. */
GST_START_TEST (pieces_are_lent_as_they_come)
{
  ZcTest test;

  start (&test, "packet=100:380");
  assert_pieces (&test, (const Piece[]){ { 5, 100 }, { 5, 380 } }, 8);
  fail_unless_equals_uint64 (zc_test_stat (&test, "bytes-copied"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

static GstPadProbeReturn
let_go (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  return GST_PAD_PROBE_DROP;
}

/* A packet of the engine is larger than the pool, and downstream lets go of each piece at once. */
GST_START_TEST (pieces_give_their_blocks_back_one_by_one)
{
  g_autoptr (GstPad) pad = NULL;
  ZcTest test;

  zc_test_start (&test, "packet=4800", "memory-mode=lease pool-min-buffers=2 pool-max-buffers=2", NULL);
  pad = gst_element_get_static_pad (test.element, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, let_go, NULL, NULL);
  zc_test_crank_ms (&test, 300);
  while (zc_test_stat (&test, "frames-expected") < 3 * 4800)
    g_thread_yield ();
  fail_unless_equals_uint64 (zc_test_stat (&test, "frames-lost"), 0);
  fail_unless_equals_uint64 (zc_test_stat (&test, "bytes-copied"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* 528 frames are not 480 and a crumb. */
GST_START_TEST (long_pieces_are_cut_evenly)
{
  ZcTest test;

  start (&test, "packet=528");
  assert_pieces (&test, (const Piece[]){ { 11, 264 }, { 0, 264 } }, 4);
  zc_test_finish (&test);
}
GST_END_TEST

/* What a player's writes leave over, too: the counter reads 0. */
GST_START_TEST (crumbs_are_lent)
{
  ZcTest test;

  zc_test_start (&test, "packet=48:4800", "memory-mode=lease latency-time=100000", NULL);
  assert_pieces (&test, (const Piece[]){ { 1, 48 }, { 100, 4800 } }, 4);
  fail_unless_equals_uint64 (zc_test_stat (&test, "bytes-copied"), 0);
  zc_test_finish (&test);
}
GST_END_TEST

/* The pool is asked once for each packet, also at its bound. */
GST_START_TEST (bound_is_one_miss_a_packet)
{
  GstBuffer *held[2];
  ZcTest test;

  zc_test_start (&test, "lend=4", "memory-mode=lease pool-min-buffers=2 pool-max-buffers=2", NULL);
  zc_test_crank_ms (&test, 50);
  for (guint i = 0; i < 2; i++)
    held[i] = zc_test_pull (&test);
  while (zc_test_stat (&test, "overflows") < 3)
    g_thread_yield ();
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-misses"), 3);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-hits"), 2);
  for (guint i = 0; i < 2; i++)
    gst_buffer_unref (held[i]);
  zc_test_finish (&test);
}
GST_END_TEST

static Suite *
lease_suite (void)
{
  Suite *suite = suite_create ("lease");
  TCase *tc = tcase_create ("lease");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, nothing_is_copied_if_downstream_is_done_in_time);
  tcase_add_test (tc, what_is_held_is_copied_under_its_holder);
  tcase_add_test (tc, engine_that_lends_more_copies_less);
  tcase_add_test (tc, brief_lender_gets_it_back_before_the_wait);
  tcase_add_test (tc, mapped_memory_stays);
  tcase_add_test (tc, who_never_unmaps_is_told);
  tcase_add_test (tc, bytes_outlive_the_stream);
  tcase_add_test (tc, stream_may_end_within_a_packet);
  tcase_add_test (tc, mapped_memory_outlives_the_stream);
  tcase_add_test (tc, writers_get_a_copy);
  tcase_add_test (tc, leased_memory_is_not_writable);
  tcase_add_test (tc, pieces_are_lent_as_they_come);
  tcase_add_test (tc, pieces_give_their_blocks_back_one_by_one);
  tcase_add_test (tc, long_pieces_are_cut_evenly);
  tcase_add_test (tc, crumbs_are_lent);
  tcase_add_test (tc, bound_is_one_miss_a_packet);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, lease_suite ());
}
