/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be had differs from computer to computer; that what is told is true does not: the system is asked in another
 * way, too. And what can be had without us is had through us. */
#include "oracle.h"
#include "zc-pages.h"

#include <string.h>

#define BYTES 100000

static ZcPagesState
get_and_read (ZcPages *pages, const ZcPagesWish *wish)
{
  ZcPagesState state = ZC_PAGES_STATE_NONE;

  g_assert_true (zc_pages_get (pages, BYTES, wish));
  g_assert_cmpuint (pages->bytes, >=, BYTES);
  for (gsize i = 0; i < pages->bytes; i++)
    g_assert_cmpuint (pages->data[i], ==, 0);
  memset (pages->data, 1, pages->bytes);
  zc_pages_read (pages, &state);
  g_assert_cmpuint (state.bytes, ==, pages->bytes);
  g_assert_cmpuint (state.huge_bytes, <=, state.bytes);
  g_assert_cmpuint (state.locked_bytes, <=, state.bytes);
  return state;
}

/* Granted, or named as lacking; never both, never neither. */
static void
assert_honest (const ZcPagesWish *wish, const ZcPagesState *state, gboolean granted, const gchar *word)
{
  g_autofree gchar *lack = zc_pages_describe_lack (wish, state);

  g_test_message ("%s: %s", word, granted ? "had" : "not to be had here");
  g_assert_true (granted == (lack == NULL));
  if (lack != NULL)
    g_assert_nonnull (strstr (lack, word));
}

static void
plain_is_plain (void)
{
  ZcPagesWish wish = ZC_PAGES_WISH_NONE;
  ZcPages pages;
  ZcPagesState state = get_and_read (&pages, &wish);

  g_assert_cmpuint (state.locked_bytes, ==, 0);
  g_assert_null (zc_pages_describe_lack (&wish, &state));
  g_assert_cmpuint (pages.bytes, <, BYTES + 65536);
  zc_pages_put (&pages);
  g_assert_null (pages.data);
}

/* What the process has on large pages grew by just that. */
static void
huge_is_told_as_it_is (void)
{
  ZcPagesWish wish = { .huge = TRUE, .numa_node = -1 };
  gsize before = 0, after = 0;
  gboolean told = oracle_huge_bytes (&before);
  ZcPages pages;
  ZcPagesState state = get_and_read (&pages, &wish);

  assert_honest (&wish, &state, state.huge_bytes == state.bytes, "large pages");
  if (told) {
    g_assert_true (oracle_huge_bytes (&after));
    g_assert_cmpuint (after - before, ==, state.huge_bytes);
  }
  zc_pages_put (&pages);
}

/* The same of what is locked; and it is granted wherever a plain lock of that size is. */
static void
locked_is_told_as_it_is (void)
{
  ZcPagesWish wish = { .lock = TRUE, .numa_node = -1 };
  gsize before = 0, after = 0;
  gboolean told = oracle_locked_bytes (&before), possible = oracle_can_lock (BYTES);
  ZcPages pages;
  ZcPagesState state = get_and_read (&pages, &wish);

  assert_honest (&wish, &state, state.locked_bytes == state.bytes, "locked memory");
  if (possible)
    g_assert_cmpuint (state.locked_bytes, ==, state.bytes);
  if (told) {
    g_assert_true (oracle_locked_bytes (&after));
    g_assert_cmpuint (after - before, ==, state.locked_bytes);
  }
  zc_pages_put (&pages);
  if (told) {
    g_assert_true (oracle_locked_bytes (&after));
    g_assert_cmpuint (after, ==, before);
  }
}

static void
node_is_told_as_it_is (void)
{
  ZcPagesWish wish = { .numa_node = 0 };
  ZcPages pages;
  ZcPagesState state = get_and_read (&pages, &wish);

  assert_honest (&wish, &state, state.numa_node == 0, "NUMA node 0");
  for (gsize at = 0; at < pages.bytes && state.numa_node >= 0; at += 4096)
    g_assert_true (oracle_node (pages.data + at) == state.numa_node || oracle_node (pages.data + at) == -1);
  zc_pages_put (&pages);
}

static void
node_that_is_not_there_is_no_error (void)
{
  ZcPagesWish wish = { .numa_node = 1023 };
  ZcPages pages;
  ZcPagesState state = get_and_read (&pages, &wish);

  assert_honest (&wish, &state, FALSE, "NUMA node 1023");
  zc_pages_put (&pages);
}

static void
all_wishes_at_once (void)
{
  ZcPagesWish wish = { .huge = TRUE, .numa_node = 1023, .lock = TRUE };
  ZcPages pages[8];

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    get_and_read (&pages[i], &wish);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    zc_pages_put (&pages[i]);
}

/* No more than an address can name, and far more than any system has. */
static void
what_is_not_there_is_refused (void)
{
  ZcPagesWish wishes[] = { ZC_PAGES_WISH_NONE, { .huge = TRUE, .numa_node = 0, .lock = TRUE } };
  ZcPages pages;

  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++)
    g_assert_false (zc_pages_get (&pages, G_MAXSIZE / 4, &wishes[i]));
}

static void
lacks_are_listed (void)
{
  ZcPagesWish wish = { .huge = TRUE, .numa_node = 1, .lock = TRUE };
  ZcPagesState state = ZC_PAGES_STATE_NONE;
  g_autofree gchar *all = NULL, *one = NULL;

  zc_pages_state_add (&state, 4096, 0, 0, 0);
  all = zc_pages_describe_lack (&wish, &state);
  g_assert_cmpstr (all, ==, "large pages, locked memory, memory of NUMA node 1");
  state = ZC_PAGES_STATE_NONE;
  zc_pages_state_add (&state, 4096, 4096, 4096, 1);
  g_assert_null (zc_pages_describe_lack (&wish, &state));
  zc_pages_state_add (&state, 4096, 4096, 4096, 0); /* now it is on two nodes */
  one = zc_pages_describe_lack (&wish, &state);
  g_assert_cmpstr (one, ==, "memory of NUMA node 1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pages/plain-is-plain", plain_is_plain);
  g_test_add_func ("/pages/huge-is-told-as-it-is", huge_is_told_as_it_is);
  g_test_add_func ("/pages/locked-is-told-as-it-is", locked_is_told_as_it_is);
  g_test_add_func ("/pages/node-is-told-as-it-is", node_is_told_as_it_is);
  g_test_add_func ("/pages/node-that-is-not-there-is-no-error", node_that_is_not_there_is_no_error);
  g_test_add_func ("/pages/all-wishes-at-once", all_wishes_at_once);
  g_test_add_func ("/pages/what-is-not-there-is-refused", what_is_not_there_is_refused);
  g_test_add_func ("/pages/lacks-are-listed", lacks_are_listed);
  return g_test_run ();
}
