# Thin over the presets of CMakePresets.json: what each preset builds lies in build/<preset>.
.DEFAULT_GOAL := build
.PHONY: build demo test python cuda gpu-check asan tsan bench bench-page microbench docs format tidy thread-safety install clean setup

BUILD := build/default
TUILE := $(BUILD)/bin/tuile
PREFIX ?= /usr/local
# Compilers need up to 1.5 GB each: on a small machine fewer run at a time.
JOBS ?= $(shell awk -v cores=$$(nproc) '/MemAvailable/ { jobs = int($$2 / 1500000); print jobs < 1 ? 1 : jobs < cores ? jobs : cores }' /proc/meminfo)

setup:
	@scripts/setup.sh tests

# $(call configure_and_build,preset)
define configure_and_build
	@cmake --preset $(1) --log-level=WARNING
	@cmake --build --preset $(1) -j $(JOBS)
endef

# Everything; `make demo` and `make python` build their part of it.
build: setup
	$(call configure_and_build,default)

# A build that is configured already stays as it is.
define configure_main
	@[ -f $(BUILD)/build.ninja ] || cmake --preset main --log-level=WARNING
endef

demo:
	@scripts/setup.sh
	$(configure_main)
	@cmake --build --preset main -j $(JOBS)
	@scripts/demo.sh $(TUILE) demo

test: build
	@scripts/check_layers
	@ctest --preset default

# The Python package without pip; PREFIX=folder (a virtual environment, say) installs it there.
python:
	@scripts/setup.sh python
	$(configure_main)
	@cmake -DTUILE_PYTHON=ON --log-level=WARNING $(BUILD)
	@cmake --build $(BUILD) -j $(JOBS) --target tuile_python
ifeq ($(origin PREFIX),command line)
	@cmake --install $(BUILD) --component python --prefix $(PREFIX) >/dev/null
	@echo "tuile is in $(PREFIX); where that is no virtual environment: export PYTHONPATH=$$(echo $(abspath $(PREFIX))/lib/python3*/site-packages)"
else
	@echo "export PYTHONPATH=$(abspath $(BUILD))/python"
endif

# With the CUDA backend for every card since Turing: takes a CUDA toolkit of version 12 or newer. `make build` has it for one architecture
# where there is a toolkit, `make demo` where there is a driver, too.
cuda: setup
	$(call configure_and_build,cuda)

# On a machine with a card: conformance, sanitizers, benchmarks. Needs CUDA, CMake and a C++ compiler, nothing else.
gpu-check:
	@scripts/gpu_check.sh

asan tsan: setup
	$(call configure_and_build,$@)
	@ctest --preset $@

# Every row of the targets, at their sizes, on a quiet machine: some 15 minutes. BENCH=--quick for a look; RESULTS=folder to file them elsewhere.
# COPC: a folder of adjoining COPC tiles; without one their row is left out.
BENCH ?= --full
RESULTS ?= bench/results
TUILE_TEST_DATA ?= ../shared/data
COPC ?= $(wildcard $(TUILE_TEST_DATA)/copc_grid)
bench: build
	@$(TUILE) bench $(BENCH) -v --results $(RESULTS) --commit "$$(git describe --always --dirty 2>/dev/null)" $(if $(COPC),--copc $(COPC))

# docs/performance.md and its plots from the newest results.
bench-page:
	@bench/plot.py

# The inner loops one by one; one of them: make microbench FILTER=search/k20
FILTER ?= .
microbench: setup
	@scripts/setup.sh microbench
	@cmake --preset default --log-level=WARNING
	@cmake --build --preset default -j $(JOBS) --target tuile_micro
	@$(BUILD)/bin/tuile_micro --benchmark_filter='$(FILTER)'

# The pages that are made: docs/configuration.md, features.md, the tables of outputs.md, docs/man, docs/completions. Tests compare them.
docs: build
	@for test in config features label pages; do TUILE_UPDATE_DOCS=1 $(BUILD)/bin/test_$$test --gtest_filter='*Page*:Reference.*' --gtest_brief=1 || exit 1; done

SOURCES = $(shell git ls-files 'src/*.hpp' 'src/*.cpp' 'include/*.hpp' 'apps/*.hpp' 'apps/*.cpp' 'tests/*.hpp' 'tests/*.cpp' 'bench/*.hpp' 'bench/*.cpp' \
            'src/compute/cuda/*.cu' 'src/compute/cuda/*.cuh' 'python/src/*.hpp' 'python/src/*.cpp')
format:
	@scripts/setup.sh tools
	@clang-format -i $(SOURCES)

# Reads the compilation database; one file: make tidy FILES=src/core/error.cpp
FILES = $(filter src/%.cpp apps/%.cpp,$(SOURCES))
tidy: build thread-safety
	@scripts/tidy.sh $(BUILD) $(JOBS) $(FILES)

# clang's look at who touches what is guarded by a mutex without holding it; needs a configuration of everything only.
thread-safety: setup
	@scripts/setup.sh tools
	@cmake --preset default --log-level=WARNING
	@scripts/thread_safety $(BUILD) $(JOBS)

install: build
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean:
	@rm -rf build demo/town demo/out
