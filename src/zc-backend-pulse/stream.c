/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream.h"

#include "format.h"
#include "zc-clock.h"

#include <string.h>

/* Often at first, to know the time of the first packets well; then seldom, as libpulse allocates for each question. A
 * clock that is off by 200 ppm moves by 0.8 ms in the longest of these times. */
#define ASK_TIME_FIRST_NS (G_GINT64_CONSTANT (10) * 1000 * 1000)
#define ASK_TIME_MOST_NS  (G_GINT64_CONSTANT (4000) * 1000 * 1000)

/* Times that are apart by less do not tell of a loss: pipewire-pulse knows its own to within a period. */
#define LOSS_LEAST_NS (G_GINT64_CONSTANT (100) * 1000 * 1000)

/* No buffer is so small that less makes a reader late. */
#define LATE_LEAST_NS (G_GINT64_CONSTANT (50) * 1000 * 1000)

/* A late reader that has not caught up by then is just slow. */
#define CATCH_UP_MOST_NS (G_GINT64_CONSTANT (1000) * 1000 * 1000)

/* Of ZcPulseStream.parted_bytes. */
#define NOT_YET G_MAXINT64

static gint64
bytes_to_ns (const ZcPulseStream *stream, gint64 bytes)
{
  return bytes / (gint64) stream->frame_bytes * 1000000000 / (gint64) stream->rate;
}

static gint64
heard_at_ns (const ZcPulseStream *stream, const ZcPulseTime *time, gint64 byte)
{
  return time->ns + bytes_to_ns (stream, byte - time->bytes);
}

static gboolean
is_before_loss (const ZcPulseStream *stream, guint64 frame)
{
  return (gint64) (frame * stream->frame_bytes) < stream->parted_bytes;
}

gboolean
zc_pulse_stream_is_after_loss (const ZcPulseStream *stream, guint64 frame)
{
  return stream->parted_bytes > 0 && !is_before_loss (stream, frame);
}

/* Bytes that the server did not send, and counts as read. */
static gint64
skipped_bytes (const ZcPulseStream *stream, const pa_timing_info *timing)
{
  return timing->read_index - (gint64) (stream->position_bytes - stream->borrowed_bytes);
}

/* -- what a late reader loses ------------------------------------------------------------------------------------ */

/* The reader has not missed more. */
static gint64
missed_most_ns (const ZcPulseStream *stream)
{
  return stream->away_ns + zc_clock_now_ns () - stream->late_at_ns;
}

/* Beyond those that were lost before the reader was late. */
static gint64
dropped_bytes (const ZcPulseStream *stream, const pa_timing_info *timing)
{
  gint64 dropped = skipped_bytes (stream, timing) - stream->dropped_before_bytes;
  gboolean is_wild = dropped < 0 || bytes_to_ns (stream, dropped) > missed_most_ns (stream);

  return timing->read_index_corrupt || is_wild ? 0 : dropped;
}

/* What the server has and did not send yet, now that it has answered. */
static gint64
kept_bytes (const ZcPulseStream *stream, const pa_timing_info *timing)
{
  return timing->write_index - (timing->read_index + (gint64) stream->readable_bytes);
}

/* It holds no more than it may: what it had no room for is gone. */
static gboolean
is_settled (const ZcPulseStream *stream, const pa_timing_info *timing)
{
  return kept_bytes (stream, timing) <= (gint64) zc_pulse_stream_granted (stream).maxlength;
}

/* Nothing more is lost: there is room again. */
static gboolean
has_caught_up (const ZcPulseStream *stream, const pa_timing_info *timing)
{
  return kept_bytes (stream, timing) <= (gint64) zc_pulse_stream_granted (stream).maxlength / 2
      || !zc_pulse_stream_is_late (stream);
}

/* All that was lost while the reader was late. pipewire-pulse drops the oldest, and counts them; PulseAudio the newest,
 * of which time alone tells. libpulse has a queue of the same length: what comes in a burst, and finds no room there, is
 * counted. */
