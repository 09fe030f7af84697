/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcallocator.h"
#include "gstzcbufferpool.h"
#include "zctest.h"

static GQuark mark;

static GstBufferPool *
make_pool (guint size, guint min_buffers, guint max_buffers)
{
  GstBufferPool *pool = gst_zc_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, size, min_buffers, max_buffers);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

static GstBuffer *
acquire (GstBufferPool *pool)
{
  GstBuffer *buffer = NULL;

  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
  return buffer;
}

static GstZcBufferPoolStats
stats_of (GstBufferPool *pool)
{
  GstZcBufferPoolStats stats;

  gst_zc_buffer_pool_get_stats (GST_ZC_BUFFER_POOL (pool), &stats);
  return stats;
}

static void
drop_pool (GstBufferPool *pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

GST_START_TEST (first_packet_is_a_hit)
{
  GstBufferPool *pool = make_pool (3840, 1, 4);
  GstBuffer *buffer = acquire (pool);

  fail_unless_equals_uint64 (stats_of (pool).hits, 1);
  fail_unless_equals_uint64 (stats_of (pool).misses, 0);
  fail_unless_equals_int (gst_buffer_get_size (buffer), 3840);
  fail_unless (gst_memory_is_type (gst_buffer_peek_memory (buffer, 0), GST_ZC_MEMORY_TYPE));
  gst_buffer_unref (buffer);
  drop_pool (pool);
}
GST_END_TEST

/* A mark on the header comes back with it: the very same object, not one at the same address. */
GST_START_TEST (header_and_memory_are_recycled)
{
  GstBufferPool *pool = make_pool (3840, 1, 1);
  GstBuffer *buffer = acquire (pool);

  gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (buffer), mark, (gpointer) "mine", NULL);
  gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (gst_buffer_peek_memory (buffer, 0)), mark, (gpointer) "mine too",
      NULL);
  GST_BUFFER_PTS (buffer) = 7;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_buffer_add_reference_timestamp_meta (buffer, GST_CAPS_NONE, 1, 2);
  gst_buffer_resize (buffer, 100, 200);
  gst_buffer_unref (buffer);

  buffer = acquire (pool);
  fail_unless_equals_string (gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (buffer), mark), "mine");
  fail_unless_equals_string (gst_mini_object_get_qdata (
      GST_MINI_OBJECT_CAST (gst_buffer_peek_memory (buffer, 0)), mark), "mine too");
  fail_unless (!GST_BUFFER_PTS_IS_VALID (buffer));
  fail_unless_equals_int (GST_BUFFER_FLAGS (buffer), 0);
  fail_unless (gst_buffer_get_reference_timestamp_meta (buffer, NULL) == NULL);
  fail_unless_equals_int (gst_buffer_get_size (buffer), 3840);
  fail_unless_equals_uint64 (stats_of (pool).allocations, 0);
  gst_buffer_unref (buffer);
  drop_pool (pool);
}
GST_END_TEST

GST_START_TEST (bound_never_waits)
{
  GstBufferPool *pool = make_pool (64, 1, 2);
  GstBuffer *first = acquire (pool), *second = acquire (pool), *third = NULL;

  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &third, NULL), GST_FLOW_EOS);
  fail_unless_equals_int (stats_of (pool).outstanding, 2);
  fail_unless_equals_int (stats_of (pool).high_water, 2);
  fail_unless_equals_uint64 (stats_of (pool).hits, 1);
  fail_unless_equals_uint64 (stats_of (pool).misses, 2);
  gst_buffer_unref (first);
  first = acquire (pool);
  gst_buffer_unref (first);
  gst_buffer_unref (second);
  fail_unless_equals_int (stats_of (pool).outstanding, 0);
  fail_unless_equals_int (stats_of (pool).size, 2);
  drop_pool (pool);
}
GST_END_TEST

