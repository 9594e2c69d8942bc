#!/usr/bin/env bash
# Makes .venv from the hashed lock and brings the few programs Python cannot. Usage: setup.sh runtime|dev|bench
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=$1
say() { printf '\033[1m%s\033[0m\n' "setup: $*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 2; }

declare -A package=([espeak-ng]=espeak-ng)
if [ "$kind" = dev ]; then package+=([sipp]=sip-tester [baresip]=baresip [chromium]=chromium); fi
missing=()
for program in "${!package[@]}"; do command -v "$program" >/dev/null || missing+=("${package[$program]}"); done

python=${PYTHON:-python3}
command -v "$python" >/dev/null || die "no $python; install Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "$($python --version) is too old; install Python 3.11 or newer"
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing Debian packages: ${missing[*]}"
        apt-get update -qq >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    else
        die "missing programs; install these packages and run make again:  apt-get install ${missing[*]}"
    fi
fi

[ -x .venv/bin/python ] || { say "creating .venv with $($python --version)"; "$python" -m venv .venv; }
lock=requirements.lock
if [ "$kind" != runtime ]; then lock=requirements-$kind.lock; fi
say "installing $(grep -c '==' $lock) pinned packages from $lock (a minute or two the first time)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
if [ "$kind" = runtime ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
fi
touch ".venv/.$kind"
say "$kind environment ready in .venv"
