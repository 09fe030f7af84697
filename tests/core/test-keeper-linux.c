/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread of Linux has its scheduling from the one that starts it: the keeper's is not to have that of a thread that
 * captures. */
#define _GNU_SOURCE /* cpu_set_t */
#include "zc-keeper.h"

#include <sched.h>
#include <sys/resource.h>

/* What the calling thread has; the process's, where its first thread asks. */
typedef struct {
  int policy;
  int priority;
  int nice_value;
  cpu_set_t processors;
} Scheduling;

static Scheduling
scheduling (void)
{
  Scheduling now;
  struct sched_param param;

  now.policy = sched_getscheduler (0);
  g_assert_cmpint (sched_getparam (0, &param), ==, 0);
  now.priority = param.sched_priority;
  now.nice_value = getpriority (PRIO_PROCESS, 0);
  g_assert_cmpint (sched_getaffinity (0, sizeof now.processors, &now.processors), ==, 0);
  return now;
}

typedef struct {
  Scheduling found;
  GMutex lock;
  GCond changed;
  gboolean called;
} Client;

static gint64
look (gpointer data, gint64 now_us)
{
  Client *client = data;

  g_mutex_lock (&client->lock);
  client->found = scheduling ();
  client->called = TRUE;
  g_cond_broadcast (&client->changed);
  g_mutex_unlock (&client->lock);
  return -1;
}

/* Of real time and before others where that is allowed; a policy of its own, and one processor, always are. */
static void
be_special (void)
{
  struct sched_param first = { .sched_priority = 1 }, none = { 0 };
  cpu_set_t processors;
  int last = CPU_SETSIZE;

  setpriority (PRIO_PROCESS, 0, getpriority (PRIO_PROCESS, 0) - 1);
  if (sched_setscheduler (0, SCHED_FIFO, &first) != 0)
    g_assert_cmpint (sched_setscheduler (0, SCHED_BATCH, &none), ==, 0);
  g_assert_cmpint (sched_getaffinity (0, sizeof processors, &processors), ==, 0);
  while (!CPU_ISSET (--last, &processors))
    ;
  CPU_ZERO (&processors);
  CPU_SET (last, &processors);
  g_assert_cmpint (sched_setaffinity (0, sizeof processors, &processors), ==, 0);
}

static gpointer
ask_as_somebody_special (gpointer data)
{
  be_special ();
  zc_keeper_ask (data);
  return NULL;
}

static void
keeper_is_ordinary_whoever_asks (void)
{
  Client client = { .called = FALSE };
  ZcKeeper *keeper = zc_keeper_join (look, &client);
  Scheduling own = scheduling ();
  gint64 end_us = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  g_thread_join (g_thread_new ("special", ask_as_somebody_special, keeper));
  g_mutex_lock (&client.lock);
  while (!client.called)
    g_assert_true (g_cond_wait_until (&client.changed, &client.lock, end_us));
  g_mutex_unlock (&client.lock);
  zc_keeper_leave (keeper);
  g_assert_cmpint (client.found.policy, ==, SCHED_OTHER);
  g_assert_cmpint (client.found.priority, ==, 0);
  g_assert_cmpint (client.found.nice_value, ==, own.nice_value);
  g_assert_true (CPU_EQUAL (&client.found.processors, &own.processors));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keeper-linux/keeper-is-ordinary-whoever-asks", keeper_is_ordinary_whoever_asks);
  return g_test_run ();
}
