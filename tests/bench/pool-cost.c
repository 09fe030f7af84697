/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool-cost: what one packet's memory costs, by each way of getting it.
 *
 *   pool-cost                              a table: ns per acquire + release, every way, with and without a write
 *   pool-cost WAY WRITE ITERATIONS         one way, for a tool that counts instructions from outside
 *
 * WAY is one of ways[] below; WRITE is 0 or 1. A pool that costs more than allocating is not worth having, so this
 * is the number that our pool answers for. In the table the ways take turns in short rounds and each shows the
 * median of its rounds, so that a busy machine slows them alike. One thread. */

#include "gstzcbufferpool.h"

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_BYTES 3840       /* 10 ms of 48 kHz stereo float */
#define POOL_BUFFERS 16
#define ROUNDS 201
#define ROUND_ITERATIONS 2000

typedef struct
{
  const gchar *name;
  gpointer (*setup) (void);
  GstBuffer *(*acquire) (gpointer state);
  void (*teardown) (gpointer state);
} Way;

static guint8 packet[PACKET_BYTES];

static gpointer
start_pool (GstBufferPool *pool)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, PACKET_BYTES, POOL_BUFFERS, POOL_BUFFERS);
  if (!gst_buffer_pool_set_config (pool, config) || !gst_buffer_pool_set_active (pool, TRUE))
    g_error ("pool-cost: the pool did not start");
  return pool;
}

static void
stop_pool (gpointer pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

static GstBuffer *
acquire_from_pool (gpointer pool)
{
  GstBuffer *buffer = NULL;

  if (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) != GST_FLOW_OK)
    g_error ("pool-cost: the pool is empty");
  return buffer;
}

static gpointer
setup_stock (void)
{
  return start_pool (gst_buffer_pool_new ());
}

static gpointer
setup_zc (void)
{
  return start_pool (gst_zc_buffer_pool_new ());
}

static gpointer
setup_nothing (void)
{
  return NULL;
}

static GstBuffer *
allocate (gpointer nothing)
{
  (void) nothing;
  return gst_buffer_new_allocate (NULL, PACKET_BYTES, NULL);
}

static void
teardown_nothing (gpointer nothing)
{
  (void) nothing;
}

static const Way ways[] = {
  {"allocate", setup_nothing, allocate, teardown_nothing},
  {"stock-pool", setup_stock, acquire_from_pool, stop_pool},
  {"zc-pool", setup_zc, acquire_from_pool, stop_pool},
};

static void
turn (const Way *way, gpointer state, gboolean write, guint iterations)
{
  for (guint i = 0; i < iterations; i++) {
    GstBuffer *buffer = way->acquire (state);

    if (write)
      gst_buffer_fill (buffer, 0, packet, PACKET_BYTES);
    gst_buffer_unref (buffer);
  }
}

static int
compare_doubles (const void *a, const void *b)
{
  const double *left = a, *right = b;

  return (*left > *right) - (*left < *right);
}

static double
quantile (double *values, double q)
{
  qsort (values, ROUNDS, sizeof *values, compare_doubles);
  return values[(gsize) (q * (ROUNDS - 1))];
}

static double
timed_turn (const Way *way, gpointer state, gboolean write)
{
  const GstClockTime start = gst_util_get_timestamp ();

  turn (way, state, write, ROUND_ITERATIONS);
  return (double) (gst_util_get_timestamp () - start) / ROUND_ITERATIONS;
}

static void
print_table (void)
{
  static double ns[G_N_ELEMENTS (ways)][2][ROUNDS];
  gpointer states[G_N_ELEMENTS (ways)];

  for (guint w = 0; w < G_N_ELEMENTS (ways); w++)
    states[w] = ways[w].setup ();
  for (guint round = 0; round < ROUNDS; round++)
    for (guint write = 0; write < 2; write++)
      for (guint w = 0; w < G_N_ELEMENTS (ways); w++)
        ns[w][write][round] = timed_turn (&ways[w], states[w], write);
  for (guint w = 0; w < G_N_ELEMENTS (ways); w++) {
    for (guint write = 0; write < 2; write++)
      printf ("%s %u ns %.1f p10 %.1f p90 %.1f\n", ways[w].name, write, quantile (ns[w][write], 0.5),
          quantile (ns[w][write], 0.1), quantile (ns[w][write], 0.9));
    ways[w].teardown (states[w]);
  }
}

static gboolean
run_one (const gchar *name, gboolean write, guint iterations)
{
  for (guint w = 0; w < G_N_ELEMENTS (ways); w++) {
    if (strcmp (ways[w].name, name) == 0) {
      gpointer state = ways[w].setup ();

      turn (&ways[w], state, write, iterations);
      ways[w].teardown (state);
      return TRUE;
    }
  }
  return FALSE;
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  if (argc == 1) {
    print_table ();
    return 0;
  }
  if (argc == 4 && run_one (argv[1], atoi (argv[2]) != 0, (guint) atoi (argv[3])))
    return 0;
  fprintf (stderr, "usage: pool-cost [WAY WRITE ITERATIONS]; ways:");
  for (guint w = 0; w < G_N_ELEMENTS (ways); w++)
    fprintf (stderr, " %s", ways[w].name);
  fprintf (stderr, "\n");
  return 2;
}
