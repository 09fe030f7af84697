/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stream.h: a loopback stream that runs: the audio client, its capture service, its event, who keeps the endpoint
 * running, and who listens for its end.
 *
 * Threads: made, fed and freed in one ZcComThread; `capture` is the streaming thread's meanwhile. */
#pragma once

#include "com.h"
#include "devices.h"
#include "notifications.h"

G_BEGIN_DECLS

/* What is captured. Never changes; several threads may have it. */
typedef struct {
  gchar *name;          /* of the device, as open takes it */
  gchar *title;         /* for messages */
  ZcEndpoint *endpoint; /* NULL for processes */
  guint process_id;
  HANDLE process_end; /* of one that is captured by its name, and may come back with another id; else NULL */
  ZcProcessMode process_mode;
  ZcFormat format; /* that needs no conversion */
} ZcWasapiTarget;

/* All fields NULL or 0. */
ZcWasapiTarget *zc_wasapi_target_new (void);
ZcWasapiTarget *zc_wasapi_target_ref (ZcWasapiTarget *target);
void zc_wasapi_target_unref (ZcWasapiTarget *target);

typedef struct {
  IAudioClient *client;
  IAudioCaptureClient *capture;
  HANDLE event;                   /* a packet has come, or the endpoint has gone. Auto-reset */
  ZcNotifications *notifications; /* NULL for processes */
  ZcStreamInfo info;

  ZcComThread *thread; /* in which it was made */
  /* A client that plays silence: most drivers deliver nothing while nothing plays. NULL if not wished or not to be
   * had. */
  IAudioClient *feeder;
  IAudioRenderClient *feed;
  UINT32 feed_frames; /* room for them */
} ZcWasapiStream;

/* To be called in `thread`, which outlives it. Both block for as long as Windows does. */
ZcWasapiStream *zc_wasapi_stream_new (ZcComThread *thread, const ZcWasapiTarget *target, const ZcStreamSpec *spec,
    GError **error);
void zc_wasapi_stream_free (ZcWasapiStream *stream);

G_END_DECLS
