/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* notify.h: IMMNotificationClient: who wants to know, and the thread that tells them. */
#pragma once

#include "object.h"

#include <mmdeviceapi.h>

HRESULT sa_notify_register (IMMNotificationClient *client);
HRESULT sa_notify_unregister (IMMNotificationClient *client);

/* Under sa_lock(): to be told, later. `id` NULL: no endpoint is the default any more. */
void sa_notify_state (const wchar_t *id, DWORD state);
void sa_notify_default (EDataFlow flow, const wchar_t *id);

/* Whether this thread is in a callback right now. */
bool sa_notify_is_callback (void);
