/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* format.h: between PulseAudio's sample specs and channel maps and ours. */
#pragma once

#include "zc-format.h"

#include <pulse/channelmap.h>
#include <pulse/sample.h>

G_BEGIN_DECLS

/* Every sample format of libpulse 17 has its like; one of a later server becomes float, which that server makes of it.
 * A map with a channel that has no place in ours (an auxiliary one, or two at one place) becomes one without places; a
 * single channel is MONO wherever it stands. */
void zc_pulse_to_format (const pa_sample_spec *spec, const pa_channel_map *map, ZcFormat *format);

/* What to ask the server for. Where the format has the channels of the sink, that is the sink's own map, whatever
 * we make of it: then the server has nothing to convert. */
void zc_pulse_from_format (const ZcFormat *format, const pa_sample_spec *sink_spec, const pa_channel_map *sink_map,
    pa_sample_spec *spec, pa_channel_map *map);

G_END_DECLS
