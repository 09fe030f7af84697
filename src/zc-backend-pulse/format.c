/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format.h"

#include <string.h>

static const pa_sample_format_t sample_formats[ZC_N_SAMPLES] = {
  [ZC_SAMPLE_UNKNOWN] = PA_SAMPLE_INVALID,
  [ZC_SAMPLE_U8] = PA_SAMPLE_U8,
  [ZC_SAMPLE_ALAW] = PA_SAMPLE_ALAW,
  [ZC_SAMPLE_MULAW] = PA_SAMPLE_ULAW,
  [ZC_SAMPLE_S16LE] = PA_SAMPLE_S16LE,
  [ZC_SAMPLE_S16BE] = PA_SAMPLE_S16BE,
  [ZC_SAMPLE_S24LE] = PA_SAMPLE_S24LE,
  [ZC_SAMPLE_S24BE] = PA_SAMPLE_S24BE,
  [ZC_SAMPLE_S24_32LE] = PA_SAMPLE_S24_32LE,
  [ZC_SAMPLE_S24_32BE] = PA_SAMPLE_S24_32BE,
  [ZC_SAMPLE_S32LE] = PA_SAMPLE_S32LE,
  [ZC_SAMPLE_S32BE] = PA_SAMPLE_S32BE,
  [ZC_SAMPLE_F32LE] = PA_SAMPLE_FLOAT32LE,
  [ZC_SAMPLE_F32BE] = PA_SAMPLE_FLOAT32BE,
};

static const pa_channel_position_t places[ZC_N_POSITIONS] = {
  [ZC_POSITION_FRONT_LEFT] = PA_CHANNEL_POSITION_FRONT_LEFT,
  [ZC_POSITION_FRONT_RIGHT] = PA_CHANNEL_POSITION_FRONT_RIGHT,
  [ZC_POSITION_FRONT_CENTER] = PA_CHANNEL_POSITION_FRONT_CENTER,
  [ZC_POSITION_LFE] = PA_CHANNEL_POSITION_LFE,
  [ZC_POSITION_REAR_LEFT] = PA_CHANNEL_POSITION_REAR_LEFT,
  [ZC_POSITION_REAR_RIGHT] = PA_CHANNEL_POSITION_REAR_RIGHT,
  [ZC_POSITION_FRONT_LEFT_OF_CENTER] = PA_CHANNEL_POSITION_FRONT_LEFT_OF_CENTER,
  [ZC_POSITION_FRONT_RIGHT_OF_CENTER] = PA_CHANNEL_POSITION_FRONT_RIGHT_OF_CENTER,
  [ZC_POSITION_REAR_CENTER] = PA_CHANNEL_POSITION_REAR_CENTER,
  [ZC_POSITION_SIDE_LEFT] = PA_CHANNEL_POSITION_SIDE_LEFT,
  [ZC_POSITION_SIDE_RIGHT] = PA_CHANNEL_POSITION_SIDE_RIGHT,
  [ZC_POSITION_TOP_CENTER] = PA_CHANNEL_POSITION_TOP_CENTER,
  [ZC_POSITION_TOP_FRONT_LEFT] = PA_CHANNEL_POSITION_TOP_FRONT_LEFT,
  [ZC_POSITION_TOP_FRONT_CENTER] = PA_CHANNEL_POSITION_TOP_FRONT_CENTER,
  [ZC_POSITION_TOP_FRONT_RIGHT] = PA_CHANNEL_POSITION_TOP_FRONT_RIGHT,
  [ZC_POSITION_TOP_REAR_LEFT] = PA_CHANNEL_POSITION_TOP_REAR_LEFT,
  [ZC_POSITION_TOP_REAR_CENTER] = PA_CHANNEL_POSITION_TOP_REAR_CENTER,
  [ZC_POSITION_TOP_REAR_RIGHT] = PA_CHANNEL_POSITION_TOP_REAR_RIGHT,
  [ZC_POSITION_MONO] = PA_CHANNEL_POSITION_MONO,
  [ZC_POSITION_NONE] = PA_CHANNEL_POSITION_INVALID,
};

/* Of 24 bits in 32 PulseAudio's fourth byte is 0, where readers of GStreamer's S24_32 (flacenc) look for the sign: S32
 * holds the same. */
static ZcSample
to_sample (pa_sample_format_t sample_format)
{
  if (sample_format == PA_SAMPLE_S24_32LE)
    return ZC_SAMPLE_S32LE;
  if (sample_format == PA_SAMPLE_S24_32BE)
    return ZC_SAMPLE_S32BE;
  for (guint i = 0; i < ZC_N_SAMPLES; i++)
    if (i != ZC_SAMPLE_UNKNOWN && sample_formats[i] == sample_format)
      return (ZcSample) i;
  return ZC_SAMPLE_F32LE;
}

static ZcPosition
to_position (pa_channel_position_t place)
{
  for (guint i = 0; i < ZC_POSITION_MONO; i++)
    if (places[i] == place)
      return (ZcPosition) i;
  return ZC_POSITION_NONE;
}

void
zc_pulse_to_format (const pa_sample_spec *spec, const pa_channel_map *map, ZcFormat *format)
{
  *format = (ZcFormat){ .sample = to_sample (spec->format), .rate = spec->rate, .channels = spec->channels };

  for (guint i = 0; i < format->channels; i++)
    format->positions[i] = to_position (map->map[i]);
  zc_format_settle_positions (format);
}

void
zc_pulse_from_format (const ZcFormat *format, const pa_sample_spec *sink_spec, const pa_channel_map *sink_map,
    pa_sample_spec *spec, pa_channel_map *map)
{
  ZcFormat own;

  *spec = (pa_sample_spec){ .format = sample_formats[format->sample], .rate = format->rate,
    .channels = (guint8) format->channels };
  zc_pulse_to_format (sink_spec, sink_map, &own);
  if (own.channels == format->channels
      && memcmp (own.positions, format->positions, own.channels * sizeof own.positions[0]) == 0) {
    *map = *sink_map;
    return;
  }
  pa_channel_map_init_auto (map, format->channels, PA_CHANNEL_MAP_AUX);
  for (guint i = 0; i < format->channels; i++)
    if (format->positions[i] != ZC_POSITION_NONE)
      map->map[i] = places[format->positions[i]];
}
