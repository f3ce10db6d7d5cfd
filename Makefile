# make help lists the targets.

# As many jobs as there are processors, unless make was told how many.
ifeq ($(findstring -j,$(MAKEFLAGS))$(findstring jobserver,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
endif
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL: # make clean all: what it removes is not being built at the same time
endif

BUILD = build
CFLAGS ?= -O2
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
COMPILE = $(CC) $(SYSTEM_FLAGS) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -MMD -MP
LIBS = -lm -lpthread
PREFIX ?= /usr/local

# Which system the tool is built for: tools/base/system_*.c.
SYSTEM = posix
ifneq ($(findstring w64-,$(shell $(CC) -dumpmachine 2>/dev/null)),)
SYSTEM = windows
EXE = .exe
STB ?= /usr/include/stb
SYSTEM_FLAGS = -isystem $(STB) -D__USE_MINGW_ANSI_STDIO -D_FILE_OFFSET_BITS=64
LIBS += -lpsapi -static # no library has to be carried along
WARNINGS += -Wno-float-conversion # in MinGW's isfinite
endif

VERSION := $(shell sed -n 's/^.define STYLEGAN_VERSION "\(.*\)"/\1/p' stylegan.h)
TOOL = $(BUILD)/stylegan$(EXE)
# make MPI=1: the same tool, whose `train` runs on many machines, as build/mpi/stylegan.
ifdef MPI
MPICC = mpicc
TOOL = $(BUILD)/mpi/stylegan
endif
OTHER_SYSTEMS = $(filter-out tools/base/system_$(SYSTEM).c,$(wildcard tools/base/system_*.c))
TOOL_SOURCES = $(filter-out $(OTHER_SYSTEMS) tools/train/ranks_mpi.c,$(wildcard tools/*.c tools/*/*.c))
TOOL_OBJECTS = $(TOOL_SOURCES:%.c=$(BUILD)/%.o)
EXAMPLES = $(patsubst examples/%.c,$(BUILD)/examples/%,$(wildcard examples/*.c))
TEST_PROGRAMS = $(shell grep -l '^int main' tests/*.c)
TESTS = $(TEST_PROGRAMS:%.c=$(BUILD)/%)
TEST_OBJECTS = $(BUILD)/tests/test.o $(BUILD)/tests/reference.o

all: $(TOOL)

$(BUILD)/stylegan$(EXE): $(BUILD)/tools/main.o $(BUILD)/tools.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# What it has for ranks.h goes before the archive's.
$(BUILD)/mpi/stylegan: $(BUILD)/tools/main.o $(BUILD)/mpi/ranks.o $(BUILD)/tools.a
	$(MPICC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/mpi/ranks.o: CC = $(MPICC)
$(BUILD)/mpi/ranks.o: tools/train/ranks_mpi.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# Everything but main, for the tests too.
$(BUILD)/tools.a: $(filter-out $(BUILD)/tools/main.o,$(TOOL_OBJECTS))
	rm -f $@
	$(AR) rc $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# A file as an array, as `xxd -i` makes it: $(call ARRAY,FILE,NAME).
ARRAY = { echo 'static const unsigned char $(2)[] = {'; od -An -v -tu1 $(1) | sed 's/[0-9][0-9]*/&,/g'; echo '};'; }

# The network of factors is compiled into the tool.
$(BUILD)/tools/data/recognition.o: $(BUILD)/factors_network.h
$(BUILD)/tools/data/recognition.o: SYSTEM_FLAGS += -I$(BUILD)
$(BUILD)/factors_network.h: tools/data/factors.bin
	@mkdir -p $(@D)
	@$(call ARRAY,$<,factors_network) > $@

$(BUILD)/tools/base/stb.o: WARNINGS += -Wfatal-errors # only one message if libstb-dev is missing

MODEL = examples/portraits-64.sgw
FACES = examples/portraits-128.sgw
ROWS = 6,39,40
COLS = 16,33,24,52,26

demo: $(TOOL) # faces, style mixing, truncation and noise from a network in examples/, into out/
	$(TOOL) generate $(FACES) --seeds 0-59 --trunc 1 --grid 10x6 --outdir out/faces
	for range in coarse:0-2 middle:3-4 fine:5-11; do \
	    $(TOOL) mix $(FACES) --rows $(ROWS) --cols $(COLS) --styles $${range#*:} --outdir out/mixing-$${range%:*} || exit 1; \
	done
	$(TOOL) generate $(FACES) --seeds $(COLS) --trunc=-1,-0.75,-0.5,-0.25,0,0.25,0.5,0.75,1 --grid 9x5 --outdir out/truncation
	$(TOOL) generate $(FACES) --seeds 7,7,7,7,7,7,7,7 --noise-mode random --grid 8x1 --outdir out/noise
	@echo 'The sheets: out/*/grid.png'

animation: $(TOOL) # examples/animation.png, the README's moving picture: under 500 KB
	$(TOOL) video $(MODEL) --seeds 44,2,3,54,16,62,38,113,42,107,90,33 --grid 4x1 --trunc 0.7 \
	    --w-frames 12 --fps 12 --colours 256 -o examples/animation.png

test: $(TOOL) $(TESTS) examples # all tests
	sh tests/run

bench: $(TOOL) # speed of the four full-size networks, with random weights
	@for name in sg1-256 sg1-1024 sg2-256 sg2-1024; do echo "$$name:"; $(TOOL) bench $$name || exit 1; done

examples: $(EXAMPLES) # the programs in examples/

$(BUILD)/examples/%: examples/%.c stylegan.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -I$(BUILD) $(LDFLAGS) -o $@ $< -lm

# The network in examples/ as an array, for the program without files.
$(BUILD)/examples/embedded: $(BUILD)/portrait.h
$(BUILD)/portrait.h: $(TOOL) $(MODEL)
	$(TOOL) embed $(MODEL) -o $@ --bits 64 --memory-limit 260K

boards run-board: override CFLAGS = -O2 # of the tool: what the user gives is for the board
boards: $(TOOL) # firmware that draws, for Cortex-M and RISC-V (gcc-arm-none-eabi, gcc-riscv64-unknown-elf)
	$(MAKE) -C examples/boards

BOARD = m7
run-board: $(TOOL) # one of them under qemu, BOARD=m4f, m7, m55 or rv32: build/boards/portrait.ppm
	$(MAKE) -C examples/boards run BOARD=$(BOARD)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_OBJECTS) $(BUILD)/tools.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

directions: $(TOOL) # directions for the network in examples/, from what the tool sees in its pictures
	TOOL=$(TOOL) sh examples/editing/portraits.sh $(MODEL) examples/editing/portraits.npy

factors: $(TOOL) $(BUILD)/tests/learn_factors # tools/data/factors.bin, the network that sees what portraits show, anew
	$(TOOL) portraits --count 30000 --size 64 --seed 1 --pack $(BUILD)/portraits-64.sgd
	$(BUILD)/tests/learn_factors $(BUILD)/portraits-64.sgd 1 700 tools/data/factors.bin

playground: # examples/playground.html, the network opened up in the browser (clang-16, lld-16)
	sh examples/playground/build.sh examples/playground.html

windows: # the tool for Windows, by MinGW: build/windows/stylegan.exe
	$(MAKE) CC=x86_64-w64-mingw32-gcc BUILD=build/windows

# What is installed, and the folders that are removed again: in a place of its own all of them, if they are empty.
INSTALLED = include/stylegan.h bin/stylegan$(EXE) lib/pkgconfig/stylegan.pc \
    share/cmake/stylegan/stylegan-config.cmake share/cmake/stylegan/stylegan-config-version.cmake
OWN_PLACE = $(DESTDIR)$(filter-out /usr /usr/local,$(PREFIX))
OWN_FOLDERS = share/cmake/stylegan $(if $(OWN_PLACE),share/cmake share lib/pkgconfig lib include bin)
# For the shell: it may have spaces.
ROOT = '$(DESTDIR)$(PREFIX)'

install: $(TOOL) # header, tool, pkg-config file and CMake files into $(DESTDIR)$(PREFIX)
	install -d $(patsubst %,$(ROOT)/%,$(sort $(dir $(INSTALLED))))
	install -m 644 stylegan.h $(ROOT)/include/
	install -m 755 $(TOOL) $(ROOT)/bin/
	install -m 644 tools/cmake/stylegan-config*.cmake $(ROOT)/share/cmake/stylegan/
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: stylegan' 'Description: StyleGAN inference as one C header' \
	    'Version: $(VERSION)' 'Cflags: -I$${prefix}/include' 'Libs: -lm -lpthread' > $(ROOT)/lib/pkgconfig/stylegan.pc

uninstall: # removes what install has put there
	rm -f $(INSTALLED:%=$(ROOT)/%)
	rmdir $(OWN_FOLDERS:%=$(ROOT)/%) 2>/dev/null || true
	$(if $(DESTDIR),cd '$(DESTDIR)' && rmdir -p './$(PREFIX)',$(if $(OWN_PLACE),rmdir $(ROOT))) 2>/dev/null || true

clean: # removes build/ and out/
	rm -rf $(BUILD) out

help: # this list
	@echo "make                  builds $(TOOL)"
	@sed -n 's/^\([a-z-]*\):[^#]*# \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r target what; do \
	    printf '%-22s%s\n' "$$target" "$$what"; done

.PHONY: all demo animation test bench examples boards run-board directions factors playground windows install uninstall clean help
.PRECIOUS: $(BUILD)/%.o
.DELETE_ON_ERROR:

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)
