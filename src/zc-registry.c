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