/* The trap of pools: the buffer is home while a partial copy still reads its memory. */
GST_START_TEST (shared_memory_is_not_reused_while_read)
{
  GstBufferPool *pool = make_pool (8, 1, 2);
  GstBuffer *buffer = acquire (pool), *part, *next;

  gst_buffer_memset (buffer, 0, 1, 8);
  gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (buffer), mark, (gpointer) "header", NULL);
  part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 2, 4);
  gst_buffer_unref (buffer);
  fail_unless_equals_int (stats_of (pool).outstanding, 1);

  next = acquire (pool); /* the same header, another block */
  fail_unless_equals_string (gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (next), mark), "header");
  gst_buffer_memset (next, 0, 2, 8);
  gst_check_buffer_data (part, "\1\1\1\1", 4);
  gst_buffer_unref (next);
  gst_buffer_unref (part);
  fail_unless_equals_int (stats_of (pool).outstanding, 0);
  fail_unless_equals_uint64 (stats_of (pool).allocations, 1);

  for (guint i = 0; i < 100; i++) { /* warm now: sharing costs the pool nothing */
    buffer = acquire (pool);
    part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 2, 4);
    gst_buffer_unref (buffer);
    gst_buffer_unref (part);
  }
  fail_unless_equals_uint64 (stats_of (pool).allocations, 1);
  drop_pool (pool);
}
GST_END_TEST

GST_START_TEST (memory_outlives_the_pool)
{
  GstBufferPool *pool = make_pool (8, 1, 2);
  GstBuffer *buffer = acquire (pool);
  GstMemory *memory, *share;
  GstAllocator *allocator;
  GstMapInfo map;

  gst_buffer_fill (buffer, 0, "abcdefgh", 8);
  memory = gst_buffer_get_memory (buffer, 0);
  share = gst_memory_share (memory, 4, -1);
  allocator = memory->allocator;
  g_object_add_weak_pointer (G_OBJECT (allocator), (gpointer *) &allocator);
  gst_buffer_unref (buffer);
  drop_pool (pool);
  gst_memory_unref (memory);

  fail_unless (allocator != NULL, "a share keeps the allocator alive");
  fail_unless (gst_memory_map (share, &map, GST_MAP_READ));
  fail_unless (memcmp (map.data, "efgh", 4) == 0);
  gst_memory_unmap (share, &map);
  gst_memory_unref (share);
  fail_unless (allocator == NULL, "nothing keeps it now");
}
GST_END_TEST

GST_START_TEST (buffers_come_home_to_a_stopped_pool)
{
  GstBufferPool *pool = make_pool (8, 2, 2);
  GstBuffer *buffer = acquire (pool), *refused = NULL;

  gst_buffer_pool_set_active (pool, FALSE);
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &refused, NULL), GST_FLOW_FLUSHING);
  fail_unless_equals_int (stats_of (pool).outstanding, 1);
  gst_buffer_unref (buffer);
  fail_unless_equals_int (stats_of (pool).outstanding, 0);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  fail_unless_equals_int (stats_of (pool).high_water, 1);
  gst_buffer_unref (acquire (pool));
  drop_pool (pool);
}
GST_END_TEST

/* Of a burst somebody keeps one part: that part's region is all that a stopped pool keeps. */
GST_START_TEST (stopped_pool_keeps_what_is_read)
{
  GstBufferPool *pool = make_pool (3840, 1, 256);
  GstBuffer *buffers[256], *part;
  GstMapInfo map;
  gsize bytes;

  for (guint i = 0; i < 256; i++)
    buffers[i] = acquire (pool);
  gst_buffer_memset (buffers[0], 0, 7, 3840);
  part = gst_buffer_copy_region (buffers[0], GST_BUFFER_COPY_MEMORY, 100, 200);
  bytes = stats_of (pool).bytes;
  for (guint i = 0; i < 256; i++)
    gst_buffer_unref (buffers[i]);
  gst_buffer_pool_set_active (pool, FALSE);
  fail_unless (gst_zc_buffer_pool_read_pages (GST_ZC_BUFFER_POOL (pool)).bytes < bytes / 10);
  fail_unless_equals_int (stats_of (pool).outstanding, 1);
  fail_unless_equals_int (stats_of (pool).size, 256);
  fail_unless_equals_uint64 (stats_of (pool).bytes, bytes);
  fail_unless (gst_buffer_map (part, &map, GST_MAP_READ) && map.data[0] == 7 && map.data[199] == 7);
  gst_buffer_unmap (part, &map);
  gst_buffer_unref (part);
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  fail_unless_equals_int (stats_of (pool).size, 1);
  drop_pool (pool);
}
GST_END_TEST

