PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench

.PHONY: help demo s3 lambda-zip azurite test test-all frameworks soak lint format sync clean bench

help:
	@echo "make demo        show the store against a local S3 server"
	@echo "make s3          run a local S3 server, and print the variables to export (DATA=folder keeps its data)"
	@echo "make lambda-zip  build the packages of examples/lambda, into dist/"
	@echo "make test        run the fast tests"
	@echo "make test-all    run all tests"
	@echo "make frameworks  run the frameworks' own tests with the integrations (NAMES=langgraph for one)"
	@echo "make azurite     install Azure's emulator with npm, for the tests that need it"
	@echo "make soak        run the histories under faults for minutes (SECONDS=300)"
	@echo "make bench       measure the library beside its alternatives, and update the README's table (15 to 20 minutes)"
	@echo "make lint        check style, types, words, layers, and the generated code"
	@echo "make format      format the code"
	@echo "make sync        generate the sync side from the async side"
	@echo "make clean       remove the environments and all caches"

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group dev
	@touch $@

demo: $(VENV)/ready
	@$(BIN)/python examples/demo.py

# DATA=folder keeps the data; PORT is the server's port.
s3: PORT := 8333
s3: $(VENV)/ready
	@$(BIN)/sessionbucket s3 --port $(PORT) $(if $(DATA),--data $(DATA))

lambda-zip: $(VENV)/ready
	@$(BIN)/python scripts/lambda_zip.py

azurite: $(VENV)/azurite/node_modules/.bin/azurite-blob

$(VENV)/azurite/node_modules/.bin/azurite-blob: | $(VENV)/ready
	npm install --prefix $(VENV)/azurite "azurite@^3.37" --no-audit --no-fund --loglevel=error

test: $(VENV)/ready
	$(BIN)/python -m pytest --numprocesses=2 -m "not slow"

test-all: test
	$(BIN)/python -m pytest --numprocesses=2 -m slow

frameworks:
	$(PYTHON) scripts/frameworks.py $(NAMES)

soak: SECONDS := 300
soak: $(VENV)/ready
	SESSIONBUCKET_SOAK_SECONDS=$(SECONDS) $(BIN)/python -m pytest tests/faults/test_histories.py

$(BENCH_VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BENCH_VENV)/bin/python -m pip install --quiet --editable ".[all]" --group bench
	@touch $@

bench: BENCH_OPTIONS := --publish
bench: $(BENCH_VENV)/ready
	$(BENCH_VENV)/bin/python -m benchmarks $(BENCH_OPTIONS)

lint: $(VENV)/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python scripts/generate_sync.py --check
	$(BIN)/python scripts/check_words.py
	$(BIN)/lint-imports
	$(BIN)/mypy
	MYPYPATH=examples/lambda $(BIN)/mypy examples/lambda/*.py

format: $(VENV)/ready
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python scripts/generate_sync.py

sync: $(VENV)/ready
	$(BIN)/python scripts/generate_sync.py

clean:
	rm -rf $(VENV) $(BENCH_VENV) .frameworks .mypy_cache .ruff_cache .pytest_cache .hypothesis
