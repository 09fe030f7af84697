/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-backend-sim.h"

#include "zc-backend.h"
#include "zc-clock.h"
#include "zc-sim-script.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

struct _ZcDevice {
  ZcSimScript *script;
  gchar *name;
  gboolean is_default;
  guint default_number; /* that it is of, or that was told */
  gboolean woken; /* guarded by `lock` */

  ZcStreamSpec spec;
  GRand *random;
  guint8 *bytes; /* the engine's memory: script->lend slots of slot_bytes, used in turn */
  gsize slot_bytes;
  guint64 lent;       /* packets */
  guint64 given_back; /* of these */
  gint64 start_ns;
  guint64 position;   /* frames since start, those of glitches included */
  guint64 rested;     /* frames of idle time since start */
  guint step;         /* of the script */
  guint step_done;    /* frames of it */
  guint packets_done;
  gboolean discont;   /* of the next packet */
  ZcPacket packet;    /* the next one, if `prepared` */
  gboolean prepared;
};

/* Guards the manual clock and every `woken`; nothing is called with it held. `changed`: one of them did. */
static GMutex lock;
static GCond changed;
static gint64 manual_now_ns;
static gint64 back_at_ns;  /* in the clock of the one that went away last */
static gchar *default_name; /* NULL: as at first */
static guint default_number; /* of changes */
static guint n_waiting;    /* threads that have seen the present state and wait for another */
static guint state_number; /* of the present state */

/* With `lock` held. */
static void
tell_change (void)
{
  state_number++;
  n_waiting = 0;
  g_cond_broadcast (&changed);
}

void
zc_sim_set_default (const gchar *script)
{
  g_mutex_lock (&lock);
  g_free (default_name);
  default_name = g_strdup (script);
  default_number++;
  tell_change ();
  g_mutex_unlock (&lock);
}

void
zc_sim_set_now_ns (gint64 now_ns)
{
  g_mutex_lock (&lock);
  manual_now_ns = MAX (manual_now_ns, now_ns);
  tell_change ();
  g_mutex_unlock (&lock);
}

gint64
zc_sim_get_now_ns (void)
{
  gint64 now_ns;

  g_mutex_lock (&lock);
  now_ns = manual_now_ns;
  g_mutex_unlock (&lock);
  return now_ns;
}

guint
zc_sim_waiting (void)
{
  guint n;

  g_mutex_lock (&lock);
  n = n_waiting;
  g_mutex_unlock (&lock);
  return n;
}

/* -- the signal -------------------------------------------------------------------------------------------------- */

guint16
zc_sim_count (guint64 frame, guint channel)
{
  return (guint16) (frame + 4096 * channel);
}

static void
store (guint8 *to, guint64 value, guint bytes, gboolean big_endian)
{
  for (guint i = 0; i < bytes; i++)
    to[big_endian ? bytes - 1 - i : i] = (guint8) (value >> 8 * i);
}

/* `word`: a signed 16-bit sample. */
static void
put_sample (ZcSample sample, guint8 *to, guint16 word)
{
  gboolean big_endian = sample == ZC_SAMPLE_S16BE || sample == ZC_SAMPLE_S24BE || sample == ZC_SAMPLE_S24_32BE
      || sample == ZC_SAMPLE_S32BE || sample == ZC_SAMPLE_F32BE;
  gint32 value = (gint16) word;
  gfloat fraction = (gfloat) value / 32768.0f;
  guint32 bits;

  switch (sample) {
    case ZC_SAMPLE_U8:
    case ZC_SAMPLE_ALAW:
    case ZC_SAMPLE_MULAW:
      *to = (guint8) word;
      return;
    case ZC_SAMPLE_S24LE:
    case ZC_SAMPLE_S24BE:
    case ZC_SAMPLE_S24_32LE:
    case ZC_SAMPLE_S24_32BE:
      value *= 1 << 8;
      break;
    case ZC_SAMPLE_S32LE:
    case ZC_SAMPLE_S32BE:
      value *= 1 << 16;
      break;
    case ZC_SAMPLE_F32LE:
    case ZC_SAMPLE_F32BE:
      memcpy (&bits, &fraction, sizeof bits);
      store (to, bits, 4, big_endian);
      return;
    default:
      break;
  }
  store (to, (guint64) (gint64) value, zc_sample_bytes (sample), big_endian);
}

