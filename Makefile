# vzmigrate: build, check, install. `make help` lists what there is.
# SPDX-License-Identifier: GPL-2.0-or-later

VERSION := 0.1.0
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
SBINDIR = $(PREFIX)/sbin
# Looked for at ../lib/vzmigrate from the program.
LIBRARYDIR = $(PREFIX)/lib/vzmigrate
MANDIR = $(PREFIX)/share/man
COMPLETIONDIR = $(PREFIX)/share/bash-completion/completions

PACKAGES := libssh libcap json-c libzstd
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
HARDENING := -fstack-protector-strong -fPIE
LINKING := -pie -Wl,-z,relro,-z,now
ifneq ($(WERROR),)
WARNINGS += -Werror
endif
ifneq ($(SANITIZE),)
# Each kind of build has its own objects.
BUILD := build/sanitize
HARDENING += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
LINKING += -fsanitize=$(SANITIZE)
else
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
ifneq ($(FAILURE_POINTS),)
# A program that fails on cue (include/base/failure_point.h), for tests/fault only.
BUILD := build/fault
HARDENING += -DFAILURE_POINTS
endif

# Only what compiles asks pkg-config: `make check` first installs what is missing.
compile_flags = -std=gnu11 -D_GNU_SOURCE -DVZMIGRATE_VERSION='"$(VERSION)"' -Iinclude $(CFLAGS) \
	$(WARNINGS) $(HARDENING) $$(pkg-config --cflags $(PACKAGES)) -MMD -MP
link_flags = $(LDFLAGS) $(LINKING)
libraries = $$(pkg-config --libs $(PACKAGES))

sources := $(wildcard src/*/*.c)
objects := $(sources:%.c=$(BUILD)/%.o)
unit_sources := $(wildcard tests/unit/test_*.c)
unit_programs := $(unit_sources:tests/unit/%.c=$(BUILD)/tests/%)

.PHONY: all check check-unit check-cli check-lab check-vm check-fault fault lint demo bench install uninstall clean help

all: $(BUILD)/vzmigrate $(BUILD)/criu-pages.so ## build the program, and what it has criu load

$(BUILD)/vzmigrate: $(BUILD)/src/main.o $(BUILD)/libvzmigrate.a
	$(CC) $(link_flags) -o $@ $^ $(libraries)

# It lives in criu's process: it takes little with it, no sanitizer, and only its ioctl and memcpy are to be seen.
library_sources := $(addprefix src/,criu_pages.c system/mappings.c system/page_scan.c base/memory.c base/text.c \
	base/error.c)

$(BUILD)/criu-pages.so: $(library_sources) $(wildcard include/system/*.h include/base/*.h) Makefile
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE -Iinclude $(CFLAGS) $(WARNINGS) -fstack-protector-strong \
		-fPIC -fvisibility=hidden -shared $(LDFLAGS) -Wl,-z,relro,-z,now,-z,defs -o $@ $(library_sources)

$(BUILD)/libvzmigrate.a: $(objects)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(compile_flags) -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libvzmigrate.a
	@mkdir -p $(@D)
	$(CC) $(compile_flags) -Itests/unit $(link_flags) -o $@ $< $(BUILD)/libvzmigrate.a \
		$(libraries) $$(pkg-config --libs cmocka)

# Each target that starts on a fresh machine first lets scripts/setup install what is missing, and
# then calls make again.
check: ## install what is missing, build, run every suite but vm (with SANITIZE: unit and cli)
	scripts/setup build check
	$(MAKE) all unit-programs
	$(if $(SANITIZE),,$(MAKE) FAILURE_POINTS=1 all)
	BUILD=$(BUILD) scripts/check $(if $(SANITIZE),unit cli,unit cli lab fault)

check-unit check-cli check-lab: ## one suite only
	scripts/setup build check
	$(MAKE) all unit-programs
	BUILD=$(BUILD) scripts/check $(@:check-%=%)

check-vm: ## what needs another kernel, in a virtual machine with Debian's own (VZMIGRATE_VM: options of bats)
	scripts/setup build check vm
	$(MAKE) all
	BUILD=$(BUILD) scripts/check vm

check-fault fault: ## every kind of failure at every step: a cross-section; fault: the whole matrix (more than an hour)
	scripts/setup build check
	$(MAKE) all
	$(MAKE) FAILURE_POINTS=1 all
	BUILD=$(BUILD) VZMIGRATE_FAULT="$(if $(filter fault,$@),--whole) $(VZMIGRATE_FAULT)" scripts/check fault

.PHONY: unit-programs
unit-programs: $(unit_programs) $(BUILD)/criu-pages.so

lint: ## the house rules: floors, map, format, static analysis
	scripts/setup build check lint
	BUILD=$(BUILD) scripts/lint

demo: ## move a running PostgreSQL between two hosts on this machine
	scripts/setup build check demo
	$(MAKE) all
	scripts/demo $(BUILD)/vzmigrate

bench: ## stop and total times beside the recipe by hand, in one run; BENCH=all: every row, into docs/benchmark.md
	scripts/setup build check
	$(MAKE) all
	scripts/bench $(if $(filter all,$(BENCH)),--rows all --output docs/benchmark.md,$(BENCH)) $(BUILD)/vzmigrate

install: all ## install below $(DESTDIR)$(PREFIX)
	install -D -m 755 $(BUILD)/vzmigrate $(DESTDIR)$(SBINDIR)/vzmigrate
	install -D -m 755 $(BUILD)/criu-pages.so $(DESTDIR)$(LIBRARYDIR)/criu-pages.so
	install -D -m 644 man/vzmigrate.8 $(DESTDIR)$(MANDIR)/man8/vzmigrate.8
	install -D -m 644 scripts/completion.bash $(DESTDIR)$(COMPLETIONDIR)/vzmigrate

uninstall: ## remove what install installed
	rm -f $(DESTDIR)$(SBINDIR)/vzmigrate $(DESTDIR)$(LIBRARYDIR)/criu-pages.so $(DESTDIR)$(MANDIR)/man8/vzmigrate.8 \
		$(DESTDIR)$(COMPLETIONDIR)/vzmigrate

clean: ## remove the build
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / { printf "  %-34s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

-include $(objects:.o=.d) $(BUILD)/src/main.d $(unit_programs:=.d)
