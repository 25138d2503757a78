# Every target works from a fresh clone: each creates .venv first if it is missing or older than the lock.
SHELL    := /bin/bash
PYTHON   ?= python3
VENV     := .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
RUNNING  := $(VENV)/.running
SCENARIO ?= quick
MODEL    ?= marketplace
SERVICE  ?= docs/example-service.yaml
MINUTES  ?= 10
READS    ?= 50
WRITES   ?= 50
SOAK     ?= --engine faiss
PYTEST   ?=

.DEFAULT_GOAL := help
.PHONY: help install bench serve report ablations perf simulate soak test lint lock audit clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP)  ## Create .venv with everything: also what trains, tests, checks and loads

# --no-deps: the lock is complete, and pip would look for newer releases of what is required with an extra.
PIP := $(BIN)/pip --quiet --disable-pip-version-check
define set_up
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Bakeoff needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=python3.11 (or newer)." >&2; exit 1; }
	@echo "Setting up $(VENV) with $(1) (once, about a minute) ..." >&2
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --no-deps -r $(1)
	$(PIP) install --no-deps --no-build-isolation -e .
	@$(PIP) check >&2
endef

# One environment, which holds what running needs, or everything; both locks have the same versions.
$(RUNNING): requirements-running.lock pyproject.toml
	$(call set_up,requirements-running.lock)
	@touch $@

$(STAMP): requirements.lock pyproject.toml
	$(call set_up,requirements.lock)
	@touch $(RUNNING) $@

bench: $(RUNNING)  ## Measure the engines and write the report (SCENARIO=quick|standard|text|servers|filters|smoke)
	$(BIN)/bakeoff run $(SCENARIO)

serve: $(RUNNING)  ## Start the retrieval service with pictures and made-up users (SERVICE=docs/example-service.yaml)
	$(BIN)/bakeoff serve --config $(SERVICE)

report: $(RUNNING)  ## Write the newest run's report again
	$(BIN)/bakeoff report runs/latest

test: $(STAMP)  ## Run every test that this machine can run (PYTEST="-k filters" for some)
	$(BIN)/python -m pytest $(PYTEST)

lint: $(STAMP)  ## ruff, mypy and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ablations: $(STAMP)  ## What each choice of the two-tower model is worth (MODEL=marketplace|hm|FILE.yaml)
	$(BIN)/bakeoff ablate $(MODEL)

perf: $(STAMP)  ## Measure the harness itself, side by side with references; writes runs/perf.json
	$(BIN)/python -m tests.perf

simulate: $(STAMP)  ## How often decision and gate are wrong and right, by simulated runs
	$(BIN)/python -m tests.simulations

soak: $(STAMP)  ## A service under load, every answer checked (MINUTES=10 READS=50 WRITES=50)
	$(BIN)/bakeoff soak --minutes $(MINUTES) --reads $(READS) --writes $(WRITES) $(SOAK)

LOCKED := --universal --python-version 3.11 --upgrade --generate-hashes --no-annotate --no-header --no-emit-find-links --quiet
lock:  ## Resolve the dependencies again (versions and hashes): everything, what running needs, the service's image
	$(PYTHON) -m venv .cache/lock && .cache/lock/bin/pip install --quiet uv
	.cache/lock/bin/uv pip compile pyproject.toml --all-extras --group dev --group build $(LOCKED) -o requirements.lock
	.cache/lock/bin/uv pip compile pyproject.toml --extra running --group build -c requirements.lock $(LOCKED) \
	    -o requirements-running.lock
	.cache/lock/bin/uv pip compile --group pyproject.toml:image -c requirements.lock $(LOCKED) \
	    -o docker/service/requirements.lock

# --strict: what could not be looked up fails, and is not passed over.
audit:  ## Look both locks up in PyPI's database of known vulnerabilities
	$(PYTHON) -m venv .cache/audit && .cache/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	.cache/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	    -r requirements.lock -r docker/service/requirements.lock

clean:  ## Remove .venv, caches and build output; runs/ and .cache/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
