/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The language of the simulated device: what is understood makes sense, what is not is named. */
#include "fuzz.h"

#include "zc-error.h"
#include "zc-sim-script.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autofree gchar *text = g_strndup ((const gchar *) data, size);
  g_autoptr (GError) error = NULL;
  ZcSimScript *script = zc_sim_script_parse (text, &error);

  g_assert ((script != NULL) == (error == NULL));
  if (script == NULL) {
    g_assert_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE);
    return 0;
  }
  g_assert (script->format.rate >= 1 && script->format.rate <= ZC_MAX_RATE);
  g_assert (script->format.channels >= 1 && script->format.channels <= ZC_MAX_CHANNELS);
  g_assert (script->packets->len > 0 && script->steps->len > 0 && script->lend > 0);
  zc_sim_script_free (script);
  return 0;
}
