# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Long work with a bound, a log, and something to look at meanwhile.

# step LIMIT_S LABEL LOG COMMAND...: runs the command, its output goes to the log; where it fails, shows the log's end.
step() {
    limit_s=$1 label=$2 log=$3
    shift 3
    "$@" < /dev/null >> "$log" 2>&1 &
    step_child=$!
    started_s=$(date +%s)
    while kill -0 "$step_child" 2> /dev/null; do
        took_s=$(($(date +%s) - started_s))
        [ "$took_s" -lt "$limit_s" ] || end_step
        show_step
        sleep 0.2
    done
    wait "$step_child" && step_status=0 || step_status=$?
    step_child=
    took_s=$(($(date +%s) - started_s))
    if [ "$step_status" -eq 0 ]; then
        step_line "$label: done in $took_s s"
        return
    fi
    step_line "$label: failed after $took_s s; the end of $log:"
    tail -n 20 "$log" | sed 's/^/    /' >&2
    return "$step_status"
}

# Ends what a step started; for a trap, too.
end_step() {
    [ -n "${step_child:-}" ] || return 0
    kill "$step_child" 2> /dev/null || :
    wait "$step_child" 2> /dev/null || :
}

# On a terminal one line that changes, with the log's last line; elsewhere a line every ten seconds.
show_step() {
    if [ -t 1 ]; then
        printf '\r\033[K%s: %s s  %s' "$label" "$took_s" "$(last_words 30)"
    elif [ "$took_s" -ge "${step_tells_s:=10}" ]; then
        printf '%s: %s s  %s\n' "$label" "$took_s" "$(last_words 60)"
        step_tells_s=$((took_s + 10))
    fi
}

last_words() { tail -n 1 "$log" | tr -cd '[:print:]' | cut -c "1-$1"; }

step_line() {
    [ ! -t 1 ] || printf '\r\033[K'
    printf '%s\n' "$1"
    step_tells_s=10
}
