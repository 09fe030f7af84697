/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and meanings are those of the reference of each call (Microsoft, Core Audio APIs: IMMDevice::Activate,
 * IAudioClient::Initialize, IAudioCaptureClient::GetBuffer). */
#include "errors.h"

/* Not in every version of the headers. */
#define RESOURCES_INVALIDATED ((HRESULT) 0x88890026)
#define EFFECT_NOT_AVAILABLE  ((HRESULT) 0x88890041)

#define UNPLUGGED "the device was unplugged, disabled or set up anew. Plug it in, or choose another one with device"
#define NO_SERVICE "Windows' audio service does not run. Start \"Windows Audio\" in services.msc"
#define NO_AUDIO "this Windows has no audio service (as Windows Server without the \"Audio\" feature). Install it"
#define REPORT "an error in zcloopbacksrc; please report it"

typedef struct {
  HRESULT result;
  const gchar *name;
  ZcError code;
  const gchar *meaning; /* and what to do; no full stop */
} Row;

#define ROW(result, code, meaning) { result, #result, code, meaning }

static const Row rows[] = {
  ROW (AUDCLNT_E_DEVICE_INVALIDATED, ZC_ERROR_LOST, UNPLUGGED),
  { RESOURCES_INVALIDATED, "AUDCLNT_E_RESOURCES_INVALIDATED", ZC_ERROR_LOST,
      "the audio engine took its memory back, as after a standby or a change of driver. Start again" },
  ROW (AUDCLNT_E_SERVICE_NOT_RUNNING, ZC_ERROR_LOST, NO_SERVICE),
  ROW (AUDCLNT_E_ENDPOINT_CREATE_FAILED, ZC_ERROR_LOST,
      "Windows could not set the device up; it may have just gone, or its driver is broken. Try it in Settings > "
      "System > Sound, then start again"),
  ROW (AUDCLNT_E_DEVICE_IN_USE, ZC_ERROR_BUSY,
      "another application has the device to itself. Close it, or forbid exclusive mode in the device's properties"),
  ROW (AUDCLNT_E_EXCLUSIVE_MODE_ONLY, ZC_ERROR_BUSY,
      "the device is in exclusive mode. Close the application that has it to itself"),
  ROW (AUDCLNT_E_EXCLUSIVE_MODE_NOT_ALLOWED, ZC_ERROR_BUSY, "the device does not allow this mode"),
  ROW (AUDCLNT_E_CPUUSAGE_EXCEEDED, ZC_ERROR_BUSY,
      "the audio engine is overloaded. Close applications that use sound"),
  ROW (AUDCLNT_E_UNSUPPORTED_FORMAT, ZC_ERROR_FORMAT,
      "the audio engine cannot give this format. Put audioconvert ! audioresample after zcloopbacksrc"),
  ROW (AUDCLNT_E_WRONG_ENDPOINT_TYPE, ZC_ERROR_NO_DEVICE,
      "this is not a device that plays. Loopback needs a render endpoint"),
  ROW (AUDCLNT_E_BUFFER_SIZE_ERROR, ZC_ERROR_SETTINGS, "the device does not take a buffer of this size. Change "
      "buffer-time"),
  ROW (AUDCLNT_E_BUFFER_SIZE_NOT_ALIGNED, ZC_ERROR_SETTINGS, "the device does not take a buffer of this size. "
      "Change buffer-time"),
  ROW (AUDCLNT_E_INVALID_DEVICE_PERIOD, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_BUFFER_ERROR, ZC_ERROR_LOST, "the engine has no buffer to give. Start again"),
  ROW (AUDCLNT_E_NOT_INITIALIZED, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_ALREADY_INITIALIZED, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_OUT_OF_ORDER, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_BUFFER_OPERATION_PENDING, ZC_ERROR_LOST, "the engine is being reset. Start again"),
  ROW (AUDCLNT_E_THREAD_NOT_REGISTERED, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_NOT_STOPPED, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_INCORRECT_BUFFER_SIZE, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_INVALID_SIZE, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_EVENTHANDLE_NOT_SET, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_EVENTHANDLE_NOT_EXPECTED, ZC_ERROR_FAILED, REPORT),
  ROW (AUDCLNT_E_BUFDURATION_PERIOD_NOT_EQUAL, ZC_ERROR_FAILED, REPORT),
  { EFFECT_NOT_AVAILABLE, "AUDCLNT_E_EFFECT_NOT_AVAILABLE", ZC_ERROR_FAILED, "an effect of the driver is missing. "
      "Reinstall the driver" },
  { HRESULT_FROM_WIN32 (ERROR_NOT_FOUND), "ERROR_NOT_FOUND", ZC_ERROR_NO_DEVICE,
      "Windows has no such device. Plug it in, or choose another one with device" },
  { HRESULT_FROM_WIN32 (ERROR_FILE_NOT_FOUND), "ERROR_FILE_NOT_FOUND", ZC_ERROR_NO_DEVICE,
      "Windows has no such device. Plug it in, or choose another one with device" },
  { HRESULT_FROM_WIN32 (ERROR_TIMEOUT), "ERROR_TIMEOUT", ZC_ERROR_TIMEOUT,
      "Windows' audio service does not answer. Restart \"Windows Audio\" in services.msc" },
  ROW (REGDB_E_CLASSNOTREG, ZC_ERROR_NO_SERVER, NO_AUDIO),
  ROW (CLASS_E_CLASSNOTAVAILABLE, ZC_ERROR_NO_SERVER, NO_AUDIO),
  ROW (E_ACCESSDENIED, ZC_ERROR_BUSY, "Windows denies access. Allow desktop apps to use the microphone in Settings > "
      "Privacy (loopback counts as one), or run with more rights"),
  ROW (E_OUTOFMEMORY, ZC_ERROR_FAILED, "Windows is out of memory. Close applications"),
  ROW (E_NOTIMPL, ZC_ERROR_FAILED, "this Windows cannot do that"),
  ROW (E_NOINTERFACE, ZC_ERROR_FAILED, "this Windows, or the device's driver, cannot do that"),
  ROW (E_INVALIDARG, ZC_ERROR_FAILED, "the device's driver refused the request. Try another device"),
  ROW (E_POINTER, ZC_ERROR_FAILED, REPORT),
  ROW (E_FAIL, ZC_ERROR_FAILED, "no reason was given. Try again, or restart \"Windows Audio\" in services.msc"),
};

