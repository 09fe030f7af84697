/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "player.h"

#include "zc-clock.h"

/* A player of which nothing comes for so long while the monitor goes on has stopped, and is not waited for, though the
 * server says that it plays. Less than ZC_IDLE_NS, after which the front end may put silence in the place of what is
 * still to come. */
#define STOPPED_NS (ZC_IDLE_NS * 3 / 4)

/* One whose recording ended, or could not begin (a busy pipewire-pulse refuses some), is tried again if it is still
 * there. */
#define RETRY_NS      (G_GINT64_CONSTANT (100) * 1000 * 1000)
#define RETRY_MOST_NS (G_GINT64_CONSTANT (5000) * 1000 * 1000)

/* How often the place of one that runs is looked at again: a sink that was suspended, or has another clock, moves
 * it. */
#define LOOK_NS (G_GINT64_CONSTANT (3000) * 1000 * 1000)

/* One on another sink than the monitor's is moved when it is this far off, in parts of a second. */
#define OTHER_CLOCK_PARTS 50

/* Questions for a player's place in the monitor's time. So many in a row that agree end them, if the server sent
 * something in between, or nothing for so long: all that are asked while it is about to send may be off by the same. */
#define AGREEING       3
#define AGREED_NS      (G_GINT64_CONSTANT (100) * 1000 * 1000)
#define MOST_QUESTIONS 20
#define PLACED_NS      (G_GINT64_CONSTANT (500) * 1000 * 1000) /* it stops if that takes longer */

/* How soon to ask again, when an answer was of no use as yet. */
#define ASK_AGAIN_NS (G_GINT64_CONSTANT (5) * 1000 * 1000)

ZcPulsePlayer *
zc_pulse_player_new (ZcPulseProcesses *processes, const pa_sink_input_info *info)
{
  ZcPulsePlayer *player = g_new0 (ZcPulsePlayer, 1);

  player->processes = processes;
  player->index = info->index;
  player->sink = info->sink;
  player->paused = info->corked;
  return player;
}

/* -- its connection ---------------------------------------------------------------------------------------------- */

static const ZcPulseSink *
sink_of (const ZcPulsePlayer *player)
{
  const GPtrArray *sinks = player->processes->sinks->all;

  for (guint i = sinks->len; i-- > 0;)
    if (((ZcPulseSink *) g_ptr_array_index (sinks, i))->index == player->sink)
      return g_ptr_array_index (sinks, i);
  return NULL;
}

static gboolean
is_connected (const ZcPulsePlayer *player)
{
  return player->server.loop != NULL;
}

/* One that cannot be recorded, as on a sink without a monitor, is silent. */
static void
begin_player (ZcPulsePlayer *player)
{
  player->retry_ns = CLAMP (2 * player->retry_ns, RETRY_NS, RETRY_MOST_NS);
  player->begin_at_ns = zc_clock_now_ns () + player->retry_ns;
  if (sink_of (player) != NULL && !zc_pulse_server_join (&player->server, player->processes->server))
    zc_pulse_server_clear (&player->server);
}

static void
forget_question (ZcPulsePlayer *player)
{
  for (guint i = 0; i < G_N_ELEMENTS (player->question); i++) {
    if (player->question[i] == NULL)
      continue;
    pa_operation_cancel (player->question[i]);
    g_clear_pointer (&player->question[i], pa_operation_unref);
  }
}

void
zc_pulse_player_end (ZcPulsePlayer *player, gint64 deadline_ns)
{
  forget_question (player); /* a stream may answer after its end */
  if (player->stream.stream != NULL)
    zc_pulse_stream_end (&player->stream, deadline_ns);
  if (is_connected (player))
    zc_pulse_server_clear (&player->server);
  player->state = ZC_PULSE_PLAYER_STOPPED;
  player->mixed_frames = 0;
  player->sure_frames = G_MAXUINT64;
  player->mixed_to = 0;
  player->fragment_frames = 0;
}

/* -- where it belongs -------------------------------------------------------------------------------------------- */

static gboolean
is_answered (const ZcPulsePlayer *player, guint i)
{
  return player->question[i] == NULL || pa_operation_get_state (player->question[i]) == PA_OPERATION_DONE;
}

static gboolean
is_asking (const ZcPulsePlayer *player)
{
  return player->question[0] != NULL || player->question[1] != NULL;
}

static void
ask_for_place (ZcPulsePlayer *player)
{
  forget_question (player);
  player->questions++;
  player->question[0] = pa_stream_update_timing_info (player->processes->monitor->stream, NULL, NULL);
  player->question[1] = pa_stream_update_timing_info (player->stream.stream, NULL, NULL);
}

