/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcformat.h"

#include <string.h>

static const GstAudioChannelPosition gst_positions[ZC_N_POSITIONS] = {
  [ZC_POSITION_FRONT_LEFT] = GST_AUDIO_CHANNEL_POSITION_FRONT_LEFT,
  [ZC_POSITION_FRONT_RIGHT] = GST_AUDIO_CHANNEL_POSITION_FRONT_RIGHT,
  [ZC_POSITION_FRONT_CENTER] = GST_AUDIO_CHANNEL_POSITION_FRONT_CENTER,
  [ZC_POSITION_LFE] = GST_AUDIO_CHANNEL_POSITION_LFE1,
  [ZC_POSITION_REAR_LEFT] = GST_AUDIO_CHANNEL_POSITION_REAR_LEFT,
  [ZC_POSITION_REAR_RIGHT] = GST_AUDIO_CHANNEL_POSITION_REAR_RIGHT,
  [ZC_POSITION_FRONT_LEFT_OF_CENTER] = GST_AUDIO_CHANNEL_POSITION_FRONT_LEFT_OF_CENTER,
  [ZC_POSITION_FRONT_RIGHT_OF_CENTER] = GST_AUDIO_CHANNEL_POSITION_FRONT_RIGHT_OF_CENTER,
  [ZC_POSITION_REAR_CENTER] = GST_AUDIO_CHANNEL_POSITION_REAR_CENTER,
  [ZC_POSITION_SIDE_LEFT] = GST_AUDIO_CHANNEL_POSITION_SIDE_LEFT,
  [ZC_POSITION_SIDE_RIGHT] = GST_AUDIO_CHANNEL_POSITION_SIDE_RIGHT,
  [ZC_POSITION_TOP_CENTER] = GST_AUDIO_CHANNEL_POSITION_TOP_CENTER,
  [ZC_POSITION_TOP_FRONT_LEFT] = GST_AUDIO_CHANNEL_POSITION_TOP_FRONT_LEFT,
  [ZC_POSITION_TOP_FRONT_CENTER] = GST_AUDIO_CHANNEL_POSITION_TOP_FRONT_CENTER,
  [ZC_POSITION_TOP_FRONT_RIGHT] = GST_AUDIO_CHANNEL_POSITION_TOP_FRONT_RIGHT,
  [ZC_POSITION_TOP_REAR_LEFT] = GST_AUDIO_CHANNEL_POSITION_TOP_REAR_LEFT,
  [ZC_POSITION_TOP_REAR_CENTER] = GST_AUDIO_CHANNEL_POSITION_TOP_REAR_CENTER,
  [ZC_POSITION_TOP_REAR_RIGHT] = GST_AUDIO_CHANNEL_POSITION_TOP_REAR_RIGHT,
  [ZC_POSITION_MONO] = GST_AUDIO_CHANNEL_POSITION_MONO,
  [ZC_POSITION_NONE] = GST_AUDIO_CHANNEL_POSITION_NONE,
};

static ZcPosition
from_gst_position (GstAudioChannelPosition gst_position)
{
  for (guint i = 0; i < ZC_POSITION_NONE; i++)
    if (gst_positions[i] == gst_position)
      return (ZcPosition) i;
  return ZC_POSITION_NONE;
}

/* In the order of the bytes. FALSE if the channels have no places. */
static gboolean
to_gst_positions (const ZcFormat *format, GstAudioChannelPosition *positions)
{
  for (guint i = 0; i < format->channels; i++)
    positions[i] = gst_positions[format->positions[i]];
  return format->positions[0] != ZC_POSITION_NONE;
}

static GstCaps *
companded_caps (const gchar *media_type, const ZcFormat *format)
{
  return gst_caps_new_simple (media_type, "rate", G_TYPE_INT, (gint) format->rate, "channels", G_TYPE_INT,
      (gint) format->channels, NULL);
}

