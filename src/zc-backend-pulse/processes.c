/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "processes.h"

#include "player.h"
#include "process-tree.h"
#include "zc-clock.h"

#include <stdlib.h>
#include <unistd.h>

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

static ZcPulsePlayer *
find_player (ZcPulseProcesses *processes, guint32 index)
{
  for (guint i = 0; i < processes->players->len; i++) {
    ZcPulsePlayer *player = g_ptr_array_index (processes->players, i);

    if (player->index == index && !player->gone)
      return player;
  }
  return NULL;
}

static void
on_input (pa_context *context, const pa_sink_input_info *info, int end, void *data)
{
  ZcPulseProcesses *processes = data;
  ZcPulsePlayer *player;

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
  g_ptr_array_add (processes->players, zc_pulse_player_new (processes, info));
}

void
zc_pulse_processes_hear (ZcPulseProcesses *processes, pa_subscription_event_type_t event, guint32 index)
{
  ZcPulsePlayer *player;

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

/* -- what they play ---------------------------------------------------------------------------------------------- */

static void
look_for_lateness (ZcPulseProcesses *processes, const ZcPulseStream *monitor)
{
  gboolean was_late = processes->late;

  processes->late = zc_pulse_stream_is_late (monitor);
  for (guint i = 0; processes->late && !was_late && i < processes->players->len; i++)
    zc_pulse_player_doubt (g_ptr_array_index (processes->players, i));
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

/* While a packet is on its way downstream nobody listens: that no player is heard then means nothing. */
static void
leave_out_absence (ZcPulseProcesses *processes)
{
  gint64 absence_ns = zc_clock_now_ns () - processes->left_at_ns;

  if (processes->left_at_ns == 0)
    return;
  processes->left_at_ns = 0;
  for (guint i = 0; i < processes->players->len; i++)
    zc_pulse_player_leave_out (g_ptr_array_index (processes->players, i), absence_ns);
}

gboolean
zc_pulse_processes_gather (ZcPulseProcesses *processes, ZcPulseStream *monitor)
{
  guint64 delay_frames = zc_pulse_processes_delay_frames (processes), complete_to;

  leave_out_absence (processes);
  look_for_lateness (processes, monitor);
  take_monitor (processes, monitor);
  complete_to = MAX (processes->monitored_to, delay_frames) - delay_frames;
  for (guint i = processes->players->len; i-- > 0;) {
    ZcPulsePlayer *player = g_ptr_array_index (processes->players, i);

    if (zc_pulse_player_tend (player))
      complete_to = MIN (complete_to, zc_pulse_player_reach (player));
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
  processes->left_at_ns = 0;
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
    ZcPulsePlayer *player = g_ptr_array_index (processes->players, i);

    zc_pulse_player_end (player, deadline_ns);
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
  processes->left_at_ns = zc_clock_now_ns ();
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
