/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcformat.h: between the core's formats and GStreamer's caps. */
#pragma once

#include "zc-format.h"

#include <gst/audio/audio.h>

G_BEGIN_DECLS

/* All that a device may play in: the caps of the pad template. */
#define GST_ZC_CAPS \
  "audio/x-raw, format = (string) { F32LE, F32BE, S32LE, S32BE, S24_32LE, S24_32BE, S24LE, S24BE, S16LE, S16BE, " \
  "U8 }, layout = (string) interleaved, rate = (int) [ 1, 768000 ], channels = (int) [ 1, 32 ]; " \
  "audio/x-alaw, rate = (int) [ 1, 768000 ], channels = (int) [ 1, 32 ]; " \
  "audio/x-mulaw, rate = (int) [ 1, 768000 ], channels = (int) [ 1, 32 ]"

/* Fixed caps. Their channels stand in GStreamer's order, whatever their order in `format`. */
GstCaps *gst_zc_format_to_caps (const ZcFormat *format);

/* The format to ask the device for, so that what it gives can be made into `caps` (fixed) by moving channels at
 * most: with the places of `native` in their order where the caps have the same places, else in that of the caps.
 * FALSE if the caps are none of ours. */
gboolean gst_zc_format_from_caps (const GstCaps *caps, const ZcFormat *native, ZcFormat *format);

/* Of caps that a stream could have (not empty): those of the device if they are among them, wherever they stand; else
 * what is closest to it, in channels first, then in rate. One structure, in which only a list of formats may be left
 * open. Transfer full. */
GstCaps *gst_zc_format_closest_caps (const ZcFormat *native, const GstCaps *caps);

/* Moving the channels of a format into GStreamer's order. */
typedef struct {
  gboolean needed; /* FALSE: they stand so already */
  GstAudioFormat sample;
  gint channels;
  GstAudioChannelPosition from[64];
  GstAudioChannelPosition to[64];
} GstZcReorder;

void gst_zc_reorder_init (GstZcReorder *reorder, const ZcFormat *format);

/* Whole frames, in place; only where it is needed. */
void gst_zc_reorder_apply (const GstZcReorder *reorder, guint8 *data, gsize bytes);

G_END_DECLS
