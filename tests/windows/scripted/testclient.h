/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* testclient.h: a small client of WASAPI, and tests that each run in a process of their own: a script is read once.
 *
 * The parent runs the test again as a child with the script in its environment, and reads the child's report. */
#pragma once

#define COBJMACROS
#include <windows.h>
#include <mmdeviceapi.h>
#include <audioclient.h>
#include <glib.h>

#define CLIENT_SECOND 10000000

typedef struct {
  const char *name; /* of the test */
  const char *script;
  void (*child) (void);
  const char *violations; /* names, in order of their first time, a blank between; NULL: none */
  const char *left;       /* the same of what is left: "IMMDevice#1"; NULL: nothing */
  const char *line;       /* a pattern that a line of the report matches; NULL: any report will do */
} ClientTest;

typedef struct {
  IMMDeviceEnumerator *enumerator;
  IMMDevice *device;
  IAudioClient *client;
  IAudioCaptureClient *capture;
  WAVEFORMATEX *format;
  HANDLE event;
} Client;

typedef struct {
  BYTE *data;
  UINT32 frames;
  DWORD flags;
  UINT64 position, time;
} Packet;

void client_test_add (const ClientTest *tests, guint count);

#define client_assert_hr(call, expected) g_assert_cmphex ((guint32) (call), ==, (guint32) (expected))
#define client_assert_ok(call) client_assert_hr (call, S_OK)

/* CoInitializeEx, then as far as an IAudioClient of what plays by default. */
void client_open (Client *client);

/* Initialises for capture of what plays; `duration` in 100 ns. */
void client_initialize (Client *client, REFERENCE_TIME duration);
void client_start (Client *client);

/* Any of it, as far as it came. Ends COM for the thread. */
void client_close (Client *client);

/* Waits for the next packet, which the caller releases. FALSE: none within `timeout_ms`. */
gboolean client_wait (Client *client, Packet *packet, DWORD timeout_ms);

/* Waits, and releases all of it again. The data may not be read. */
gboolean client_next (Client *client, Packet *packet, DWORD timeout_ms);

/* A client of a process, through ActivateAudioInterfaceAsync. */
HRESULT client_activate (Client *client, const wchar_t *path, DWORD pid, gboolean exclude, DWORD timeout_ms);

/* Initialises a client of a process: 16 bit stereo, 48 kHz. */
void client_initialize_process (Client *client);

/* The counting signal's sample, by the formula of README.md. */
gint64 client_count (guint64 frame, guint tag, guint channel, guint bits);