static gint64
lost_ns (const ZcPulseStream *stream, gint64 dropped, const ZcPulseTime *told)
{
  gint64 counted = bytes_to_ns (stream, dropped);
  gint64 passed = told->ns - heard_at_ns (stream, &stream->time_before, told->bytes);

  return passed - counted < LOSS_LEAST_NS || passed > missed_most_ns (stream) ? counted : passed;
}

/* An answer since the reader was late. What we get up to where the first one is that knows of a loss came before it,
 * but for a moment's; how much it was is sure when the reader has caught up. */
static void
note_loss (ZcPulseStream *stream, const pa_timing_info *timing, gint64 dropped, const ZcPulseTime *told)
{
  gint64 lost = lost_ns (stream, dropped, told);

  if (lost > 0) {
    stream->parted_bytes = MIN (stream->parted_bytes, told->bytes);
    stream->lost_frames = MAX (stream->lost_frames,
        stream->lost_before_frames + zc_ns_to_frames ((guint64) lost, stream->rate));
  }
  if (!has_caught_up (stream, timing))
    return;
  stream->late_at_ns = 0;
  stream->dropped_bytes = stream->dropped_before_bytes + dropped;
  if (stream->parted_bytes == NOT_YET)
    stream->parted_bytes = 0;
}

void
zc_pulse_stream_note_late (ZcPulseStream *stream, gint64 away_ns)
{
  if (!stream->timed)
    return;
  /* One who is late again before he has come to where the last loss was is late all the time since. */
  if (stream->late_at_ns == 0 && (gint64) stream->position_bytes >= stream->parted_bytes) {
    stream->away_ns = 0;
    stream->time_before = stream->time;
    stream->lost_before_frames = stream->lost_frames;
    stream->dropped_before_bytes = stream->dropped_bytes;
    stream->parted_bytes = NOT_YET;
  }
  stream->late_at_ns = zc_clock_now_ns ();
  stream->away_ns += away_ns;
}

gboolean
zc_pulse_stream_is_late (const ZcPulseStream *stream)
{
  return stream->late_at_ns != 0 && zc_clock_now_ns () - stream->late_at_ns <= CATCH_UP_MOST_NS;
}

guint64
zc_pulse_stream_lost_frames (const ZcPulseStream *stream, guint64 frame)
{
  return is_before_loss (stream, frame) ? stream->lost_before_frames : stream->lost_frames;
}

/* -- time -------------------------------------------------------------------------------------------------------- */

/* The server has told its timing. Of a monitor it says: byte write_index comes out of the source source_usec after
 * it went in, and goes into the sink sink_usec before it is heard. pa_stream_get_latency() works the same out, but
 * cuts the sum off at zero and then runs on without limit while no data comes (libpulse stream.c, calc_time). */
static void
on_timing (pa_stream *pulse, void *data)
{
  ZcPulseStream *stream = data;
  const pa_timing_info *timing = pa_stream_get_timing_info (pulse);
  gint64 now_ns = zc_clock_now_ns ();
  gint64 dropped, age_us;
  ZcPulseTime told;
  gboolean late;

  if (timing == NULL || timing->write_index_corrupt)
    return;
  /* Its timestamp is wall-clock time; only the difference to now is of use, unless somebody set the clock. */
  age_us = g_get_real_time () - ((gint64) timing->timestamp.tv_sec * G_USEC_PER_SEC + timing->timestamp.tv_usec);
  if (age_us < 0 || age_us > G_USEC_PER_SEC)
    return;
  stream->late_after_ns = MAX (LATE_LEAST_NS, bytes_to_ns (stream, zc_pulse_stream_granted (stream).maxlength) / 2);
  stream->settled = is_settled (stream, timing);
  late = stream->late_at_ns != 0 && now_ns - age_us * 1000 >= stream->late_at_ns && stream->settled;
  dropped = late ? dropped_bytes (stream, timing) : stream->dropped_bytes - stream->dropped_before_bytes;
  told.ns = now_ns + (gint64) (timing->sink_usec - timing->source_usec - age_us) * 1000;
  told.bytes = timing->write_index - stream->dropped_before_bytes - dropped;
  if (late)
    note_loss (stream, timing, dropped, &told);
  stream->time = told;
  stream->written_bytes = timing->write_index - skipped_bytes (stream, timing);
  stream->timed = TRUE;
}

