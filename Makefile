# Two commands are all a newcomer needs: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test lint bench soak clean

demo: $(READY)
	rm -rf demo
	$(BIN)/ewms run examples/ocr --out demo

test: $(READY)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -q tests

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/pip install -q -c constraints.txt -e ".[bench]"
	$(BIN)/python -m bench

soak: $(READY)
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest -n $(WORKERS) -q --timeout 3600 -m "soak or not soak" tests

clean:
	rm -rf $(VENV) demo

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e ".[local,nkeys,numpy,ocr,test,lint]"
	touch $@
