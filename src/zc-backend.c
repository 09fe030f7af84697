/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-backend.h"

void
zc_device_info_free (ZcDeviceInfo *info)
{
  g_free (info->name);
  g_free (info->description);
  g_free (info);
}

ZcTarget
zc_target_copy (const ZcTarget *target)
{
  ZcTarget copy = *target;

  copy.device = g_strdup (target->device);
  copy.process_name = g_strdup (target->process_name);
  return copy;
}

void
zc_target_clear (ZcTarget *target)
{
  g_free ((gchar *) target->device);
  g_free ((gchar *) target->process_name);
  *target = (ZcTarget){ 0 };
}

gboolean
zc_target_equal (const ZcTarget *one, const ZcTarget *other)
{
  return g_strcmp0 (one->device, other->device) == 0 && g_strcmp0 (one->process_name, other->process_name) == 0
      && one->process_id == other->process_id && one->process_mode == other->process_mode;
}

gboolean
zc_backend_is_default (const ZcBackend *backend, const ZcTarget *target)
{
  if (zc_target_is_process (target))
    return FALSE;
  return target->device == NULL || (backend->is_role != NULL && backend->is_role (target->device));
}
