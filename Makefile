# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds Holdfast, replays its demo and tests it; `make help` lists the targets.
# What is built stays under $(BUILD), runs stay under out/. A variant has a folder of its own:
#   make BUILD=build/clang CC=clang     make BUILD=build/O0 OPT=-O0     make BUILD=build/san SAN=1

# The Debian packages: to build, run and check; and what `make lint` and `make digests` need beyond them.
PACKAGES = gcc libc6-dev make pkgconf libglib2.0-dev libgsl-dev nettle-dev libcunit1-dev gnuplot-nox
LINT_PACKAGES = clang clang-format clang-tidy cppcheck

ifeq ($(origin CC),default)
CC = gcc
endif
BUILD = build
OPT = -O2
SAN =

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror

# One seed gives one digest whatever compiles it. A product and a sum are rounded apart (no contraction), and
# no compiler may fold or merge a call of libm by arithmetic of its own: libm's last bit is the one we live with.
# sqrt fabs floor ceil rint ldexp frexp are exact in any arithmetic that follows IEEE 754, so they may be inlined.
LIBM = acos acosh asin asinh atan atan2 atanh cbrt cos cosh erf erfc exp exp2 exp10 expm1 fmod hypot lgamma \
  log log10 log1p log2 pow remainder sin sincos sinh tan tanh tgamma
ARITHMETIC = -ffp-contract=off $(LIBM:%=-fno-builtin-%)

# -fno-lto: the purity gate reads plain objects.
ALL_CFLAGS = -std=c11 $(OPT) -g -fno-lto $(WARNINGS) $(ARITHMETIC) $(if $(SAN),$(SANITIZERS)) -D_GNU_SOURCE $(CFLAGS)
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ALL_LDFLAGS = $(if $(SAN),$(SANITIZERS)) $(LDFLAGS)

