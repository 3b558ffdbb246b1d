# Two commands on a fresh machine with Python 3.10+ and a C++ compiler:
#   make train    train a graph network on real data (handwritten digits) and write a report
#   make test     every check and all tests but the slow ones
# Each sets up .venv by itself. Variables: PYTHON (interpreter), VENV (environment), TORCH (a
# requirement such as 'torch>=2.6', in place of tools/constraints.txt), ARGS (more arguments), JOBS
# (processes that run the tests; 0: the one that collects them).

PYTHON ?= python3
VENV ?= .venv
TORCH ?=
ARGS ?=
JOBS ?= 2
BIN := $(VENV)/bin
# Threads without work must not spin: the other process wants the core.
PYTEST := OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

# Another environment's modules must not leak into ours.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help train test test-reference sanitize lint format check doctest api docs setup-train \
  setup-test setup-docs python clean

help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

train: setup-train  ## Train on the handwritten digits, results in runs/ (ARGS: more flags).
	$(BIN)/gossamer train --dataset digits $(ARGS)

test: setup-test  ## Lint, syntax-tree check, API check, sizes, tests and doctests (ARGS: for pytest).
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/check_tests.py
	$(BIN)/python tools/check_api.py
	$(BIN)/python tools/sizes.py
	$(PYTEST) tests $(ARGS)

# The rooms whose results come from kernels.
REFERENCE_TESTS := $(addprefix tests/,function graph graphbolt kernels nn ops optim sampling sparse \
  dataloading transforms)

test-reference: setup-test  ## The tests of rooms that compute, with the native kernels switched off.
	GOSSAMER_KERNELS=reference $(PYTEST) $(REFERENCE_TESTS) $(ARGS)

sanitize: setup-test  ## The kernels' tests on a core with address and undefined-behavior sanitizers.
	OMP_WAIT_POLICY=passive $(BIN)/python tools/sanitize.py

lint: setup-test  ## Style and syntax-tree checks, and lines of code by room.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/check_tests.py
	$(BIN)/python tools/sizes.py

format: setup-test  ## Format the code and apply automatic fixes.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

doctest: setup-test  ## Run the examples in the docstrings.
	$(BIN)/python -m pytest -q tests/test_doctests.py

api: setup-test  ## Compare the public names with the inventory of DGL's.
	$(BIN)/python tools/check_api.py

docs: setup-docs  ## Build the documentation site in build/docs, and check its links.
	$(BIN)/python -m sphinx -q -W --keep-going docs build/docs
	$(BIN)/python tools/check_links.py build/docs
	@echo "open build/docs/index.html"

setup-train setup-test setup-docs: setup-%: python
	@$(PYTHON) tools/setup_env.py $* --venv "$(VENV)" --torch "$(TORCH)"

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
	  found=$$($(PYTHON) -c 'import sys; print("Python " + sys.version.split()[0])' 2>/dev/null) || \
	    found="no Python that runs"; \
	  echo "make: Gossamer needs Python 3.10 or newer, but '$(PYTHON)' is $$found;" \
	    "name another one: make PYTHON=/path/to/python" >&2; \
	  exit 2; }

clean:  ## Remove the environment and everything built.
	rm -rf "$(VENV)" build .pytest_cache .ruff_cache .hypothesis
