# Each target does all its set-up by itself; Python 3.11 or newer and git are all it needs.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
N ?= 100000
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CORE := $(addprefix tests/,model engine wire runtime store artifacts builds analytics widgets told)
QUICK := not slow and not container
SIDE_BY_SIDE := not container

.DEFAULT_GOAL := help
.PHONY: help setup check test chaos fuzz demo bench constraints clean

help:
	@echo "make demo   a web application goes from a commit to two running environments (YES=1 approves)"
	@echo "make test   every check and every test"
	@echo "make check  the quick ones, of the core, in seconds"
	@echo "make fuzz   random schedules, requests and secrets by the 100,000 (30 minutes)"
	@echo "make chaos  engines, runners, servers, disks and clocks fail thousands of times (hours)"
	@echo "make bench  what the engine costs and its peers beside it (KEEP=1: into the README)"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found"; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[test]'
	@touch $(READY)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q -n 2 -m '$(QUICK)' $(CORE)

test: $(READY)
	@.ci/system-packages
	@.ci/node-packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@rm -rf .pytest_cache
	$(BIN)/python -m pytest -q -n 2 --durations=20 -m '$(SIDE_BY_SIDE)' || \
	  { [ $$? -eq 1 ] && $(BIN)/python -m tests.alone; }
	$(BIN)/python -m pytest -q -m container

fuzz: $(READY)
	$(BIN)/python -m tests.engine.fuzz --n $(N)
	$(BIN)/python -m tests.operations.fuzz --n $(N)
	$(BIN)/python -m tests.operations.fuzz_signed
	$(BIN)/python -m tests.tools.fuzz_redact

chaos: $(READY)
	$(BIN)/python -m tests.chaos --whole
	$(BIN)/python -m tests.chaos --whole --store postgres

demo: $(READY)
	@$(BIN)/pipelinekit demo $(if $(YES),--yes)

bench: $(READY)
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.peers $(if $(KEEP),--keep)

constraints:
	uv pip compile pyproject.toml --extra test --no-header --no-annotate --upgrade \
	  --output-file constraints.txt

clean:
	rm -rf $(VENV) .bench .pipelinekit build dist
