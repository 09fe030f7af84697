# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # the variables are shared with the script that reads this file
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the pipeline scripts share: their options, finding the plugin, running one visible line, saying what was written.
# A script sets `usage` and calls `options`; after that `capture ! ELEMENT ! ...` runs zcloopbacksrc into the elements given.

lib=${lib:?set by the script}
tree=$(dirname "$(dirname "$lib")")
script=$(basename "$0")
export PYTHONDONTWRITEBYTECODE=1

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s: %s\n' "$script" "$*" >&2
    exit 1
}

wrong_usage() {
    printf '%s: %s\n%s\n' "$script" "$1" "${usage%%
*}" >&2
    exit 2
}

# options "$@": sets seconds, file, device and with_statistics. The caller shifts by OPTIND - 1.
options() {
    seconds='' file='' device='' with_statistics=''
    [ "${1:-}" != --help ] || set -- -h
    while getopts :d:o:D:sh option; do
        case $option in
            d) seconds=$OPTARG ;;
            o) file=$OPTARG ;;
            D) device=$OPTARG ;;
            s) with_statistics=yes ;;
            h) say "$usage"; exit 0 ;;
            :) wrong_usage "-$OPTARG needs a value" ;;
            *) wrong_usage "no option -$OPTARG" ;;
        esac
    done
    shift $((OPTIND - 1))
    [ "$script" = spectrogram ] || [ $# -eq 0 ] || wrong_usage "there is no argument '$1'"
    [ -z "$seconds" ] || packets_in "$seconds" > /dev/null || wrong_usage "-d takes seconds, 0.01 or more, not '$seconds'"
}

# packets_in SECONDS: how many of the element's packets of 10 ms (latency-time's default) that is.
packets_in() {
    case $1 in '' | . | *[!0-9.]* | *.*.*) return 1 ;; esac
    awk -v seconds="$1" 'BEGIN { n = int(seconds * 100 + 0.5); print n; exit n < 1 || n > 2147483647 }'
}

file_named_by_time() { date "+capture-%Y%m%d-%H%M%S.$1"; }

# Not --exists: that asks for a plugin whose version is GStreamer's own.
plugin_is_known() { gst-inspect-1.0 zcloopbacksrc > /dev/null 2>&1; }

# An installed plugin, or the one that the caller's environment names, comes before the one built in this source tree.
find_plugin() {
    command -v gst-inspect-1.0 > /dev/null || fail "gst-inspect-1.0 is missing; install it with: $lib/install-packages run"
    plugin_is_known && return
    if [ -e "$tree/build/gst/libgstzcloopback.so" ]; then
        export GST_PLUGIN_PATH="$tree/build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
        plugin_is_known && return
        fail "$tree/build/gst/libgstzcloopback.so does not load; 'GST_DEBUG=3 gst-inspect-1.0 zcloopbacksrc' says why"
    fi
    fail "GStreamer knows no zcloopbacksrc; build it with: meson setup $tree/build $tree && ninja -C $tree/build"
}

# find_python MODULE...: sets python to one that has them; the first in PATH need not be the distribution's.
find_python() {
    modules=$(printf '%s,' "$@")
    for python in python3 /usr/bin/python3; do
        "$python" -c "import ${modules%,}" 2> /dev/null && return
    done
    return 1
}

need_python() {
    find_python "$@" || fail "python3 with $* is missing; install it with: $lib/install-packages run"
}

# as_typed WORD...: the words as one would type them in a shell, in several lines: one per branch ("t. ! ...") of a tee, or
# broken before a "!" where they get long.
as_typed() {
    line='' last=''
    for word in "$@"; do
        case $word in
            !) [ ${#line} -lt 76 ] || [ "${last%.}" != "$last" ] || end_line ;;
            *[!A-Za-z0-9_./:=,@%+-]*) word=\'$(printf '%s' "$word" | sed "s/'/'\\\\''/g")\' ;;
            *=*) ;;
            *.) end_line ;;
        esac
        line=$line${line:+ }$word last=$word
    done
    printf '%s\n' "$line"
}

end_line() {
    printf '%s \\\n' "$line"
    line='   '
}

# capture ! ELEMENT ! ...: shows the whole line, and runs it until its time is over or Ctrl-C ends it.
capture() { show_and_run launch "$@"; }

# capture_with_meter: the same line, run by lib/capture.py, which draws what a level element in it measures.
capture_with_meter() { show_and_run watch "$@"; }

show_and_run() {
    how=$1
    shift
    [ -z "$device" ] || set -- "device=$device" "$@"
    [ -z "$seconds" ] || set -- "num-buffers=$(packets_in "$seconds")" "$@"
    set -- zcloopbacksrc "$@"
    find_plugin
    as_typed gst-launch-1.0 -e "$@"
    [ -n "$seconds" ] || say "(Ctrl-C ends it)"
    [ -z "$with_statistics" ] || how=watch
    "$how" "$@"
}

launch() {
    run gst-launch-1.0 -q -e "$@" && status=0 || status=$?
    [ ! -t 1 ] || printf '\r\033[K' # its last line of progress
    return "$status"
}

watch() {
    need_python gi
    run "$python" "$lib/capture.py" ${with_statistics:+--statistics} -- "$@"
}

# Runs a command that ends properly on Ctrl-C, which the terminal tells it as well as us. Another signal we pass on as
# that, and ended_by keeps what a script that dies of it would exit with.
run() {
    ended_by=
    trap : INT
    "$@" &
    child=$!
    trap 'ended_by=143; kill -INT "$child"' TERM HUP
    wait_for "$child" && status=0 || status=$?
    trap - INT TERM HUP
    return "$status"
}

# wait returns early when a signal comes: wait again until the child is really gone.
wait_for() {
    while :; do
        wait "$1" && waited=0 || waited=$?
        kill -0 "$1" 2> /dev/null || return "$waited"
    done
}

# finish STATUS FILE...: says what was written. What was captured before an error is kept; a file left empty is not.
finish() {
    status=$1
    shift
    for written in "$@"; do
        if [ -s "$written" ]; then
            describe "$written"
        else
            rm -f "$written"
        fi
    done
    exit "$status"
}

describe() {
    if find_python gi numpy; then
        "$python" "$lib/describe.py" "$1"
    else
        say "wrote   $1, $(wc -c < "$1") bytes (python3 with gi and numpy would tell its levels)"
    fi
}
