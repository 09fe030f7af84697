/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "processes.h"

#include "process-tree.h"
#include "zc-clock.h"

#include <stdlib.h>
#include <unistd.h>

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

typedef enum {
  STOPPED,  /* nothing comes */
  PLACING,  /* where it belongs is being asked */
  RUNNING,  /* what comes is mixed */
  DOUBTED,  /* we were late, and it may have lost something: how much of it came before that is being asked */
} PlayerState;

typedef struct {
  ZcPulseProcesses *processes;
  guint32 index; /* of the sink input */
  guint32 sink;
  gboolean gone; /* and the server says that it is no more */
  gboolean paused;

  /* A connection of its own: pipewire-pulse up to 1.6.8 does not send what a stream has while something else is on its
   * way through the same one (pulse-server.c, do_process_done), and a second stream would wait for seconds. */
  ZcPulseServer server;
  ZcPulseStream stream;
  gint64 begin_at_ns; /* while there is no connection */
  gint64 retry_ns;    /* how long after that again */
  PlayerState state;
  guint64 mixed_frames;  /* of the stream */
  guint64 sure_frames;   /* of the stream; what comes after these has another place, if RUNNING; G_MAXUINT64: all */
  gint64 offset_frames;  /* its frame n is heard with the monitor's n + offset_frames */
  gint64 answer_frames;  /* the same, as the last answer said */
  gint64 mixed_to;       /* the monitor's frame up to which it was mixed: none is mixed twice */
  gint64 ask_at_ns;      /* when to ask for its place again */
  guint questions;
  guint agreeing; /* answers, the last ones: */
  gint64 agreed_at_ns;     /* the first of these came then ... */
  gint64 agreed_at_bytes;  /* ... when the monitor had come so far */
  pa_operation *question[2]; /* the last one: to the monitor, and to the player's own stream */
  const guint8 *fragment; /* that is out; NULL for a hole */
  guint fragment_frames;  /* what is left of it */
  gint64 still_since_ns;  /* it is behind the monitor, and nothing has come since; 0: it is not */
} Player;

/* -- who plays --------------------------------------------------------------------------------------------------- */

static gboolean
is_meant (const ZcPulseProcesses *processes, const pa_proplist *properties)
{
  const ZcTarget *target = &processes->target;
  const gchar *said = pa_proplist_gets (properties, PA_PROP_APPLICATION_PROCESS_ID);
  const gchar *binary = pa_proplist_gets (properties, PA_PROP_APPLICATION_PROCESS_BINARY);
  guint id = said != NULL ? (guint) strtoul (said, NULL, 10) : 0;
  const gchar *role = pa_proplist_gets (properties, PA_PROP_MEDIA_ROLE);
  gboolean inside = target->process_name != NULL
      ? g_strcmp0 (binary, target->process_name) == 0 || zc_process_is_within_name (id, target->process_name)
      : zc_process_is_within (id, target->process_id);

  /* What a filter or a combined sink hands on to another sink has been heard before. */
  return g_strcmp0 (role, "filter") != 0 && inside == (target->process_mode == ZC_PROCESS_INCLUDE);
}

static void
note_who (ZcPulseProcesses *processes, const pa_proplist *properties)
{
  const gchar *binary = pa_proplist_gets (properties, PA_PROP_APPLICATION_PROCESS_BINARY);
  const gchar *id = pa_proplist_gets (properties, PA_PROP_APPLICATION_PROCESS_ID);

  if (processes->who != NULL)
    g_string_append_printf (processes->who, "%s\"%s\" (%s)", processes->who->len > 0 ? ", " : "",
        binary != NULL ? binary : "?", id != NULL ? id : "?");
}

static const ZcPulseSink *
sink_of (const Player *player)
{
  const GPtrArray *sinks = player->processes->sinks->all;

  for (guint i = sinks->len; i-- > 0;)
    if (((ZcPulseSink *) g_ptr_array_index (sinks, i))->index == player->sink)
      return g_ptr_array_index (sinks, i);
  return NULL;
}

static Player *
find_player (ZcPulseProcesses *processes, guint32 index)
{
  for (guint i = 0; i < processes->players->len; i++) {
    Player *player = g_ptr_array_index (processes->players, i);

    if (player->index == index && !player->gone)
      return player;
  }
  return NULL;
}

