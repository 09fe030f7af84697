/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-registry.h: which backends this build has. The only place that knows. */
#pragma once

#include "zc-backend.h"

G_BEGIN_DECLS

/* In order of preference, ended by NULL. */
const ZcBackend *const *zc_registry_list (void);

/* NULL if this build has none of that name. */
const ZcBackend *zc_registry_find (const gchar *name);

/* Opens `target` with the backend of this name ("auto": the first that answers), which is stored. NULL and *error if
 * that cannot be had. Blocks at most ZC_OPEN_TIMEOUT_NS a backend. */
ZcDevice *zc_registry_open (const gchar *name, const ZcTarget *target, const ZcBackend **backend, ZcFormat *native,
    GError **error);

/* The same with a backend that is known. */
ZcDevice *zc_registry_open_with (const ZcBackend *backend, const ZcTarget *target, ZcFormat *native, GError **error);

G_END_DECLS
