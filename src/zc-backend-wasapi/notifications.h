/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* notifications.h: hears from Windows that an endpoint is gone, or that the default has changed. An idle stream would
 * not notice by itself.
 *
 * Windows calls from threads of its own, in which nothing may block, be unregistered or be released for good
 * (Microsoft, IMMNotificationClient): all that happens there is a flag and an event. */
#pragma once

#include "wasapi.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ZcNotifications ZcNotifications;

/* Signals `event` (the caller's) once the endpoint `id` is gone, is not the default of `role` (an ERole, or -1) now, or
 * the default changes later. Never NULL: if Windows refuses, nothing is heard, and the stream finds out when it is
 * read. Threads of the multithreaded apartment, as for the end. */
ZcNotifications *zc_notifications_new (IMMDeviceEnumerator *enumerator, const gchar *id, gint role, HANDLE event);
void zc_notifications_free (ZcNotifications *notifications);

/* Any thread. */
gboolean zc_notifications_gone (ZcNotifications *notifications);

/* TRUE once for each change of the default, perhaps back to `id`. Any thread. */
gboolean zc_notifications_take_moved (ZcNotifications *notifications);

G_END_DECLS