static const Row *
find (HRESULT result)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].result == result)
      return &rows[i];
  return NULL;
}

gchar *
zc_wasapi_result_name (HRESULT result)
{
  const Row *row = find (result);
  g_autofree gchar *text = row == NULL ? g_win32_error_message (result) : NULL;

  if (row != NULL)
    return g_strdup_printf ("%s (0x%08lX)", row->name, (gulong) result & 0xffffffff);
  return g_strdup_printf ("0x%08lX (%s)", (gulong) result & 0xffffffff,
      text != NULL && *text != '\0' ? text : "unknown to Windows");
}

void
zc_wasapi_set_error (GError **error, HRESULT result, const gchar *device, const gchar *call)
{
  const Row *row = find (result);
  g_autofree gchar *name = zc_wasapi_result_name (result);

  if (row != NULL)
    g_set_error (error, ZC_ERROR, (gint) row->code, "%s: %s failed with %s: %s.", device, call, name, row->meaning);
  else
    g_set_error (error, ZC_ERROR, ZC_ERROR_FAILED, "%s: %s failed with %s. Try again, or another device.", device, call,
        name);
}

void
zc_wasapi_set_removed (GError **error, const gchar *device)
{
  g_set_error (error, ZC_ERROR, ZC_ERROR_LOST, "%s: IMMNotificationClient heard of AUDCLNT_E_DEVICE_INVALIDATED "
      "(0x88890004): " UNPLUGGED ".", device);
}
