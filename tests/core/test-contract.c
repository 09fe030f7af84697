/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What zc-backend.h promises, asked of one backend.
 *
 *   test-contract BACKEND [LOSE]
 *
 * The backend's system runs and has a default device that plays. LOSE is a shell command that takes the device away;
 * "script" if the device does so by itself (the simulated one). */
#include "zc-clock.h"
#include "zc-registry.h"

#include <string.h>

#define MS G_GINT64_CONSTANT (1000000)

static const ZcBackend *backend;
static const gchar *lose_command;

static ZcDevice *
open_device (const gchar *name, ZcFormat *format)
{
  g_autoptr (GError) error = NULL;
  ZcTarget target = { .device = name };
  ZcDevice *device = backend->open (&target, format, &error);

  g_assert_no_error (error);
  return device;
}

static void
start_device (ZcDevice *device, const ZcFormat *format)
{
  ZcStreamSpec spec = { .format = *format, .latency_frames = format->rate / 100, .buffer_frames = format->rate };
  g_autoptr (GError) error = NULL;
  ZcStreamInfo info = { 0 };

  backend->start (device, &spec, &info, &error);
  g_assert_no_error (error);
  g_assert_no_error (error);
  g_assert_cmpuint (info.delay_frames, >, 0);
  g_assert_cmpuint (info.max_borrowed, >, 0);
  g_assert_cmpuint (info.buffer_frames, >=, info.delay_frames);
}

static void
stop (ZcDevice *device)
{
  if (backend->detach != NULL)
    backend->detach (device);
  backend->stop (device);
}

static void
shut (ZcDevice *device)
{
  stop (device);
  backend->close (device);
}

/* The next packet, borrowed; waits up to 5 s. */
static ZcPacket
borrow (ZcDevice *device)
{
  gint64 deadline_ns = zc_clock_now_ns () + 5000 * MS;
  ZcPacket packet;

  while (!backend->borrow (device, &packet)) {
    g_autoptr (GError) error = NULL;
    g_assert_cmpint (backend->wait (device, 100 * MS, &error), !=, ZC_WAIT_LOST);
    g_assert_cmpint (zc_clock_now_ns (), <, deadline_ns);
  }
  return packet;
}

static void
table_is_complete (void)
{
  g_assert_nonnull (backend->title);
  g_assert_true (backend->enumerate && backend->open && backend->device_name && backend->start && backend->wait
      && backend->now_ns && backend->borrow && backend->give_back && backend->wake && backend->stop
      && backend->close);
}

static void
devices_can_be_opened_by_name (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) infos = backend->enumerate (&error);
  guint n_default = 0;

  g_assert_no_error (error);
  g_assert_cmpuint (infos->len, >, 0);
  for (guint i = 0; i < infos->len; i++) {
    const ZcDeviceInfo *info = g_ptr_array_index (infos, i);
    ZcFormat format;
    ZcDevice *device = open_device (info->name, &format);

    g_assert_cmpstr (backend->device_name (device), ==, info->name);
    g_assert_nonnull (info->description);
    n_default += info->is_default;
    backend->close (device);
  }
  g_assert_cmpuint (n_default, ==, 1);
}

static void
unknown_device_is_named (void)
{
  g_autoptr (GError) error = NULL;
  gint64 begin_ns = zc_clock_now_ns ();
  ZcTarget target = { .device = "no-such-device" };
  ZcFormat format;

  g_assert_null (backend->open (&target, &format, &error));
  g_assert_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE);
  g_assert_nonnull (strstr (error->message, "no-such-device"));
  g_assert_cmpint (zc_clock_now_ns () - begin_ns, <, ZC_OPEN_TIMEOUT_NS);
}

static void
native_format_makes_sense (void)
{
  ZcFormat format;
  ZcDevice *device = open_device (NULL, &format);

  g_assert_cmpuint (zc_format_frame_bytes (&format), >, 0);
  g_assert_cmpuint (format.rate, <=, ZC_MAX_RATE);
  g_assert_cmpuint (format.channels, <=, ZC_MAX_CHANNELS);
  backend->close (device);
}

