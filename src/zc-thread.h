/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-thread.h: how the system schedules a thread. One file per system, chosen by Meson. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The calling thread gets the ordinary policy, and as much of the processors as its process may have: what it has of
 * the thread that started it goes. What the system does not allow stays. */
void zc_thread_make_ordinary (void);

G_END_DECLS
