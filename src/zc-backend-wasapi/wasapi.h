/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wasapi.h: Windows' headers, the same way in every file of this folder. */
#pragma once

#define COBJMACROS
#include <windows.h>

#include <audioclient.h>
#include <functiondiscoverykeys_devpkey.h>
#include <ks.h>
#include <ksmedia.h>
#include <mmdeviceapi.h>

/* WASAPI counts time in this unit (REFERENCE_TIME). */
#define ZC_HNS_PER_SECOND 10000000
#define ZC_NS_PER_HNS     100

/* Releases what *pointer holds, if anything, and forgets it. */
#define zc_com_clear(pointer)                                                                                          \
  do {                                                                                                                 \
    if (*(pointer) != NULL)                                                                                            \
      IUnknown_Release ((IUnknown *) *(pointer));                                                                      \
    *(pointer) = NULL;                                                                                                 \
  } while (0)