/* What was told before may be of no use for what comes now. */
static void
ask_time_anew (ZcPulseStream *stream)
{
  stream->ask_time_at_ns = 0;
  stream->ask_time_every_ns = ASK_TIME_FIRST_NS;
}

/* The sink rests, or runs again. */
static void
on_suspended (pa_stream *pulse, void *data)
{
  ZcPulseStream *stream = data;

  stream->timed = FALSE;
  stream->looked_at_ns = stream->late_at_ns = stream->parted_bytes = 0;
  ask_time_anew (stream);
}

/* More has come; `bytes` is all that can be read now. */
static void
on_readable (pa_stream *pulse, size_t bytes, void *data)
{
  ZcPulseStream *stream = data;

  stream->readable_bytes = bytes;
  if (stream->quiet)
    ask_time_anew (stream);
  stream->quiet = FALSE;
}

void
zc_pulse_stream_note_quiet (ZcPulseStream *stream)
{
  stream->quiet = TRUE;
}

/* A reader that is late by half of what the server keeps for it may have lost something: that is asked for at once. */
static void
look_at_clock (ZcPulseStream *stream, gint64 now_ns)
{
  gint64 away_ns = now_ns - stream->looked_at_ns;

  if (stream->looked_at_ns != 0 && away_ns > stream->late_after_ns) {
    zc_pulse_stream_note_late (stream, away_ns);
    ask_time_anew (stream);
  }
  stream->looked_at_ns = now_ns;
}

gint64
zc_pulse_stream_look_again_at_ns (const ZcPulseStream *stream)
{
  return stream->looked_at_ns + stream->late_after_ns * 3 / 4;
}

/* PA_STREAM_AUTO_TIMING_UPDATE would do this every 1.5 s. */
void
zc_pulse_stream_ask_time_if_due (ZcPulseStream *stream)
{
  gint64 now_ns = zc_clock_now_ns ();

  look_at_clock (stream, now_ns);
  if (now_ns < stream->ask_time_at_ns || zc_pulse_stream_state (stream) != PA_STREAM_READY)
    return;
  zc_pulse_forget (pa_stream_update_timing_info (stream->stream, NULL, NULL)); /* on_timing() hears of the answer */
  stream->ask_time_at_ns = now_ns + stream->ask_time_every_ns;
  stream->ask_time_every_ns = MIN (2 * stream->ask_time_every_ns, ASK_TIME_MOST_NS);
}

pa_stream_state_t
zc_pulse_stream_state (const ZcPulseStream *stream)
{
  return pa_stream_get_state (stream->stream);
}

gboolean
zc_pulse_stream_is_good (const ZcPulseStream *stream)
{
  return !stream->broken && zc_pulse_server_is_good (stream->server)
      && PA_STREAM_IS_GOOD (zc_pulse_stream_state (stream));
}

gboolean
zc_pulse_stream_is_suspended (const ZcPulseStream *stream)
{
  return pa_stream_is_suspended (stream->stream) > 0;
}

void
zc_pulse_stream_end (ZcPulseStream *stream, gint64 deadline_ns)
{
  while (zc_pulse_server_is_good (stream->server) && zc_pulse_stream_state (stream) == PA_STREAM_CREATING)
    if (!zc_pulse_iterate (stream->server, deadline_ns))
      break;
  pa_stream_set_latency_update_callback (stream->stream, NULL, NULL);
  pa_stream_set_read_callback (stream->stream, NULL, NULL);
  pa_stream_set_suspended_callback (stream->stream, NULL, NULL);
  pa_stream_disconnect (stream->stream);
  pa_stream_unref (stream->stream);
  stream->stream = NULL;
}