static gboolean
is_connected (const Player *player)
{
  return player->server.loop != NULL;
}

/* One that cannot be recorded, as on a sink without a monitor, is silent. */
static void
begin_player (Player *player)
{
  player->retry_ns = CLAMP (2 * player->retry_ns, RETRY_NS, RETRY_MOST_NS);
  player->begin_at_ns = zc_clock_now_ns () + player->retry_ns;
  if (sink_of (player) != NULL && !zc_pulse_server_join (&player->server, player->processes->server))
    zc_pulse_server_clear (&player->server);
}

static void
forget_question (Player *player)
{
  for (guint i = 0; i < G_N_ELEMENTS (player->question); i++) {
    if (player->question[i] == NULL)
      continue;
    pa_operation_cancel (player->question[i]);
    g_clear_pointer (&player->question[i], pa_operation_unref);
  }
}

/* As if it had never begun. */
static void
end_player (Player *player, gint64 deadline_ns)
{
  forget_question (player); /* a stream may answer after its end */
  if (player->stream.stream != NULL)
    zc_pulse_stream_end (&player->stream, deadline_ns);
  if (is_connected (player))
    zc_pulse_server_clear (&player->server);
  player->state = STOPPED;
  player->mixed_frames = 0;
  player->sure_frames = G_MAXUINT64;
  player->mixed_to = 0;
  player->fragment_frames = 0;
}

static void
on_input (pa_context *context, const pa_sink_input_info *info, int end, void *data)
{
  ZcPulseProcesses *processes = data;
  Player *player;

  if (end != 0)
    return;
  note_who (processes, info->proplist);
  player = find_player (processes, info->index);
  if (player != NULL && player->sink == info->sink) {
    player->paused = info->corked;
    return;
  }
  if (player != NULL)
    player->gone = TRUE; /* from that sink */
  if (!is_meant (processes, info->proplist))
    return;
  player = g_new0 (Player, 1);
  player->processes = processes;
  player->index = info->index;
  player->sink = info->sink;
  player->paused = info->corked;
  g_ptr_array_add (processes->players, player);
}

void
zc_pulse_processes_hear (ZcPulseProcesses *processes, pa_subscription_event_type_t event, guint32 index)
{
  Player *player;

  if (processes->players == NULL
      || (event & PA_SUBSCRIPTION_EVENT_FACILITY_MASK) != PA_SUBSCRIPTION_EVENT_SINK_INPUT)
    return;
  if ((event & PA_SUBSCRIPTION_EVENT_TYPE_MASK) != PA_SUBSCRIPTION_EVENT_REMOVE)
    zc_pulse_forget (pa_context_get_sink_input_info (processes->server->context, index, on_input, processes));
  else if ((player = find_player (processes, index)) != NULL)
    player->gone = TRUE;
}

static gboolean
is_there (const ZcTarget *target)
{
  return target->process_name != NULL ? zc_process_name_exists (target->process_name)
                                      : zc_process_exists (target->process_id);
}

static void
set_no_process (GError **error, const ZcPulseProcesses *processes)
{
  const ZcTarget *target = &processes->target;
  g_autofree gchar *what = target->process_name != NULL
      ? g_strdup_printf ("of an executable \"%s\"", target->process_name)
      : g_strdup_printf ("%u", target->process_id);
  g_autofree gchar *players = processes->who->len > 0 ? g_strdup_printf ("these play: %s", processes->who->str)
                                                      : g_strdup ("nobody plays");

  g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "There is no process %s, and none plays on PulseAudio (%s). Set %s "
      "to one that runs; now %s.", what, processes->server->name,
      target->process_name != NULL ? "process-name" : "process-id", players);
}

/* Who plays, and is meant. */
static gboolean
list_players (ZcPulseProcesses *processes, gint64 deadline_ns, GError **error)
{
  pa_context *context = processes->server->context;

  if (!zc_pulse_complete (processes->server, pa_context_get_sink_input_info_list (context, on_input, processes),
          deadline_ns)) {
    zc_pulse_set_silent (error, processes->server, "who plays", "pa_context_get_sink_input_info_list");
    return FALSE;
  }
  /* The server may know a process that we cannot see: it is on another computer, or in a container. */
  if (processes->target.process_mode == ZC_PROCESS_EXCLUDE || processes->players->len > 0
      || is_there (&processes->target))
    return TRUE;
  set_no_process (error, processes);
  return FALSE;
}