static void
ask_at (ZcPulsePlayer *player, gint64 when_ns)
{
  forget_question (player);
  player->ask_at_ns = when_ns;
}

static void
ask_anew_at (ZcPulsePlayer *player, gint64 when_ns)
{
  player->questions = 0;
  ask_at (player, when_ns);
}

/* One on the monitor's own sink belongs where the answer says, to the frame. On another, "at once" is never exact. */
static gboolean
is_elsewhere (const ZcPulsePlayer *player)
{
  gint64 tolerance = player->sink == player->processes->sinks->chosen->index
      ? 0 : player->stream.rate / OTHER_CLOCK_PARTS;

  return player->state == ZC_PULSE_PLAYER_PLACING || ABS (player->answer_frames - player->offset_frames) > tolerance;
}

static void
place_player (ZcPulsePlayer *player)
{
  if (is_elsewhere (player))
    player->offset_frames = player->answer_frames;
  player->state = ZC_PULSE_PLAYER_RUNNING;
  player->retry_ns = 0;
  ask_anew_at (player, zc_clock_now_ns () + LOOK_NS);
}

static void
count_answer (ZcPulsePlayer *player)
{
  const ZcPulseStream *monitor = player->processes->monitor;
  gint64 before_frames = player->answer_frames;

  player->answer_frames = (monitor->written_bytes - player->stream.written_bytes) / (gint64) player->stream.frame_bytes;
  if (player->questions > 1 && player->answer_frames == before_frames) {
    player->agreeing++;
    return;
  }
  player->agreeing = 1;
  player->agreed_at_ns = zc_clock_now_ns ();
  player->agreed_at_bytes = monitor->written_bytes;
}

static gboolean
is_agreed (const ZcPulsePlayer *player)
{
  return player->processes->monitor->written_bytes != player->agreed_at_bytes
      || zc_clock_now_ns () - player->agreed_at_ns >= AGREED_NS;
}

static gboolean
is_late (const ZcPulsePlayer *player)
{
  return player->processes->late || zc_pulse_stream_is_late (&player->stream);
}

/* Both streams had come so far when the server was asked, without what a late reader lost. It sends what a sink has
 * rendered to all who record it in one turn, so the difference is exact, but if both are asked in the midst of one. */
static void
take_answer (ZcPulsePlayer *player)
{
  if (player->state == ZC_PULSE_PLAYER_DOUBTED && !player->stream.settled) {
    ask_at (player, zc_clock_now_ns () + ASK_AGAIN_NS);
  } else if (player->state == ZC_PULSE_PLAYER_DOUBTED) {
    player->sure_frames = MAX (player->mixed_frames,
        (guint64) player->stream.written_bytes / player->stream.frame_bytes);
    player->state = ZC_PULSE_PLAYER_RUNNING;
    ask_anew_at (player, G_MAXINT64); /* when these are mixed */
  } else if (is_late (player)) {
    ask_anew_at (player, zc_clock_now_ns () + ASK_AGAIN_NS);
  } else {
    count_answer (player);
    if (player->questions == MOST_QUESTIONS || (player->agreeing >= AGREEING && is_agreed (player)))
      place_player (player);
    else if (player->agreeing >= AGREEING)
      ask_at (player, zc_clock_now_ns () + ASK_AGAIN_NS);
    else
      ask_for_place (player);
  }
}

static void
begin_placing (ZcPulsePlayer *player)
{
  player->state = ZC_PULSE_PLAYER_PLACING;
  player->sure_frames = G_MAXUINT64;
  player->still_since_ns = 0;
  ask_anew_at (player, 0);
}

void
zc_pulse_player_leave_out (ZcPulsePlayer *player, gint64 absence_ns)
{
  if (player->still_since_ns != 0)
    player->still_since_ns += absence_ns;
}

void
zc_pulse_player_doubt (ZcPulsePlayer *player)
{
  if (player->stream.stream == NULL)
    return;
  zc_pulse_stream_note_late (&player->stream, player->processes->monitor->away_ns);
  if (player->state == ZC_PULSE_PLAYER_RUNNING) {
    player->state = ZC_PULSE_PLAYER_DOUBTED;
    ask_for_place (player);
  }
}

/* -- mixing ------------------------------------------------------------------------------------------------------ */

/* The server had room for it, but not for the monitor's, and neither for what came then: it would not be heard where it
 * was, but after all that was lost. */
static gboolean
is_in_hole (const ZcPulsePlayer *player, gint64 position)
{
  return player->sure_frames != G_MAXUINT64
      && zc_pulse_stream_is_after_loss (player->processes->monitor, (guint64) MAX (position, 0));
}

