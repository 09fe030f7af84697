/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mix.h: what several play at once, added up: frames that have positions in one timeline, in a ring of frames. */
#pragma once

#include "zc-format.h"

G_BEGIN_DECLS

/* dst[i] += src[i], up to full scale, for `n` samples of all channels. */
typedef void (*ZcPulseAdd) (guint8 *dst, const guint8 *src, gsize n);

typedef struct {
  ZcPulseAdd add;
  guint8 *data; /* capacity_frames x channels samples; silence where nobody has added */
  guint capacity_frames;
  guint frame_bytes;
  guint channels;
  guint64 begin;       /* position of the oldest frame that was not taken; it is at begin % capacity_frames */
  guint64 sounding_to; /* who adds has come so far at most */
} ZcPulseMix;

/* The little-endian formats of 16 bits and more can be added up. */
gboolean zc_pulse_mix_can (const ZcFormat *format);

void zc_pulse_mix_init (ZcPulseMix *mix, const ZcFormat *format, guint capacity_frames);
void zc_pulse_mix_clear (ZcPulseMix *mix);

/* How many of the frames were used up, from the first: less than all if there is no room for the rest. Those before
 * `begin` are too late, and dropped. */
guint zc_pulse_mix_add (ZcPulseMix *mix, gint64 position, const guint8 *data, guint frames);

/* The oldest frames, `frames` of them or as many as lie side by side. *data is NULL if nobody has added there. */
guint zc_pulse_mix_peek (const ZcPulseMix *mix, guint frames, const guint8 **data);

/* `frames` as peek returned them. */
void zc_pulse_mix_take (ZcPulseMix *mix, guint frames);

G_END_DECLS
