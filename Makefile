# Two commands, each enough by itself on a fresh machine: `make demo` and `make test`.

PYTHON  ?= python3
VENV    := .venv
WORKERS ?= 2
BIN     := $(VENV)/bin
CORE    := $(VENV)/.core-installed
DEV     := $(VENV)/.dev-installed
PIP     := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check lint format schema accuracy findings examples performance bench clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(CORE) ## simulate one token of a language model on one GPU
	@$(BIN)/archsim run llama-3.1-8b-decode h100-sxm

test: $(DEV) ## run the tests (make test ARGS='-k ledger': some of them, one after the other)
ifdef ARGS
	@$(BIN)/pytest $(ARGS)
else
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile tests
	@$(BIN)/pytest benchmarks # alone: they hold times against each other
endif

check: lint ## everything that a change must pass: style, types, architecture, tests
	@$(MAKE) --no-print-directory test

lint: $(DEV) ## the part of check that runs nothing
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(DEV) ## put the code in its usual shape
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

schema: $(CORE) ## write the schemas that editors read
	@for file in hardware workload; do \
	    $(BIN)/archsim schema $$file > schemas/$$file.schema.json.new || exit; \
	    mv schemas/$$file.schema.json.new schemas/$$file.schema.json; \
	done

accuracy: $(CORE) ## hold predictions against measurements, and write docs/accuracy.md and the table of the README
	@folder=$$(mktemp -d) && $(BIN)/archsim validate -o $$folder >/dev/null && \
	    mv $$folder/accuracy.md $$folder/accuracy.svg docs && $(BIN)/python validation/readme.py docs/accuracy.md README.md

findings: $(CORE) ## write what studies under docs/findings found
	@$(BIN)/python docs/findings/ssm_against_attention.py docs/findings/ssm-against-attention.md
	@$(BIN)/python docs/findings/stragglers.py docs/findings/stragglers.md

examples: $(CORE) ## compare four classes of machine on three families of models, as in reports/
	@$(BIN)/archsim compare --workload llama-3.1-8b-decode qwen3-30b-a3b-decode mamba-2-2.7b-decode \
	    --hardware h100-sxm wse-3 northpole-x16 hardwired-generic --fit -o reports
	@if command -v chromium >/dev/null; then chromium --headless --no-sandbox --disable-gpu \
	    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
	    --user-data-dir=$$(mktemp -d) --window-size=1280,2000 --screenshot=reports/report.png \
	    file://$(CURDIR)/reports/report.html 2>/dev/null; fi

performance: $(DEV) ## time the jobs of benchmarks/, and write docs/performance.md
	@$(BIN)/python -m benchmarks.performance

bench: $(DEV) ## count events and time them
	@$(BIN)/pytest benchmarks --benchmark-enable $(ARGS)

clean: ## remove the environment and everything that is generated
	@rm -rf $(VENV) build dist .benchmarks .hypothesis .*_cache
	@find archsim tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@echo "Setting up $(VENV): about a minute, once." >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(CORE): pyproject.toml constraints.txt | $(BIN)/python
	@$(PIP) --editable .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	@$(PIP) --editable '.[dev]'
	@touch $@ $(CORE)
