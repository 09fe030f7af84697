/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-backend-sim.h: a device that plays a script; for tests, demonstrations and the documentation.
 *
 * The device's name is the script: words separated by spaces or commas. What the device is:
 *
 *   format=F32LE rate=48000 channels=2          (these are the defaults)
 *   packet=480            frames of a packet; packet=480:7:1000 takes turns
 *   signal=counting       each sample tells its frame and channel (zc_sim_count()); or tone (440 Hz at half scale;
 *                         not in A-law or mu-law), or silence
 *   clock=real            packets come as time passes; clock=manual: as zc_sim_set_now_ns() says
 *   drift-ppm=0           the device's clock is faster than ours by so many millionths
 *   jitter-us=0           what it says of time is off by up to so much, either way
 *   delay-us=0            what it plays is heard so much later, and it says so
 *   untimed               it says nothing of time
 *   wild-times            or nonsense
 *   lend=1                it lends so many packets at once (up to 64); lend-briefly: not while it is waited for
 *   fail=open, fail=start that call fails
 *   away-ms=0             once it has gone away, devices of this process cannot be opened for so long
 *
 * and what it plays, in turn, the last for ever (nothing named: play):
 *
 *   play=N     N frames of the signal
 *   silent=N   N frames marked as silent, with garbage for bytes
 *   glitch=N   N frames that nobody gets, and the mark of a discontinuity on what follows
 *   idle=N     nothing for as long as N frames take, of which its positions know nothing
 *   lose       the device goes away
 *
 * "rate=44100 packet=441 play=4410 glitch=100 play=1" counts for 100 ms, skips 100 frames, then counts on.
 * A reader that is later than buffer_frames loses the oldest frames, as with a real device. */
#pragma once

#include "zc-format.h"

G_BEGIN_DECLS

/* The time of all devices with clock=manual, in ns; starts at 0 and never goes back. Whoever waits for a packet that
 * has come by then goes on. Any thread. */
void zc_sim_set_now_ns (gint64 now_ns);
gint64 zc_sim_get_now_ns (void);

/* What a device is that is opened without a name: its script ("signal=tone" at first). Who has one open hears of the
 * change. Any thread. */
void zc_sim_set_default (const gchar *script);

/* How many threads have found nothing to do at the present time, and wait: a test cranks when all have arrived. */
guint zc_sim_waiting (void);

/* The 16 bits that the counting signal carries at this frame and channel, as the highest of each sample (the only 8
 * of an 8-bit one): frame + 4096 x channel. Float samples carry it as a fraction of 32768. */
guint16 zc_sim_count (guint64 frame, guint channel);

/* Writes `frames` frames of the counting signal. */
void zc_sim_fill_counting (const ZcFormat *format, guint64 first_frame, guint8 *data, guint frames);

G_END_DECLS
