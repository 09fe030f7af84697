# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A PulseAudio of our own, for a computer without a sound server: one output that leads nowhere, and no hardware.
# All that it writes is in one directory; the caller ends it with server_stop and removes the directory.

# server_start DIRECTORY: from then on every sound client that the caller starts talks to this server.
server_start() {
    command -v pulseaudio > /dev/null || return 1
    mkdir -p "$1/runtime" "$1/home"
    chmod 700 "$1/runtime"
    export XDG_RUNTIME_DIR="$1/runtime" PULSE_SERVER="unix:$1/native" PULSE_COOKIE="$1/cookie"
    unset PULSE_RUNTIME_PATH PULSE_CLIENTCONFIG PULSE_SINK PULSE_SOURCE DISPLAY
    # A session of its own, since Ctrl-C is for the capture. It ends by itself when no client is left for a minute: nobody
    # is there to end it where the caller was killed.
    HOME=$1/home setsid pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=60 --realtime=no --high-priority=no \
        -L "module-null-sink sink_name=quickstart format=float32le rate=48000 sink_properties=device.description=Quickstart" \
        -L "module-native-protocol-unix socket=$1/native auth-anonymous=1" > "$1/server.log" 2>&1 < /dev/null &
    server=$!
    tries=0
    until pactl info > /dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -ge 50 ] || ! kill -0 "$server" 2> /dev/null; then
            cat "$1/server.log" >&2
            return 1
        fi
        sleep 0.1
    done
}

server_stop() {
    [ -n "${server:-}" ] || return 0
    kill "$server" 2> /dev/null || :
    wait "$server" 2> /dev/null || :
    server=
}
