/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* format.h: between PipeWire's raw audio formats and ours. */
#pragma once

#include "zc-format.h"

#include <spa/param/audio/raw.h>

G_BEGIN_DECLS

/* What the monitor of a sink that has the channels of `info` plays: PipeWire's graph is float, at `rate`. A channel
 * that has no place in ours (an auxiliary one, or two at one place) makes all be without places; a single channel is
 * MONO wherever it stands. */
void zc_pipewire_to_format (const struct spa_audio_info_raw *info, guint rate, ZcFormat *format);

/* What to ask for. Where the format has the channels of the sink, these are the sink's own places, whatever we make of
 * them: then no channel is mixed. */
void zc_pipewire_from_format (const ZcFormat *format, const struct spa_audio_info_raw *sink,
    struct spa_audio_info_raw *info);

G_END_DECLS
