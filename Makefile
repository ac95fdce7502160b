# Every target sets itself up: a bare machine needs make, Python >= 3.11 and pip.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help setup demo test test-core check format check-format check-lint check-types check-imports \
	check-docs check-tests docs bench measured prove

PYTHON := .venv/bin/python
SET_UP := .venv/.set-up
TESTED := build/tested
SEED ?= 0
ARGS ?=
# A file's tests stay in one worker, which starts their services once. WORKERS= runs one after another.
WORKERS ?= -n auto --maxprocesses 4 --dist loadfile

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(SET_UP) ## install the locked packages into .venv (instant when they are there)

$(SET_UP): uv.lock pyproject.toml scripts/setup
	@scripts/setup
	@touch $@

demo: setup ## walk one idea from real bars to a journalled paper fill, offline, no keys
	@$(PYTHON) -m cli.demo $(ARGS)

test: setup ## run every test (ARGS="tests/home -k clock" runs some, WORKERS= one by one)
	@mkdir -p build
	@scripts/tree > $(TESTED).running
	$(PYTHON) -m pytest $(WORKERS) $(ARGS)
	@if [ -z "$(ARGS)" ]; then mv $(TESTED).running $(TESTED); else rm $(TESTED).running; fi

test-core: setup ## the fast half: core, gate, ledger, keys and home, under a minute
	$(PYTHON) -m pytest $(WORKERS) tests/when_to_invest tests/policies tests/ledger tests/signing tests/home \
		-m "not slow and not flow" $(ARGS)

check: check-format check-lint check-types check-imports check-docs check-tests ## everything a change must pass
	@echo "check: all passed"

check-format: setup
	$(PYTHON) -m ruff format --check .

check-lint: setup
	$(PYTHON) -m ruff check .

check-types: setup
	$(PYTHON) -m mypy

check-imports: setup
	.venv/bin/lint-imports

check-docs: setup
	$(PYTHON) docs/generate.py --check

check-tests: setup # not again when `make test` has just passed on this very tree
	@if [ "$$(cat $(TESTED) 2>/dev/null)" = "$$(scripts/tree)" ]; then \
		echo "check-tests: every test has passed on this very tree"; \
	else $(MAKE) test ARGS=; fi

format: setup ## format the code and fix what can be fixed safely
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

docs: setup ## write the generated pages anew
	$(PYTHON) docs/generate.py

bench: setup ## measure against peers in the same run; also written to build/bench.json
	@$(PYTHON) -m benchmarks.run $(ARGS)

measured: setup ## measure every target and write docs/measured.md from it
	-@$(PYTHON) -m benchmarks.run targets
	@$(PYTHON) -m benchmarks.page

prove: setup ## the long proofs, full size (SEED=n, ARGS=--left); also written to build/prove.json
	@$(PYTHON) -m tests.proving --seed $(SEED) $(ARGS)
