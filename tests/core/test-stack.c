/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-stack.h"

#include <stdatomic.h>

static void
last_in_is_first_out (void)
{
  int items[3];
  ZcStack *stack = zc_stack_new (3);

  for (guint i = 0; i < 3; i++)
    g_assert_true (zc_stack_push (stack, &items[i]));
  g_assert_cmpuint (zc_stack_length (stack), ==, 3);
  for (guint i = 3; i > 0; i--)
    g_assert_true (zc_stack_pop (stack) == &items[i - 1]);
  g_assert_null (zc_stack_pop (stack));
  g_assert_cmpuint (zc_stack_length (stack), ==, 0);
  zc_stack_free (stack);
}

static void
full_refuses (void)
{
  int item;
  ZcStack *stack = zc_stack_new (1);

  g_assert_true (zc_stack_push (stack, &item));
  g_assert_false (zc_stack_push (stack, &item));
  zc_stack_free (stack);
}

#define N_ITEMS   8
#define N_THREADS 4
#define N_ROUNDS  200000

typedef struct {
  ZcStack *stack;
  _Atomic guint owners[N_ITEMS]; /* threads that hold the item: never more than one */
} Shared;

static gpointer
take_and_give (gpointer data)
{
  Shared *shared = data;

  for (guint i = 0; i < N_ROUNDS; i++) {
    guint number = GPOINTER_TO_UINT (zc_stack_pop (shared->stack));
    if (number == 0)
      continue;
    g_assert_cmpuint (atomic_fetch_add (&shared->owners[number - 1], 1), ==, 0);
    atomic_fetch_sub (&shared->owners[number - 1], 1);
    g_assert_true (zc_stack_push (shared->stack, GUINT_TO_POINTER (number)));
  }
  return NULL;
}

/* Few items and many threads: the order in which an ABA fault would hand one item to two. */
static void
threads_never_share_an_item (void)
{
  Shared shared = { .stack = zc_stack_new (N_ITEMS) };
  GThread *threads[N_THREADS];

  for (guint i = 1; i <= N_ITEMS; i++)
    zc_stack_push (shared.stack, GUINT_TO_POINTER (i));
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("take-and-give", take_and_give, &shared);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (zc_stack_length (shared.stack), ==, N_ITEMS);
  zc_stack_free (shared.stack);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stack/last-in-is-first-out", last_in_is_first_out);
  g_test_add_func ("/stack/full-refuses", full_refuses);
  g_test_add_func ("/stack/threads-never-share-an-item", threads_never_share_an_item);
  return g_test_run ();
}