GST_START_TEST (shares_know_their_place)
{
  GstBufferPool *pool = make_pool (8, 1, 1);
  GstBuffer *buffer = acquire (pool);
  GstMemory *root = gst_buffer_peek_memory (buffer, 0);
  GstMemory *left = gst_memory_share (root, 0, 4), *right = gst_memory_share (root, 4, -1);
  GstMemory *inner = gst_memory_share (right, 1, 2), *copy;
  gsize offset = 99;

  fail_unless (gst_memory_is_span (left, right, &offset) && offset == 0);
  fail_unless (!gst_memory_is_span (right, left, &offset));
  fail_unless (inner->parent == root && inner->offset == 5 && inner->size == 2);
  fail_unless (!gst_memory_is_writable (inner) || GST_MEMORY_IS_READONLY (inner));
  copy = gst_memory_copy (inner, 0, -1);
  fail_unless (!gst_memory_is_type (copy, GST_ZC_MEMORY_TYPE), "copies are ordinary memory");
  gst_memory_unref (copy);
  gst_memory_unref (inner);
  gst_memory_unref (left);
  gst_memory_unref (right);
  gst_buffer_unref (buffer);
  drop_pool (pool);
}
GST_END_TEST

GST_START_TEST (bare_header_carries_foreign_memory)
{
  GstBufferPoolAcquireParams params = { .flags = GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_BARE };
  GstBufferPool *pool = make_pool (8, 1, 1);
  GstBuffer *buffer = NULL;
  GstMemory *foreign = gst_allocator_alloc (NULL, 100, NULL);

  for (guint i = 0; i < 3; i++) {
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, &params), GST_FLOW_OK);
    fail_unless_equals_int (gst_buffer_n_memory (buffer), 0);
    gst_buffer_append_memory (buffer, gst_memory_ref (foreign));
    gst_buffer_unref (buffer);
  }
  ASSERT_MINI_OBJECT_REFCOUNT (foreign, "foreign", 1);
  fail_unless_equals_uint64 (stats_of (pool).hits, 3);
  fail_unless_equals_uint64 (stats_of (pool).allocations, 0);
  gst_memory_unref (foreign);
  drop_pool (pool);
}
GST_END_TEST

/* Headers for silence are there whatever the pool did before. */
GST_START_TEST (growth_leaves_the_headers_for_silence)
{
  GstBufferPoolAcquireParams params = { .flags = GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_BARE };
  GstBufferPool *pool = make_pool (64, 1, 32);
  GstBuffer *buffers[16];
  guint64 misses;

  gst_zc_buffer_pool_set_bounds (GST_ZC_BUFFER_POOL (pool), 32, 32);
  misses = stats_of (pool).misses;
  for (guint i = 0; i < 16; i++)
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffers[i], &params), GST_FLOW_OK);
  fail_unless_equals_uint64 (stats_of (pool).misses, misses);
  for (guint i = 0; i < 16; i++)
    gst_buffer_unref (buffers[i]);
  drop_pool (pool);
}
GST_END_TEST

