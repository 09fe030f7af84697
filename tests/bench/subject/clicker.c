/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clicker: plays clicks into a PulseAudio sink, and tells when it wrote each.
 *
 *   clicker SINK CLICKS       prints "click NS" (CLOCK_MONOTONIC) for each, when the server's client library had it
 *
 * A client that has nothing of ours in it: what passes between its write and a capture's pad is the server's time and
 * the capture's. Clicks are the first frames of a block, and irregular, so that they fall anywhere into a packet. */

#include <pulse/simple.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHANNELS 2
#define BLOCK_FRAMES 96         /* 2 ms */
#define CLICK_FRAMES 4
#define QUIET_BLOCKS 125        /* at least so many between two clicks, and up to SPREAD_BLOCKS more */
#define SPREAD_BLOCKS 31
#define FIRST_BLOCK 500
#define TARGET_BYTES (20 * 48 * CHANNELS * sizeof (float)) /* 20 ms */

static const pa_sample_spec spec = { .format = PA_SAMPLE_FLOAT32LE, .rate = 48000, .channels = CHANNELS };

static long long
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int
play (pa_simple *player, int clicks)
{
  float block[BLOCK_FRAMES * CHANNELS];
  int left = FIRST_BLOCK;

  while (clicks > 0) {
    memset (block, 0, sizeof block);
    for (int i = 0; left == 0 && i < CLICK_FRAMES * CHANNELS; i++)
      block[i] = 0.9f;
    if (pa_simple_write (player, block, sizeof block, NULL) < 0)
      return -1;
    if (left-- == 0) {
      printf ("click %lld\n", now_ns ());
      left = QUIET_BLOCKS + rand () % SPREAD_BLOCKS;
      clicks--;
    }
  }
  return pa_simple_drain (player, NULL);
}

int
main (int argc, char **argv)
{
  const pa_buffer_attr attr = { .maxlength = UINT32_MAX, .tlength = TARGET_BYTES, .prebuf = UINT32_MAX,
    .minreq = UINT32_MAX, .fragsize = UINT32_MAX };
  pa_simple *player;
  int failed;

  if (argc != 3) {
    fprintf (stderr, "usage: clicker SINK CLICKS\n");
    return 2;
  }
  player = pa_simple_new (NULL, "clicker", PA_STREAM_PLAYBACK, argv[1], "clicks", &spec, NULL, &attr, NULL);
  if (!player) {
    fprintf (stderr, "clicker: cannot play into \"%s\"\n", argv[1]);
    return 1;
  }
  failed = play (player, atoi (argv[2]));
  pa_simple_free (player);
  return failed < 0;
}
