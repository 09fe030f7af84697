/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-backend.h"

void
zc_device_info_free (ZcDeviceInfo *info)
{
  g_free (info->name);
  g_free (info->description);
  g_free (info);
}