/* Both ways of a packet take turns: nothing is allocated for either. */
GST_START_TEST (leases_and_packets_share_headers_and_blocks)
{
  static const guint8 bytes[64];
  GstZcLeaseParams params = { .params.flags = GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_LEASE, .data = bytes, .bytes = 48 };
  GstBufferPool *pool = make_pool (64, 2, 2);

  for (guint i = 0; i < 6; i++) {
    GstBuffer *copied = acquire (pool), *leased = NULL;
    GstMemory *memory;
    GstMapInfo map;

    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &leased, &params.params), GST_FLOW_OK);
    memory = gst_buffer_get_memory (leased, 0);
    fail_unless (GST_MEMORY_IS_READONLY (memory) && gst_buffer_get_size (leased) == 48);
    fail_unless (gst_memory_map (memory, &map, GST_MAP_READ) && map.data == bytes);
    gst_memory_unmap (memory, &map);
    fail_unless (gst_buffer_map (copied, &map, GST_MAP_WRITE) && map.size == 64);
    gst_buffer_unmap (copied, &map);
    gst_buffer_unref (leased);
    gst_buffer_unref (copied);
    gst_memory_unref (memory);
  }
  fail_unless_equals_uint64 (stats_of (pool).misses, 0);
  fail_unless_equals_uint64 (stats_of (pool).allocations, 0);
  fail_unless_equals_int (stats_of (pool).outstanding, 0);
  drop_pool (pool);
}
GST_END_TEST

GST_START_TEST (bounds_change_while_it_runs)
{
  GstBufferPool *pool = make_pool (64, 1, 1);
  GstBuffer *buffers[4], *refused = NULL;

  gst_zc_buffer_pool_set_bounds (GST_ZC_BUFFER_POOL (pool), 4, 4);
  for (guint i = 0; i < 4; i++)
    buffers[i] = acquire (pool);
  fail_unless_equals_uint64 (stats_of (pool).hits, 4);
  gst_zc_buffer_pool_set_bounds (GST_ZC_BUFFER_POOL (pool), 1, 2);
  gst_clear_buffer (&buffers[0]);
  gst_clear_buffer (&buffers[1]);
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &refused, NULL), GST_FLOW_EOS);
  gst_clear_buffer (&buffers[2]);
  buffers[2] = acquire (pool);
  gst_clear_buffer (&buffers[2]);
  gst_clear_buffer (&buffers[3]);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_zc_buffer_pool_set_bounds (GST_ZC_BUFFER_POOL (pool), 8, 8); /* nothing runs: nothing happens */
  fail_unless (stats_of (pool).size < 8);
  drop_pool (pool);
}
GST_END_TEST

/* It is asked when a quarter is left, and waited for here when none is: the thread that acquires makes no buffer
 * itself. */
GST_START_TEST (adaptive_grows_before_it_has_to)
{
  GstBufferPool *pool = gst_zc_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstBuffer *buffers[64];

  gst_zc_buffer_pool_set_adaptive (GST_ZC_BUFFER_POOL (pool), TRUE);
  gst_buffer_pool_config_set_params (config, NULL, 64, 4, 64);
  fail_unless (gst_buffer_pool_set_config (pool, config) && gst_buffer_pool_set_active (pool, TRUE));
  for (guint i = 0; i < 64; i++) {
    gint64 end_us = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;
    while (stats_of (pool).size < 64 && stats_of (pool).outstanding == stats_of (pool).size)
      fail_unless (g_get_monotonic_time () < end_us, "nobody makes the pool larger than %u", stats_of (pool).size);
    buffers[i] = acquire (pool);
  }
  fail_unless_equals_uint64 (stats_of (pool).misses, 0);
  fail_unless_equals_int (stats_of (pool).size, 64);
  for (guint i = 0; i < 64; i++)
    gst_buffer_unref (buffers[i]);
  drop_pool (pool);
}
GST_END_TEST

GST_START_TEST (impossible_sizes_are_refused)
{
  GstBufferPool *pool = gst_zc_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, 0, 1, 2);
  fail_if (gst_buffer_pool_set_config (pool, config));
  gst_object_unref (pool);
}
GST_END_TEST

typedef struct {
  GstBufferPool *pool;
  GAsyncQueue *queue;
} Handover;

