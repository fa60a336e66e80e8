# Everything works in the checkout: .venv is made by the first target that needs it, and is fast the second time.
# PYTHON=/path/to/python3.12 make setup   chooses the interpreter.

PYTHON ?= $(shell .ci/find-python)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FAKESNOW := .venv-fakesnow
FAKESNOW_READY := $(FAKESNOW)/.ready
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup snowflake-server demo test test-quick lint types docs bench bench-quick peers series-peers rules-peers rootcause-peers import-peers clean

help:  ## What there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## Make .venv with daywatch and everything it needs, as pinned in constraints.txt

$(READY): pyproject.toml constraints.txt
	@.ci/find-python --check "$(PYTHON)"
	@echo "Setting up $(VENV) with $(PYTHON); the first time takes a minute or two."
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "python cannot make virtual environments: install its venv package (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt -e ".[dev]"
	@touch $(READY)

snowflake-server: $(FAKESNOW_READY)  ## Make .venv-fakesnow, the server that tests of Snowflake talk to

# Of its own, as it needs another DuckDB and another connector than daywatch; nothing of it is installed with daywatch.
$(FAKESNOW_READY): tests/snowflake_server/requirements.txt
	@.ci/find-python --check "$(PYTHON)"
	@echo "Setting up $(FAKESNOW), for the tests of Snowflake."
	@test -x $(FAKESNOW)/bin/python || "$(PYTHON)" -m venv $(FAKESNOW)
	@$(FAKESNOW)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps -r $<
	@touch $@

demo: setup  ## Real flights of 2013 replayed day by day, with the alerts that they raise, in demo/
	@$(BIN)/python -m monitor.demo

test: setup snowflake-server  ## The whole test suite
	@$(BIN)/python -m pytest -n $(WORKERS)

test-quick: setup snowflake-server  ## Without services, commands and second drivers run for real: a minute or two
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

lint: setup  ## Style and format, by ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup  ## Types, by mypy in strict mode
	@$(BIN)/mypy

docs: setup  ## Documents against the code, and the examples in docstrings
	@$(BIN)/python -m pytest -q tests/test_docs.py monitor checks chaos daywatch

soak: setup  ## The service over 60 days of troubled loads, calm and in a storm of failures; long
	@$(BIN)/python -m tests.soak

soak-quick: setup  ## The same for six days, a death at every state of a run
	@$(BIN)/python -m tests.soak --quick

bench: setup  ## Faults found and false alerts on real tables, figures and pictures made anew; half an hour
	@$(BIN)/python -m benchmarks.detection

bench-quick: setup  ## The same on a few days, against the committed figures; some minutes
	@$(BIN)/python -m benchmarks.detection --quick

PEERS := .venv-peers
define PEER_ENVIRONMENT
@.ci/find-python --check "$(PYTHON)"
@echo "Setting up $(@D), for the comparison with other tools."
@test -x $(@D)/bin/python || "$(PYTHON)" -m venv $(@D)
@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-input $(PIP_MORE) -r $<
@touch $@
endef

PEER_ENVIRONMENTS := $(patsubst benchmarks/peers/requirements/%.txt,$(PEERS)/%/.ready,$(wildcard benchmarks/peers/requirements/*.txt))

peers: setup $(PEER_ENVIRONMENTS)  ## Make .venv-peers, the tools that daywatch is compared with; then: python -m benchmarks.peers

# One for each, as no two of them agree on their libraries; nothing of them is installed with daywatch.
$(PEERS)/%/.ready: benchmarks/peers/requirements/%.txt
	$(PEER_ENVIRONMENT)

series-peers: setup $(PEERS)/series/.ready  ## The same for forecasts of series; then: python -m benchmarks.series

$(PEERS)/series/.ready: PIP_MORE := --no-deps
$(PEERS)/series/.ready: benchmarks/series/requirements.txt
	$(PEER_ENVIRONMENT)

rules-peers: setup $(PEERS)/rules/.ready  ## The same for rules; then: python -m benchmarks.rules

$(PEERS)/rules/.ready: benchmarks/rules/requirements.txt
	$(PEER_ENVIRONMENT)

rootcause-peers: setup $(PEERS)/rootcause/.ready  ## The same for segments; then: python -m benchmarks.rootcause

$(PEERS)/rootcause/.ready: benchmarks/rootcause/requirements.txt
	$(PEER_ENVIRONMENT)

import-peers: rules-peers $(PEERS)/import-dbt/.ready $(PEERS)/import-gx/.ready $(PEERS)/import-contracts/.ready setup  ## The same for imports; then: python -m tests.imports.record

$(PEERS)/import-%/.ready: tests/imports/requirements/%.txt
	$(PEER_ENVIRONMENT)

clean:  ## Take away what was made, .venv included
	rm -rf $(VENV) $(FAKESNOW) $(PEERS) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
