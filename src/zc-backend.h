/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-backend.h: what an audio system does for us; the contract between the front end (zc-capture) and the backends.
 *
 * Threads. A device is used by one thread at a time: open and close by the one that starts and stops the capture or,
 * when it has been lost, by the streaming thread; start to detach by one and the same streaming thread; after detach,
 * give_back and stop by any one. Only wake comes from any thread, at any moment between open and close. enumerate may
 * be called by several threads at once.
 * Blocking. enumerate, open, start, wait and stop block, each within a bound that zc-limits.h names; nothing else does.
 * State. The front end checks it, so that no backend does: start after open or stop; wait and borrow between start and
 * detach; borrow while less than max_borrowed packets are out; give_back once for each packet that borrow gave, before
 * stop; stop after detach; close last.
 * Outputs are written on success only. */
#pragma once

#include "zc-error.h"
#include "zc-format.h"

G_BEGIN_DECLS

/* Of a device that is open; each backend has its own. */
typedef struct _ZcDevice ZcDevice;

typedef enum {
  ZC_PROCESS_INCLUDE, /* this process and its children */
  ZC_PROCESS_EXCLUDE, /* all but these */
} ZcProcessMode;

/* Whose sound to capture: what a device plays, or what a process does, or all processes of one executable. */
typedef struct {
  const gchar *device; /* NULL: the one that plays by default */
  guint process_id;    /* 0: none is named; to exclude, where no name is either: our own */
  const gchar *process_name; /* of the executable: "firefox", "game.exe"; NULL: none */
  ZcProcessMode process_mode;
} ZcTarget;

/* A copy that has strings of its own, to be cleared. */
ZcTarget zc_target_copy (const ZcTarget *target);
void zc_target_clear (ZcTarget *target);

gboolean zc_target_equal (const ZcTarget *one, const ZcTarget *other);

static inline gboolean
zc_target_is_process (const ZcTarget *target)
{
  return target->process_id != 0 || target->process_name != NULL || target->process_mode == ZC_PROCESS_EXCLUDE;
}

typedef enum {
  ZC_PACKET_SILENT = 1 << 0,  /* these frames are silence, whatever the bytes say */
  ZC_PACKET_DISCONT = 1 << 1, /* frames between the packet before and this one are missing */
  ZC_PACKET_COPIED = 1 << 2,  /* the backend had to copy these bytes, as nobody took them in time */
} ZcPacketFlags;

#define ZC_TIME_NONE G_MININT64

/* The engine's own memory, readable until it is given back. */
typedef struct {
  const guint8 *data; /* frames x channels samples; may be NULL if SILENT */
  guint frames;       /* > 0 */
  ZcPacketFlags flags;
  guint64 position_frames; /* of the first frame in the device's stream since start; never goes back */
  gint64 capture_time_ns;  /* when the first frame was (or will be) heard, in the clock of now_ns;
                              ZC_TIME_NONE if the system does not say */
} ZcPacket;

typedef struct {
  ZcFormat format;
  guint latency_frames; /* wished size of a packet, > 0 */
  guint buffer_frames;  /* how late a reader may be without losing anything, >= latency_frames */
  gboolean keep_running; /* the device is made to run while nothing plays, where it would stop otherwise */
} ZcStreamSpec;

/* What was granted of a ZcStreamSpec. */
typedef struct {
  guint delay_frames;  /* how long after its first frame a packet is delivered at most, in regular running; > 0 */
  guint buffer_frames; /* how late a reader may be */
  guint max_borrowed;  /* packets that may be out at once, > 0 */
  gboolean lends_while_waiting; /* they may be out during wait, too */
} ZcStreamInfo;

typedef enum {
  ZC_WAIT_PACKET,  /* borrow will give one */
  ZC_WAIT_TIMEOUT, /* the deadline passed; what did not come is late */
  ZC_WAIT_IDLE,    /* the deadline passed; the device may rest, as nothing plays */
  ZC_WAIT_WOKEN,   /* wake is on */
  ZC_WAIT_RECALL,  /* the packets that are out, some are, are wanted back: said again until none is */
  ZC_WAIT_MOVED,   /* open was asked for a default, which has changed, perhaps back to this device; the stream goes on.
                    * Once a change */
  ZC_WAIT_LOST,    /* the device or its server is gone: stop and close it, open it anew. A result, not a fault. */
} ZcWait;

/* One entry of enumerate. Free with zc_device_info_free(). */
typedef struct {
  gchar *name;        /* what open takes */
  gchar *description; /* for people */
  gboolean is_default;
} ZcDeviceInfo;

void zc_device_info_free (ZcDeviceInfo *info);

typedef struct {
  const gchar *name;    /* value of the `backend` property */
  const gchar *title;   /* for people */
  gboolean automatic;   /* may be chosen by backend=auto, ... */
  gboolean (*yields) (void); /* ... but for now another one is meant. NULL: never */
  gboolean captures_processes; /* open takes a target that is a process */

  /* The name is that of a role, as the default for communications: what has it may change. NULL: there are none. */
  gboolean (*is_role) (const gchar *device);

  /* The devices whose sound can be captured, ZcDeviceInfo. Blocks at most ZC_OPEN_TIMEOUT_NS. */
  GPtrArray *(*enumerate) (GError **error);

  /* What is meant by `target`, and the format that it plays in. Blocks at most ZC_OPEN_TIMEOUT_NS. */
  ZcDevice *(*open) (const ZcTarget *target, ZcFormat *native, GError **error);

  /* What the system calls this device. Valid until close. */
  const gchar *(*device_name) (ZcDevice *device);

  /* Packets in `spec->format` from now on. Blocks at most ZC_START_TIMEOUT_NS, or until woken (ZC_ERROR_WOKEN). */
  gboolean (*start) (ZcDevice *device, const ZcStreamSpec *spec, ZcStreamInfo *info, GError **error);

  /* Until there is a packet beyond those that are out, `timeout_ns` of real time, a wake or loss. *error on loss
   * only. Also called, with a timeout of 0, after some packets that nobody had to wait for: so MOVED comes before
   * PACKET, and LOST after it. */
  ZcWait (*wait) (ZcDevice *device, gint64 timeout_ns, GError **error);

  /* The clock of capture times, now. */
  gint64 (*now_ns) (ZcDevice *device);

  /* The oldest packet that was not borrowed yet, or FALSE if there is none just now. */
  gboolean (*borrow) (ZcDevice *device, ZcPacket *packet);

  /* The bytes of the oldest packet that is out are not read any more: the engine may have them back. */
  void (*give_back) (ZcDevice *device);

  /* While `on`, start and wait return at once with WOKEN. Any thread. */
  void (*wake) (ZcDevice *device, gboolean on);

  /* Undoes what start did to the streaming thread: the stream may be ended in another one. NULL: nothing. */
  void (*detach) (ZcDevice *device);

  void (*stop) (ZcDevice *device);
  void (*close) (ZcDevice *device);
} ZcBackend;

/* What is the default, or has a role, at the time: no device by itself. */
gboolean zc_backend_is_default (const ZcBackend *backend, const ZcTarget *target);

G_END_DECLS
