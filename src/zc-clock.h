/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-clock.h: the monotonic clock of the system. One file per system, chosen by Meson. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* ns since an arbitrary moment; never goes back. The clock that GstSystemClock reads. Any thread. */
gint64 zc_clock_now_ns (void);

G_END_DECLS
