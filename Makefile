# Two commands are all a newcomer needs: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
RUNS := $(VENV)/.runs
SKYMAP := $(VENV)/.skymap
READY := $(VENV)/.ready
SECANTUS := .venv-secantus/.ready
NANOIDP := .venv-nanoidp/.ready
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install -q --disable-pip-version-check -c constraints.txt
WORKERS ?= 3

.PHONY: demo demo-skymap test lint readers provider bench soak clean

demo: $(RUNS)
	rm -rf demo
	$(BIN)/ewms run examples/ocr --out demo

demo-skymap: $(SKYMAP)
	rm -rf demo-skymap && mkdir demo-skymap
	$(BIN)/skymap-scanner simulate --zenith 80 --azimuth 210 --energy 300000 --seed 1 --out demo-skymap/event.json
	$(BIN)/skymap-scanner scan demo-skymap/event.json --workers 2 --out demo-skymap/scan

# Tests of real services share the machine's cores: what failed among the others has to pass alone, and both are shown. Only
# where all tests ran and some failed, which is 1: after any other end it is not known what else would have.
test: $(READY) $(SECANTUS)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -q || { [ $$? -eq 1 ] && $(BIN)/pytest --last-failed --last-failed-no-failures none --maxfail 3 -q; }

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy plugins/skymap_scanner  # apart: its tests are called as ours are
	$(BIN)/lint-imports

bench: $(READY)
	$(INSTALL) -e ".[bench]"
	$(BIN)/python -m bench

# The programs that others read our sky maps with: 50 packages, so tests with them are for CI and whoever asks.
readers: $(READY)
	$(INSTALL) -e "plugins/skymap_scanner[readers]"

# An OpenID provider that is not ours; with its many requirements it is for CI and whoever asks, too.
provider: $(NANOIDP)

soak: $(READY) $(SECANTUS) $(NANOIDP)
	$(INSTALL) -e "plugins/skymap_scanner[readers,fuzz]"
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest -n $(WORKERS) -q --timeout 3600 -m "soak or not soak"

clean:
	rm -rf $(VENV) .venv-secantus .venv-nanoidp demo demo-skymap

$(RUNS): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e ".[local,ocr]"
	touch $@

$(SKYMAP): $(RUNS) plugins/skymap_scanner/pyproject.toml
	$(INSTALL) -e plugins/skymap_scanner
	touch $@

$(READY): $(SKYMAP)
	$(INSTALL) -e ".[local,service,top,mongo,htcondor,bundle,numpy,ocr,pulsar,rabbitmq,survey,cryoem,test,lint]" -e "plugins/skymap_scanner[test]"
	$(BIN)/python -c "from skymap_scanner.scanning.warming import warm; warm()"  # or each process compiles the kernels
	touch $@

# It speaks MongoDB's protocol to the tests; apart, because its licence is the GPL's and its process is all we use.
$(SECANTUS):
	$(PYTHON) -m venv .venv-secantus
	.venv-secantus/bin/pip install -q --disable-pip-version-check secantusdb==0.7.0b3
	touch $@

$(NANOIDP):
	$(PYTHON) -m venv .venv-nanoidp
	.venv-nanoidp/bin/pip install -q --disable-pip-version-check nanoidp==3.4.0
	touch $@
