/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps of any kind against a device of any format: what is chosen is a format that a device can have, and caps of it
 * are those that were asked for. */
#include "fuzz.h"

#include "gstzcformat.h"

#include <string.h>

static void
make_format (FuzzInput *input, ZcFormat *format)
{
  memset (format, 0, sizeof *format);
  format->sample = (ZcSample) (1 + fuzz_uint (input, ZC_N_SAMPLES - 2));
  format->rate = 1 + fuzz_uint (input, ZC_MAX_RATE - 1);
  format->channels = 1 + fuzz_uint (input, ZC_MAX_CHANNELS - 1);
  zc_format_default_positions (format);
  if ((fuzz_byte (input) & 1) != 0)
    for (guint i = format->channels - 1; i > 0; i--) {
      guint j = fuzz_uint (input, i);
      ZcPosition one = format->positions[i];
      format->positions[i] = format->positions[j];
      format->positions[j] = one;
    }
}

static void
check_choice (const ZcFormat *native, GstCaps *asked)
{
  GstCaps *mine = gst_caps_from_string (GST_ZC_CAPS);
  GstCaps *possible = gst_caps_intersect (asked, mine);
  ZcFormat format;

  if (!gst_caps_is_empty (possible)) {
    GstCaps *closest = gst_caps_fixate (gst_zc_format_closest_caps (native, possible));

    g_assert (gst_caps_can_intersect (closest, asked));
    if (gst_zc_format_from_caps (closest, native, &format)) {
      GstCaps *again = gst_zc_format_to_caps (&format);

      g_assert (format.rate >= 1 && format.rate <= ZC_MAX_RATE);
      g_assert (format.channels >= 1 && format.channels <= ZC_MAX_CHANNELS);
      g_assert (gst_caps_can_intersect (again, closest));
      gst_caps_unref (again);
    }
    gst_caps_unref (closest);
  }
  gst_caps_unref (possible);
  gst_caps_unref (mine);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  FuzzInput input;
  ZcFormat native;
  g_autofree gchar *text = NULL;
  GstCaps *asked;

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  fuzz_input_init (&input, data, size);
  make_format (&input, &native);
  text = g_strndup ((const gchar *) input.data, input.left);
  asked = gst_caps_from_string (text);
  if (asked == NULL)
    asked = gst_zc_format_to_caps (&native);
  check_choice (&native, asked);
  gst_caps_unref (asked);
  return 0;
}
