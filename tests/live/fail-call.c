/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded: makes one call of libpulse or libpipewire fail, as its documentation says that it can; or something happen just before it.
 *
 *   ZC_FAIL_CALL=pa_stream_new:1       the first call of that function; empty: none
 *   ZC_BEFORE_CALL=pa_stream_new:1     before it ...
 *   ZC_BEFORE_COMMAND=COMMAND          ... this is run, by a shell, to its end
 *   ZC_FAIL_CALL_REPORT=FILE           at the end, "NAME CALLS" of each function here that was called
 *
 * The call is not made. Calls of a library by itself are none. Those that are not here cannot fail, or are made by a table of functions (pw_core_sync ...). */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <errno.h>
#include <pipewire/pipewire.h>
#include <pulse/pulseaudio.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Result, name, parameters, arguments, what a failure is. */
#define CALLS(_)                                                                                                       \
  _ (pa_mainloop *, pa_mainloop_new, (void), (), NULL)                                                                 \
  _ (int, pa_mainloop_prepare, (pa_mainloop * loop, int timeout), (loop, timeout), -1)                                 \
  _ (int, pa_mainloop_poll, (pa_mainloop * loop), (loop), fail_poll (loop))                                            \
  _ (int, pa_mainloop_iterate, (pa_mainloop * loop, int block, int *result), (loop, block, result), -1)                \
  _ (pa_context *, pa_context_new, (pa_mainloop_api * api, const char *name), (api, name), NULL)                       \
  _ (int, pa_context_connect, (pa_context * context, const char *server, pa_context_flags_t flags,                     \
      const pa_spawn_api *api), (context, server, flags, api), -1)                                                     \
  _ (const char *, pa_context_get_server, (const pa_context *context), (context), NULL)                                \
  _ (pa_operation *, pa_context_subscribe, (pa_context * context, pa_subscription_mask_t mask,                         \
      pa_context_success_cb_t done, void *data), (context, mask, done, data), NULL)                                    \
  _ (pa_operation *, pa_context_get_server_info, (pa_context * context, pa_server_info_cb_t done, void *data),         \
      (context, done, data), NULL)                                                                                     \
  _ (pa_operation *, pa_context_get_sink_info_list, (pa_context * context, pa_sink_info_cb_t done, void *data),        \
      (context, done, data), NULL)                                                                                     \
  _ (pa_operation *, pa_context_get_sink_info_by_index, (pa_context * context, uint32_t index, pa_sink_info_cb_t done, \
      void *data), (context, index, done, data), NULL)                                                                 \
  _ (pa_operation *, pa_context_get_sink_input_info_list, (pa_context * context, pa_sink_input_info_cb_t done,         \
      void *data), (context, done, data), NULL)                                                                        \
  _ (pa_operation *, pa_context_get_sink_input_info, (pa_context * context, uint32_t index,                            \
      pa_sink_input_info_cb_t done, void *data), (context, index, done, data), NULL)                                   \
  _ (pa_stream *, pa_stream_new, (pa_context * context, const char *name, const pa_sample_spec *spec,                  \
      const pa_channel_map *map), (context, name, spec, map), NULL)                                                    \
  _ (int, pa_stream_set_monitor_stream, (pa_stream * stream, uint32_t input), (stream, input), -1)                     \
  _ (int, pa_stream_connect_record, (pa_stream * stream, const char *device, const pa_buffer_attr *attr,               \
      pa_stream_flags_t flags), (stream, device, attr, flags), -1)                                                     \
  _ (int, pa_stream_disconnect, (pa_stream * stream), (stream), -1)                                                    \
  _ (int, pa_stream_peek, (pa_stream * stream, const void **data, size_t *bytes), (stream, data, bytes), -1)           \
  _ (int, pa_stream_drop, (pa_stream * stream), (stream), -1)                                                          \
  _ (int, pa_stream_is_suspended, (const pa_stream *stream), (stream), -1)                                             \
  _ (pa_operation *, pa_stream_update_timing_info, (pa_stream * stream, pa_stream_success_cb_t done, void *data),      \
      (stream, done, data), NULL)                                                                                      \
  _ (const pa_timing_info *, pa_stream_get_timing_info, (pa_stream * stream), (stream), NULL)                          \
  _ (const pa_buffer_attr *, pa_stream_get_buffer_attr, (pa_stream * stream), (stream), NULL)                          \
  _ (pa_channel_map *, pa_channel_map_init_auto, (pa_channel_map * map, unsigned channels,                             \
      pa_channel_map_def_t def), (map, channels, def), NULL)                                                           \
  _ (const char *, pa_proplist_gets, (const pa_proplist *list, const char *key), (list, key), NULL)                     \
  _ (struct pw_loop *, pw_loop_new, (const struct spa_dict *properties), (properties), NULL)                           \
  _ (struct pw_context *, pw_context_new, (struct pw_loop * loop, struct pw_properties * properties, size_t size),     \
      (loop, properties, size), NULL)                                                                                  \
  _ (struct pw_core *, pw_context_connect, (struct pw_context * context, struct pw_properties * properties,            \
      size_t size), (context, properties, size), NULL)                                                                 \
  _ (struct pw_stream *, pw_stream_new, (struct pw_core * core, const char *name, struct pw_properties *properties),   \
      (core, name, properties), NULL)                                                                                  \
  _ (int, pw_stream_connect, (struct pw_stream * stream, enum pw_direction direction, uint32_t target,                 \
      enum pw_stream_flags flags, const struct spa_pod **params, uint32_t n),                                          \
      (stream, direction, target, flags, params, n), -ENOMEM)                                                          \
  _ (int, pw_stream_update_params, (struct pw_stream * stream, const struct spa_pod **params, uint32_t n),             \
      (stream, params, n), -ENOMEM)                                                                                    \
  _ (int, pw_stream_get_time_n, (struct pw_stream * stream, struct pw_time * time, size_t size),                       \
      (stream, time, size), -EINVAL)                                                                                   \
  _ (struct pw_buffer *, pw_stream_dequeue_buffer, (struct pw_stream * stream), (stream), NULL)                        \
  _ (int, pw_stream_queue_buffer, (struct pw_stream * stream, struct pw_buffer * buffer), (stream, buffer), -EINVAL)

