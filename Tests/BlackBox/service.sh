# For the black-box scripts: starts the binary on a free port in a folder of its own, and stops it
# when the script ends. Sourced, with BINARY set.

FOLDER=$(mktemp -d)
PID=
CHECKS=0

finish() {
    local status=$?
    [ -z "$PID" ] || kill "$PID" 2>/dev/null || true
    [ -z "$PID" ] || wait "$PID" 2>/dev/null || true
    [ "$status" -eq 0 ] || { echo "--- log"; tail -20 "$FOLDER/log" 2>/dev/null || true; }
    rm -rf "$FOLDER"
    exit "$status"
}
trap finish EXIT

free_port() {
    python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Starts (or starts again) on the same database and port; returns once it is ready.
start() {
    PORT=${PORT:-$(free_port)}
    BASE=http://127.0.0.1:$PORT
    "$BINARY" serve --listen "127.0.0.1:$PORT" --database "$FOLDER/referrald.db" "$@" \
        >>"$FOLDER/log" 2>&1 &
    PID=$!
    for _ in $(seq 1 500); do
        curl -sf -o /dev/null "$BASE/readyz" && return 0
        kill -0 "$PID" 2>/dev/null || fail "the service did not start"
        sleep 0.02
    done
    fail "the service was not ready within 10 s"
}

# Kills it as a power cut would.
crash() {
    kill -9 "$PID"
    wait "$PID" 2>/dev/null || true
    PID=
}

make_key() {
    "$BINARY" keys create --database "$FOLDER/referrald.db" --name test --scope admin |
        grep -o 'rk_[A-Za-z0-9_-]*'
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# check WHAT ACTUAL EXPECTED
check() {
    [ "$2" = "$3" ] || fail "$1: $2 instead of $3"
    CHECKS=$((CHECKS + 1))
}
