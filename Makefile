# make quickstart   the whole way once, on drawn landmarks or on PHOTOS=... BENCHMARK=... WEIGHTS=...
# make test         the tests that take seconds each
# make test-slow    the others: every named model, whole runs
# make lint         linter and floors
# make readme       every command of README.md, in order

PYTHON ?= python3.11
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
OUTPUT ?= runs/quickstart

.PHONY: quickstart test test-slow lint readme setup clean

quickstart: $(READY)
	@$(BIN)/python -m experiments.quickstart --output="$(OUTPUT)" $(if $(SEED),--seed=$(SEED)) \
	  $(if $(PHOTOS),--photos="$(PHOTOS)") $(if $(BENCHMARK),--benchmark="$(BENCHMARK)") $(if $(WEIGHTS),--weights="$(WEIGHTS)")

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" --timeout=300

test-slow: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow --timeout=1800 --durations=15

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/lint-imports

readme: $(READY)
	@PATH="$(abspath $(BIN)):$$PATH" python tests/run_readme.py

setup: $(READY)

$(READY): setup.py constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Error: Expected $(PYTHON); received none. \
	Install it, for example with: uv python install 3.11 (then make PYTHON=\$$(uv python find 3.11))."; exit 2; }
	@echo "Setting up $(VENV): about two minutes, once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[report,milvus,prepare,export,weights,dev]"
	@touch $@

clean:
	rm -rf $(VENV) runs build *.egg-info
