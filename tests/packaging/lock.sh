#!/usr/bin/env bash
# Renews the hashed locks. Addresses of package indexes never go into them.
set -euo pipefail
cd "$(dirname "$0")/../.."
compile() {
    uv pip compile -q pyproject.toml tests/packaging/build-requirements.in "$@" --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-annotate --no-header
}
compile -o requirements.lock
compile --extra dev --extra train -c requirements.lock -o requirements-dev.lock
compile --extra bench -c requirements-dev.lock -o requirements-bench.lock
alone() {
    uv pip compile -q "$@" --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
}
alone tests/llm/server.in -o tests/llm/server.lock
alone --no-deps tests/llm/model.in -o tests/llm/model.lock
