/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* format.h: WAVEFORMATEX and ours. */
#pragma once

#include "wasapi.h"
#include "zc-format.h"

G_BEGIN_DECLS

/* FALSE if it is nothing that we know. */
gboolean zc_wasapi_to_format (const WAVEFORMATEX *wave, ZcFormat *format);

/* FALSE if WASAPI has no word for it. */
gboolean zc_wasapi_from_format (const ZcFormat *format, WAVEFORMATEXTENSIBLE *wave);

G_END_DECLS
