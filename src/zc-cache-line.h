/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-cache-line.h: what processors hand to each other as a whole: what different threads write lies on different
 * ones. */
#pragma once

#define ZC_CACHE_LINE_BYTES 64