enum {
#define NUMBER(type, name, parameters, arguments, failure) number_##name,
  CALLS (NUMBER)
  N_CALLS
};

static const char *const names[] = {
#define NAME(type, name, parameters, arguments, failure) #name,
  CALLS (NAME)
};

static _Atomic unsigned made[N_CALLS];

static int
is_wanted (const char *wanted, unsigned number, unsigned nth)
{
  size_t length = strlen (names[number]);

  return wanted && !strncmp (wanted, names[number], length) && wanted[length] == ':'
      && strtoul (wanted + length + 1, NULL, 10) == nth;
}

static int
is_by_itself (const void *caller)
{
  Dl_info info;

  return dladdr (caller, &info) && strstr (info.dli_fname, "libpipewire");
}

static int
is_to_fail (unsigned number, const void *caller)
{
  const char *fails = getenv ("ZC_FAIL_CALL");
  unsigned nth;

  if (is_by_itself (caller))
    return 0;
  nth = atomic_fetch_add (&made[number], 1) + 1;

  if (is_wanted (getenv ("ZC_BEFORE_CALL"), number, nth)) {
    unsetenv ("LD_PRELOAD");
    if (system (getenv ("ZC_BEFORE_COMMAND")))
      abort ();
  }
  if (!is_wanted (fails, number, nth))
    return 0;
  fprintf (stderr, "%s failed on purpose\n", fails);
  return 1;
}

/* A plugin's own library is no "next" one. */
static void *
library_of (const char *name)
{
  return dlopen (strncmp (name, "pw_", 3) ? "libpulse.so.0" : "libpipewire-0.3.so.0", RTLD_LAZY);
}

static void *
find (const char *name)
{
  return dlsym (library_of (name), name);
}

/* libpulse's own leaves the loop so that it can be prepared again (libpulse mainloop.c, STATE_PASSIVE). */
static int
fail_poll (pa_mainloop *loop)
{
  int (*poll) (pa_mainloop *) = (int (*) (pa_mainloop *)) find ("pa_mainloop_poll");
  int (*dispatch) (pa_mainloop *) = (int (*) (pa_mainloop *)) find ("pa_mainloop_dispatch");

  if (poll (loop) >= 0)
    dispatch (loop);
  return -1;
}

#define WRAPPER(type, name, parameters, arguments, failure)                                                            \
  __attribute__ ((visibility ("default"))) type name parameters                                                        \
  {                                                                                                                    \
    static type (*_Atomic real) parameters;                                                                            \
    if (!real)                                                                                                         \
      real = (type (*) parameters) find (#name);                                                                       \
    return is_to_fail (number_##name, __builtin_return_address (0)) ? failure : real arguments;                        \
  }

CALLS (WRAPPER)

static void __attribute__ ((destructor))
report (void)
{
  const char *path = getenv ("ZC_FAIL_CALL_REPORT");
  FILE *file = path ? fopen (path, "w") : NULL;

  if (!file)
    return;
  for (unsigned number = 0; number < N_CALLS; number++)
    if (made[number])
      fprintf (file, "%s %u\n", names[number], made[number]);
  fclose (file);
}