/* A reader of its own pace: some buffers whole, some only in part, some later. */
static gpointer
read_and_drop (gpointer data)
{
  Handover *handover = data;
  GstBuffer *buffer, *kept = NULL;

  for (guint i = 0; (buffer = g_async_queue_pop (handover->queue)) != (gpointer) handover; i++) {
    guint8 bytes[64], first;
    gst_buffer_extract (buffer, 0, bytes, sizeof bytes);
    first = bytes[0];
    for (guint j = 1; j < sizeof bytes; j++)
      g_assert_cmpuint (bytes[j], ==, first);
    if (i % 3 == 0) {
      gst_clear_buffer (&kept);
      kept = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 8, 8);
    }
    gst_buffer_unref (buffer);
  }
  gst_clear_buffer (&kept);
  return NULL;
}

GST_START_TEST (threads_give_back_while_one_takes)
{
  Handover handover = { make_pool (64, 4, 64), g_async_queue_new () };
  GThread *threads[3];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_and_drop, &handover);
  for (guint i = 0; i < 100000; i++) {
    GstBuffer *buffer = NULL;
    if (gst_buffer_pool_acquire_buffer (handover.pool, &buffer, NULL) != GST_FLOW_OK)
      continue;
    gst_buffer_memset (buffer, 0, (guint8) i, 64);
    g_async_queue_push (handover.queue, buffer);
  }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_async_queue_push (handover.queue, &handover);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  fail_unless_equals_int (stats_of (handover.pool).outstanding, 0);
  fail_unless (stats_of (handover.pool).size <= 64);
  g_async_queue_unref (handover.queue);
  drop_pool (handover.pool);
}
GST_END_TEST

/* An element that does nothing keeps no memory; what was counted can be read all the same. */
GST_START_TEST (pool_goes_with_the_device)
{
  ZcTest test;
  GstBuffer *buffer;
  gpointer pool;

  zc_test_start (&test, "", NULL, NULL);
  zc_test_crank_ms (&test, 10);
  buffer = zc_test_pull (&test);
  pool = buffer->pool;
  g_object_add_weak_pointer (G_OBJECT (pool), &pool);
  gst_element_set_state (test.element, GST_STATE_NULL);
  fail_unless (pool != NULL);
  gst_buffer_unref (buffer);
  fail_unless (pool != NULL, "it tells what is outstanding");
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-hits"), 1);

  gst_harness_play (test.harness);
  zc_test_crank_ms (&test, 10);
  fail_unless (pool == NULL);
  buffer = zc_test_pull (&test);
  pool = buffer->pool;
  g_object_add_weak_pointer (G_OBJECT (pool), &pool);
  gst_buffer_unref (buffer);
  gst_element_set_state (test.element, GST_STATE_NULL);
  fail_unless (pool == NULL);
  fail_unless_equals_uint64 (zc_test_stat (&test, "pool-hits"), 1);
  zc_test_finish (&test);
}
GST_END_TEST

static Suite *
pool_suite (void)
{
  Suite *suite = suite_create ("pool");
  TCase *tc = tcase_create ("pool");

  mark = g_quark_from_static_string ("zc-test-mark");
  suite_add_tcase (suite, tc);
  tcase_add_test (tc, pool_goes_with_the_device);
  tcase_add_test (tc, first_packet_is_a_hit);
  tcase_add_test (tc, header_and_memory_are_recycled);
  tcase_add_test (tc, bound_never_waits);
  tcase_add_test (tc, shared_memory_is_not_reused_while_read);
  tcase_add_test (tc, memory_outlives_the_pool);
  tcase_add_test (tc, buffers_come_home_to_a_stopped_pool);
  tcase_add_test (tc, stopped_pool_keeps_what_is_read);
  tcase_add_test (tc, shares_know_their_place);
  tcase_add_test (tc, bare_header_carries_foreign_memory);
  tcase_add_test (tc, growth_leaves_the_headers_for_silence);
  tcase_add_test (tc, leases_and_packets_share_headers_and_blocks);
  tcase_add_test (tc, bounds_change_while_it_runs);
  tcase_add_test (tc, adaptive_grows_before_it_has_to);
  tcase_add_test (tc, impossible_sizes_are_refused);
  tcase_add_test (tc, threads_give_back_while_one_takes);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, pool_suite ());
}
