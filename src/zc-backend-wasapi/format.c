/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format.h"

#include <mmreg.h>

#define MASK_BITS 18 /* SPEAKER_FRONT_LEFT to SPEAKER_TOP_BACK_RIGHT; ZcPosition has their order */

#define EXTENSION_BYTES (sizeof (WAVEFORMATEXTENSIBLE) - sizeof (WAVEFORMATEX))

/* NULL if there is none, or not all of it. */
static const WAVEFORMATEXTENSIBLE *
extension (const WAVEFORMATEX *wave)
{
  gboolean is_whole = wave->wFormatTag == WAVE_FORMAT_EXTENSIBLE && wave->cbSize >= EXTENSION_BYTES;

  return is_whole ? (const WAVEFORMATEXTENSIBLE *) wave : NULL;
}

static gboolean
is_of (const WAVEFORMATEX *wave, WORD tag, const GUID *subtype)
{
  const WAVEFORMATEXTENSIBLE *extensible = extension (wave);

  return extensible != NULL ? IsEqualGUID (&extensible->SubFormat, subtype) : wave->wFormatTag == tag;
}

/* By the size of the container: valid bits are its upper ones, and the rest is zero (Microsoft,
 * WAVEFORMATEXTENSIBLE). So 24 valid bits in 32 are S32, not what GStreamer calls S24_32. */
static ZcSample
to_sample (const WAVEFORMATEX *wave)
{
  static const ZcSample pcm[] = { ZC_SAMPLE_U8, ZC_SAMPLE_S16LE, ZC_SAMPLE_S24LE, ZC_SAMPLE_S32LE };

  if (is_of (wave, WAVE_FORMAT_IEEE_FLOAT, &KSDATAFORMAT_SUBTYPE_IEEE_FLOAT))
    return wave->wBitsPerSample == 32 ? ZC_SAMPLE_F32LE : ZC_SAMPLE_UNKNOWN;
  if (!is_of (wave, WAVE_FORMAT_PCM, &KSDATAFORMAT_SUBTYPE_PCM) || wave->wBitsPerSample < 8 || wave->wBitsPerSample > 32
      || wave->wBitsPerSample % 8 != 0)
    return ZC_SAMPLE_UNKNOWN;
  return pcm[wave->wBitsPerSample / 8 - 1];
}

/* Without a mask: the usual places. With fewer bits than channels: none. */
static void
to_positions (const WAVEFORMATEX *wave, ZcFormat *format)
{
  DWORD mask = extension (wave) != NULL ? extension (wave)->dwChannelMask : 0;
  guint placed = 0;

  zc_format_default_positions (format);
  if (mask == 0 || format->channels == 1)
    return;
  for (guint bit = 0; bit < MASK_BITS && placed < format->channels; bit++)
    if ((mask & (1u << bit)) != 0)
      format->positions[placed++] = (ZcPosition) bit;
  if (placed < format->channels)
    for (guint i = 0; i < format->channels; i++)
      format->positions[i] = ZC_POSITION_NONE;
}

gboolean
zc_wasapi_to_format (const WAVEFORMATEX *wave, ZcFormat *format)
{
  ZcFormat found = { .sample = to_sample (wave), .rate = wave->nSamplesPerSec, .channels = wave->nChannels };

  if (found.sample == ZC_SAMPLE_UNKNOWN || found.channels < 1 || found.channels > ZC_MAX_CHANNELS || found.rate < 1
      || found.rate > ZC_MAX_RATE || wave->nBlockAlign != zc_format_frame_bytes (&found))
    return FALSE;
  to_positions (wave, &found);
  *format = found;
  return TRUE;
}

static DWORD
to_mask (const ZcFormat *format)
{
  DWORD mask = 0;

  if (format->positions[0] == ZC_POSITION_MONO)
    return SPEAKER_FRONT_CENTER;
  for (guint i = 0; i < format->channels; i++) {
    if (format->positions[i] >= MASK_BITS || mask >= (1u << format->positions[i]))
      return 0; /* no place, or not in the mask's order */
    mask |= 1u << format->positions[i];
  }
  return mask;
}

gboolean
zc_wasapi_from_format (const ZcFormat *format, WAVEFORMATEXTENSIBLE *wave)
{
  gboolean is_known = format->sample == ZC_SAMPLE_U8 || format->sample == ZC_SAMPLE_S16LE
      || format->sample == ZC_SAMPLE_S24LE || format->sample == ZC_SAMPLE_S32LE || format->sample == ZC_SAMPLE_F32LE;
  guint bits = 8 * zc_sample_bytes (format->sample);

  if (!is_known)
    return FALSE;
  *wave = (WAVEFORMATEXTENSIBLE){
    .Format = {
      .wFormatTag = WAVE_FORMAT_EXTENSIBLE,
      .nChannels = (WORD) format->channels,
      .nSamplesPerSec = format->rate,
      .nAvgBytesPerSec = format->rate * zc_format_frame_bytes (format),
      .nBlockAlign = (WORD) zc_format_frame_bytes (format),
      .wBitsPerSample = (WORD) bits,
      .cbSize = EXTENSION_BYTES,
    },
    .Samples.wValidBitsPerSample = (WORD) bits,
    .dwChannelMask = to_mask (format),
    .SubFormat = format->sample == ZC_SAMPLE_F32LE ? KSDATAFORMAT_SUBTYPE_IEEE_FLOAT : KSDATAFORMAT_SUBTYPE_PCM,
  };
  return TRUE;
}
