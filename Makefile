# One environment for everything: VENV=some/folder puts it elsewhere.
VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
READY = $(VENV)/.ready
# Three on two cores: some tests wait for processes of their own.
WORKERS ?= 3

.PHONY: help demo test lint types format check docs wheel clean speed studies
.DEFAULT_GOAL := help

help: ## Show what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

demo: $(READY) ## Score 100 real networks by eight measures and correlate with published accuracies
	$(BIN)/ntknas demo

test: $(READY) ## Run the tests (NTKNAS_TEST_DATA=folder adds those on real data)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

lint: $(READY) ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## Check types
	$(BIN)/mypy

format: $(READY) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint types test docs wheel ## Everything that CI checks

docs: $(READY) ## Build the documentation as a site, into build/docs; its notebooks are executed, and no warning passes
	$(BIN)/sphinx-build -q -W --keep-going -j 2 -b html -d build/doctrees docs build/docs

wheel: $(READY) ## Build the wheel, install it away from the checkout and run the demo from it
	.ci/wheel $(BIN)/python

speed: $(READY) ## Time kernels against a training step and what people use
	$(BIN)/python scripts/speed.py

studies: $(READY) ## Run every study at its quick size, into the folder studies
	for name in constancy determinism loss-bound regression convergence performance lazy; do $(BIN)/ntknas study $$name --quick --parametrisation ntk || exit 1; done
	for family in cnn transformer; do for name in constancy determinism; do $(BIN)/ntknas study $$name --quick --family $$family || exit 1; done; done

clean: ## Remove the environment and what tools left behind
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis ntknas-demo
