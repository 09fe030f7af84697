/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-error.h: the error domain of the capture core.
 *
 * A message is one sentence for the person at the keyboard: the device, the call, what it said, and what to do. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define ZC_ERROR (zc_error_quark ())

typedef enum {
  ZC_ERROR_FAILED,    /* the system refused and none of the below fits */
  ZC_ERROR_NO_SERVER, /* no audio system to talk to */
  ZC_ERROR_NO_DEVICE, /* the audio system has no such device */
  ZC_ERROR_BUSY,      /* somebody else holds the device */
  ZC_ERROR_TIMEOUT,   /* the audio system is there and does not answer */
  ZC_ERROR_FORMAT,    /* the device cannot give this format */
  ZC_ERROR_SETTINGS,  /* the caller asked for what makes no sense */
  ZC_ERROR_LOST,      /* the device or its server went away while capturing */
  ZC_ERROR_WOKEN,     /* not an error: zc_capture_wake() ended the call */
} ZcError;

GQuark zc_error_quark (void);

G_END_DECLS
