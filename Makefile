# Two commands do everything: `make repro` and `make test`. Each makes the environment first, if need be.
.DEFAULT_GOAL := help
.PHONY: help env spark repro test test-tools faults verify soak bench mutants lint notebooks docs quarto clean

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMP := $(VENV)/.complete
# The newest Python that the lock serves; name another with `make PYTHON=/path/to/python3.12 env`. Where an
# environment is active, the Python that it was made from: the environment here may be the one that is replaced.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit(1); print(sys._base_executable)' \
	2>/dev/null && break; done)

export PATH := $(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)
# The matrices are many and small: threads of the linear algebra would mostly wait for each other.
export OMP_NUM_THREADS ?= 1

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(STAMP) ## the Python environment in .venv, from the hash-locked requirements

$(STAMP): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		echo "No Python 3.11, 3.12 or 3.13 was found. Install one (Debian: apt install python3;" \
		"macOS: brew install python@3.13) or name it: make PYTHON=/path/to/python3 env"; exit 1; }
	@command -v git >/dev/null || { echo "git was not found (Debian: apt install git)."; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make environments." \
		"Debian: apt install python3-venv"; exit 1; }
	rm -rf $(VENV)
	"$(PYTHON)" -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements.lock
	@# Compiling on every core afterwards is a third faster than file by file while installing.
	-@$(VENV)/bin/python -m compileall -qq -j 0 $(VENV)/lib
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

spark: env ## Apache Spark's Python package beside it, half a gigabyte, for `flows --engine spark`
	@command -v java >/dev/null || { echo "Java was not found (Debian: apt install default-jre-headless;" \
		"macOS: brew install openjdk@17)."; exit 1; }
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile \
		-r requirements-spark.lock

repro: env ## from the published lists to the rendered pages: reports/_site/index.html
	@python -m analysis.lockfile
	dvc repro
	@echo "Open reports/_site/index.html"

test: env ## the tests
	@# In the order of names: files of few tests, which xdist would leave for the end, are the longest.
	python -m pytest -n logical --dist loadfile --no-loadscope-reorder

test-tools: env ## what a few tests need, and are skipped without: a browser's driver, axe-core, reference data, esda
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-test.lock

faults: env ## tests/FAULTS.md, from the marks of the tests
	python -m tests.faults

verify: env ## re-run everything by force in a temporary clone, in another locale and time zone, and compare every byte
	python -m analysis.verify

soak: env test-tools ## half an hour of other conditions, killed runs and bad data: benchmarks/soak.csv
	python -m benchmarks.soak

# Packages that benchmarks compare with, or make mutants with, are needed for nothing else, so they have a lock
# and an environment of their own, which also sees the project's.
BENCH := .venv-bench
$(BENCH)/.complete: $(STAMP) requirements-bench.lock
	rm -rf $(BENCH)
	python -m venv $(BENCH)
	@python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$($(BENCH)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth"
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-bench.lock
	@touch $@

bench: env $(BENCH)/.complete ## time and memory of pipeline, ledger, predictions, multiverse, size and coverage of tests, explorer
	python benchmarks/pipeline.py
	$(BENCH)/bin/python -m benchmarks.multiverse
	python -m benchmarks.ledger
	python -m benchmarks.flows
	python -m benchmarks.refresh
	python -m benchmarks.prediction
	python -m benchmarks.mixed
	python -m benchmarks.size_and_coverage
	python -m benchmarks.explorer

mutants: env $(BENCH)/.complete ## do the tests notice wrong code? benchmarks/mutation.csv, half an hour
	$(BENCH)/bin/python -m benchmarks.mutants

notebooks: env ## the .ipynb beside each script in notebooks/
	jupytext --quiet --update --to ipynb notebooks/*.py

docs: env ## docs/api.md, every public name with what its docstring says
	python -m docs.api

lint: env ## style, types and errors that need no run
	ruff check .
	ruff format --check .
	mypy

quarto: env ## the same pages by Quarto, where it is installed, in reports/_quarto/
	@command -v quarto >/dev/null || { echo "Quarto was not found. Install it from quarto.org, or" \
		"'.venv/bin/pip install quarto-cli' where its release page is reached."; exit 1; }
	@# The pages read the tables for download, and link to them.
	python -m analysis export --to reports/downloads
	quarto render reports --output-dir _quarto

clean: ## remove the rendered pages and the caches; data and results stay
	rm -rf reports/_site reports/downloads reports/_quarto reports/.quarto .render-cache .multiverse-cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find analysis tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
