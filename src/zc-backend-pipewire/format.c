/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format.h"

#include <string.h>

static const guint32 samples[ZC_N_SAMPLES] = {
  [ZC_SAMPLE_UNKNOWN] = SPA_AUDIO_FORMAT_UNKNOWN,
  [ZC_SAMPLE_U8] = SPA_AUDIO_FORMAT_U8,
  [ZC_SAMPLE_ALAW] = SPA_AUDIO_FORMAT_ALAW,
  [ZC_SAMPLE_MULAW] = SPA_AUDIO_FORMAT_ULAW,
  [ZC_SAMPLE_S16LE] = SPA_AUDIO_FORMAT_S16_LE,
  [ZC_SAMPLE_S16BE] = SPA_AUDIO_FORMAT_S16_BE,
  [ZC_SAMPLE_S24LE] = SPA_AUDIO_FORMAT_S24_LE,
  [ZC_SAMPLE_S24BE] = SPA_AUDIO_FORMAT_S24_BE,
  [ZC_SAMPLE_S24_32LE] = SPA_AUDIO_FORMAT_S24_32_LE,
  [ZC_SAMPLE_S24_32BE] = SPA_AUDIO_FORMAT_S24_32_BE,
  [ZC_SAMPLE_S32LE] = SPA_AUDIO_FORMAT_S32_LE,
  [ZC_SAMPLE_S32BE] = SPA_AUDIO_FORMAT_S32_BE,
  [ZC_SAMPLE_F32LE] = SPA_AUDIO_FORMAT_F32_LE,
  [ZC_SAMPLE_F32BE] = SPA_AUDIO_FORMAT_F32_BE,
};

static const guint32 places[ZC_N_POSITIONS] = {
  [ZC_POSITION_FRONT_LEFT] = SPA_AUDIO_CHANNEL_FL,
  [ZC_POSITION_FRONT_RIGHT] = SPA_AUDIO_CHANNEL_FR,
  [ZC_POSITION_FRONT_CENTER] = SPA_AUDIO_CHANNEL_FC,
  [ZC_POSITION_LFE] = SPA_AUDIO_CHANNEL_LFE,
  [ZC_POSITION_REAR_LEFT] = SPA_AUDIO_CHANNEL_RL,
  [ZC_POSITION_REAR_RIGHT] = SPA_AUDIO_CHANNEL_RR,
  [ZC_POSITION_FRONT_LEFT_OF_CENTER] = SPA_AUDIO_CHANNEL_FLC,
  [ZC_POSITION_FRONT_RIGHT_OF_CENTER] = SPA_AUDIO_CHANNEL_FRC,
  [ZC_POSITION_REAR_CENTER] = SPA_AUDIO_CHANNEL_RC,
  [ZC_POSITION_SIDE_LEFT] = SPA_AUDIO_CHANNEL_SL,
  [ZC_POSITION_SIDE_RIGHT] = SPA_AUDIO_CHANNEL_SR,
  [ZC_POSITION_TOP_CENTER] = SPA_AUDIO_CHANNEL_TC,
  [ZC_POSITION_TOP_FRONT_LEFT] = SPA_AUDIO_CHANNEL_TFL,
  [ZC_POSITION_TOP_FRONT_CENTER] = SPA_AUDIO_CHANNEL_TFC,
  [ZC_POSITION_TOP_FRONT_RIGHT] = SPA_AUDIO_CHANNEL_TFR,
  [ZC_POSITION_TOP_REAR_LEFT] = SPA_AUDIO_CHANNEL_TRL,
  [ZC_POSITION_TOP_REAR_CENTER] = SPA_AUDIO_CHANNEL_TRC,
  [ZC_POSITION_TOP_REAR_RIGHT] = SPA_AUDIO_CHANNEL_TRR,
  [ZC_POSITION_MONO] = SPA_AUDIO_CHANNEL_MONO,
  [ZC_POSITION_NONE] = SPA_AUDIO_CHANNEL_UNKNOWN,
};

static ZcPosition
to_position (guint32 place)
{
  for (guint i = 0; i < ZC_POSITION_MONO; i++)
    if (places[i] == place)
      return (ZcPosition) i;
  return ZC_POSITION_NONE;
}

void
zc_pipewire_to_format (const struct spa_audio_info_raw *info, guint rate, ZcFormat *format)
{
  *format = (ZcFormat){ .sample = G_BYTE_ORDER == G_LITTLE_ENDIAN ? ZC_SAMPLE_F32LE : ZC_SAMPLE_F32BE, .rate = rate,
    .channels = MIN (info->channels, ZC_MAX_CHANNELS) };

  for (guint i = 0; i < format->channels; i++)
    format->positions[i] = to_position (info->position[i]);
  zc_format_settle_positions (format);
}

void
zc_pipewire_from_format (const ZcFormat *format, const struct spa_audio_info_raw *sink, struct spa_audio_info_raw *info)
{
  ZcFormat own;

  *info = (struct spa_audio_info_raw){ .format = samples[format->sample], .rate = format->rate,
    .channels = format->channels };
  zc_pipewire_to_format (sink, format->rate, &own);
  if (own.channels == format->channels && own.channels == sink->channels
      && memcmp (own.positions, format->positions, own.channels * sizeof own.positions[0]) == 0) {
    memcpy (info->position, sink->position, format->channels * sizeof info->position[0]);
    return;
  }
  for (guint i = 0; i < format->channels; i++)
    info->position[i] = format->positions[i] != ZC_POSITION_NONE ? places[format->positions[i]]
                                                                : SPA_AUDIO_CHANNEL_AUX0 + i;
}
