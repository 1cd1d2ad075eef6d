# Everything is made in .venv, dashboard/node_modules, dashboard/vendor and dashboard/dist.
BIN := .venv/bin
PIP := $(BIN)/python -m pip
CODE := agent backend docs tests $(wildcard bench)
PROGRAMS := busybox chromium fonts-dejavu-core influxdb nginx-light openssl postgresql python3-psutil python3-requests shellcheck strace systemd
JS_TESTS := $(wildcard tests/dashboard/*.test.mjs tests/dashboard/*.test.js)

# The newest Python 3.11+ that runs and has pip; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, pip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PYTHON39 ?= $(shell for p in python3.9 "$$HOME"/.pyenv/versions/3.9.*/bin/python; do \
	$$p -c 'import sys, ensurepip; sys.exit(sys.version_info[:2] != (3, 9))' 2>/dev/null && echo $$p && break; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
LOCK := $(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate $(UPGRADE) --python-version
SUDO := $(if $(filter 0,$(shell id -u)),,sudo -n)
APT = { $(SUDO) apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -qq -y --no-install-recommends $(PROGRAMS); } >/dev/null 2>&1

# Last, so that node and npm of this machine win over those from PyPI.
export PATH := $(PATH):$(CURDIR)/$(BIN)

.PHONY: help setup run test soak check bench lock clean programs test-python test-python39 test-agent39 test-js
.PHONY: format lint types types-windows old-python imports types-js docs

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

.venv/.npm: dashboard/package-lock.json | .venv/.run
	@cd dashboard && npm ci --ignore-scripts --loglevel=error >/dev/null
	@touch $@

.venv39/.test: requirements/agent-test.lock
	@echo "Making .venv39 with $(PYTHON39) ..."
	@$(PYTHON39) -m venv --clear .venv39
	@.venv39/bin/python -m pip install -qq --require-hashes -r requirements/agent-test.lock
	@touch $@

# -- test -----------------------------------------------------------------

test: test-python test-python39 test-js ## runs every test

test-python: .venv/.dev .venv/.npm programs
	$(BIN)/pytest -n 2 --dist loadscope

# The agent once more on the oldest Python it promises, where there is one.
test-python39: .venv/.run
	@$(if $(PYTHON39),$(MAKE) --no-print-directory .venv39/.test test-agent39,echo "No Python 3.9 here: the agent is only linted for it.")

test-agent39:
	PYTHONPATH=agent/src .venv39/bin/python -m pytest -n 2 tests/agent

test-js: .venv/.npm
	$(if $(JS_TESTS),node --test $(JS_TESTS))

soak: ## runs every test with its loops as long as they get
	HOSTPULSE_TEST_ROUNDS=1000 PYTEST_ADDOPTS=--timeout=3600 $(MAKE) test

# Debian packages the tests use; where they cannot be installed, the tests that need them say so.
programs:
	@dpkg -s $(PROGRAMS) >/dev/null 2>&1 || $(APT) || echo "Could not install $(PROGRAMS); the tests go on without."

# -- check ----------------------------------------------------------------

check: .venv/.dev .venv/.npm ## checks format, lint, types, imports and docs
	@$(MAKE) -k -j2 -O --no-print-directory format lint types types-windows old-python imports types-js docs

format:
	@$(BIN)/ruff format --check -q --output-format=concise $(CODE)

lint:
	@$(BIN)/ruff check -q --output-format=concise $(CODE)
	@$(BIN)/hadolint deploy/docker/Dockerfile

types:
	@$(BIN)/mypy --no-error-summary agent/src backend/src backend/hatch_build.py

# What only Linux has does not exist for the type checker on Windows: fcntl, fork, SIGHUP ...
types-windows:
	@$(BIN)/mypy --no-error-summary --platform win32 --cache-dir .mypy_cache/windows backend/src

old-python:
	@$(BIN)/vermin -q --no-tips --eval-annotations -t=3.9- --violations agent/src

imports:
	@said=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$said"; exit 1; }

types-js:
	@dashboard/node_modules/.bin/tsc -p dashboard

docs:
	@$(BIN)/pytest -q $(wildcard tests/docs) tests/build/test_tree.py tests/build/test_locks.py

bench: .venv/.dev ## measures the cost of server, agent and pages
	$(BIN)/python bench/run.py

lock: .venv/.dev ## renews requirements/*.lock (UPGRADE=--upgrade for newer versions)
	$(LOCK) 3.11 agent/pyproject.toml backend/pyproject.toml requirements/build.in -o requirements/run.lock
	$(LOCK) 3.11 agent/pyproject.toml backend/pyproject.toml requirements/build.in requirements/dev.in -c requirements/run.lock -o requirements/dev.lock
	$(LOCK) 3.9 agent/pyproject.toml -o requirements/agent.lock
	$(LOCK) 3.9 agent/pyproject.toml requirements/agent-test.in -c requirements/agent.lock -o requirements/agent-test.lock
	$(LOCK) 3.11 requirements/node.in -o requirements/node.lock
	cd dashboard && npm install --package-lock-only --ignore-scripts

clean: ## removes everything that was made
	rm -rf .venv .venv39 dashboard/dist dashboard/node_modules dashboard/vendor test-results
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
