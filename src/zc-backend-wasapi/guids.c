/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place where the identifiers that Windows' headers only declare become data. */
#include <initguid.h>

#include "wasapi.h"
