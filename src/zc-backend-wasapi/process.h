/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* process.h: the sound of one process and its children, or of all others: Windows' process loopback.
 *
 * It belongs to no endpoint and has no format of its own: the caller chooses one. Most of IAudioClient answers
 * E_NOTIMPL there, the device position need not move, and after Reset the next Start delivers nothing for good. */
#pragma once

#include "wasapi.h"
#include "zc-backend.h"

G_BEGIN_DECLS

/* The id of a process of that executable ("game.exe", or without the ending); of several the one that is no child of
 * another, the first that Windows names. 0 if there is none. */
guint zc_wasapi_process_of_name (const gchar *name);

/* Is signalled when the process has ended. The caller's to close; NULL if Windows does not let us. */
HANDLE zc_wasapi_process_end (guint process_id);

/* That process exists. process_id as in ZcTarget, our own not left out. */
gboolean zc_wasapi_process_exists (guint process_id, GError **error);

/* A client that is not initialized. Transfer full, or NULL. Blocks at most ZC_START_TIMEOUT_NS. A thread of the
 * multithreaded apartment. */
IAudioClient *zc_wasapi_process_client (guint process_id, ZcProcessMode mode, GError **error);

G_END_DECLS