/* FALSE if there is no room for all of it. */
static gboolean
mix_fragment (ZcPulsePlayer *player)
{
  gint64 position = player->offset_frames + (gint64) player->mixed_frames;
  guint frames = (guint) MIN (player->fragment_frames, player->sure_frames - player->mixed_frames);
  guint used = (guint) CLAMP (player->mixed_to - position, 0, (gint64) frames); /* heard before */
  gboolean left_out = is_in_hole (player, position);

  if (left_out)
    used = frames;
  else if (used == 0 && player->fragment != NULL)
    used = zc_pulse_mix_add (&player->processes->mix, position, player->fragment, frames);
  else if (used == 0)
    used = frames;
  if (player->fragment != NULL)
    player->fragment += (gsize) used * player->stream.frame_bytes;
  if (!left_out)
    player->mixed_to = MAX (player->mixed_to, position + used);
  player->mixed_frames += used;
  player->fragment_frames -= used;
  return player->fragment_frames == 0 || (used > 0 && mix_fragment (player));
}

static void
mix_player (ZcPulsePlayer *player)
{
  while (player->fragment_frames > 0
      || zc_pulse_stream_peek (&player->stream, &player->fragment, &player->fragment_frames)) {
    if (!mix_fragment (player))
      return;
    zc_pulse_stream_drop (&player->stream);
  }
}

guint64
zc_pulse_player_reach (ZcPulsePlayer *player)
{
  const ZcPulseProcesses *processes = player->processes;
  gboolean is_placing = player->state == ZC_PULSE_PLAYER_PLACING;
  gint64 reach = player->offset_frames + (gint64) player->mixed_frames, now_ns;

  if (player->state == ZC_PULSE_PLAYER_STOPPED)
    return processes->monitored_to;
  if (player->state == ZC_PULSE_PLAYER_RUNNING && reach >= (gint64) processes->monitored_to)
    return processes->monitored_to;
  now_ns = zc_clock_now_ns ();
  if (player->still_since_ns == 0 || is_late (player))
    player->still_since_ns = now_ns;
  if (!player->paused && now_ns - player->still_since_ns < (is_placing ? PLACED_NS : STOPPED_NS))
    return is_placing ? processes->mix.begin : (guint64) MAX (reach, 0);
  player->state = ZC_PULSE_PLAYER_STOPPED;
  return processes->monitored_to;
}

static void
listen_to (ZcPulsePlayer *player)
{
  if (player->stream.readable_bytes == 0)
    return;
  player->paused = FALSE; /* PipeWire does not always tell */
  if (player->state == ZC_PULSE_PLAYER_STOPPED)
    begin_placing (player);
  if (!is_asking (player) && zc_clock_now_ns () >= player->ask_at_ns)
    ask_for_place (player);
  if (is_asking (player) && is_answered (player, 0) && is_answered (player, 1))
    take_answer (player);
  if (player->state == ZC_PULSE_PLAYER_RUNNING) {
    player->still_since_ns = 0;
    mix_player (player);
    if (player->mixed_frames == player->sure_frames)
      begin_placing (player);
  }
}

/* One that is being made can only be waited for. */
static gboolean
is_on_its_way (ZcPulsePlayer *player)
{
  if (player->stream.stream != NULL)
    return zc_pulse_stream_state (&player->stream) == PA_STREAM_CREATING;
  return zc_pulse_server_is_good (&player->server) && !zc_pulse_server_is_ready (&player->server);
}

/* Connected, and nothing is on its way. */
static gboolean
go_on (ZcPulsePlayer *player)
{
  const ZcPulseSink *sink = sink_of (player);

  if (sink == NULL || !zc_pulse_server_is_good (&player->server))
    return FALSE;
  if (player->stream.stream == NULL)
    return !player->gone
        && zc_pulse_stream_begin (&player->stream, &player->server, sink, player->index, &player->processes->spec,
            NULL);
  if (!zc_pulse_stream_is_good (&player->stream))
    return FALSE;
  listen_to (player); /* the rest of one that is gone, too: as soon as it is known where that belongs */
  return !player->gone || player->state == ZC_PULSE_PLAYER_DOUBTED;
}

gboolean
zc_pulse_player_tend (ZcPulsePlayer *player)
{
  if (!is_connected (player) && !player->gone && zc_clock_now_ns () >= player->begin_at_ns)
    begin_player (player);
  if (is_connected (player) && !is_on_its_way (player) && !go_on (player))
    zc_pulse_player_end (player, zc_clock_now_ns ());
  return !player->gone || is_connected (player);
}
