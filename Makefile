# Everything a fresh machine with Python 3.11 and make needs: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SOURCES := pyproject.toml constraints.txt hatch_build.py package-lock.json

.PHONY: run test lint bench bundle screenshots clean

run: $(VENV)/installed
	$(BIN)/intact demo $(ARGS)

test: $(VENV)/installed-dev
	$(BIN)/pytest --numprocesses auto --dist loadfile $(ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed-dev
	$(BIN)/python -m bench $(ARGS)

screenshots: $(VENV)/installed-dev
	$(BIN)/python docs/screenshots.py

bundle: $(VENV)/installed
	$(BIN)/python deploy/bundle/build.py

$(VENV)/installed: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) dist app/web/static/vendor node_modules
