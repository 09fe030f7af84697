/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The front end over a device that does what the input says: packets of any size, position and time, glitches, idle
 * times, losses, errors of every call, wakes, other targets; and a reader that takes parts, flushes, stops and starts.
 * Time is the input's, too: nothing waits. What must hold: spans go on where the last one ended or say DISCONT, stamps
 * meet to the ns, the frames add up, every packet is given back. */
#include "fuzz.h"

#include "zc-capture.h"
#include "zc-clock.h"
#include "zc-registry.h"

#define MS G_GINT64_CONSTANT (1000000)

struct _ZcDevice {
  gboolean started;
  gboolean woken;
  guint borrowed;
  guint64 position;
  gint64 time_ns;
};

static FuzzInput input;
static gint64 now_ns;
static guint open_devices;
static guint8 bytes[32 * 4096];

/* -- in place of the system: this program is linked before libzccore ----------------------------------------------- */

gint64
zc_clock_now_ns (void)
{
  return now_ns += MS / 4;
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  now_ns += 5 * MS;
  return FALSE;
}

static ZcDevice *
device_open (const ZcTarget *target, ZcFormat *native, GError **error)
{
  guint8 word = fuzz_byte (&input);
  ZcDevice *device;

  if (word >= 0xe0) { /* more often it is there, and at the end of the input always */
    g_set_error (error, ZC_ERROR, (gint) (word & 7), "fuzz: open");
    return NULL;
  }
  device = g_new0 (ZcDevice, 1);
  open_devices++;
  *native = (ZcFormat){ .sample = ZC_SAMPLE_S16LE, .rate = 48000, .channels = 2 };
  return device;
}

static const gchar *
device_name (ZcDevice *device)
{
  return "fuzz";
}

static gboolean
device_start (ZcDevice *device, const ZcStreamSpec *spec, ZcStreamInfo *info, GError **error)
{
  guint8 word = fuzz_byte (&input);

  g_assert (!device->started);
  if (device->woken || word >= 0xe0) {
    g_set_error (error, ZC_ERROR, device->woken ? ZC_ERROR_WOKEN : (gint) (word & 7), "fuzz: start");
    return FALSE;
  }
  device->started = TRUE;
  device->position = 0;
  device->time_ns = now_ns;
  *info = (ZcStreamInfo){ .delay_frames = 1 + word, .buffer_frames = spec->buffer_frames,
    .max_borrowed = 1 + (word & 3), .lends_while_waiting = (word & 4) != 0 };
  return TRUE;
}

static ZcWait
device_wait (ZcDevice *device, gint64 timeout_ns, GError **error)
{
  static const ZcWait results[] = { ZC_WAIT_PACKET, ZC_WAIT_PACKET, ZC_WAIT_PACKET, ZC_WAIT_TIMEOUT, ZC_WAIT_IDLE,
    ZC_WAIT_MOVED, ZC_WAIT_LOST, ZC_WAIT_RECALL };
  ZcWait result = results[fuzz_byte (&input) & 7];

  g_assert (device->started && timeout_ns >= 0);
  if (device->woken)
    return ZC_WAIT_WOKEN;
  if (result == ZC_WAIT_RECALL && device->borrowed == 0)
    result = ZC_WAIT_PACKET;
  now_ns += result == ZC_WAIT_TIMEOUT || result == ZC_WAIT_IDLE ? timeout_ns : 10 * MS;
  if (result == ZC_WAIT_LOST)
    g_set_error (error, ZC_ERROR, ZC_ERROR_LOST, "fuzz: wait");
  return result;
}

static gint64
device_now_ns (ZcDevice *device)
{
  return now_ns;
}

static gboolean
device_borrow (ZcDevice *device, ZcPacket *packet)
{
  guint8 word = fuzz_byte (&input);

  g_assert (device->started);
  if ((word & 1) != 0)
    return FALSE;
  *packet = (ZcPacket){ .data = bytes, .frames = 1 + fuzz_uint (&input, 4095), .capture_time_ns = ZC_TIME_NONE };
  if ((word & 2) != 0)
    packet->flags |= ZC_PACKET_SILENT;
  if ((word & 32) != 0)
    packet->flags |= ZC_PACKET_COPIED;
  if ((word & 4) != 0) {
    packet->flags |= ZC_PACKET_DISCONT;
    device->position += fuzz_uint (&input, 100000);
  }
  if ((word & 8) != 0)
    device->time_ns += (gint64) fuzz_uint (&input, 4000) * MS - 1000 * MS; /* wild, or backward */
  if ((word & 16) == 0)
    packet->capture_time_ns = device->time_ns;
  packet->position_frames = device->position;
  device->position += packet->frames;
  device->time_ns += (gint64) zc_frames_to_ns (packet->frames, 48000);
  device->borrowed++;
  return TRUE;
}

static void
device_give_back (ZcDevice *device)
{
  g_assert (device->started && device->borrowed > 0);
  device->borrowed--;
}

static void
device_wake (ZcDevice *device, gboolean on)
{
  device->woken = on;
}

static void
device_stop (ZcDevice *device)
{
  g_assert (device->started && device->borrowed == 0);
  device->started = FALSE;
}

static void
device_close (ZcDevice *device)
{
  g_assert (!device->started);
  open_devices--;
  g_free (device);
}

static const ZcBackend backend = {
  .name = "fuzz",
  .title = "Fuzz",
  .captures_processes = TRUE,
  .open = device_open,
  .device_name = device_name,
  .start = device_start,
  .wait = device_wait,
  .now_ns = device_now_ns,
  .borrow = device_borrow,
  .give_back = device_give_back,
  .wake = device_wake,
  .stop = device_stop,
  .close = device_close,
};

