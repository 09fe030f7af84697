# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # the variables are shared with the script that reads this file
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The steps of quickstart where it shows the build for Windows: the official Windows GStreamer, run by Wine. The caller
# sets temporary and results; it ends what is started here with windows_end, and removes the directory.

# Compiler, Wine and GStreamer come from tests/windows/setup, which keeps them for the next time. The Wine prefix is
# its own: what runs in it ends with us, and nobody else's does.
windows_build() {
    log=$results/build.log
    : > "$log"
    step 1800 "build: compiler, Wine and GStreamer for Windows" "$log" "$tree/tests/windows/setup" || exit 1
    cache=$("$tree/tests/windows/setup" --where)
    [ -e "$tree/build-win/build.ninja" ] || step 300 "build: configuring" "$log" \
        meson setup "$tree/build-win" "$tree" --cross-file "$cache/cross.ini" -Dtests=disabled || exit 1
    step 900 "build: compiling" "$log" ninja -C "$tree/build-win" gst/gstzcloopback.dll || exit 1
    export GST_PLUGIN_PATH_1_0="Z:$tree/build-win/gst" WINEPREFIX="$temporary/prefix"
    "$cache/bin/wine-run" --make || exit 1
    # GStreamer's first look at its plugins takes a while.
    step 120 "build: gst-inspect-1.0.exe zcloopbacksrc" "$log" \
        "$cache/bin/wine-run" "$cache/sysroot/bin/gst-inspect-1.0.exe" zcloopbacksrc || exit 1
}

# Wine takes a moment to start: the melody has begun by then, and goes on until the capture is over.
windows_find_server() {
    private=yes
    command -v pulseaudio > /dev/null || fail "there is no pulseaudio to start a private one for Wine to play to"
    "$python" "$lib/melody.py" "$temporary/melody.wav" "$(awk -v s="$seconds" 'BEGIN { print s + 30 }')"
    server_start "$temporary" || fail "the private PulseAudio did not start; see the messages above"
    say "sound:  a private PulseAudio plays a melody; it is the default device of Wine's WASAPI"
}

# FLAC of 32 bits, which GStreamer 1.28 would make of floats, is beyond GStreamer 1.22.
windows_record() {
    sound=$results/capture.flac
    set -- zcloopbacksrc num-buffers="$packets" ! audioconvert ! audio/x-raw,format=S24_32LE ! flacenc ! \
        filesink location="Z:$(cd "$results" && pwd)/capture.flac"
    say "capture: $seconds s, with"
    as_typed gst-launch-1.0.exe -e "$@" | sed 's/^/    /'
    : > "$results/capture.log"
    start_melody
    export GST_DEBUG=zcloopbacksrc:4 GST_DEBUG_NO_COLOR=1
    step "$((${seconds%.*} + 60))" capture "$results/capture.log" \
        "$cache/bin/wine-run" "$cache/sysroot/bin/gst-launch-1.0.exe" -e "$@" || exit 1
    end_melody
    "$python" "$lib/logged_statistics.py" "$results/capture.log"
}

windows_end() {
    [ -z "${WINEPREFIX:-}" ] || [ ! -d "$WINEPREFIX" ] || "$cache/bin/wine-run" --end 2> /dev/null || :
}

windows_how_to_go_on() {
    say "
How to go on:
    meson compile -C ${at}build-win dist-windows
        a zip and a wheel for a Windows computer
    ${at}docs/windows.md
        how it is used there"
}
