/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-registry.h: which backends this build has. The only place that knows. */
#pragma once

#include "zc-backend.h"

G_BEGIN_DECLS

/* In order of preference, ended by NULL. */
const ZcBackend *const *zc_registry_list (void);

/* NULL if this build has none of that name. */
const ZcBackend *zc_registry_find (const gchar *name);

G_END_DECLS
