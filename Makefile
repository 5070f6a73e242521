# A thin face on Meson, and the commands of the README. `make help` lists them.
BUILD    ?= build
SANITIZE := $(BUILD)/sanitize
PREFIX   ?= /usr/local
# Debug symbols, so that a crash of ours can be read; optimised, since speed is the point.
OPTIONS  := --buildtype=debugoptimized -Dprefix=$(PREFIX)

.PHONY: all setup build sanitize demo check bench fuzz install clean help

all: build

setup:
	@tools/setup tools/packages

setup-lab:
	@tools/setup tools/packages lab/deps

$(BUILD)/build.ninja: | setup
	meson setup $(OPTIONS) $(BUILD)

$(SANITIZE)/build.ninja: | setup
	meson setup --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false $(SANITIZE)

# The program: $(BUILD)/inquest.
build: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

sanitize: $(SANITIZE)/build.ninja
	@ninja -C $(SANITIZE)

# Crashes a real kernel in a virtual machine, takes a real kdump, and asks why it died.
demo: setup-lab build
	@tools/demo $(BUILD)/inquest

# All tests, on the plain build and on one with AddressSanitizer and UBSan.
check: setup-lab build sanitize
	@tools/setup tests/packages
	@tests/run $(BUILD) $(SANITIZE)

# Side by side with crash (and drgn where it is installed).
bench: setup-lab build
	@tools/setup bench/packages
	@bench/run $(BUILD)/inquest

# Ten minutes for each parser of foreign bytes; needs clang. make fuzz FUZZ_SECONDS=60 TARGETS='btf orc'
FUZZ_SECONDS ?= 600
fuzz: setup
	@tools/setup fuzz/packages
	@tools/fuzz $(BUILD)/fuzzers $(FUZZ_SECONDS) $(TARGETS)

install: build
	meson install -C $(BUILD) --no-rebuild

# Removes what was built, but keeps the kernels and dumps of the lab.
clean:
	rm -rf $(SANITIZE)
	if [ -e $(BUILD)/build.ninja ]; then ninja -C $(BUILD) clean; fi

help:
	@echo "make          build the program ($(BUILD)/inquest)"
	@echo "make demo     crash a real kernel in a VM and diagnose it"
	@echo "make check    run all tests"
	@echo "make bench    measure, side by side with crash"
	@echo "make fuzz     fuzz every parser for FUZZ_SECONDS (600) each"
	@echo "make install  install the program, its man page and completion under $(PREFIX)"
	@echo "make clean    remove what was built, keep kernels and dumps"