# Asked of pkg-config once, and only when something is compiled: it may have been installed a moment ago.
LIBRARIES = glib-2.0 gsl nettle
LIBRARY_CFLAGS = $(eval LIBRARY_CFLAGS := $$(patsubst -I%,-isystem%,$$(shell pkg-config --cflags $(LIBRARIES) 2>&-)))$(LIBRARY_CFLAGS)
LIBS = $(eval LIBS := $$(shell pkg-config --libs $(LIBRARIES) 2>&-) -lm)$(LIBS)

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
SUITES = $(patsubst tests/%_test.c,%,$(sort $(wildcard tests/*_test.c)))
ENGINE = $(call object,$(sort $(wildcard engine/*.c)))
CONFIG = $(call object,$(sort $(wildcard engine/config/*.c)))
SIM = $(call object,$(filter-out sim/main.c,$(sort $(wildcard sim/*.c))))
MAIN = $(call object,sim/main.c)
UNIT = $(call object,tests/main.c $(SUITES:%=tests/%_test.c))
BENCH = $(call object,tests/bench.c)
OBJECTS = $(ENGINE) $(CONFIG) $(SIM) $(MAIN) $(UNIT) $(BENCH)

.DEFAULT_GOAL = build
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: build demo check bench lint format digests gallery packages lint-packages clean help FORCE

# Recursive calls build on all processors, unless the caller said -j himself.
SELF = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

build: $(BUILD)/holdfast

demo: packages
	@+$(SELF) $(BUILD)/holdfast
	$(BUILD)/holdfast run scenarios/time-group.scenario --out out/time-group
	@echo 'Pictures, report.txt, summary.json and truth.csv: out/time-group/'

check: packages
	@+$(SELF) $(BUILD)/holdfast $(BUILD)/unit
	@+$(SELF) BUILD=$(BUILD)/san SAN=1 OPT=-O1 $(BUILD)/san/holdfast $(BUILD)/san/unit
	@+$(SELF) BUILD=$(BUILD)/gcc-O0 CC=gcc OPT=-O0 $(BUILD)/gcc-O0/holdfast
	@+MAKE='$(MAKE)' tests/check.sh $(BUILD)

bench: packages
	@+$(SELF) $(BUILD)/bench
	$(BUILD)/bench

lint: packages lint-packages
	@+$(SELF) $(BUILD)/flags $(BUILD)/suites.inc
	@tests/lint.sh $(BUILD)

format:
	clang-format -i $(wildcard engine/*.[ch] engine/*/*.[ch] sim/*.[ch] tests/*.[ch])

digests: packages lint-packages
	@+$(SELF) $(BUILD)/holdfast
	@+MAKE='$(MAKE)' tests/digests.sh $(BUILD) this gcc-O0 gcc-O3 clang-O0 clang-O2

gallery: packages
	@+$(SELF) $(BUILD)/holdfast
	@plots/gallery.sh $(BUILD)/holdfast

packages:
	@.ci/packages $(PACKAGES)

lint-packages: packages
	@.ci/packages $(LINT_PACKAGES)

clean:
	rm -rf build out

help:
	@echo 'make            builds $(BUILD)/holdfast'
	@echo 'make demo       replays the time group of scenarios/time-group.scenario into out/time-group'
	@echo 'make check      all tests: unit, scenarios, command line, purity, lengths, digests, sanitizers'
	@echo 'make bench      measures speed and prints it beside the goals'
	@echo 'make lint       clang-format, clang-tidy, cppcheck'
	@echo 'make digests    gcc and clang, -O0 to -O3: one digest'
	@echo 'make gallery    draws the pictures of the README into plots/gallery'
	@echo 'make format     lays the sources out by .clang-format'
	@echo 'make clean      removes build/ and out/'
	@echo 'demo, check, bench, lint, digests and gallery first install the Debian packages that are missing.'
	@echo 'Variants: make BUILD=build/clang CC=clang, OPT=-O0, SAN=1 (address and undefined behaviour), V=1 (commands)'

# A file that is rewritten only when its text changes: what depends on it is then rebuilt, and only then.
define keep
@mkdir -p $(@D)
@{ $(1); } > $@.new && if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
endef
Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

# Changed flags or another compiler rebuild all; an added or removed file links again.
$(BUILD)/flags: FORCE
	@pkg-config --exists $(LIBRARIES) || { echo 'holdfast: the libraries $(LIBRARIES) or pkg-config are missing;' \
	  '"make packages" installs: $(PACKAGES)' >&2; exit 1; }
	$(call keep,$(CC) --version | head -n 1; echo '$(ALL_CFLAGS) | $(LIBRARY_CFLAGS) | $(ALL_LDFLAGS) $(LIBS)')
$(BUILD)/sources: FORCE
	$(call keep,printf '%s\n' $(OBJECTS))
$(BUILD)/suites.inc: FORCE
	$(call keep,printf 'SUITE(%s)\n' $(SUITES))
FORCE:

# The pure part is compiled without the path of GLib: an include of it there does not compile.
$(filter-out $(ENGINE),$(OBJECTS)): INCLUDES = $(LIBRARY_CFLAGS) -I$(BUILD)
$(BUILD)/tests/main.o: $(BUILD)/suites.inc

$(OBJECTS): $(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(INCLUDES) -MMD -MP -c $< -o $@

$(BUILD)/libengine.a: $(ENGINE) $(BUILD)/sources
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $(ENGINE)

# All programs link the one archive of the engine.
$(BUILD)/holdfast: $(MAIN)
$(BUILD)/unit: $(UNIT)
$(BUILD)/unit: LIBS_HERE = -lcunit
$(BUILD)/bench: $(BENCH)
$(BUILD)/holdfast $(BUILD)/unit $(BUILD)/bench: $(SIM) $(CONFIG) $(BUILD)/libengine.a $(BUILD)/sources
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) -o $@ $(LIBS_HERE) $(LIBS)

-include $(OBJECTS:.o=.d)
