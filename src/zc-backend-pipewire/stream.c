/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream.h"

#include "format.h"
#include "zc-clock.h"

#include <spa/param/audio/format-utils.h>

#define NS_PER_S G_GINT64_CONSTANT (1000000000)

/* As many as PipeWire's converter makes at most (audioadapter.c). */
#define WANTED_BUFFERS 32
#define MOST_BUFFERS   64

/* PipeWire has so many at least: one that it fills, one for the next turn. */
#define LEAST_QUEUED 2

/* In this part of a second the resampler has filled. */
#define FILLED_PARTS 20

/* The session manager links a stream in some ms. */
#define LINK_NS (G_GINT64_CONSTANT (50) * 1000 * 1000)

static ZcPipeWireTurn *
turn_at (ZcPipeWireStream *stream, guint number)
{
  return &stream->turns[number % ZC_PIPEWIRE_MOST_TURNS];
}

/* -- the data thread --------------------------------------------------------------------------------------------- */

static gint64
ticks_to_ns (gint64 ticks, const struct spa_fraction *tick)
{
  return ticks * NS_PER_S / tick->denom * tick->num;
}

/* Of what is still in the resampler. */
static gint64
resampler_ns (const ZcPipeWireStream *stream, const struct pw_time *time)
{
  const struct spa_fraction own = { 1, stream->rate };

  return ticks_to_ns ((gint64) time->buffered, stream->delay_is_ours ? &own : &time->rate);
}

/* PipeWire's clock is that of the turn under way, which is another one than ours if we come late or it catches up. */
static gboolean
is_of_this_turn (const ZcPipeWireStream *stream, const ZcPipeWireTurn *turn, const struct pw_time *time)
{
  gint64 age_ns = zc_clock_now_ns () - time->now;

  return age_ns >= 0 && age_ns < (gint64) zc_frames_to_ns (turn->frames, stream->rate);
}

/* The turn begins at `now` with what is played then, some of which is still in the resampler. (The delay that PipeWire
 * tells of a monitor is that of who plays into its sink.) */
static void
note_time (ZcPipeWireStream *stream, ZcPipeWireTurn *turn)
{
  struct pw_time time = { 0 };

  turn->timed = pw_stream_get_time_n (stream->stream, &time, sizeof time) >= 0 && time.rate.denom > 0
      && is_of_this_turn (stream, turn, &time);
  turn->heard_ns = ZC_TIME_NONE;
  if (!turn->timed)
    return;
  turn->heard_ns = time.now - resampler_ns (stream, &time);
  turn->ticks = time.ticks;
  turn->tick_rate = time.rate.denom;
}

/* A buffer without a frame is of no use to anybody. */
static gboolean
note_sound (ZcPipeWireStream *stream, ZcPipeWireTurn *turn, const struct pw_buffer *buffer)
{
  const struct spa_data *data = &buffer->buffer->datas[0];

  if (data->data == NULL || data->chunk->offset > data->maxsize)
    return FALSE;
  turn->data = (const guint8 *) data->data + data->chunk->offset;
  turn->frames = MIN (data->chunk->size, data->maxsize - data->chunk->offset) / stream->frame_bytes;
  return turn->frames > 0;
}

/* The buffer stays with its turn, unless PipeWire needs it. */
static gboolean
keep (ZcPipeWireStream *stream, ZcPipeWireTurn *turn, struct pw_buffer *buffer)
{
  turn->spilled = 0;
  turn->buffer = stream->kept + LEAST_QUEUED < stream->buffers && (stream->granted & 1) == 0 ? buffer : NULL;
  if (turn->buffer == NULL)
    turn->data = zc_pipewire_spill_put (&stream->spill, turn->data, turn->frames * stream->frame_bytes, &turn->spilled);
  return turn->data != NULL;
}

static void
recycle (ZcPipeWireStream *stream)
{
  for (guint end = atomic_load (&stream->given_back); stream->recycled != end; stream->recycled++) {
    struct pw_buffer *buffer = turn_at (stream, stream->recycled)->buffer;

    if (buffer == NULL)
      continue;
    pw_stream_queue_buffer (stream->stream, buffer);
    stream->kept--;
  }
}

/* What has no room is lost: the next turn's ticks tell. */
static void
on_process (void *data)
{
  ZcPipeWireStream *stream = data;
  struct pw_buffer *buffer;

  recycle (stream);
  atomic_store (&stream->granted, atomic_load (&stream->wish));
  while ((buffer = pw_stream_dequeue_buffer (stream->stream)) != NULL) {
    guint filled = atomic_load (&stream->filled);
    ZcPipeWireTurn *turn = turn_at (stream, filled);
    gboolean is_kept = filled - stream->recycled < ZC_PIPEWIRE_MOST_TURNS && note_sound (stream, turn, buffer)
        && keep (stream, turn, buffer);

    if (is_kept) {
      note_time (stream, turn);
      atomic_store (&stream->filled, filled + 1);
    }
    if (is_kept && turn->buffer != NULL)
      stream->kept++;
    else
      pw_stream_queue_buffer (stream->stream, buffer);
  }
  zc_pipewire_nudge (stream->server);
}