GstCaps *
gst_zc_format_to_caps (const ZcFormat *format)
{
  GstAudioChannelPosition positions[64] = { 0 };
  GstAudioInfo info;

  if (format->sample == ZC_SAMPLE_ALAW)
    return companded_caps ("audio/x-alaw", format);
  if (format->sample == ZC_SAMPLE_MULAW)
    return companded_caps ("audio/x-mulaw", format);

  if (to_gst_positions (format, positions))
    gst_audio_channel_positions_to_valid_order (positions, (gint) format->channels);
  gst_audio_info_init (&info);
  gst_audio_info_set_format (&info, gst_audio_format_from_string (zc_sample_name (format->sample)),
      (gint) format->rate, (gint) format->channels, positions);
  return gst_audio_info_to_caps (&info);
}

static gboolean
companded_from_caps (const GstCaps *caps, ZcFormat *format)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  gint rate, channels;

  if (gst_structure_has_name (structure, "audio/x-alaw"))
    format->sample = ZC_SAMPLE_ALAW;
  else if (gst_structure_has_name (structure, "audio/x-mulaw"))
    format->sample = ZC_SAMPLE_MULAW;
  else
    return FALSE;
  if (!gst_structure_get_int (structure, "rate", &rate) || !gst_structure_get_int (structure, "channels", &channels))
    return FALSE;
  format->rate = (guint) rate;
  format->channels = (guint) channels;
  zc_format_default_positions (format);
  return TRUE;
}

static gboolean
raw_from_caps (const GstCaps *caps, ZcFormat *format)
{
  GstAudioInfo info;

  if (!gst_audio_info_from_caps (&info, caps) || GST_AUDIO_INFO_CHANNELS (&info) > ZC_MAX_CHANNELS)
    return FALSE;
  format->sample = zc_sample_from_name (gst_audio_format_to_string (GST_AUDIO_INFO_FORMAT (&info)));
  format->rate = (guint) GST_AUDIO_INFO_RATE (&info);
  format->channels = (guint) GST_AUDIO_INFO_CHANNELS (&info);
  for (guint i = 0; i < format->channels; i++) {
    format->positions[i] = from_gst_position (info.position[i]);
    if (format->positions[i] == ZC_POSITION_NONE && !GST_AUDIO_INFO_IS_UNPOSITIONED (&info))
      return FALSE;
  }
  return format->sample != ZC_SAMPLE_UNKNOWN;
}

/* Bit i: position i occurs. */
static guint
places (const ZcFormat *format)
{
  guint set = 0;

  for (guint i = 0; i < format->channels; i++)
    set |= 1u << format->positions[i];
  return set;
}

gboolean
gst_zc_format_from_caps (const GstCaps *caps, const ZcFormat *native, ZcFormat *format)
{
  ZcFormat parsed = { 0 };

  if (!companded_from_caps (caps, &parsed) && !raw_from_caps (caps, &parsed))
    return FALSE;
  if (parsed.channels == native->channels && places (&parsed) == places (native))
    memcpy (parsed.positions, native->positions, sizeof parsed.positions);
  *format = parsed;
  return TRUE;
}

void
gst_zc_reorder_init (GstZcReorder *reorder, const ZcFormat *format)
{
  *reorder = (GstZcReorder){ .sample = gst_audio_format_from_string (zc_sample_name (format->sample)),
    .channels = (gint) format->channels };

  if (reorder->sample == GST_AUDIO_FORMAT_UNKNOWN || !to_gst_positions (format, reorder->from))
    return;
  memcpy (reorder->to, reorder->from, sizeof reorder->to);
  reorder->needed = gst_audio_channel_positions_to_valid_order (reorder->to, reorder->channels)
      && memcmp (reorder->from, reorder->to, sizeof reorder->to) != 0;
}

void
gst_zc_reorder_apply (const GstZcReorder *reorder, guint8 *data, gsize bytes)
{
  if (reorder->needed)
    gst_audio_reorder_channels (data, bytes, reorder->sample, reorder->channels, reorder->from, reorder->to);
}

