/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* windows-audio.h: compiled once for all files of the library: they are 120,000 lines. */
#include "../object.h"

#include <audioclient.h>
#include <mmdeviceapi.h>
