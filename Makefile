# Two commands are all a newcomer needs: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install -q --disable-pip-version-check -c constraints.txt
WORKERS ?= 2

.PHONY: demo test lint bench soak clean

demo: $(RUNS)
	rm -rf demo
	$(BIN)/ewms run examples/ocr --out demo

test: $(READY)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -q

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(INSTALL) -e ".[bench]"
	$(BIN)/python -m bench

soak: $(READY)
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest -n $(WORKERS) -q --timeout 3600 -m "soak or not soak"

clean:
	rm -rf $(VENV) demo

$(RUNS): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e ".[local,ocr]"
	touch $@

$(READY): $(RUNS) plugins/skymap_scanner/pyproject.toml
	$(INSTALL) -e ".[local,nkeys,numpy,ocr,test,lint]" -e plugins/skymap_scanner
	touch $@