void
zc_sim_fill_counting (const ZcFormat *format, guint64 first_frame, guint8 *data, guint frames)
{
  guint bytes = zc_sample_bytes (format->sample);

  for (guint64 frame = first_frame; frame < first_frame + frames; frame++)
    for (guint channel = 0; channel < format->channels; channel++, data += bytes)
      put_sample (format->sample, data, zc_sim_count (frame, channel));
}

static void
fill_tone (const ZcFormat *format, guint64 first_frame, guint8 *data, guint frames)
{
  guint bytes = zc_sample_bytes (format->sample);

  for (guint64 frame = first_frame; frame < first_frame + frames; frame++) {
    gdouble turn = (gdouble) (frame * 440 % format->rate) / format->rate;
    guint16 word = (guint16) (gint16) (16384 * sin (2 * G_PI * turn));

    if (format->sample == ZC_SAMPLE_U8)
      word = (guint16) ((word >> 8) + 0x80);
    for (guint channel = 0; channel < format->channels; channel++, data += bytes)
      put_sample (format->sample, data, word);
  }
}

/* -- the engine's memory ---------------------------------------------------------------------------------------- */

static guint8 *
slot (ZcDevice *device, guint64 packet)
{
  return device->bytes + packet % device->script->lend * device->slot_bytes;
}

static void
fill (ZcDevice *device, guint frames)
{
  const ZcFormat *format = &device->spec.format;
  guint8 *data = slot (device, device->lent);

  switch (device->script->signal) {
    case ZC_SIM_COUNTING:
      zc_sim_fill_counting (format, device->position, data, frames);
      break;
    case ZC_SIM_TONE:
      fill_tone (format, device->position, data, frames);
      break;
    case ZC_SIM_SILENCE:
      zc_format_fill_silence (format, data, (gsize) frames * zc_format_frame_bytes (format));
      break;
  }
}

/* -- the device -------------------------------------------------------------------------------------------------- */

static GPtrArray *
sim_enumerate (GError **error)
{
  GPtrArray *infos = g_ptr_array_new_with_free_func ((GDestroyNotify) zc_device_info_free);
  ZcDeviceInfo *info = g_new0 (ZcDeviceInfo, 1);

  info->name = g_strdup ("signal=tone");
  info->description = g_strdup ("Simulated device");
  info->is_default = TRUE;
  g_ptr_array_add (infos, info);
  return infos;
}

static gint64
script_now_ns (const ZcSimScript *script)
{
  return script->manual_clock ? zc_sim_get_now_ns () : zc_clock_now_ns ();
}

static gboolean
is_away (const ZcSimScript *script)
{
  gint64 now_ns = script_now_ns (script);
  gboolean away;

  g_mutex_lock (&lock);
  away = script->away_ms > 0 && now_ns < back_at_ns;
  g_mutex_unlock (&lock);
  return away;
}

static void
go_away (const ZcSimScript *script)
{
  gint64 now_ns = script_now_ns (script);

  g_mutex_lock (&lock);
  back_at_ns = now_ns + (gint64) script->away_ms * 1000000;
  g_mutex_unlock (&lock);
}

static gboolean
may_open (const ZcSimScript *script, const gchar *name, GError **error)
{
  if (script->fail_open)
    g_set_error (error, ZC_ERROR, ZC_ERROR_FAILED, "Cannot open \"%s\": its script says fail=open.", name);
  else if (is_away (script))
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "\"%s\" is not there: its script says away-ms=%u.", name,
        script->away_ms);
  else
    return TRUE;
  return FALSE;
}

static gchar *
get_default (guint *number)
{
  gchar *name;

  g_mutex_lock (&lock);
  name = g_strdup (default_name != NULL ? default_name : "signal=tone");
  *number = default_number;
  g_mutex_unlock (&lock);
  return name;
}

/* With `lock` held: TRUE once for each change. */
static gboolean
take_move (ZcDevice *device)
{
  gboolean moved = device->is_default && device->default_number != default_number;

  device->default_number = default_number;
  return moved;
}

static ZcDevice *
sim_open (const ZcTarget *target, ZcFormat *native, GError **error)
{
  guint number;
  g_autofree gchar *fallback = get_default (&number);
  const gchar *name = target->device != NULL ? target->device : fallback;
  ZcSimScript *script = zc_sim_script_parse (name, error);
  ZcDevice *device;

  if (script == NULL)
    return NULL;
  if (!may_open (script, name, error)) {
    zc_sim_script_free (script);
    return NULL;
  }
  device = g_new0 (ZcDevice, 1);
  device->script = script;
  device->name = g_strdup (name);
  device->is_default = target->device == NULL;
  device->default_number = number;
  *native = script->format;
  return device;
}

