# Two commands matter: `make demo` and `make test`. Both set up .venv when it is not there yet.
# `make PYTHON=/path/to/python3.12 ...` chooses the Python; otherwise the newest of 3.10 to 3.13.

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint fuzz coverage matrix format bench benchdocs docs wheel constraints clean

PYTHON ?=
TIMES ?= 30
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := .

# Without bytecode TensorFlow takes twice as long to start.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

venv: $(STAMP) ## set up .venv with pinned dependencies (done by the others when needed)

$(STAMP): setup.py pyproject.toml $(wildcard constraints/*.txt)
	@.ci/make-venv $(VENV) "$(PYTHON)"
	@touch $@

demo: $(STAMP) ## train on the bundled notes for five minutes, then write runs/demo/index.html
	@$(BIN)/noisygan demo

# Two processes: a test keeps a core busy, and holds up to 6 GB.
test: lint ## everything CI runs: lint, format, all tests
	$(BIN)/python -m pytest --slow --durations=10 -n 2 --dist worksteal

fuzz: $(STAMP) ## give every reader odd input for ten minutes; make fuzz TIMES=1000 for longer
	FUZZ=$(TIMES) $(BIN)/python -m pytest -q tests/fuzz

lint: $(STAMP) ## check style and format, changing nothing
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

coverage: $(STAMP) ## all tests again with line and branch coverage, as a table and in htmlcov/
	$(BIN)/python -m pytest --slow -n 2 --dist worksteal --cov --cov-report=term --cov-report=html

matrix: $(STAMP) ## install and try the wheel on every Python, oldest and newest packages
	@$(BIN)/python constraints/matrix.py

format: $(STAMP) ## put the code into the house's format
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(STAMP) ## measure the synthesizers beside ddsp on this machine, some minutes
	@$(BIN)/python benchmarks/synths_vs_ddsp.py

benchdocs: $(STAMP) ## write the figures of make bench into docs/results.md
	$(BIN)/python benchmarks/synths_vs_ddsp.py --publish

docs: $(STAMP) ## build the site into site; open site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html"

wheel: $(STAMP) ## build the wheel into dist/
	rm -rf build
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

constraints: $(STAMP) ## resolve the pinned versions again, for .venv's Python
	$(BIN)/python constraints/freeze.py

clean: ## remove .venv, builds and caches; runs/ is yours and stays
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