gboolean
zc_pulse_processes_open (ZcPulseProcesses *processes, ZcPulseServer *server, const ZcPulseSinks *sinks,
    const ZcTarget *target, gint64 deadline_ns, GError **error)
{
  gboolean listed;

  *processes = (ZcPulseProcesses){ .server = server, .sinks = sinks, .target = zc_target_copy (target) };
  if (target->process_id == 0 && target->process_name == NULL)
    processes->target.process_id = (guint) getpid ();
  processes->players = g_ptr_array_new_with_free_func (g_free);
  processes->who = g_string_new (NULL);
  listed = list_players (processes, deadline_ns, error);
  g_string_free (g_steal_pointer (&processes->who), TRUE);
  return listed;
}

void
zc_pulse_processes_clear (ZcPulseProcesses *processes)
{
  g_clear_pointer (&processes->players, g_ptr_array_unref);
  zc_target_clear (&processes->target);
}

void
zc_pulse_processes_prefer (ZcFormat *format)
{
  format->sample = ZC_SAMPLE_F32LE;
}

/* -- where a player belongs -------------------------------------------------------------------------------------- */

static void ask_at (Player *player, gint64 when_ns);
static void ask_anew_at (Player *player, gint64 when_ns);
static void ask_for_place (Player *player);

/* One on the monitor's own sink belongs where the answer says, to the frame. On another, "at once" is never exact. */
static gboolean
is_elsewhere (const Player *player)
{
  gint64 tolerance = player->sink == player->processes->sinks->chosen->index
      ? 0 : player->stream.rate / OTHER_CLOCK_PARTS;

  return player->state == PLACING || ABS (player->answer_frames - player->offset_frames) > tolerance;
}

static void
place_player (Player *player)
{
  if (is_elsewhere (player))
    player->offset_frames = player->answer_frames;
  player->state = RUNNING;
  player->retry_ns = 0;
  ask_anew_at (player, zc_clock_now_ns () + LOOK_NS);
}

static void
count_answer (Player *player)
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
is_agreed (const Player *player)
{
  return player->processes->monitor->written_bytes != player->agreed_at_bytes
      || zc_clock_now_ns () - player->agreed_at_ns >= AGREED_NS;
}

static gboolean
is_late (const Player *player)
{
  return player->processes->late || zc_pulse_stream_is_late (&player->stream);
}

/* Both streams had come so far when the server was asked, without what a late reader lost. It sends what a sink has
 * rendered to all who record it in one turn, so the difference is exact, but if both are asked in the midst of one. */
