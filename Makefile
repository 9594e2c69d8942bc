# Every habit of the project as a target. `make demo` and `make test` need nothing but python3 (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
SCENARIO ?= distress
WARMLINE_DATA ?= ../shared/data
export WARMLINE_DATA
# One thread per model: spinning pools steal the cores from the calls (docs/benchmarks.md).
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check bench ear interop interop-llm browser docs lock image image-check clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.runtime ## The environment to run Warmline, in .venv
setup-dev: .venv/.dev ## ... and to test and change it

.venv/.runtime: requirements.lock pyproject.toml tests/packaging/setup.sh
	@PYTHON=$(PYTHON) bash tests/packaging/setup.sh runtime

.venv/.dev: requirements-dev.lock .venv/.runtime
	@PYTHON=$(PYTHON) bash tests/packaging/setup.sh dev

# The peer we measure against speaks through piper-tts (GPL-3): only here, never in what ships.
.venv/.bench: requirements-bench.lock .venv/.dev
	@PYTHON=$(PYTHON) bash tests/packaging/setup.sh bench

demo: .venv/.runtime ## One whole phone call on this machine: make demo SCENARIO=distress|calm|asks-for-human|human-busy|no-human
	@$(BIN)/warmline demo --scenario $(SCENARIO) $(DEMO_ARGS)

test: .venv/.dev ## All tests: unit, protocol, call, interop (SIPp, baresip), browser, packaging
	$(BIN)/python -m pytest tests $(PYTEST_ARGS)

check: .venv/.dev ## Style, types, import contracts, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.packaging.docs --check

interop: .venv/.dev ## SIPp and baresip call in and act as the human
	$(BIN)/python -m pytest tests/interop $(PYTEST_ARGS)

interop-llm: .venv/.dev build/llm/.ready ## Replies and choices of a real local language model, and one call with it
	$(BIN)/python -m tests.llm.interop

build/llm/.ready: tests/llm/setup.sh tests/llm/server.lock tests/llm/model.lock
	@PYTHON=$(PYTHON) bash tests/llm/setup.sh

browser: .venv/.dev ## The pages in a real Chromium
	$(BIN)/python -m pytest tests/browser $(PYTEST_ARGS)

bench: .venv/.bench ## Voice to voice at 1, 4, 8 and 12 calls, beside plain pipecat: docs/benchmarks/latency.md, a quarter of an hour
	$(BIN)/warmline eval latency --peer --report docs

ear: .venv/.dev ## Train both ear models from WARMLINE_DATA and write their cards
	$(BIN)/python -m prosody.training

docs: .venv/.dev ## Rewrite the generated pages
	$(BIN)/python -m tests.packaging.docs

image: ## Build the container image (docker or buildah)
	bash tests/packaging/image.sh build

image-check: ## Build it without a daemon, run it, place a call into it
	bash tests/packaging/image.sh check

lock: ## Renew the hashed locks (needs uv)
	bash tests/packaging/lock.sh

clean: ## Remove the environment and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
