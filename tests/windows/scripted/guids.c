/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guids.c: the one place where the headers define their GUIDs, instead of declaring them. */
#define INITGUID
#include "object.h"

#include <mmreg.h>
#include <ks.h>
#include <ksmedia.h>
#include <mmdeviceapi.h>
#include <audioclient.h>
#include <audiopolicy.h>
#include <endpointvolume.h>
#include <propsys.h>
#include <functiondiscoverykeys_devpkey.h>