/* -- what the server says ---------------------------------------------------------------------------------------- */

static void
on_state (void *data, enum pw_stream_state before, enum pw_stream_state state, const char *error)
{
  ZcPipeWireStream *stream = data;

  stream->state = state;
  if (error == NULL)
    return;
  g_free (stream->said);
  stream->said = g_strdup (error);
}

static void
on_format (void *data, uint32_t id, const struct spa_pod *format)
{
  ZcPipeWireStream *stream = data;
  uint8_t space[256];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT (space, sizeof space);
  const struct spa_pod *params[1];

  if (id != SPA_PARAM_Format || format == NULL)
    return;
  params[0] = spa_pod_builder_add_object (&builder, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers,
      SPA_PARAM_BUFFERS_buffers, SPA_POD_CHOICE_RANGE_Int (WANTED_BUFFERS, WANTED_BUFFERS, MOST_BUFFERS));
  pw_stream_update_params (stream->stream, params, 1);
}

static void
on_add_buffer (void *data, struct pw_buffer *buffer)
{
  ((ZcPipeWireStream *) data)->buffers++;
}

static gboolean
holds_buffers (ZcPipeWireStream *stream)
{
  guint number = atomic_load (&stream->given_back), filled = atomic_load (&stream->filled);

  while (number != filled && turn_at (stream, number)->buffer == NULL)
    number++;
  return number != filled;
}

/* All that is in the ring; none of it is out. */
static void
forget_turns (ZcPipeWireStream *stream)
{
  guint filled = atomic_load (&stream->filled);

  for (guint number = atomic_load (&stream->given_back); number != filled; number++)
    zc_pipewire_spill_take (&stream->spill, turn_at (stream, number)->spilled);
  stream->borrowed = filled;
  atomic_store (&stream->given_back, filled);
}

/* No turn is under way: the sink was suspended, or the stream ends. What is in a buffer came in this moment. */
static void
on_remove_buffer (void *data, struct pw_buffer *buffer)
{
  ZcPipeWireStream *stream = data;

  stream->buffers--;
  if (holds_buffers (stream))
    forget_turns (stream);
  stream->recycled = atomic_load (&stream->given_back);
  stream->kept = 0;
}

static const struct pw_stream_events events = {
  PW_VERSION_STREAM_EVENTS,
  .state_changed = on_state,
  .param_changed = on_format,
  .add_buffer = on_add_buffer,
  .remove_buffer = on_remove_buffer,
  .process = on_process,
};

/* -- from beginning to end --------------------------------------------------------------------------------------- */

/* Without the DONT_ a server that loses the sink goes on with another one, which may be a microphone. */
static struct pw_properties *
properties_of (const ZcPipeWireSinks *sinks, const ZcStreamSpec *spec)
{
  const ZcPipeWireSink *sink = sinks->chosen;
  struct pw_properties *properties = pw_properties_new (PW_KEY_MEDIA_TYPE, "Audio", PW_KEY_MEDIA_CATEGORY, "Capture",
      PW_KEY_STREAM_CAPTURE_SINK, "true", PW_KEY_NODE_DONT_RECONNECT, "true", "node.dont-fallback", "true",
      PW_KEY_TARGET_OBJECT, sink->serial != NULL ? sink->serial : sink->name, NULL);

  pw_properties_setf (properties, PW_KEY_NODE_LATENCY, "%u/%u", spec->latency_frames, spec->format.rate);
  return properties;
}

static int
connect_stream (ZcPipeWireStream *stream, const ZcPipeWireSinks *sinks, const ZcStreamSpec *spec)
{
  const enum pw_stream_flags flags = PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS | PW_STREAM_FLAG_RT_PROCESS
      | PW_STREAM_FLAG_DONT_RECONNECT;
  uint8_t space[1024];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT (space, sizeof space);
  struct spa_audio_info_raw info;
  const struct spa_pod *params[1];

  zc_pipewire_from_format (&spec->format, &sinks->channels, &info);
  params[0] = spa_format_audio_raw_build (&builder, SPA_PARAM_EnumFormat, &info);
  pw_stream_add_listener (stream->stream, &stream->listener, &events, stream);
  return pw_stream_connect (stream->stream, PW_DIRECTION_INPUT, PW_ID_ANY, flags, params, 1);
}

gboolean
zc_pipewire_stream_begin (ZcPipeWireStream *stream, ZcPipeWireServer *server, const ZcPipeWireSinks *sinks,
    const ZcStreamSpec *spec, GError **error)
{
  int result = -ENOMEM;

  *stream = (ZcPipeWireStream){ .server = server, .rate = spec->format.rate,
    .frame_bytes = zc_format_frame_bytes (&spec->format), .delay_is_ours = !zc_pipewire_is_old () };
  zc_pipewire_spill_init (&stream->spill, (gsize) spec->buffer_frames * stream->frame_bytes);
  stream->stream = pw_stream_new (server->core, "Loopback", properties_of (sinks, spec));
  if (stream->stream != NULL)
    result = connect_stream (stream, sinks, spec);
  if (result >= 0)
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_FAILED, "PipeWire (%s) does not capture \"%s\": pw_stream_connect said "
      "\"%s\". See if the device is still there (pw-cli ls Node).", server->name, sinks->chosen->name,
      g_strerror (-result));
  return FALSE;
}

