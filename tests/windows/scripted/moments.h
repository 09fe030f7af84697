/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moments.h: what happens to endpoints at a time of the script: lost, removed, back, another default. Under
 * sa_lock(); who is to be told is told by the thread of notify.h. */
#pragma once

#include "engine.h"

/* Plays all that is due, `time` (100 ns) after the start; returns the time of the next. */
int64_t sa_moments_play (SaStream *streams, int64_t time);

/* Whether any was played. */
bool sa_moments_played (void);
