# Everything needs only Python 3.11+, make and a package index; the first call makes .venv and installs the locked set.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PARAMS ?= params/demo.yaml
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help report test test-long verify lab lint hooks lock benchmarks clean

help: ## list what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: $(READY) ## run the demo (or PARAMS=params/yours.yaml) and print the path of the page
	$(BIN)/tierbook run $(PARAMS)

test: $(READY) ## run the everyday suite
	$(BIN)/python -m pytest -n auto

test-long: $(READY) ## run what the everyday suite leaves out: whole reports on real files, all case studies
	$(BIN)/python -m pytest -n auto -m 'long and not verify'

verify: $(READY) ## published figures, simulations on many seeds (docs/verification.md), random shops, 50 kills
	$(BIN)/python -m pytest tests/verify -n auto -m verify --table docs/verification.md
	$(BIN)/python -m pytest tests/fuzz -n auto -m verify
	TIERBOOK_KILLS=50 $(BIN)/python -m pytest tests/end_to_end/test_crash.py -m long -k killed

lab: $(READY) ## open the notebooks in JupyterLab, on the demo or on PARAMS=params/yours.yaml
	TIERBOOK_PARAMS=$(PARAMS) $(BIN)/jupyter lab notebooks

lint: $(READY) ## ruff over code and notebooks; notebooks without outputs
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb notebooks/cases/*.ipynb

hooks: $(READY) ## let git strip notebook outputs and run ruff at every commit
	$(BIN)/pre-commit install

lock: $(READY) ## resolve pyproject.toml into requirements.txt (names, versions, hashes; no hosts)
	$(BIN)/uv pip compile -q pyproject.toml --extra dev -o requirements.txt --python-version 3.11 --universal \
	  --generate-hashes --no-emit-index-url --no-emit-find-links

benchmarks: $(READY) ## measure speed and memory beside bare SQL, peers and import-only notebooks into docs/benchmarks.md
	$(BIN)/python tests/benchmarks --write docs/benchmarks.md

clean: ## remove .venv and kept steps; reports stay
	rm -rf $(VENV) outputs/.work outputs/.staging outputs/.failed outputs/.preview

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tierbook needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@# uv is ten times quicker; where it cannot reach the index (a proxy's certificates, say), pip may. Both compile what they
	@# install: where Python may not write bytecode itself, every kernel would compile its imports anew.
	$(BIN)/uv pip install --quiet --system-certs --compile-bytecode --python $(BIN)/python -r requirements.txt || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --no-deps --editable . || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)
