/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-capture.h: the front end of the capture core. It checks every precondition once, runs the packet loop, keeps the
 * timeline and counts the frames; what the system does is behind zc-backend.h.
 *
 * The thread that calls next() waits on the system itself: there is no thread, no queue and no copy in here. A span is
 * a look at the engine's own memory.
 *
 * Threads: open and close by the thread that changes states; start to stop, and the getters meanwhile, by one streaming
 * thread, which after a loss opens the device anew, too; wake by any. */
#pragma once

#include "zc-backend.h"
#include "zc-stats.h"
#include "zc-ticks.h"
#include "zc-timeline.h"

G_BEGIN_DECLS

typedef struct _ZcCapture ZcCapture;

typedef enum {
  ZC_NEXT_SPAN,
  ZC_NEXT_FULL,
  ZC_NEXT_WOKEN,
  ZC_NEXT_LOST,  /* the device is gone; *error says why. No packet is kept. Stop, or go on: silence until it is back */
  ZC_NEXT_REFUSED, /* the target that is wanted now cannot be captured; *error says why. The device before it goes on */
  ZC_NEXT_FAILED, /* it is there again, and cannot be captured any more; *error says why. Stop */
  ZC_NEXT_FOUND, /* it, or what is there in its place, delivers again: device_name and stream_info are of that one */
} ZcNext;

/* What was captured and not yet taken: frames x channels samples in the format of start(). */
typedef struct {
  const guint8 *data; /* NULL: silence */
  guint frames;       /* > 0 */
  guint64 position;   /* of the first frame, in frames since start(), lost ones included */
  gboolean discont;   /* what came before it is not what the device played before it */
  gboolean joins;     /* the end of silence that is in place of something; what was captured next follows */
} ZcSpan;

/* What silence takes the place of; without, positions go on all the same, and the span that follows has discont. */
typedef enum {
  ZC_FILL_GLITCHES = 1 << 0, /* frames that the device left out */
  ZC_FILL_IDLE = 1 << 1,     /* time in which the device delivers nothing, as nothing plays */
} ZcFill;

/* Frames that the device did not deliver while it ran. */
typedef struct {
  guint64 frames;     /* 0 if it did not say how many, and time did not tell */
  const gchar *cause; /* for people; static */
} ZcGlitch;

/* The clock to stamp in, now (ns). Called twice a packet, in the streaming thread. */
typedef gint64 (*ZcClockFunc) (gpointer data);

/* Opens `target` with `backend` ("auto": the first that has it). `stats` stays the caller's, who
 * keeps it until close. NULL and *error if that cannot be had. Blocks at most ZC_OPEN_TIMEOUT_NS a backend. */
ZcCapture *zc_capture_open (const gchar *backend, const ZcTarget *target, ZcStats *stats, GError **error);

/* The format that the device plays in: what start() takes without any conversion. */
const ZcFormat *zc_capture_native_format (const ZcCapture *capture);

/* What the system calls the device. Valid until close. */
const gchar *zc_capture_device_name (const ZcCapture *capture);

/* Stamps are in this clock from now on; without one (NULL), in the device's. */
void zc_capture_set_clock (ZcCapture *capture, ZcClockFunc now, gpointer data);

/* The clock that is to go as the device does from the next start() on; the caller's. NULL: none. */
void zc_capture_set_ticks (ZcCapture *capture, ZcTicks *ticks);

/* How the next start() makes stamps; SMOOTH before the first call. */
void zc_capture_set_stamps (ZcCapture *capture, ZcStamps stamps);

/* Capture runs from now on. Position 0 is the first frame that comes. Blocks at most ZC_START_TIMEOUT_NS. */
gboolean zc_capture_start (ZcCapture *capture, const ZcStreamSpec *spec, GError **error);

/* The device has gone since open(), and was not there for the last start() nor since. */
gboolean zc_capture_is_gone (const ZcCapture *capture);

/* After a start() that failed as the device is gone: capture runs as after LOST, with silence until it is back.
 * Position 0 is now. */
void zc_capture_start_gone (ZcCapture *capture);

/* Another target of the same backend; taken up by next(), or by start(): it is opened, silence is in place of what is
 * missing between the two, and FOUND tells. Any thread. */
void zc_capture_set_target (ZcCapture *capture, const ZcTarget *target);

/* Whether a target that is a default stays one when that is another device. FALSE before the first call. The streaming
 * thread. */
void zc_capture_set_follow (ZcCapture *capture, gboolean follow);

/* From the next packet on; nothing is filled before the first call. The streaming thread. */
void zc_capture_set_fills (ZcCapture *capture, ZcFill fills);

/* The glitches that next() has met since the last call, as one. FALSE if there was none. The streaming thread. */
gboolean zc_capture_take_glitch (ZcCapture *capture, ZcGlitch *glitch);

/* Between start() and stop(). */
gboolean zc_capture_is_running (const ZcCapture *capture);

/* What start() was granted. */
const ZcStreamInfo *zc_capture_stream_info (const ZcCapture *capture);

/* Waits for frames. The same span again until it was taken by advance(). After LOST, it tries to open the same target
 * anew, again and again, and meanwhile the spans are as much silence as time passes: positions and stamps go on. FULL
 * if packets that are kept are in the way: of frames that have come, or of waiting for them. */
ZcNext zc_capture_next (ZcCapture *capture, ZcSpan *span, GError **error);

/* The first `frames` frames of the span are done with (0 to span.frames); their bytes go back to the engine, unless
 * packets are kept. TRUE if that was the end of a packet. */
gboolean zc_capture_advance (ZcCapture *capture, guint frames);

/* The rest of the packet that is being taken is not wanted. FALSE if there is none. */
gboolean zc_capture_end_packet (ZcCapture *capture);

/* From the next packet to the stop: the bytes of each stay readable after advance(), until give_back(). */
void zc_capture_keep_packets (ZcCapture *capture);

/* Packets are kept. */
gboolean zc_capture_is_lending (const ZcCapture *capture);

/* The bytes of the oldest packet that is kept are not read any more. One has to be kept. */
void zc_capture_give_back (ZcCapture *capture);

/* Frames of silence in place of what was not captured, since the last LOST. */
guint64 zc_capture_bridged_frames (const ZcCapture *capture);

/* When these frames were captured; see zc_timeline_stamp(). Frames that next() has shown, in their order, as they are
 * handed on: how late that is, is counted. */
ZcStamp zc_capture_stamp (ZcCapture *capture, guint64 position, guint frames);

/* While `on`, start() fails with ZC_ERROR_WOKEN and next() returns WOKEN, at once. Any thread. */
void zc_capture_wake (ZcCapture *capture, gboolean on);

/* The streaming thread has taken its last packet: give_back(), stop() and close() may come from another one now. */
void zc_capture_detach (ZcCapture *capture);

/* No packet is kept any more. Detaches it, if need be. */
void zc_capture_stop (ZcCapture *capture);

/* Stops it, if need be. */
void zc_capture_close (ZcCapture *capture);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZcCapture, zc_capture_close)

G_END_DECLS
