/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-sim-script.h"

#include "zc-error.h"

#include <string.h>

/* Of a step: six hours at 48 kHz. */
#define MAX_FRAMES (1u << 30)
#define MAX_LENT   64

/* Of a clock, in millionths or in microseconds. */
#define MAX_DEVIATION 100000

static gboolean
parse_uint (const gchar *text, guint max, guint *out)
{
  guint64 value;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 1, max, &value, NULL))
    return FALSE;
  *out = (guint) value;
  return TRUE;
}

static gboolean
parse_double (const gchar *text, gdouble *out)
{
  gchar *end = NULL;
  gdouble value;

  if (text == NULL || *text == '\0')
    return FALSE;
  value = g_ascii_strtod (text, &end);
  if (*end != '\0' || !(ABS (value) <= MAX_DEVIATION))
    return FALSE;
  *out = value;
  return TRUE;
}

static gboolean
parse_one_of (const gchar *text, const gchar *const *choices, guint *out)
{
  for (guint i = 0; choices[i] != NULL; i++)
    if (g_strcmp0 (text, choices[i]) == 0) {
      *out = i;
      return TRUE;
    }
  return FALSE;
}

static gboolean
parse_packets (const gchar *text, GArray *packets)
{
  g_auto (GStrv) sizes = g_strsplit (text != NULL ? text : "", ":", -1);
  guint frames;

  g_array_set_size (packets, 0);
  for (guint i = 0; sizes[i] != NULL; i++) {
    if (!parse_uint (sizes[i], ZC_MAX_RATE, &frames))
      return FALSE;
    g_array_append_val (packets, frames);
  }
  return packets->len > 0;
}

static gboolean
parse_device_word (ZcSimScript *script, const gchar *key, const gchar *value, gboolean *known)
{
  static const gchar *const signals[] = { "counting", "tone", "silence", NULL };
  static const gchar *const clocks[] = { "real", "manual", NULL };
  static const gchar *const failures[] = { "open", "start", NULL };
  guint choice;

  *known = TRUE;
  if (g_str_equal (key, "format"))
    return (script->format.sample = zc_sample_from_name (value)) != ZC_SAMPLE_UNKNOWN;
  if (g_str_equal (key, "rate"))
    return parse_uint (value, ZC_MAX_RATE, &script->format.rate);
  if (g_str_equal (key, "channels"))
    return parse_uint (value, ZC_MAX_CHANNELS, &script->format.channels);
  if (g_str_equal (key, "packet"))
    return parse_packets (value, script->packets);
  if (g_str_equal (key, "lend"))
    return parse_uint (value, MAX_LENT, &script->lend);
  if (g_str_equal (key, "lend-briefly"))
    return script->lend_briefly = value == NULL;
  if (g_str_equal (key, "drift-ppm"))
    return parse_double (value, &script->drift_ppm);
  if (g_str_equal (key, "jitter-us"))
    return parse_double (value, &script->jitter_us);
  if (g_str_equal (key, "delay-us"))
    return parse_double (value, &script->delay_us);
  if (g_str_equal (key, "away-ms"))
    return parse_uint (value, 1000000, &script->away_ms);
  if (g_str_equal (key, "untimed"))
    return script->untimed = value == NULL;
  if (g_str_equal (key, "wild-times"))
    return script->wild_times = value == NULL;
  if (g_str_equal (key, "signal") && parse_one_of (value, signals, &choice)) {
    script->signal = (ZcSimSignal) choice;
    return TRUE;
  }
  if (g_str_equal (key, "clock") && parse_one_of (value, clocks, &choice)) {
    script->manual_clock = choice == 1;
    return TRUE;
  }
  if (g_str_equal (key, "fail") && parse_one_of (value, failures, &choice)) {
    script->fail_open |= choice == 0;
    script->fail_start |= choice == 1;
    return TRUE;
  }
  *known = FALSE;
  return FALSE;
}

static gboolean
parse_step (ZcSimScript *script, const gchar *key, const gchar *value)
{
  static const gchar *const words[] = { "play", "silent", "glitch", "idle", "lose", NULL };
  ZcSimStep step = { 0 };
  guint what;

  if (!parse_one_of (key, words, &what))
    return FALSE;
  step.what = (ZcSimWhat) what;
  if (step.what == ZC_SIM_LOSE ? value != NULL : !parse_uint (value, MAX_FRAMES, &step.frames))
    return FALSE;
  g_array_append_val (script->steps, step);
  return TRUE;
}

static gboolean
parse_word (ZcSimScript *script, const gchar *word)
{
  g_auto (GStrv) parts = g_strsplit (word, "=", 2);
  gboolean known;
  gboolean good = parse_device_word (script, parts[0], parts[1], &known);

  return known ? good : parse_step (script, parts[0], parts[1]);
}

/* A glitch and an idle time alter what follows them, so something must; and a glitch is one after something. */
static gboolean
ends_well (ZcSimScript *script)
{
  const ZcSimStep forever = { ZC_SIM_PLAY, MAX_FRAMES };
  ZcSimWhat first, last;

  if (script->steps->len == 0)
    g_array_append_val (script->steps, forever);
  first = g_array_index (script->steps, ZcSimStep, 0).what;
  last = g_array_index (script->steps, ZcSimStep, script->steps->len - 1).what;
  return first != ZC_SIM_GLITCH && last != ZC_SIM_GLITCH && last != ZC_SIM_IDLE;
}

ZcSimScript *
zc_sim_script_parse (const gchar *text, GError **error)
{
  g_auto (GStrv) words = g_strsplit_set (text, " ,", -1);
  ZcSimScript *script = g_new0 (ZcSimScript, 1);
  const guint usual_packet = 480;

  script->lend = 1;
  script->format = (ZcFormat){ .sample = ZC_SAMPLE_F32LE, .rate = 48000, .channels = 2 };
  script->packets = g_array_new (FALSE, FALSE, sizeof (guint));
  script->steps = g_array_new (FALSE, FALSE, sizeof (ZcSimStep));
  g_array_append_val (script->packets, usual_packet);

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0' && !parse_word (script, words[i])) {
      g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "There is no simulated device \"%s\": its word \"%s\" is not "
          "understood. See docs/backends.md.", text, words[i]);
      zc_sim_script_free (script);
      return NULL;
    }
  if (!ends_well (script)) {
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "There is no simulated device \"%s\": a glitch lies between "
        "two other steps, an idle time before one. See docs/backends.md.", text);
    zc_sim_script_free (script);
    return NULL;
  }
  zc_format_default_positions (&script->format);
  return script;
}

void
zc_sim_script_free (ZcSimScript *script)
{
  g_array_unref (script->packets);
  g_array_unref (script->steps);
  g_free (script);
}
