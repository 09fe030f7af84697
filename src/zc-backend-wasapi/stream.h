/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stream.h: a loopback stream that runs: the audio client, its capture service, its event, and who listens for the end of
 * the endpoint.
 *
 * Threads: made by one of the multithreaded apartment; then used and freed by another one, one at a time. */
#pragma once

#include "devices.h"
#include "notifications.h"

G_BEGIN_DECLS

/* What is captured. Never changes; several threads may have it. */
typedef struct {
  gchar *name;          /* for messages, and of the device */
  ZcEndpoint *endpoint; /* NULL for processes */
  guint process_id;
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

  /* A client that plays silence: most drivers deliver nothing while nothing plays. NULL if not wished or not to be had. */
  IAudioClient *feeder;
  IAudioRenderClient *feed;
  UINT32 feed_frames; /* room for them */
  gint64 feed_at_ns;
} ZcWasapiStream;

/* Blocks for as long as Windows does: see zc_com_call(). */
ZcWasapiStream *zc_wasapi_stream_new (const ZcWasapiTarget *target, const ZcStreamSpec *spec, GError **error);
void zc_wasapi_stream_free (ZcWasapiStream *stream);

/* More silence to play, if it is time for it. */
void zc_wasapi_stream_feed (ZcWasapiStream *stream, gint64 now_ns);

G_END_DECLS
