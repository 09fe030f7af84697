/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When what the pool lacks is told, over a system that is ours: it locks what it is asked to up to a bound, and knows
 * who asks. */
#include "zc-pages.h"
#include "zctest.h"

static GMutex lock; /* guards the next four */
static gsize had_bytes;
static gsize lockable_bytes;
static guint reads;
static GThread *reader; /* the last to ask */

gboolean
zc_pages_get (ZcPages *pages, gsize bytes, const ZcPagesWish *wish)
{
  g_mutex_lock (&lock);
  had_bytes += bytes;
  *pages = (ZcPages){ .data = g_aligned_alloc0 (1, (bytes + 63) & ~(gsize) 63, 64), .bytes = bytes };
  pages->base_bytes = wish->lock && had_bytes <= lockable_bytes ? bytes : 0;
  g_mutex_unlock (&lock);
  return TRUE;
}

void
zc_pages_put (ZcPages *pages)
{
  g_aligned_free (pages->data);
  *pages = (ZcPages){ 0 };
}

void
zc_pages_read (const ZcPages *pages, ZcPagesState *state)
{
  g_mutex_lock (&lock);
  reads++;
  reader = g_thread_self ();
  g_mutex_unlock (&lock);
  zc_pages_state_add (state, pages->bytes, 0, pages->base_bytes, 0);
}

static void
start (ZcTest *test, gsize bytes, const gchar *properties)
{
  had_bytes = 0;
  reads = 0;
  lockable_bytes = bytes;
  zc_test_start (test, "", properties, NULL);
}

static GstBuffer *
play_one (ZcTest *test)
{
  zc_test_crank_ms (test, 10);
  return zc_test_pull (test);
}

static GThread *streaming;

static GstPadProbeReturn
note_thread (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  streaming = g_thread_self ();
  return GST_PAD_PROBE_OK;
}

static void
watch_thread (ZcTest *test)
{
  GstPad *pad = gst_element_get_static_pad (test->element, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_thread, NULL, NULL);
  gst_object_unref (pad);
}

static GstMessage *
warning (ZcTest *test)
{
  return gst_bus_pop_filtered (GST_ELEMENT_BUS (test->element), GST_MESSAGE_WARNING);
}

/* Four are had as wished for; the keeper makes more, which are not, and asks what they are. */
GST_START_TEST (lack_after_growth_is_told)
{
  GstBuffer *held[64];
  GstMessage *told;
  ZcTest test;
  guint n = 0;

  start (&test, 4 * 3840, "lock-memory=true pool-min-buffers=4 pool-max-buffers=64");
  watch_thread (&test);
  held[n++] = play_one (&test);
  fail_unless (warning (&test) == NULL);
  fail_unless_equals_int (reads, 1);
  while ((told = warning (&test)) == NULL && n < 64)
    held[n++] = play_one (&test);
  fail_unless (told != NULL, "%u packets, and nobody told", n);
  g_mutex_lock (&lock);
  fail_unless (reads > 1 && reader != streaming);
  g_mutex_unlock (&lock);
  gst_message_unref (told);
  while (n > 0)
    gst_buffer_unref (held[--n]);
  fail_unless (warning (&test) == NULL);
  zc_test_finish (&test);
}
GST_END_TEST

/* There is no keeper of a fixed pool: who sets the bounds asks. */
GST_START_TEST (lack_after_new_bounds_is_told)
{
  GstMessage *told;
  ZcTest test;

  start (&test, 4 * 3840, "lock-memory=true pool-strategy=fixed pool-max-buffers=4");
  watch_thread (&test);
  gst_buffer_unref (play_one (&test));
  fail_unless (warning (&test) == NULL);
  g_object_set (test.element, "pool-max-buffers", 8, NULL);
  fail_unless (reader == g_thread_self ());
  gst_buffer_unref (play_one (&test));
  gst_buffer_unref (play_one (&test)); /* told before it waits again */
  told = warning (&test);
  fail_unless (told != NULL);
  gst_message_unref (told);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (lack_at_the_start_is_told_before_the_first_packet)
{
  GstMessage *told;
  ZcTest test;

  start (&test, 0, "lock-memory=true");
  zc_test_crank_ms (&test, 0); /* it waits for a packet */
  told = warning (&test);
  fail_unless (told != NULL);
  gst_message_unref (told);
  gst_buffer_unref (play_one (&test));
  fail_unless (warning (&test) == NULL);
  zc_test_finish (&test);
}
GST_END_TEST

GST_START_TEST (without_a_wish_nobody_asks)
{
  ZcTest test;

  start (&test, 0, "");
  gst_buffer_unref (play_one (&test));
  fail_unless_equals_int (reads, 0);
  fail_unless (warning (&test) == NULL);
  zc_test_finish (&test);
}
GST_END_TEST

static Suite *
warning_suite (void)
{
  Suite *suite = suite_create ("warning");
  TCase *tc = tcase_create ("warning");

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, lack_after_growth_is_told);
  tcase_add_test (tc, lack_after_new_bounds_is_told);
  tcase_add_test (tc, lack_at_the_start_is_told_before_the_first_packet);
  tcase_add_test (tc, without_a_wish_nobody_asks);
  return suite;
}

int
main (int argc, char **argv)
{
  return zc_test_main (argc, argv, warning_suite ());
}
