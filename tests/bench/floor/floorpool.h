/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool that only recycles: buffers wait in a queue that never grows, so neither side allocates. */
#pragma once

#include <gst/gst.h>

/* What all floors carry: 10 ms of 48 kHz stereo float. */
#define PACKET_BYTES 3840
#define PACKET_NS (10 * GST_MSECOND)
#define FLOOR_CAPS "audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved,channel-mask=(bitmask)3"

/* Of 64 buffers of PACKET_BYTES, active. */
GstBufferPool *floor_pool_new_active (void);
