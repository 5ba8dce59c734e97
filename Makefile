# make demo: set up and run the whole workflow on a video it makes itself.
# make test: set up and run the tests.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
# Processes that share the tests; each of them may use two cores.
WORKERS ?= 2
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PYTEST = $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help demo bench-scale bench-learned test test-unit test-learned test-slurm test-browser lint docs report-page constraints clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   run the workflow on a demonstration video, into demo/"
	@echo "make test   run the tests, but for those of the next three"
	@echo "make test-learned   run the tests of the learned backends"
	@echo "make test-slurm   run the demonstration in a SLURM cluster of this machine; as root"
	@echo "make test-browser   run the tests of the report's page, in Chromium"
	@echo "make test-unit   run the tests that run no whole workflow"
	@echo "make lint   check style and types"
	@echo "make report-page   build the report's page; needs Node.js"
	@echo "make docs   write config.yaml, docs/settings.md and the tables in docs/"

# One environment a set of extras, made anew when what it holds changes.
$(VENV)/.ready-%: pyproject.toml constraints.txt
	@test -d $(VENV) || $(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 13) else \
	  "PYTHON is %d.%d: the workflow needs 3.11 or 3.12, as mediapipe does" % sys.version_info[:2])'
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$*]"
# opencv's wheel wants the system's libGL; where there is none, its headless twin does the same.
	@$(BIN)/python -c "import cv2" 2>/dev/null || $(BIN)/python -m pip install --quiet \
	  --no-deps --force-reinstall "opencv-python-headless==$$($(BIN)/python -m pip list | \
	  awk '$$1 == "opencv-python" {print $$2}')"
	@touch $@

demo: $(VENV)/.ready-demo
	$(BIN)/python scripts/demo.py demo
	$(BIN)/snakemake -d demo --cores $(CORES)
	$(BIN)/python scripts/contact_sheet.py demo/results demo/contact_sheet.jpg
	@echo "The dataset is in demo/results/dataset, a picture of it in demo/contact_sheet.jpg."
	@echo "Open demo/results/report/index.html in a browser to look through it."

test: $(VENV)/.ready-demo,dlib,test
	$(PYTEST) -m "not learned"

# With as little as they need: VENV=.venv-3.12 PYTHON=python3.12 tries another Python.
test-unit: $(VENV)/.ready-demo,test
	$(PYTEST) -m "not learned" tests/unit

# With the learned backends: torch is large where there is no build for processors alone.
test-learned: $(VENV)/.ready-demo,learned,test
	$(PYTEST) -m learned

bench-scale: $(VENV)/.ready-demo
	$(BIN)/python benchmarks/scale.py --idle 2000

# Needs no download of weights: it makes its own.
bench-learned: $(VENV)/.ready-demo,learned
	$(BIN)/python benchmarks/learned.py

# Installs Debian's slurm-wlm and munge where they are missing.
test-slurm: $(VENV)/.ready-demo,slurm,test
	$(BIN)/python -m pytest -q tests/slurm

# With a Chromium; as root it installs Debian's where there is none.
test-browser: $(VENV)/.ready-demo,browser,test
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile tests/browser

lint: $(VENV)/.ready-demo,dlib,test
	$(BIN)/ruff check scripts tests benchmarks examples
	$(BIN)/ruff format --check scripts tests benchmarks examples
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy
	cd scripts && $(BIN)/lint-imports --no-cache ../pyproject.toml

docs: $(VENV)/.ready-demo
	$(BIN)/python scripts/make_docs.py

# Needs Node.js. The page is in the repository, built; who changes what is in web/ builds it again.
report-page:
	cd scripts/talkingface/report/web && npm ci --silent && npm run build

constraints:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --no-header --no-emit-index-url --no-annotate --upgrade -q -o constraints.txt

clean:
	rm -rf $(VENV) demo
