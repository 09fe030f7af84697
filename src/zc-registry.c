/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-registry.h"

#include "zc-backends.h" /* made by Meson: ZC_BACKENDS, the backends that this build has */

#define DECLARE(backend) extern const ZcBackend backend;
#define ENTRY(backend)   &backend,

ZC_BACKENDS (DECLARE)

const ZcBackend *const *
zc_registry_list (void)
{
  static const ZcBackend *const backends[] = { ZC_BACKENDS (ENTRY) NULL };

  return backends;
}

const ZcBackend *
zc_registry_find (const gchar *name)
{
  for (const ZcBackend *const *backend = zc_registry_list (); *backend != NULL; backend++)
    if (g_strcmp0 ((*backend)->name, name) == 0)
      return *backend;
  return NULL;
}

ZcDevice *
zc_registry_open_with (const ZcBackend *backend, const ZcTarget *target, ZcFormat *native, GError **error)
{
  if (zc_target_is_process (target) && !backend->captures_processes) {
    g_set_error (error, ZC_ERROR, ZC_ERROR_SETTINGS, "%s cannot capture the sound of single processes. Leave "
        "process-id, process-name and process-mode unset, or choose another backend.", backend->title);
    return NULL;
  }
  return backend->open (target, native, error);
}

static gboolean
is_candidate (const ZcBackend *backend, const ZcTarget *target)
{
  return backend->automatic && (backend->captures_processes || !zc_target_is_process (target))
      && (backend->yields == NULL || !backend->yields ());
}

static gboolean
may_be_elsewhere (const GError *failure)
{
  return g_error_matches (failure, ZC_ERROR, ZC_ERROR_NO_SERVER)
      || g_error_matches (failure, ZC_ERROR, ZC_ERROR_NO_DEVICE);
}

/* The first backend that has the device; if none has, the first server that answers has the word. */
static ZcDevice *
open_automatic (const ZcTarget *target, const ZcBackend **chosen, ZcFormat *native, GError **error)
{
  g_autoptr (GError) failure = NULL;

  for (const ZcBackend *const *backend = zc_registry_list (); *backend != NULL; backend++) {
    g_autoptr (GError) other = NULL;
    ZcDevice *device;

    if (!is_candidate (*backend, target))
      continue;
    device = (*backend)->open (target, native, &other);
    if (device != NULL) {
      *chosen = *backend;
      return device;
    }
    if (failure == NULL || g_error_matches (failure, ZC_ERROR, ZC_ERROR_NO_SERVER)) {
      g_clear_error (&failure);
      failure = g_error_copy (other);
    }
    if (!may_be_elsewhere (other))
      break;
  }
  if (failure == NULL)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_SERVER, "This build knows no audio system. Build it with one, or "
        "choose backend=simulated.");
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

static void
set_unknown (GError **error, const gchar *name)
{
  g_autoptr (GString) known = g_string_new ("auto");

  for (const ZcBackend *const *each = zc_registry_list (); *each != NULL; each++)
    g_string_append_printf (known, ", %s", (*each)->name);
  g_set_error (error, ZC_ERROR, ZC_ERROR_SETTINGS, "This build has no backend \"%s\". Choose one of: %s.", name,
      known->str);
}

ZcDevice *
zc_registry_open (const gchar *name, const ZcTarget *target, const ZcBackend **backend, ZcFormat *native,
    GError **error)
{
  if (g_strcmp0 (name, "auto") == 0)
    return open_automatic (target, backend, native, error);
  *backend = zc_registry_find (name);
  if (*backend != NULL)
    return zc_registry_open_with (*backend, target, native, error);
  set_unknown (error, name);
  return NULL;
}
