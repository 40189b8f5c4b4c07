# Needs GNU make and Python 3.11 to 3.14; everything else is installed into .venv.

PYTHON ?= python3
ARGS ?=

# With no PYTHON given, other names are tried when python3 is too old or too new.
CANDIDATES := $(PYTHON) $(if $(filter file,$(origin PYTHON)),python3.14 python3.13 python3.12 python3.11)
SUPPORTED := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-input -c .ci/constraints.txt
PINS := pyproject.toml .ci/constraints.txt
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
PYTEST := JUPYTER_PLATFORM_DIRS=1 $(BIN)/python -m pytest -q -n auto --nbmake --nbmake-timeout=600

ROOT := $(if $(filter-out 0,$(shell id -u)),sudo)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run page test check test-deep notebooks bench format clean browser

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.dev ## Install outsim and all its tools into .venv
	@echo "Installed. Try: $(BIN)/outsim --help"

run: .venv/.runtime ## Compare calls at the top of the hour with calls at a quarter past
	$(BIN)/outsim compare scenarios/top-of-hour.toml scenarios/quarter-past.toml

page: .venv/.live ## See the morning move at http://127.0.0.1:8900/, with what a quarter past changes
	$(BIN)/outsim serve scenarios/top-of-hour.toml scenarios/quarter-past.toml

test: check browser ## Check, then run the tests and the notebooks; ARGS="-k stop" chooses
	$(PYTEST) tests $(NOTEBOOKS) $(ARGS)

check: .venv/.dev ## Lint, formatting and types, without tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test-deep: .venv/.dev browser ## The tests that take minutes: many random scenarios, laws of queues
	OUTSIM_PROFILE=deep $(PYTEST) -m deep tests $(ARGS)

notebooks: .venv/.dev ## Run every notebook and keep the output in its file
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace --log-level=WARN \
		--ExecutePreprocessor.record_timing=False \
		--ExecutePreprocessor.store_widget_state=False $(or $(ARGS),notebooks/*.ipynb)

bench: .venv/.dev ## Measure the engines, beside another simulator; some minutes
	@$(PIP) --no-build-isolation -e '.[bench]'
	$(BIN)/python tests/bench/run.py $(ARGS)

format: .venv/.dev ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## Remove .venv, caches and builds
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The report is looked at in a real browser: Debian's, or the one that OUTSIM_CHROMIUM names.
browser:
	@test -n "$$OUTSIM_CHROMIUM" || command -v chromium >/dev/null || { \
		echo "Installing Debian's chromium"; \
		$(ROOT) apt-get update -qq && $(ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends chromium >/dev/null; \
	} || { \
		echo 'The tests of the report need chromium: install it, or name one in OUTSIM_CHROMIUM' >&2; \
		exit 1; \
	}

# Stamps: each is made once, and again when a pinned version changes.

.venv/.python:
	@for python in $(CANDIDATES); do \
		if "$$python" -c '$(SUPPORTED)' >/dev/null 2>&1; then \
			echo "Making .venv with $$("$$python" --version)"; \
			"$$python" -m venv --clear .venv && touch $@; exit; \
		fi; \
	done; \
	echo 'outsim needs Python 3.11 to 3.14 with its venv module; none found as: $(CANDIDATES)' >&2; \
	echo 'Name one: make $(or $(MAKECMDGOALS),install) PYTHON=/path/to/python3.11' >&2; \
	exit 1

# pip and the build backend go in first, so that they too have pinned versions: with the pip that
# comes with an older Python, a pin that cannot be met means an endless search, not an error.
.venv/.runtime: .venv/.python $(PINS)
	@echo "Installing outsim (about half a minute)"
	@$(PIP) pip hatchling
	@$(PIP) --no-build-isolation -e .
	@touch $@

.venv/.live: .venv/.runtime
	@echo "Installing what the page needs"
	@$(PIP) --no-build-isolation -e '.[live]'
	@touch $@

.venv/.dev: .venv/.runtime
	@echo "Installing the development tools (about a minute)"
	@$(PIP) --no-build-isolation -e '.[dev,live,notebook]'
	@touch $@