ZcDevice *
zc_registry_open_with (const ZcBackend *with, const ZcTarget *target, ZcFormat *native, GError **error)
{
  return with->open (target, native, error);
}

ZcDevice *
zc_registry_open (const gchar *name, const ZcTarget *target, const ZcBackend **chosen, ZcFormat *native, GError **error)
{
  *chosen = &backend;
  return backend.open (target, native, error);
}

/* -- the reader ---------------------------------------------------------------------------------------------------- */

typedef struct {
  ZcStats stats;
  ZcCapture *capture;
  ZcTicks *ticks;
  gint64 ticks_ns; /* what they have shown */
  gboolean begun; /* a span was taken since the start */
  guint64 end;    /* of the last one */
  gboolean stamped;
  gint64 end_ns;
  guint64 taken; /* frames, of all streams */
} Reader;

static void
take (Reader *reader, const ZcSpan *span)
{
  guint frames = (guint) fuzz_uint (&input, span->frames);
  ZcStamp stamp;

  g_assert (span->frames > 0);
  g_assert (!reader->begun || span->position == reader->end || (span->position > reader->end && span->discont));
  g_assert (reader->begun || span->discont);
  stamp = zc_capture_stamp (reader->capture, span->position, frames > 0 ? frames : 1);
  if (reader->stamped && span->position == reader->end)
    g_assert_cmpint (stamp.start_ns, ==, reader->end_ns);
  g_assert_cmpint (stamp.end_ns, >=, stamp.start_ns);
  frames = frames > 0 ? frames : 1;
  zc_capture_advance (reader->capture, frames);
  reader->begun = reader->stamped = TRUE;
  reader->end = span->position + frames;
  reader->end_ns = stamp.end_ns;
  reader->taken += frames;
}

static void
begin (Reader *reader)
{
  ZcStreamSpec spec = { .format = *zc_capture_native_format (reader->capture), .latency_frames = 480,
    .buffer_frames = 48000 };

  reader->begun = reader->stamped = FALSE;
  zc_capture_set_ticks (reader->capture, (fuzz_byte (&input) & 1) != 0 ? reader->ticks : NULL);
  if (zc_capture_start (reader->capture, &spec, NULL)) {
    if ((fuzz_byte (&input) & 1) != 0)
      zc_capture_keep_packets (reader->capture);
  } else if (zc_capture_is_gone (reader->capture) && (fuzz_byte (&input) & 1) != 0)
    zc_capture_start_gone (reader->capture);
}

static void
read_on (Reader *reader)
{
  g_autoptr (GError) error = NULL;
  ZcGlitch glitch;
  ZcSpan span;

  switch (zc_capture_next (reader->capture, &span, &error)) {
    case ZC_NEXT_SPAN:
      take (reader, &span);
      break;
    case ZC_NEXT_FULL:
      zc_capture_give_back (reader->capture);
      break;
    case ZC_NEXT_LOST:
    case ZC_NEXT_REFUSED:
      g_assert (error != NULL);
      break;
    case ZC_NEXT_FAILED:
      g_assert (error != NULL);
      zc_capture_stop (reader->capture);
      break;
    case ZC_NEXT_WOKEN:
    case ZC_NEXT_FOUND:
      break;
  }
  zc_capture_take_glitch (reader->capture, &glitch);
}

static void
look_at_the_clock (Reader *reader)
{
  gint64 shown_ns = zc_ticks_at (reader->ticks, now_ns);

  g_assert_cmpint (shown_ns, >=, reader->ticks_ns);
  reader->ticks_ns = shown_ns;
}

static void
give_back_all (Reader *reader)
{
  zc_capture_end_packet (reader->capture);
  while (zc_capture_is_lending (reader->capture))
    zc_capture_give_back (reader->capture);
}

static void
step (Reader *reader, guint8 word)
{
  const ZcTarget targets[] = { { .device = NULL }, { .device = "other" }, { .process_id = 1 } };

  switch (word & 15) {
    case 0:
      zc_capture_wake (reader->capture, (word & 16) != 0);
      break;
    case 1:
      if (zc_capture_is_running (reader->capture)) {
        give_back_all (reader);
        zc_capture_stop (reader->capture);
      }
      break;
    case 2:
      zc_capture_set_fills (reader->capture, word >> 4 & 3);
      break;
    case 3:
      zc_capture_set_target (reader->capture, &targets[(word >> 4) % G_N_ELEMENTS (targets)]);
      break;
    case 4:
      zc_capture_set_follow (reader->capture, (word & 16) != 0);
      break;
    case 5:
      now_ns += (gint64) fuzz_uint (&input, 100000) * MS; /* the computer slept */
      break;
    default:
      if (!zc_capture_is_running (reader->capture))
        begin (reader);
      else
        read_on (reader);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  Reader reader = { 0 };
  ZcTarget target = { 0 };

  fuzz_input_init (&input, data, size);
  now_ns = 1000 * MS;
  reader.ticks = zc_ticks_new ();
  reader.capture = zc_capture_open ("fuzz", &target, &reader.stats, NULL);
  for (guint i = 0; reader.capture != NULL && !fuzz_is_over (&input) && i < 4096; i++) {
    step (&reader, fuzz_byte (&input));
    look_at_the_clock (&reader);
  }
  if (reader.capture != NULL) {
    if (zc_capture_is_running (reader.capture))
      give_back_all (&reader);
    zc_capture_close (reader.capture);
  }
  zc_ticks_free (reader.ticks);
  g_assert_cmpuint (open_devices, ==, 0);
  g_assert_cmpuint (zc_stats_get (&reader.stats, ZC_STAT_FRAMES_EXPECTED), ==,
      reader.taken + zc_stats_get (&reader.stats, ZC_STAT_FRAMES_LOST));
  return 0;
}