static void
packets_follow_each_other (void)
{
  ZcFormat format;
  ZcDevice *device = open_device (NULL, &format);
  guint64 position = 0;
  gint64 previous_ns = 0;

  start_device (device, &format);
  for (guint i = 0; i < 50; i++) {
    ZcPacket packet = borrow (device);
    gint64 now_ns = backend->now_ns (device);

    g_assert_cmpuint (packet.frames, >, 0);
    g_assert_true (packet.data != NULL || (packet.flags & ZC_PACKET_SILENT) != 0);
    if (i > 0 && (packet.flags & ZC_PACKET_DISCONT) == 0)
      g_assert_cmpuint (packet.position_frames, ==, position);
    position = packet.position_frames + packet.frames;
    if (packet.capture_time_ns != ZC_TIME_NONE) {
      g_assert_cmpint (ABS (packet.capture_time_ns - now_ns), <, 3000 * MS);
      if (i > 0)
        g_assert_cmpint (packet.capture_time_ns, >, previous_ns - 20 * MS);
      previous_ns = packet.capture_time_ns;
    }
    backend->give_back (device);
  }
  shut (device);
}

/* Waits, with a packet out, for the one after it. FALSE if it is wanted back first. */
static gboolean
wait_for_next (ZcDevice *device, gint64 begin_ns)
{
  ZcWait wait;

  while ((wait = backend->wait (device, 1000 * MS, NULL)) != ZC_WAIT_PACKET) {
    if (wait == ZC_WAIT_RECALL)
      return FALSE;
    g_assert_cmpint (zc_clock_now_ns () - begin_ns, <, 5000 * MS);
  }
  return TRUE;
}

/* Bytes stay what they are until they are given back, however long that takes. */
static void
borrowed_bytes_stay (void)
{
  ZcFormat format;
  ZcDevice *device = open_device (NULL, &format);
  ZcPacket packet, again;
  gint64 begin_ns = zc_clock_now_ns ();
  gboolean waited;

  start_device (device, &format);
  do {
    g_autofree guint8 *copy = NULL;
    gsize bytes;

    packet = borrow (device);
    bytes = (gsize) packet.frames * zc_format_frame_bytes (&format);
    copy = packet.data != NULL ? g_memdup2 (packet.data, bytes) : NULL;
    waited = wait_for_next (device, begin_ns);
    if (copy != NULL)
      g_assert_cmpmem (packet.data, bytes, copy, bytes);
    backend->give_back (device);
  } while (!waited);
  again = borrow (device);
  g_assert_cmpuint (again.position_frames, >=, packet.position_frames + packet.frames);
  backend->give_back (device);
  shut (device);
}

static void
wait_keeps_its_deadline (void)
{
  ZcFormat format;
  ZcDevice *device = open_device (NULL, &format);
  gint64 begin_ns;

  start_device (device, &format);
  begin_ns = zc_clock_now_ns ();
  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (backend->wait (device, 1 * MS, NULL), !=, ZC_WAIT_LOST);
  g_assert_cmpint (zc_clock_now_ns () - begin_ns, <, 1000 * MS);
  shut (device);
}

static gpointer
wake_soon (gpointer data)
{
  ZcDevice *device = data;

  g_usleep (20000); /* let the other one get into its wait; either way it must end */
  backend->wake (device, TRUE);
  return NULL;
}

static void
wake_ends_a_wait (void)
{
  ZcFormat format;
  ZcDevice *device = open_device (NULL, &format);
  GThread *thread;
  gint64 begin_ns;
  ZcPacket packet;

  start_device (device, &format);
  thread = g_thread_new ("wake", wake_soon, device);
  begin_ns = zc_clock_now_ns ();
  while (backend->wait (device, 10000 * MS, NULL) != ZC_WAIT_WOKEN)
    if (backend->borrow (device, &packet))
      backend->give_back (device);
  g_assert_cmpint (zc_clock_now_ns () - begin_ns, <, 1000 * MS);
  g_assert_cmpint (backend->wait (device, 10000 * MS, NULL), ==, ZC_WAIT_WOKEN);
  g_thread_join (thread);

  backend->wake (device, FALSE);
  packet = borrow (device);
  backend->give_back (device);
  shut (device);
}