/* Bits of a sample that are heard; a float has 24 and a sign. */
static gint
precision (const gchar *name)
{
  const GstAudioFormat format = gst_audio_format_from_string (name);
  const GstAudioFormatInfo *info;

  if (format == GST_AUDIO_FORMAT_UNKNOWN)
    return 16; /* companded */
  info = gst_audio_format_get_info (format);
  return GST_AUDIO_FORMAT_INFO_IS_FLOAT (info) ? 25 : GST_AUDIO_FORMAT_INFO_DEPTH (info);
}

/* How far a sample is from what the device has: each bit that is lost counts more than all that are too many. */
static gint
sample_distance (const gchar *name, const gchar *wanted)
{
  gint spare = precision (name) - precision (wanted);

  if (g_str_equal (name, wanted))
    return -1;
  return spare >= 0 ? spare : -64 * spare;
}

static void
fixate_sample (GstStructure *structure, const ZcFormat *native)
{
  const GValue *names = gst_structure_get_value (structure, "format");
  const gchar *wanted = zc_sample_name (native->sample), *nearest = NULL;

  if (names == NULL || !GST_VALUE_HOLDS_LIST (names))
    return;
  for (guint i = 0; i < gst_value_list_get_size (names); i++) {
    const gchar *name = g_value_get_string (gst_value_list_get_value (names, i));

    if (nearest == NULL || sample_distance (name, wanted) < sample_distance (nearest, wanted))
      nearest = name;
  }
  gst_structure_fixate_field_string (structure, "format", nearest);
}

static void
fixate_structure (GstStructure *structure, const ZcFormat *native)
{
  gint channels = 0;

  fixate_sample (structure, native);
  gst_structure_fixate_field_nearest_int (structure, "rate", (gint) native->rate);
  gst_structure_fixate_field_nearest_int (structure, "channels", (gint) native->channels);
  gst_structure_get_int (structure, "channels", &channels);
  if (channels >= 2 && gst_structure_has_name (structure, "audio/x-raw")
      && !gst_structure_has_field (structure, "channel-mask")) {
    guint64 mask = gst_audio_channel_get_fallback_mask (channels);
    if ((guint) channels == native->channels) {
      g_autoptr (GstCaps) own = gst_zc_format_to_caps (native);
      gst_structure_get (gst_caps_get_structure (own, 0), "channel-mask", GST_TYPE_BITMASK, &mask, NULL);
    }
    gst_structure_set (structure, "channel-mask", GST_TYPE_BITMASK, mask, NULL);
  }
}

/* How far from the device: companding that it does not do counts most, then each channel that is missing or too many,
 * then the rate. */
static gint64
distance (const GstStructure *structure, const ZcFormat *native)
{
  gboolean companded = native->sample == ZC_SAMPLE_ALAW || native->sample == ZC_SAMPLE_MULAW;
  gboolean differs = companded == gst_structure_has_name (structure, "audio/x-raw");
  gint channels = 0, rate = 0;

  gst_structure_get_int (structure, "channels", &channels);
  gst_structure_get_int (structure, "rate", &rate);
  return (gint64) (ABS (channels - (gint) native->channels) + differs * 2 * ZC_MAX_CHANNELS) * (2 * ZC_MAX_RATE)
      + ABS (rate - (gint) native->rate);
}

GstCaps *
gst_zc_format_closest_caps (const ZcFormat *native, const GstCaps *caps)
{
  g_autoptr (GstCaps) own = gst_zc_format_to_caps (native);
  g_autoptr (GstCaps) all = gst_caps_copy (caps);
  GstCaps *same = gst_caps_intersect (own, all);
  GstStructure *best = NULL;

  if (!gst_caps_is_empty (same))
    return same;
  gst_caps_unref (same);
  for (guint i = 0; i < gst_caps_get_size (all); i++) {
    GstStructure *structure = gst_caps_get_structure (all, i);

    fixate_structure (structure, native);
    if (best == NULL || distance (structure, native) < distance (best, native))
      best = structure;
  }
  return gst_caps_new_full (gst_structure_copy (best), NULL);
}