gboolean
zc_pipewire_stream_is_good (const ZcPipeWireStream *stream)
{
  return zc_pipewire_is_good (stream->server) && stream->state != PW_STREAM_STATE_ERROR
      && stream->state != PW_STREAM_STATE_UNCONNECTED;
}

gboolean
zc_pipewire_stream_is_linked (const ZcPipeWireStream *stream)
{
  return stream->buffers > 0;
}

/* What is on its way to a stream that is no more is lost, and with it the file descriptors in it, which PipeWire up to
 * 0.3.65 does not close (module-protocol-native.c, on_remote_data). */
static void
let_arrive (ZcPipeWireStream *stream, gint64 deadline_ns)
{
  gint64 linked_by_ns = MIN (zc_clock_now_ns () + LINK_NS, deadline_ns);
  gboolean in_time = TRUE;

  while (zc_pipewire_stream_is_good (stream) && !zc_pipewire_stream_is_linked (stream) && in_time) {
    zc_pipewire_hear (stream->server);
    in_time = zc_pipewire_poll (stream->server, linked_by_ns);
  }
  zc_pipewire_complete (stream->server, "the end of a stream", deadline_ns, NULL);
}

void
zc_pipewire_stream_end (ZcPipeWireStream *stream, gint64 deadline_ns)
{
  let_arrive (stream, deadline_ns);
  if (stream->stream != NULL)
    pw_stream_destroy (stream->stream); /* the data thread may be at it until then */
  stream->stream = NULL;
  zc_pipewire_spill_clear (&stream->spill);
  g_clear_pointer (&stream->said, g_free);
  zc_pipewire_hear (stream->server); /* the server hears of it now, not at close */
}

/* -- packets ----------------------------------------------------------------------------------------------------- */

gboolean
zc_pipewire_stream_has_packet (const ZcPipeWireStream *stream)
{
  return stream->borrowed != atomic_load (&stream->filled);
}

guint
zc_pipewire_stream_turn_frames (ZcPipeWireStream *stream)
{
  return zc_pipewire_stream_has_packet (stream) ? turn_at (stream, stream->borrowed)->frames : 0;
}

/* The data thread gives its buffer to PipeWire, in the next turn. */
void
zc_pipewire_stream_give_back (ZcPipeWireStream *stream)
{
  guint oldest = atomic_load (&stream->given_back);

  zc_pipewire_spill_take (&stream->spill, turn_at (stream, oldest)->spilled);
  atomic_store (&stream->given_back, oldest + 1);
}

gboolean
zc_pipewire_stream_frees_buffers (ZcPipeWireStream *stream)
{
  guint wish = atomic_load (&stream->wish);

  if (atomic_load (&stream->given_back) == atomic_load (&stream->filled))
    return TRUE;
  if ((wish & 1) == 0)
    atomic_store (&stream->wish, ++wish);
  return atomic_load (&stream->granted) == wish && !holds_buffers (stream);
}

void
zc_pipewire_stream_uses_buffers (ZcPipeWireStream *stream)
{
  guint wish = atomic_load (&stream->wish);

  atomic_store (&stream->wish, wish + (wish & 1));
}

/* Frames that the graph has gone on by since the last turn, beyond what came. */
static gint64
missing_frames (const ZcPipeWireStream *stream, const ZcPipeWireTurn *turn)
{
  gint64 passed = ((gint64) turn->ticks - stream->placed_ticks) * (gint64) stream->rate / (gint64) turn->tick_rate;

  return passed - (gint64) (stream->position_frames - stream->placed_frames);
}

/* Turns that we had no part in are frames that are missing. The resampler may give some frames more or less in a turn,
 * and less while it fills: what is less than half a turn, or just after the start, is none. */
static void
place (ZcPipeWireStream *stream, const ZcPipeWireTurn *turn)
{
  if (!turn->timed)
    return;
  if (stream->placed_rate == turn->tick_rate && stream->position_frames > stream->rate / FILLED_PARTS) {
    gint64 missing = missing_frames (stream, turn);

    if (missing > (gint64) turn->frames / 2)
      stream->position_frames += (guint64) missing;
  }
  stream->placed_ticks = (gint64) turn->ticks;
  stream->placed_frames = stream->position_frames;
  stream->placed_rate = turn->tick_rate;
}

gboolean
zc_pipewire_stream_borrow (ZcPipeWireStream *stream, ZcPacket *packet)
{
  const ZcPipeWireTurn *turn;

  if (!zc_pipewire_stream_has_packet (stream))
    return FALSE;
  turn = turn_at (stream, stream->borrowed++);
  place (stream, turn);
  *packet = (ZcPacket){
    .data = turn->data,
    .frames = turn->frames,
    .flags = turn->buffer == NULL ? ZC_PACKET_COPIED : 0,
    .position_frames = stream->position_frames,
    .capture_time_ns = turn->heard_ns,
  };
  stream->position_frames += turn->frames;
  return TRUE;
}
