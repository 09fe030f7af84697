/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-keeper.h"

#include <stdatomic.h>

/* A client whose calls the test waits for. */
typedef struct {
  GMutex lock;
  GCond called;
  guint calls;
  gint64 delays_us[3]; /* answers to the first calls; then -1 */
  gboolean hold; /* a call lasts until this is FALSE */
  GThread *thread;
} Client;

static gint64
answer (gpointer data, gint64 now_us)
{
  Client *client = data;
  gint64 delay_us;

  g_assert_cmpint (now_us, <=, g_get_monotonic_time ());
  g_mutex_lock (&client->lock);
  delay_us = client->calls < 3 ? client->delays_us[client->calls] : -1;
  client->calls++;
  client->thread = g_thread_self ();
  g_cond_broadcast (&client->called);
  while (client->hold)
    g_cond_wait (&client->called, &client->lock);
  g_mutex_unlock (&client->lock);
  return delay_us;
}

static void
wait_for_calls (Client *client, guint n)
{
  gint64 end_us = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  g_mutex_lock (&client->lock);
  while (client->calls < n)
    g_assert_true (g_cond_wait_until (&client->called, &client->lock, end_us));
  g_mutex_unlock (&client->lock);
}

static void
asked_is_called (void)
{
  Client client = { .delays_us = { -1, -1, -1 } };
  ZcKeeper *keeper = zc_keeper_join (answer, &client);

  for (guint i = 1; i < 100; i++) {
    zc_keeper_ask (keeper);
    wait_for_calls (&client, i);
  }
  g_assert_true (client.thread != g_thread_self ());
  zc_keeper_leave (keeper);
  g_assert_cmpuint (client.calls, ==, 99);
}

static void
comes_again_when_it_said (void)
{
  Client client = { .delays_us = { 0, 1000, -1 } };
  ZcKeeper *keeper = zc_keeper_join (answer, &client);
  gint64 begin_us = g_get_monotonic_time ();

  zc_keeper_ask (keeper);
  wait_for_calls (&client, 3);
  g_assert_cmpint (g_get_monotonic_time () - begin_us, >=, 1000);
  zc_keeper_leave (keeper);
}

typedef struct {
  ZcKeeper *keeper;
  _Atomic gboolean left;
} Leaver;

static gpointer
leave (gpointer data)
{
  Leaver *leaver = data;

  zc_keeper_leave (leaver->keeper);
  atomic_store (&leaver->left, TRUE);
  return NULL;
}

/* Nobody is called after leave(): what the call works on may be gone. */
static void
leave_waits_for_the_call (void)
{
  Client client = { .delays_us = { 0, 0, 0 }, .hold = TRUE };
  Leaver leaver = { .keeper = zc_keeper_join (answer, &client) };
  gint64 end_us;
  GThread *thread;
  guint calls;

  zc_keeper_ask (leaver.keeper);
  wait_for_calls (&client, 1);
  thread = g_thread_new ("leave", leave, &leaver);
  end_us = g_get_monotonic_time () + 20000; /* who does not wait is gone by then */
  while (g_get_monotonic_time () < end_us)
    g_assert_false (atomic_load (&leaver.left));
  g_mutex_lock (&client.lock);
  client.hold = FALSE;
  g_cond_broadcast (&client.called);
  g_mutex_unlock (&client.lock);
  g_thread_join (thread);
  calls = client.calls;
  g_thread_yield ();
  g_assert_cmpuint (client.calls, ==, calls);
}

/* Those who ask while it is at work are its work, too. */
static void
one_thread_serves_all (void)
{
  Client clients[8];
  ZcKeeper *keepers[8];

  for (guint round = 0; round < 50; round++) {
    for (guint i = 0; i < 8; i++) {
      clients[i] = (Client){ .delays_us = { -1, -1, -1 }, .hold = i == 0 };
      keepers[i] = zc_keeper_join (answer, &clients[i]);
      zc_keeper_ask (keepers[i]);
      wait_for_calls (&clients[0], 1);
    }
    g_mutex_lock (&clients[0].lock);
    clients[0].hold = FALSE;
    g_cond_broadcast (&clients[0].called);
    g_mutex_unlock (&clients[0].lock);
    for (guint i = 0; i < 8; i++) {
      wait_for_calls (&clients[i], 1);
      g_assert_true (clients[i].thread == clients[0].thread);
    }
    for (guint i = 0; i < 8; i++)
      zc_keeper_leave (keepers[i]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keeper/asked-is-called", asked_is_called);
  g_test_add_func ("/keeper/comes-again-when-it-said", comes_again_when_it_said);
  g_test_add_func ("/keeper/leave-waits-for-the-call", leave_waits_for_the_call);
  g_test_add_func ("/keeper/one-thread-serves-all", one_thread_serves_all);
  return g_test_run ();
}
