/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cannot be opened is one error that says what can. */
#include "zc-capture.h"

#include <string.h>

static void
unknown_backend_names_the_known (void)
{
  g_autoptr (GError) error = NULL;
  ZcTarget target = { 0 };
  ZcStats stats = { 0 };

  g_assert_null (zc_capture_open ("jack", &target, &stats, &error));
  g_assert_error (error, ZC_ERROR, ZC_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "simulated"));
}

static void
process_needs_a_backend_that_can (void)
{
  const ZcTarget targets[] = { { .process_id = 1 }, { .process_mode = ZC_PROCESS_EXCLUDE } };

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++) {
    g_autoptr (GError) error = NULL;
    ZcStats stats = { 0 };

    g_assert_null (zc_capture_open ("simulated", &targets[i], &stats, &error));
    g_assert_error (error, ZC_ERROR, ZC_ERROR_SETTINGS);
    g_assert_nonnull (strstr (error->message, "process-id"));
  }
}

static void
auto_is_never_simulated (void)
{
  g_autoptr (GError) error = NULL;
  ZcTarget target = { 0 };
  ZcStats stats = { 0 };

  ZcCapture *capture;

  g_setenv ("PULSE_SERVER", "unix:/nonexistent/zcloopback", TRUE);
  capture = zc_capture_open ("auto", &target, &stats, &error);
  g_unsetenv ("PULSE_SERVER");
  if (capture != NULL) { /* Windows has no server to be without, and may have devices */
    g_assert_cmpstr (zc_capture_device_name (capture), !=, "signal=tone");
    zc_capture_close (capture);
  } else if (!g_error_matches (error, ZC_ERROR, ZC_ERROR_NO_DEVICE))
    g_assert_error (error, ZC_ERROR, ZC_ERROR_NO_SERVER);
}

static void
bad_script_names_the_word (void)
{
  const gchar *const bad[] = { "rate=fast", "channels=33", "packet=480:0", "play", "format=S17", "lose=1", "glitch=1",
    "drift-ppm=", "fail=later", "nonsense" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    ZcTarget target = { .device = bad[i] };
    ZcStats stats = { 0 };

    g_assert_null (zc_capture_open ("simulated", &target, &stats, &error));
    g_assert_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE);
    g_assert_nonnull (strstr (error->message, bad[i]));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/open/unknown-backend-names-the-known", unknown_backend_names_the_known);
  g_test_add_func ("/open/process-needs-a-backend-that-can", process_needs_a_backend_that_can);
  g_test_add_func ("/open/auto-is-never-simulated", auto_is_never_simulated);
  g_test_add_func ("/open/bad-script-names-the-word", bad_script_names_the_word);
  return g_test_run ();
}
