#!/usr/bin/env bash
# Builds the container image, with docker or podman where one runs, else with Debian's buildah and a base image made
# by debootstrap (no daemon, no image registry). Usage: image.sh build | check
#
# check: also starts it, waits for /readyz, places a call, and sees SIGTERM drain it. Needs root. Takes minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
say() { printf '\033[1m%s\033[0m\n' "image: $*"; }
die() { printf 'image: %s\n' "$*" >&2; exit 2; }
mode=${1:-build}
# The newest descendant of process $1 whose command line holds $2.
find_child() {
    local child found=1
    for child in $(pgrep -P "$1"); do
        if find_child "$child" "$2"; then found=0; break; fi
        if tr '\0' ' ' <"/proc/$child/cmdline" | grep -q -- "$2"; then echo "$child"; found=0; break; fi
    done
    return $found
}

if [ "$mode" = build ]; then
    for engine in docker podman; do
        if command -v "$engine" >/dev/null && "$engine" info >/dev/null 2>&1; then
            exec "$engine" build -t warmline .
        fi
    done
fi

[ "$(id -u)" = 0 ] || die "without a container engine this needs root (buildah --isolation chroot)"
missing=()
for program in buildah debootstrap; do command -v "$program" >/dev/null || missing+=("$program"); done
if [ ${#missing[@]} -gt 0 ]; then
    say "installing Debian packages: ${missing[*]}"
    apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

work=${IMAGE_DIR:-$(mktemp -d)}
[ -n "${IMAGE_DIR:-}" ] || trap 'rm -rf "$work"' EXIT
b() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }

if ! b inspect --type image localhost/debian:bookworm >/dev/null 2>&1; then
    say "making a Debian base with debootstrap"
    rm -rf "$work/base"
    debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" >"$work/debootstrap.log" \
        || { tail -5 "$work/debootstrap.log" >&2; die "debootstrap failed"; }
    # The build reaches packages the way this machine does; a base from an image registry has its own sources.
    cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d "$work/base/etc/apt/" 2>/dev/null || true
    [ -d /etc/apt/trusted.gpg.d ] && cp -r /etc/apt/trusted.gpg.d "$work/base/etc/apt/"
    if compgen -G "/usr/local/share/ca-certificates/*.crt" >/dev/null; then
        cp /usr/local/share/ca-certificates/*.crt "$work/base/usr/local/share/ca-certificates/"
        chroot "$work/base" update-ca-certificates >/dev/null 2>&1
    fi
    base=$(b from scratch)
    b add -q "$base" "$work/base" /
    b commit -q "$base" localhost/debian:bookworm
    b rm "$base" >/dev/null
fi

say "building the image"
# This machine's pip settings (index, certificate) are lent to the build and stay out of the image.
lend=()
[ -e /etc/pip.conf ] && lend+=(--volume /etc/pip.conf:/etc/pip.conf:ro)
b bud --layers --isolation chroot --network host -q "${lend[@]}" --build-arg BASE=localhost/debian:bookworm -t localhost/warmline . \
    >"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; die "build failed"; }
say "built localhost/warmline"
[ "$mode" = check ] || exit 0

say "starting it, not as root"
container=$(b from localhost/warmline)
cat >"$work/warmline.toml" <<TOML
[sip]
bind = "127.0.0.1:29060"
rtp_ports = "19000-19199"
[web]
bind = "127.0.0.1:29080"
[worker]
link = "127.0.0.1:29065"
count = 1
TOML
b run --isolation chroot --user warmline --volume "$work/warmline.toml:/etc/warmline.toml:ro" "$container" -- \
    warmline serve --config /etc/warmline.toml >"$work/serve.log" 2>&1 &
runner=$!
stop() { kill -TERM "$(find_child "$runner" "serve --config" || echo "$runner")" 2>/dev/null || true; }
trap 'stop; [ -n "${IMAGE_DIR:-}" ] || rm -rf "$work"' EXIT
for _ in $(seq 120); do
    if .venv/bin/python -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:29080/readyz", timeout=1)' 2>/dev/null; then break; fi
    kill -0 $runner 2>/dev/null || { tail -20 "$work/serve.log" >&2; die "it ended before it was ready"; }
    sleep 1
done
say "placing a call into it"
.venv/bin/warmline call sip:agent@127.0.0.1:29060 --play voice/demo/clips/order_1.flac --seconds 15 | tee "$work/call.json"
.venv/bin/python - "$work/call.json" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
assert report["answered"], report
PY
serve=$(find_child "$runner" "serve --config") || die "no serve process below $runner"
uid=$(awk '/^Uid/ {print $2}' "/proc/$serve/status")
say "it runs as uid $uid"
[ "$uid" != 0 ] || die "it runs as root"
say "SIGTERM"
kill -TERM "$serve"
wait $runner || die "did not end cleanly"
say "drained and ended; everything as it should be"