static void
take_answer (Player *player)
{
  if (player->state == DOUBTED) {
    player->sure_frames = MAX (player->mixed_frames,
        (guint64) player->stream.written_bytes / player->stream.frame_bytes);
    player->state = RUNNING;
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

static gboolean
is_answered (const Player *player, guint i)
{
  return player->question[i] == NULL || pa_operation_get_state (player->question[i]) == PA_OPERATION_DONE;
}

static gboolean
is_asking (const Player *player)
{
  return player->question[0] != NULL || player->question[1] != NULL;
}

static void
ask_for_place (Player *player)
{
  forget_question (player);
  player->questions++;
  player->question[0] = pa_stream_update_timing_info (player->processes->monitor->stream, NULL, NULL);
  player->question[1] = pa_stream_update_timing_info (player->stream.stream, NULL, NULL);
}

static void
ask_at (Player *player, gint64 when_ns)
{
  forget_question (player);
  player->ask_at_ns = when_ns;
}

static void
ask_anew_at (Player *player, gint64 when_ns)
{
  player->questions = 0;
  ask_at (player, when_ns);
}

static void
begin_placing (Player *player)
{
  player->state = PLACING;
  player->sure_frames = G_MAXUINT64;
  player->still_since_ns = 0;
  ask_anew_at (player, 0);
}

/* Its stream goes on from somewhere else, sooner or later. */
static void
doubt_place (gpointer data, gpointer unused)
{
  Player *player = data;

  if (player->stream.stream == NULL)
    return;
  zc_pulse_stream_note_late (&player->stream, player->processes->monitor->away_ns);
  if (player->state == RUNNING) {
    player->state = DOUBTED;
    ask_for_place (player);
  }
}

/* -- mixing ------------------------------------------------------------------------------------------------------ */

/* The server had room for it, but not for the monitor's, and neither for what came then: it would not be heard where it
 * was, but after all that was lost. */
static gboolean
is_in_hole (const Player *player, gint64 position)
{
  return player->sure_frames != G_MAXUINT64
      && !zc_pulse_stream_is_before_loss (player->processes->monitor, (guint64) MAX (position, 0));
}

/* FALSE if there is no room for all of it. */
static gboolean
mix_fragment (Player *player)
{
  gint64 position = player->offset_frames + (gint64) player->mixed_frames;
  guint frames = (guint) MIN (player->fragment_frames, player->sure_frames - player->mixed_frames);
  guint used = (guint) CLAMP (player->mixed_to - position, 0, (gint64) frames); /* heard before */

  if (is_in_hole (player, position))
    used = frames;
  if (used == 0 && player->fragment != NULL)
    used = zc_pulse_mix_add (&player->processes->mix, position, player->fragment, frames);
  else if (used == 0)
    used = frames;
  if (player->fragment != NULL)
    player->fragment += (gsize) used * player->stream.frame_bytes;
  player->mixed_to = MAX (player->mixed_to, position + used);
  player->mixed_frames += used;
  player->fragment_frames -= used;
  return player->fragment_frames == 0 || (used > 0 && mix_fragment (player));
}

static void
mix_player (Player *player)
{
  while (player->fragment_frames > 0
      || zc_pulse_stream_peek (&player->stream, &player->fragment, &player->fragment_frames)) {
    if (!mix_fragment (player))
      return;
    zc_pulse_stream_drop (&player->stream);
  }
}

/* How far the mix is complete as far as this player goes. */
static guint64
reach_of (Player *player)
{
  ZcPulseProcesses *processes = player->processes;
  gint64 reach = player->offset_frames + (gint64) player->mixed_frames, now_ns;

  if (player->state == STOPPED)
    return processes->monitored_to;
  if (player->state == RUNNING && reach >= (gint64) processes->monitored_to)
    return processes->monitored_to;
  now_ns = zc_clock_now_ns ();
  if (player->still_since_ns == 0 || is_late (player))
    player->still_since_ns = now_ns;
  if (!player->paused && now_ns - player->still_since_ns < (player->state == PLACING ? PLACED_NS : STOPPED_NS))
    return player->state == PLACING ? processes->mix.begin : (guint64) MAX (reach, 0);
  player->state = STOPPED;
  return processes->monitored_to;
}

static void
listen_to (Player *player)
{
  if (player->stream.readable_bytes == 0)
    return;
  player->paused = FALSE; /* PipeWire does not always tell */
  if (player->state == STOPPED)
    begin_placing (player);
  if (!is_asking (player) && zc_clock_now_ns () >= player->ask_at_ns)
    ask_for_place (player);
  if (is_asking (player) && is_answered (player, 0) && is_answered (player, 1))
    take_answer (player);
  if (player->state == RUNNING) {
    player->still_since_ns = 0;
    mix_player (player);
    if (player->mixed_frames == player->sure_frames)
      begin_placing (player);
  }
}

/* One that is being made can only be waited for. */
static gboolean
is_on_its_way (Player *player)
{
  if (player->stream.stream != NULL)
    return zc_pulse_stream_state (&player->stream) == PA_STREAM_CREATING;
  return zc_pulse_server_is_good (&player->server) && !zc_pulse_server_is_ready (&player->server);
}

/* Connected, and nothing is on its way. */
static gboolean
go_on (Player *player)
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
  listen_to (player); /* the rest of one that is gone, too */
  return !player->gone;
}

/* FALSE if it is over. */
static gboolean
tend_player (Player *player)
{
  if (!is_connected (player) && !player->gone && zc_clock_now_ns () >= player->begin_at_ns)
    begin_player (player);
  if (is_connected (player) && !is_on_its_way (player) && !go_on (player))
    end_player (player, zc_clock_now_ns ());
  return !player->gone || is_connected (player);
}

static void
take_monitor (ZcPulseProcesses *processes, ZcPulseStream *monitor)
{
  const guint8 *data;
  guint frames;

  while (zc_pulse_stream_peek (monitor, &data, &frames)) {
    processes->monitored_to += frames;
    zc_pulse_stream_drop (monitor);
  }
}

gboolean
zc_pulse_processes_gather (ZcPulseProcesses *processes, ZcPulseStream *monitor)
{
  guint64 delay_frames = zc_pulse_processes_delay_frames (processes), complete_to;
  gboolean was_late = processes->late;

  processes->late = zc_pulse_stream_is_late (monitor);
  if (processes->late && !was_late)
    g_ptr_array_foreach (processes->players, doubt_place, NULL);
  take_monitor (processes, monitor);
  complete_to = MAX (processes->monitored_to, delay_frames) - delay_frames;
  for (guint i = processes->players->len; i-- > 0;) {
    Player *player = g_ptr_array_index (processes->players, i);

    if (tend_player (player))
      complete_to = MIN (complete_to, reach_of (player));
    else
      g_ptr_array_remove_index_fast (processes->players, i);
  }
  processes->ready_frames = (guint) (MAX (complete_to, processes->mix.begin) - processes->mix.begin);
  return processes->ready_frames >= processes->spec.latency_frames;
}

/* -- from start to stop ------------------------------------------------------------------------------------------ */

guint
zc_pulse_processes_delay_frames (const ZcPulseProcesses *processes)
{
  return processes->spec.latency_frames;
}

gboolean
zc_pulse_processes_start (ZcPulseProcesses *processes, const ZcPulseStream *monitor, const ZcStreamSpec *spec,
    GError **error)
{
  if (!zc_pulse_mix_can (&spec->format)) {
    g_set_error (error, ZC_ERROR, ZC_ERROR_FORMAT, "The sound of processes is mixed in little-endian formats of 16 "
        "bits and more, not as %s. Let audioconvert make this format.", zc_sample_name (spec->format.sample));
    return FALSE;
  }
  processes->spec = *spec;
  processes->monitor = monitor;
  processes->monitored_to = 0;
  processes->late = FALSE;
  processes->ready_frames = 0;
  /* All that the server may have kept for a late reader, in whole packets. */
  zc_pulse_mix_init (&processes->mix, &spec->format,
      ((spec->buffer_frames + spec->format.rate) / spec->latency_frames + 1) * spec->latency_frames);
  return TRUE;
}

/* The players stay listed, for the next start. */
void
zc_pulse_processes_stop (ZcPulseProcesses *processes)
{
  gint64 deadline_ns = zc_clock_now_ns () + ZC_STOP_TIMEOUT_NS;

  for (guint i = 0; i < processes->players->len; i++) {
    Player *player = g_ptr_array_index (processes->players, i);

    end_player (player, deadline_ns);
    player->begin_at_ns = 0;
  }
  processes->monitor = NULL;
  zc_pulse_mix_clear (&processes->mix);
}

gboolean
zc_pulse_processes_borrow (ZcPulseProcesses *processes, ZcPacket *packet)
{
  guint64 position = processes->mix.begin;
  const guint8 *data;
  guint frames;

  if (processes->ready_frames < processes->spec.latency_frames)
    return FALSE;
  frames = zc_pulse_mix_peek (&processes->mix, processes->spec.latency_frames, &data);
  *packet = (ZcPacket){
    .data = data,
    .frames = frames,
    .flags = data == NULL ? ZC_PACKET_SILENT : 0,
    .position_frames = position + zc_pulse_stream_lost_frames (processes->monitor, position),
    .capture_time_ns = zc_pulse_stream_heard_at_ns (processes->monitor, position),
  };
  return TRUE;
}

void
zc_pulse_processes_give_back (ZcPulseProcesses *processes)
{
  zc_pulse_mix_take (&processes->mix, processes->spec.latency_frames);
  processes->ready_frames -= processes->spec.latency_frames;
}