static gboolean
connect_to_monitor (ZcPulseStream *stream, guint32 input, const ZcStreamSpec *spec)
{
  /* Without DONT_MOVE a server that loses the sink may go on with a microphone. */
  const pa_stream_flags_t flags = PA_STREAM_ADJUST_LATENCY | PA_STREAM_DONT_MOVE;

  /* fragsize is also the latency that the sink then renders with. A small maxlength loses data without a word. */
  memset (&stream->asked, 0xff, sizeof stream->asked);
  stream->asked.fragsize = spec->latency_frames * stream->frame_bytes;
  stream->asked.maxlength = spec->buffer_frames * stream->frame_bytes;
  pa_stream_set_latency_update_callback (stream->stream, on_timing, stream);
  pa_stream_set_read_callback (stream->stream, on_readable, stream);
  pa_stream_set_suspended_callback (stream->stream, on_suspended, stream);
  if (input != PA_INVALID_INDEX && pa_stream_set_monitor_stream (stream->stream, input) < 0)
    return FALSE;
  return pa_stream_connect_record (stream->stream, stream->sink->monitor, &stream->asked, flags) >= 0;
}

gboolean
zc_pulse_stream_begin (ZcPulseStream *stream, ZcPulseServer *server, const ZcPulseSink *sink, guint32 input,
    const ZcStreamSpec *spec, GError **error)
{
  pa_sample_spec sample_spec;
  pa_channel_map map;

  zc_pulse_from_format (&spec->format, &sink->spec, &sink->map, &sample_spec, &map);
  *stream = (ZcPulseStream){ .server = server, .sink = sink, .frame_bytes = zc_format_frame_bytes (&spec->format),
    .rate = spec->format.rate, .ask_time_every_ns = ASK_TIME_FIRST_NS,
    .late_after_ns = LATE_LEAST_NS };
  stream->stream = pa_stream_new (server->context, "Loopback", &sample_spec, &map);
  if (stream->stream == NULL) {
    g_autofree gchar *wanted = zc_format_describe (&spec->format);
    g_set_error (error, ZC_ERROR, ZC_ERROR_FORMAT, "PulseAudio cannot give %s: pa_stream_new said \"%s\". Let "
        "audioconvert ! audioresample make this format.", wanted, zc_pulse_server_last_word (server));
    return FALSE;
  }
  if (connect_to_monitor (stream, input, spec))
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_FAILED, "PulseAudio (%s) does not record \"%s\": pa_stream_connect_record "
      "said \"%s\". See if the device is still there (pactl list short sinks).", server->name, sink->monitor,
      zc_pulse_server_last_word (server));
  zc_pulse_stream_end (stream, zc_clock_now_ns ());
  return FALSE;
}

pa_buffer_attr
zc_pulse_stream_granted (const ZcPulseStream *stream)
{
  const pa_buffer_attr *granted = pa_stream_get_buffer_attr (stream->stream);

  return granted != NULL ? *granted : stream->asked;
}

gboolean
zc_pulse_stream_peek (ZcPulseStream *stream, const guint8 **data, guint *frames)
{
  const void *fragment;
  size_t bytes;

  /* Each call of libpulse costs a getpid(): none is made in vain. */
  if (stream->readable_bytes == 0)
    return FALSE;
  if (pa_stream_peek (stream->stream, &fragment, &bytes) < 0 || bytes < stream->frame_bytes) {
    stream->readable_bytes = 0;
    return FALSE;
  }
  stream->borrowed_bytes = bytes;
  stream->position_bytes += bytes;
  *data = fragment;
  *frames = (guint) (bytes / stream->frame_bytes);
  return TRUE;
}

void
zc_pulse_stream_drop (ZcPulseStream *stream)
{
  stream->broken |= pa_stream_drop (stream->stream) < 0;
  stream->readable_bytes -= MIN (stream->borrowed_bytes, stream->readable_bytes);
  stream->borrowed_bytes = 0;
}

gint64
zc_pulse_stream_heard_at_ns (const ZcPulseStream *stream, guint64 frame)
{
  const ZcPulseTime *time = is_before_loss (stream, frame) ? &stream->time_before : &stream->time;

  return stream->timed ? heard_at_ns (stream, time, (gint64) (frame * stream->frame_bytes)) : ZC_TIME_NONE;
}
