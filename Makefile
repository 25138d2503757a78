# Every target works from a fresh clone: each creates .venv first if it is missing or older than the lock.
SHELL    := /bin/bash
PYTHON   ?= python3
VENV     := .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
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

install: $(STAMP)  ## Create .venv with the locked dependencies and this project

# --no-deps: the lock is complete, and pip would look for newer releases of what is required with an extra.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Bakeoff needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=python3.11 (or newer)." >&2; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute) ..." >&2
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/pip check --disable-pip-version-check >&2
	@touch $@

bench: $(STAMP)  ## Measure the engines and write the report (SCENARIO=quick|standard|servers|filters|smoke)
	$(BIN)/bakeoff run $(SCENARIO)

serve: $(STAMP)  ## Start the retrieval service with pictures and made-up users (SERVICE=docs/example-service.yaml)
	$(BIN)/bakeoff serve --config $(SERVICE)

report: $(STAMP)  ## Write the newest run's report again
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
lock:  ## Resolve the dependencies again into requirements.lock (versions and hashes), and those of the service's image
	$(PYTHON) -m venv .cache/lock && .cache/lock/bin/pip install --quiet uv
	.cache/lock/bin/uv pip compile pyproject.toml --all-extras --group dev --group build $(LOCKED) -o requirements.lock
	.cache/lock/bin/uv pip compile --group pyproject.toml:image -c requirements.lock $(LOCKED) \
	    -o docker/service/requirements.lock

# --strict: what could not be looked up fails, and is not passed over.
audit:  ## Look both locks up in PyPI's database of known vulnerabilities
	$(PYTHON) -m venv .cache/audit && .cache/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	.cache/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	    -r requirements.lock -r docker/service/requirements.lock

clean:  ## Remove .venv, caches and build output; runs/ and .cache/ stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