static void
wake_ends_a_start (void)
{
  ZcFormat format;
  ZcDevice *device = open_device (NULL, &format);
  ZcStreamSpec spec = { .format = format, .latency_frames = 480, .buffer_frames = 4800 };
  g_autoptr (GError) error = NULL;
  ZcStreamInfo info;

  backend->wake (device, TRUE);
  g_assert_false (backend->start (device, &spec, &info, &error));
  g_assert_error (error, ZC_ERROR, ZC_ERROR_WOKEN);
  backend->wake (device, FALSE);
  start_device (device, &format);
  shut (device);
}

static void
start_begins_anew (void)
{
  ZcFormat format;
  ZcDevice *device = open_device (NULL, &format);

  for (guint i = 0; i < 10; i++) {
    ZcPacket packet;

    start_device (device, &format);
    packet = borrow (device);
    g_assert_cmpuint (packet.position_frames, <, format.rate);
    backend->give_back (device);
    stop (device);
  }
  backend->close (device);
}

static void
other_formats_are_made (void)
{
  ZcFormat format;
  ZcDevice *device = open_device (NULL, &format);
  ZcPacket packet;

  format.sample = format.sample == ZC_SAMPLE_S16LE ? ZC_SAMPLE_F32LE : ZC_SAMPLE_S16LE;
  format.rate = format.rate == 44100 ? 48000 : 44100;
  format.channels = 6;
  zc_format_default_positions (&format);
  start_device (device, &format);
  packet = borrow (device);
  g_assert_cmpuint (packet.frames, <=, format.rate);
  backend->give_back (device);
  shut (device);
}

static void
loss_is_told (void)
{
  gboolean scripted = g_strcmp0 (lose_command, "script") == 0;
  gint64 deadline_ns = zc_clock_now_ns () + 10000 * MS;
  g_autoptr (GError) error = NULL;
  ZcFormat format;
  ZcDevice *device;
  ZcPacket packet;

  if (lose_command == NULL) {
    g_test_skip ("no way to take the device away was given");
    return;
  }
  device = open_device (scripted ? "play=480 lose" : NULL, &format);
  start_device (device, &format);
  packet = borrow (device);
  g_assert_cmpuint (packet.frames, >, 0);
  backend->give_back (device);
  g_assert_true (scripted || g_spawn_command_line_sync (lose_command, NULL, NULL, NULL, NULL));

  while (backend->wait (device, 100 * MS, &error) != ZC_WAIT_LOST) {
    if (backend->borrow (device, &packet))
      backend->give_back (device);
    g_assert_cmpint (zc_clock_now_ns (), <, deadline_ns);
  }
  g_assert_error (error, ZC_ERROR, ZC_ERROR_LOST);
  shut (device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, >, 1);
  backend = zc_registry_find (argv[1]);
  lose_command = argc > 2 ? argv[2] : NULL;
  g_assert_nonnull (backend);

  g_test_add_func ("/contract/table-is-complete", table_is_complete);
  g_test_add_func ("/contract/devices-can-be-opened-by-name", devices_can_be_opened_by_name);
  g_test_add_func ("/contract/unknown-device-is-named", unknown_device_is_named);
  g_test_add_func ("/contract/native-format-makes-sense", native_format_makes_sense);
  g_test_add_func ("/contract/packets-follow-each-other", packets_follow_each_other);
  g_test_add_func ("/contract/borrowed-bytes-stay", borrowed_bytes_stay);
  g_test_add_func ("/contract/wait-keeps-its-deadline", wait_keeps_its_deadline);
  g_test_add_func ("/contract/wake-ends-a-wait", wake_ends_a_wait);
  g_test_add_func ("/contract/wake-ends-a-start", wake_ends_a_start);
  g_test_add_func ("/contract/start-begins-anew", start_begins_anew);
  g_test_add_func ("/contract/other-formats-are-made", other_formats_are_made);
  g_test_add_func ("/contract/loss-is-told", loss_is_told);
  return g_test_run ();
}
