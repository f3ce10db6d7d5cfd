# make help lists the targets.

CFLAGS ?= -O2
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -MMD -MP
LIBS = -lm -lpthread
PREFIX ?= /usr/local

VERSION := $(shell sed -n 's/^.define STYLEGAN_VERSION "\(.*\)"/\1/p' stylegan.h)
TOOL = build/stylegan
TOOL_OBJECTS = $(patsubst %.c,build/%.o,$(wildcard tools/*.c tools/*/*.c))
EXAMPLES = $(patsubst examples/%.c,build/examples/%,$(wildcard examples/*.c))
TEST_PROGRAMS = $(shell grep -l '^int main' tests/*.c)
TESTS = $(TEST_PROGRAMS:%.c=build/%)
TEST_OBJECTS = build/tests/test.o build/tests/reference.o

$(TOOL): build/tools/main.o build/tools.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Everything but main, for the tests too.
build/tools.a: $(filter-out build/tools/main.o,$(TOOL_OBJECTS))
	rm -f $@
	$(AR) rc $@ $^

build/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

build/tools/base/png.o: WARNINGS += -Wfatal-errors # only one message if libstb-dev is missing

MODEL = examples/portraits-64.sgw
ROWS = 30,37,38,45
COLS = 4,7,22,24,29,53

demo: $(TOOL) # faces, style mixing, truncation and noise from the network in examples/, into out/
	$(TOOL) generate $(MODEL) --seeds 0-59 --trunc 1 --grid 10x6 --outdir out/faces
	for range in coarse:0-3 middle:4-5 fine:6-9; do \
	    $(TOOL) mix $(MODEL) --rows $(ROWS) --cols $(COLS) --styles $${range#*:} --outdir out/mixing-$${range%:*} || exit 1; \
	done
	$(TOOL) generate $(MODEL) --seeds $(COLS) --trunc=-1,-0.75,-0.5,-0.25,0,0.25,0.5,0.75,1 --grid 9x6 --outdir out/truncation
	$(TOOL) generate $(MODEL) --seeds 7,7,7,7,7,7,7,7 --noise-mode random --grid 8x1 --outdir out/noise
	@echo 'The sheets: out/*/grid.png'

test: $(TOOL) $(TESTS) examples # all tests
	sh tests/run

bench: $(TOOL) # speed of the four full-size networks, with random weights
	@for name in sg1-256 sg1-1024 sg2-256 sg2-1024; do echo "$$name:"; $(TOOL) bench $$name || exit 1; done

examples: $(EXAMPLES) # the programs in examples/

build/examples/%: examples/%.c stylegan.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -Ibuild $(LDFLAGS) -o $@ $< -lm

# A network as the array that `xxd -i portrait.sgw` makes, for the program without files.
build/examples/embedded: build/portrait.h
build/portrait.h: $(TOOL)
	$(TOOL) convert tests/golden/sg2-ada-64/model.pkl build/portrait.sgw --dtype i8
	@{ echo 'static const unsigned char portrait_sgw[] = {'; \
	   od -An -v -tu1 build/portrait.sgw | sed 's/[0-9][0-9]*/&,/g'; \
	   echo '};'; echo 'static const unsigned int portrait_sgw_len = sizeof portrait_sgw;'; } > $@

build/tests/%: build/tests/%.o $(TEST_OBJECTS) build/tools.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

install: $(TOOL) # header, tool and pkg-config file into $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 stylegan.h $(DESTDIR)$(PREFIX)/include/
	install -m 755 $(TOOL) $(DESTDIR)$(PREFIX)/bin/
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: stylegan' 'Description: StyleGAN inference as one C header' \
	    'Version: $(VERSION)' 'Cflags: -I$${prefix}/include' 'Libs: -lm' > $(DESTDIR)$(PREFIX)/lib/pkgconfig/stylegan.pc

clean: # removes build/ and out/
	rm -rf build out

help: # this list
	@echo "make                  builds $(TOOL)"
	@sed -n 's/^\([a-z]*\):[^#]*# \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r target what; do \
	    printf '%-22s%s\n' "$$target" "$$what"; done

.PHONY: demo test bench examples install clean help
.PRECIOUS: build/%.o
.DELETE_ON_ERROR:

-include $(wildcard build/*/*.d build/*/*/*.d)