static const gchar *
sim_device_name (ZcDevice *device)
{
  return device->name;
}

static gint64
sim_now_ns (ZcDevice *device)
{
  return script_now_ns (device->script);
}

static gboolean
is_woken (ZcDevice *device)
{
  gboolean woken;

  g_mutex_lock (&lock);
  woken = device->woken;
  g_mutex_unlock (&lock);
  return woken;
}

static guint
largest_packet (const ZcSimScript *script)
{
  guint largest = 0;

  for (guint i = 0; i < script->packets->len; i++)
    largest = MAX (largest, g_array_index (script->packets, guint, i));
  return largest;
}

static const ZcSimStep *
current_step (ZcDevice *device)
{
  return &g_array_index (device->script->steps, ZcSimStep, device->step);
}

/* A step in which nothing is delivered is done at once. */
static void
skip (ZcDevice *device, const ZcSimStep *step)
{
  if (step->what == ZC_SIM_GLITCH) {
    device->position += step->frames;
    device->discont = TRUE;
  } else if (step->what == ZC_SIM_IDLE)
    device->rested += step->frames;
  else
    return;
  device->step_done = step->frames;
}

static gboolean
sim_start (ZcDevice *device, const ZcStreamSpec *spec, ZcStreamInfo *info, GError **error)
{
  guint largest = largest_packet (device->script);

  if (is_woken (device)) {
    g_set_error_literal (error, ZC_ERROR, ZC_ERROR_WOKEN, "woken");
    return FALSE;
  }
  if (device->script->fail_start) {
    g_set_error (error, ZC_ERROR, ZC_ERROR_FAILED, "Cannot start \"%s\": its script says fail=start.", device->name);
    return FALSE;
  }
  device->spec = *spec;
  device->random = g_rand_new_with_seed (1);
  device->slot_bytes = (gsize) largest * zc_format_frame_bytes (&spec->format);
  device->bytes = g_malloc (device->script->lend * device->slot_bytes);
  device->lent = device->given_back = 0;
  device->start_ns = sim_now_ns (device);
  device->position = device->rested = 0;
  device->step = device->step_done = device->packets_done = 0;
  device->discont = FALSE;
  device->prepared = FALSE;
  skip (device, current_step (device));
  *info = (ZcStreamInfo){ .delay_frames = largest, .buffer_frames = spec->buffer_frames,
    .max_borrowed = device->script->lend, .lends_while_waiting = !device->script->lend_briefly };
  return TRUE;
}

/* When this frame of the device's stream is played. */
static gint64
time_of_ns (ZcDevice *device, guint64 position)
{
  gdouble scale = 1 / (1 + device->script->drift_ppm * 1e-6);

  return device->start_ns
      + (gint64) ((gdouble) zc_frames_to_ns (device->rested + position, device->spec.format.rate) * scale);
}

/* A reader that comes too late has lost the oldest frames. */
static void
overrun (ZcDevice *device)
{
  gint64 late_ns = sim_now_ns (device) - time_of_ns (device, device->position);
  guint64 late = late_ns > 0 ? zc_ns_to_frames ((guint64) late_ns, device->spec.format.rate) : 0;

  if (late <= device->spec.buffer_frames)
    return;
  device->position += late - device->spec.buffer_frames;
  device->discont = TRUE;
}

static gboolean
is_last_step (ZcDevice *device)
{
  return device->step + 1 == device->script->steps->len;
}

/* What the script lets happen next. FALSE if the device goes away. */
static gboolean
prepare (ZcDevice *device)
{
  const ZcSimStep *step = current_step (device);
  const GArray *packets = device->script->packets;
  guint frames;

  if (device->prepared)
    return TRUE;
  while (step->what != ZC_SIM_LOSE && !is_last_step (device) && device->step_done >= step->frames) {
    device->step++;
    device->step_done = 0;
    step = current_step (device);
    skip (device, step);
  }
  if (step->what == ZC_SIM_LOSE)
    return FALSE;

  overrun (device);
  frames = g_array_index (packets, guint, device->packets_done++ % packets->len);
  if (!is_last_step (device))
    frames = MIN (frames, step->frames - device->step_done);
  device->packet = (ZcPacket){
    .data = slot (device, device->lent),
    .frames = frames,
    .flags = (step->what == ZC_SIM_SILENT ? ZC_PACKET_SILENT : 0) | (device->discont ? ZC_PACKET_DISCONT : 0),
    .position_frames = device->position,
    .capture_time_ns = ZC_TIME_NONE,
  };
  if (!device->script->untimed)
    device->packet.capture_time_ns = time_of_ns (device, device->position)
        + (gint64) (g_rand_double_range (device->random, -1, 1) * 1000 * device->script->jitter_us)
        + (gint64) (1000 * device->script->delay_us);
  if (device->script->wild_times)
    device->packet.capture_time_ns = G_MININT64 / 2;
  device->prepared = TRUE;
  return TRUE;
}

