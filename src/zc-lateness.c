/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-lateness.h"

void
zc_lateness_reset (ZcLateness *self)
{
  self->begun = FALSE;
}

gint64
zc_lateness_note (ZcLateness *self, gint64 end_ns, gint64 now_ns)
{
  gint64 delay_ns = now_ns - end_ns;

  if (!self->begun || end_ns - self->window_ns >= ZC_LATENESS_WINDOW_NS) {
    self->least_before_ns = self->begun ? self->least_ns : delay_ns;
    self->least_ns = delay_ns;
    self->window_ns = end_ns;
    self->begun = TRUE;
  }
  self->least_ns = MIN (self->least_ns, delay_ns);
  return delay_ns - MIN (self->least_ns, self->least_before_ns);
}
