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
