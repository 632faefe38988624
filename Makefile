# Two commands on a fresh machine: `make demo` and `make test`. Each sets up what it needs and no more.
PYTHON_IN_VENV := .venv/bin/python
SET_UP := sh scripts/set_up.sh
TEXTS := src tests examples scripts docs README.md CHANGELOG.md pyproject.toml
FULLY_COVERED := */rtagent/protocol/*,*/rtagent/events/*,*/rtagent/errors.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check fix soak bench-audio build clean \
	format lint mypy basedpyright layers dependencies spelling wheel tests-with-coverage coverage own-tests

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do \
		printf 'make %-11s %s\n' "$$name" "$$text"; done

demo: ## hold a spoken conversation with the embedded engine (ARGS="--out DIR")
	@$(SET_UP) demo
	@.venv/bin/rtagent demo $(ARGS)

test: ## run the tests (ARGS="-k codec -x")
	@$(SET_UP) test
	@$(PYTHON_IN_VENV) -m pytest $(ARGS)

check: ## run everything that must hold: format, lint, types, layers, wheel, tests, coverage
	@$(SET_UP) check
	@$(MAKE) --no-print-directory --keep-going \
		format lint mypy basedpyright layers dependencies spelling wheel coverage own-tests

fix: ## format the code and repair what the linter can
	@$(SET_UP) check
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

soak: ## talk for a long time over bad connections (ARGS="--minutes 10 --turns 10000")
	@$(SET_UP) test
	@$(PYTHON_IN_VENV) -m scripts.soak $(or $(ARGS),--minutes 10 --turns 10000)

bench-audio: ## measure what is heard, silence and a busy interpreter on a virtual sound card (ARGS="--help")
	@$(SET_UP) test
	@$(PYTHON_IN_VENV) -m scripts.make_audio_page $(ARGS)

build: ## build the source archive and the wheel into dist/, then test the wheel
	@$(SET_UP) check
	@rm -rf dist
	@$(PYTHON_IN_VENV) -m build --no-isolation
	@$(PYTHON_IN_VENV) -m scripts.test_wheel dist/*.whl

clean: ## remove what was made here: .venv, caches, coverage data, dist, demo-output
	@rm -rf .venv .coverage* htmlcov dist build demo-output \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

format:
	@.venv/bin/ruff format --check --output-format=concise

lint:
	@.venv/bin/ruff check

mypy:
	@.venv/bin/mypy

basedpyright:
	@.venv/bin/basedpyright

layers:
	@.venv/bin/lint-imports --no-logo

dependencies:
	@.venv/bin/deptry src
	@.venv/bin/validate-pyproject pyproject.toml

spelling:
	@.venv/bin/codespell $(TEXTS)

wheel:
	@$(PYTHON_IN_VENV) -m scripts.test_wheel

tests-with-coverage:
	@$(PYTHON_IN_VENV) -m scripts.test_in_parts

coverage: tests-with-coverage
	@.venv/bin/coverage report --include='$(FULLY_COVERED)' --fail-under=100
	@.venv/bin/coverage report --fail-under=95

own-tests: tests-with-coverage
	@$(PYTHON_IN_VENV) -m scripts.check_own_tests
