/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* devices.h: the endpoints that play.
 *
 * Threads: one of the multithreaded apartment. */
#pragma once

#include "wasapi.h"
#include "zc-backend.h"

G_BEGIN_DECLS

typedef struct {
  gchar *id;             /* "{0.0.0.00000000}.{...}", as wasapi2src's device */
  gint role;             /* ERole: it was asked for as the default of this role; -1: by itself */
  gchar *name;           /* "Speakers (High Definition Audio Device)" */
  WAVEFORMATEX *format;  /* of the engine's mix, as Windows gave it, with cbSize bytes after it; g_free() */
} ZcEndpoint;

void zc_endpoint_free (ZcEndpoint *endpoint);

/* Every active one, ZcDeviceInfo. */
GPtrArray *zc_wasapi_list (GError **error);

/* The endpoint that `name` names: its id, in either of the two ways in which Windows writes it; what people call it; or
 * the role whose default it is ("console", "multimedia", "communications"). NULL: the default of the console role. */
ZcEndpoint *zc_wasapi_find (const gchar *name, GError **error);

/* The name is one of these roles. */
gboolean zc_wasapi_is_role (const gchar *name);

/* Transfer full, or NULL. */
IMMDeviceEnumerator *zc_wasapi_enumerator (GError **error);

/* The id of the default of this ERole. NULL without an error if there is none. Free it. */
gchar *zc_wasapi_default_id (IMMDeviceEnumerator *enumerator, gint role, GError **error);

/* Of an endpoint that zc_wasapi_find() found. Transfer full, or NULL. */
IMMDevice *zc_wasapi_device (IMMDeviceEnumerator *enumerator, const ZcEndpoint *endpoint, GError **error);

G_END_DECLS