static gint64
ready_at_ns (ZcDevice *device)
{
  return time_of_ns (device, device->position + device->packet.frames);
}

/* Until `changed` or until_us of the monotonic clock; with `lock` held. */
static void
wait_for_change (gint64 until_us)
{
  guint seen = state_number;

  n_waiting++;
  g_cond_wait_until (&changed, &lock, until_us);
  if (seen == state_number)
    n_waiting--;
}

static ZcWait
sim_wait (ZcDevice *device, gint64 timeout_ns, GError **error)
{
  gint64 deadline_ns = zc_clock_now_ns () + timeout_ns;
  gint64 script_deadline_ns = sim_now_ns (device) + timeout_ns; /* a clock that is cranked may be faster */
  gboolean manual = device->script->manual_clock;
  ZcWait result = ZC_WAIT_IDLE;
  gint64 ready_ns;

  if (!prepare (device)) {
    go_away (device->script);
    g_set_error (error, ZC_ERROR, ZC_ERROR_LOST, "\"%s\" went away while it was captured: its script says lose.",
        device->name);
    return ZC_WAIT_LOST;
  }
  ready_ns = ready_at_ns (device);

  g_mutex_lock (&lock);
  do {
    if (device->woken)
      result = ZC_WAIT_WOKEN;
    else if (take_move (device))
      result = ZC_WAIT_MOVED;
    else if ((manual ? manual_now_ns : zc_clock_now_ns ()) >= ready_ns)
      result = ZC_WAIT_PACKET;
    else if (manual && manual_now_ns >= script_deadline_ns)
      break;
    else
      wait_for_change ((manual ? deadline_ns : MIN (deadline_ns, ready_ns)) / 1000 + 1);
  } while (result == ZC_WAIT_IDLE && zc_clock_now_ns () < deadline_ns);
  g_mutex_unlock (&lock);
  return result;
}

static gboolean
sim_borrow (ZcDevice *device, ZcPacket *packet)
{
  gsize bytes;

  if (!prepare (device) || sim_now_ns (device) < ready_at_ns (device))
    return FALSE;
  bytes = (gsize) device->packet.frames * zc_format_frame_bytes (&device->spec.format);
  if ((device->packet.flags & ZC_PACKET_SILENT) != 0)
    memset (slot (device, device->lent), 0x5a, bytes); /* stale bytes, as drivers leave them */
  else
    fill (device, device->packet.frames);
  *packet = device->packet;
  device->lent++;
  device->position += device->packet.frames;
  device->step_done += device->packet.frames;
  device->discont = FALSE;
  device->prepared = FALSE;
  return TRUE;
}

static void
sim_give_back (ZcDevice *device)
{
  /* Whoever still reads them shall notice. */
  memset (slot (device, device->given_back++), 0xa5, device->slot_bytes);
}

static void
sim_wake (ZcDevice *device, gboolean on)
{
  g_mutex_lock (&lock);
  device->woken = on;
  tell_change ();
  g_mutex_unlock (&lock);
}

static void
sim_stop (ZcDevice *device)
{
  g_clear_pointer (&device->bytes, g_free);
  g_clear_pointer (&device->random, g_rand_free);
}

static void
sim_close (ZcDevice *device)
{
  zc_sim_script_free (device->script);
  g_free (device->name);
  g_free (device);
}

const ZcBackend zc_backend_sim = {
  .name = "simulated",
  .title = "Simulated device",
  .automatic = FALSE,
  .enumerate = sim_enumerate,
  .open = sim_open,
  .device_name = sim_device_name,
  .start = sim_start,
  .wait = sim_wait,
  .now_ns = sim_now_ns,
  .borrow = sim_borrow,
  .give_back = sim_give_back,
  .wake = sim_wake,
  .stop = sim_stop,
  .close = sim_close,
};
