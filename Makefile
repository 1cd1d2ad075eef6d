# Everything is made in .venv, dashboard/node_modules and dashboard/vendor; `make clean` removes them.
BIN := .venv/bin
PIP := $(BIN)/python -m pip
CODE := agent backend tests $(wildcard bench)
JS_TESTS := $(wildcard tests/dashboard/*.test.mjs tests/dashboard/*.test.js)

# The newest Python 3.11+ that runs and has pip; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, pip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PYTHON39 ?= $(shell for p in python3.9 "$$HOME"/.pyenv/versions/3.9.*/bin/python; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 9))' 2>/dev/null && echo $$p && break; done)

# How often the long loops of the tests go round.
export HYPOTHESIS_STORAGE_DIRECTORY := .pytest_cache/hypothesis
export HOSTPULSE_TEST_ROUNDS ?= 20
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# Last, so that node and npm of this machine win over those from PyPI.
export PATH := $(PATH):$(CURDIR)/$(BIN)

.PHONY: help setup run test soak check bench lock clean programs

help: ## says what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

setup: .venv/.run ## makes .venv with hostpulse and hostpulse-agent

run: setup ## starts the server and an agent on http://localhost:5000
	@exec $(BIN)/hostpulse up

# -- setup ----------------------------------------------------------------

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Hostpulse needs Python 3.11 or newer with pip: install it, or say make PYTHON=/path/to/python." >&2; exit 1; }
	@echo "Making .venv with $(PYTHON) ..."
	@$(PYTHON) -m venv --without-pip .venv

# pip of the chosen Python fills .venv, so neither ensurepip nor a writable system is needed.
.venv/.run: requirements/run.lock agent/pyproject.toml backend/pyproject.toml backend/hatch_build.py dashboard/package-lock.json dashboard/build.mjs | .venv/bin/python
	@echo "Installing what Hostpulse needs ..."
	@test -x $(BIN)/pip || $(PYTHON) -m pip --python $(BIN)/python install -qq --require-hashes -r requirements/run.lock
	@$(PIP) install -qq --require-hashes -r requirements/run.lock
	@command -v npm >/dev/null || $(PIP) install -qq --require-hashes -r requirements/node.lock
	@$(PIP) install -qq --no-deps --no-build-isolation -e ./agent -e ./backend
	@touch $@

.venv/.dev: requirements/dev.lock .venv/.run
	@echo "Installing what the tests need ..."
	@$(PIP) install -qq --require-hashes -r requirements/dev.lock
	@touch $@

.venv/.npm: dashboard/package-lock.json .venv/.run
	@cd dashboard && npm ci --ignore-scripts --loglevel=error >/dev/null
	@touch $@

.venv39/.test: requirements/agent-test.lock
	@echo "Making .venv39 with $(PYTHON39) ..."
	@$(PYTHON39) -m venv --clear --without-pip .venv39
	@$(PIP) --python .venv39/bin/python install -qq --require-hashes -r requirements/agent-test.lock
	@touch $@

clean: ## removes everything that was made
	rm -rf .venv .venv39 dashboard/node_modules dashboard/vendor dist test-results
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
