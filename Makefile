# What there is: make demo | jira-demo | check | test | coverage | prove | bench | dist. Each sets itself up first (Python >= 3.11, no root).
PYTHON := .venv/bin/python
RUN := .venv/.ready-run
DEV := .venv/.ready-dev

CHECKS := format lint types layers links readme
.PHONY: help demo jira-demo check test coverage prove bench dist format $(CHECKS:%=check-%)

help:
	@echo "make demo       two sites in one folder, and everything that happens between them"
	@echo "make jira-demo  the same with two Jiras, a Data Center and one on Cloud, both simulated"
	@echo "make check      format, lint, types, layers, links in the docs, README equals --help"
	@echo "make test       the tests"
	@echo "make coverage   the tests, and which lines they run through"
	@echo "make prove      the long campaigns (hours, if you let them)"
	@echo "make bench      how fast it is, beside what it is held against"
	@echo "make dist       a folder that installs filesync where there is no network"
	@echo "make format     put code and README into the form that make check asks for"

# The tests start filesync as a program hundreds of times: it is compiled once, wherever the environment says not to.
test coverage prove: export PYTHONDONTWRITEBYTECODE =

.venv/.ready-%: pyproject.toml tools/setup
	@tools/setup $*

demo: $(RUN)
	@tools/demo

jira-demo: $(RUN)
	@tools/jira-demo

# One target a question, so that `make -k check` asks all of them.
check: $(CHECKS:%=check-%)

check-format: $(DEV)
	$(PYTHON) -m ruff format --check .
check-lint: $(DEV)
	$(PYTHON) -m ruff check .
check-types: $(DEV)
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy tools tests benchmarks
check-layers: $(DEV)
	$(PYTHON) -m pytest -q tests/test_layers.py
check-links: $(DEV)
	$(PYTHON) tools/links.py
check-readme: $(DEV)
	$(PYTHON) tools/readme.py --check

test: $(DEV)
	@tools/install-programs || true
	$(PYTHON) -m pytest -n 2 --dist worksteal -m "not prove"

# Counting lines makes the tests take half as long again.
coverage: $(DEV)
	@tools/install-programs || true
	$(PYTHON) -m pytest -n 2 --dist worksteal -m "not prove" --cov --cov-branch --cov-fail-under=90

prove: $(DEV)
	@tools/install-programs || true
	FILESYNC_LARGE=1 $(PYTHON) -m pytest -n 2 -m "prove or hypothesis" --hypothesis-profile=prove

bench: $(RUN)
	$(PYTHON) -m benchmarks

dist: $(RUN)
	@tools/dist

format: $(DEV)
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) tools/readme.py
