# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds Holdfast, replays its demo and tests it; `make help` lists the targets.
# What is built stays under $(BUILD), runs stay under out/. A variant has a folder of its own:
#   make BUILD=build/clang CC=clang     make BUILD=build/O0 OPT=-O0     make BUILD=build/san SAN=1

# The Debian packages: to build, run and check; and what `make lint` and `make digests` need beyond them.
PACKAGES = gcc libc6-dev make pkgconf libglib2.0-dev libgsl-dev nettle-dev libcunit1-dev gnuplot-nox \
  libcap-dev libseccomp-dev libmicrohttpd-dev
LINT_PACKAGES = clang clang-format clang-tidy cppcheck mandoc

ifeq ($(origin CC),default)
CC = gcc
endif
BUILD = build
OPT = -O3
SAN =

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror

# One seed gives one digest whatever compiles it. A product and a sum are rounded apart (no contraction), and
# no compiler may fold or merge a call of libm by arithmetic of its own: libm's last bit is the one we live with.
# sqrt fabs floor ceil rint ldexp frexp are exact in any arithmetic that follows IEEE 754, so they may be inlined.
LIBM = acos acosh asin asinh atan atan2 atanh cbrt cos cosh erf erfc exp exp2 exp10 expm1 fmod hypot lgamma \
  log log10 log1p log2 pow remainder sin sincos sinh tan tanh tgamma
ARITHMETIC = -ffp-contract=off $(LIBM:%=-fno-builtin-%)

# Of the simulator's programs only what lies around the engine is optimised as a whole, where gcc compiles (clang has
# no objects that serve both ways, and `unit` needs plain ones). Never the engine: what is simulated is the very code
# that the daemon runs, and the purity gate reads plain objects.
WHOLE = $(eval WHOLE := $$(if $$(SAN)$$(filter -O0,$$(OPT)),,$$(if $$(shell $$(CC) -v 2>&1 | grep '^gcc version'),-flto=auto -ffat-lto-objects)))$(WHOLE)
ALL_CFLAGS = -std=c11 $(OPT) -g -fno-lto $(WARNINGS) $(ARITHMETIC) $(if $(SAN),$(SANITIZERS)) -D_GNU_SOURCE $(CFLAGS)
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ALL_LDFLAGS = $(if $(SAN),$(SANITIZERS)) $(LDFLAGS)

# Asked of pkg-config once, and only when something is compiled: it may have been installed a moment ago.
LIBRARIES = glib-2.0 gsl nettle
DAEMON_LIBRARIES = libcap libseccomp libmicrohttpd
LIBRARY_CFLAGS = $(eval LIBRARY_CFLAGS := $$(patsubst -I%,-isystem%,$$(shell pkg-config --cflags $(LIBRARIES) $(DAEMON_LIBRARIES) 2>&-)))$(LIBRARY_CFLAGS)
LIBS = $(eval LIBS := $$(shell pkg-config --libs $(LIBRARIES) 2>&-) -lm)$(LIBS)
DAEMON_LIBS = $(eval DAEMON_LIBS := $$(shell pkg-config --libs $(DAEMON_LIBRARIES) 2>&-) -pthread)$(DAEMON_LIBS)

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
SUITES = $(patsubst tests/%_test.c,%,$(sort $(wildcard tests/*_test.c)))
ENGINE = $(call object,$(sort $(wildcard engine/*.c)))
CONFIG = $(call object,$(sort $(wildcard engine/config/*.c)))
DAEMON = $(call object,$(filter-out engine/daemon/main.c,$(sort $(wildcard engine/daemon/*.c))))
DAEMON_MAIN = $(call object,engine/daemon/main.c)
SIM = $(call object,$(filter-out sim/main.c,$(sort $(wildcard sim/*.c))))
MAIN = $(call object,sim/main.c)
# The unit program steers clocks: it has one of its own, in place of the machine's.
UNIT = $(call object,tests/main.c tests/live/virtual_clock.c $(SUITES:%=tests/%_test.c))
BENCH = $(call object,tests/bench.c)
LOAD = $(call object,tests/load.c tests/echo.c)
# Makes the manual pages from templates and the tables of both programs.
MANUAL = $(call object,$(sort $(wildcard engine/daemon/man/*.c)))
PAGES = $(patsubst engine/daemon/man/%.in,$(BUILD)/man/%,$(sort $(wildcard engine/daemon/man/*.in)))
OBJECTS = $(ENGINE) $(CONFIG) $(DAEMON) $(DAEMON_MAIN) $(SIM) $(MAIN) $(UNIT) $(BENCH) $(LOAD) $(MANUAL)

# Where `make install` puts things; DESTDIR stands before each of them.
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
SBINDIR = $(PREFIX)/sbin
DATADIR = $(PREFIX)/share/holdfast
MANDIR = $(PREFIX)/share/man
UNITDIR = $(PREFIX)/lib/systemd/system
SYSUSERSDIR = $(PREFIX)/lib/sysusers.d
TMPFILESDIR = $(PREFIX)/lib/tmpfiles.d
UNITS = holdfastd.service holdfast-wait-sync.service
PLOTS = $(notdir $(wildcard plots/*.gp plots/*.awk))

.DEFAULT_GOAL = build
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: build man install uninstall demo check check-programs bench lint format digests gallery packages lint-packages clean help FORCE

# Recursive calls build on all processors, unless the caller said -j himself.
SELF = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

build: $(BUILD)/holdfast $(BUILD)/holdfastd

man: $(PAGES)

# The plot programs lie where the installed holdfast looks: ../share/holdfast/plots from its folder.
install: build man
	install -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(SBINDIR)" "$(DESTDIR)$(DATADIR)/plots" "$(DESTDIR)$(UNITDIR)" \
	  "$(DESTDIR)$(SYSUSERSDIR)" "$(DESTDIR)$(TMPFILESDIR)"
	install -m 755 $(BUILD)/holdfast "$(DESTDIR)$(BINDIR)/holdfast"
	install -m 755 $(BUILD)/holdfastd "$(DESTDIR)$(SBINDIR)/holdfastd"
	install -m 755 plots/draw.sh "$(DESTDIR)$(DATADIR)/plots/draw.sh"
	install -m 644 $(PLOTS:%=plots/%) "$(DESTDIR)$(DATADIR)/plots/"
	install -m 644 engine/daemon/holdfast.sysusers "$(DESTDIR)$(SYSUSERSDIR)/holdfast.conf"
	install -m 644 engine/daemon/holdfast.tmpfiles "$(DESTDIR)$(TMPFILESDIR)/holdfast.conf"
	@set -e; for page in $(PAGES); do \
	  install -D -m 644 "$$page" "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; done
	@set -e; for unit in $(UNITS); do \
	  sed 's|@SBINDIR@|$(SBINDIR)|g; s|@BINDIR@|$(BINDIR)|g' "engine/daemon/$$unit.in" > "$(BUILD)/$$unit"; \
	  install -m 644 "$(BUILD)/$$unit" "$(DESTDIR)$(UNITDIR)/$$unit"; done
	@echo 'Once, as root: systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload'

uninstall:
	rm -f "$(DESTDIR)$(BINDIR)/holdfast" "$(DESTDIR)$(SBINDIR)/holdfastd" \
	  "$(DESTDIR)$(SYSUSERSDIR)/holdfast.conf" "$(DESTDIR)$(TMPFILESDIR)/holdfast.conf"
	for unit in $(UNITS); do rm -f "$(DESTDIR)$(UNITDIR)/$$unit"; done
	for page in $(notdir $(PAGES)); do rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$$page"; done
	for plot in draw.sh $(PLOTS); do rm -f "$(DESTDIR)$(DATADIR)/plots/$$plot"; done
	-rmdir "$(DESTDIR)$(DATADIR)/plots" "$(DESTDIR)$(DATADIR)"

demo: packages
	@+$(SELF) $(BUILD)/holdfast
	$(BUILD)/holdfast run scenarios/time-group.scenario --out out/time-group
	@echo 'Pictures, report.txt, summary.json and truth.csv: out/time-group/'

check: check-programs
	@+MAKE='$(MAKE)' tests/check.sh $(BUILD)

check-programs: packages
	@+$(SELF) $(BUILD)/holdfast $(BUILD)/holdfastd $(BUILD)/unit $(BUILD)/load man

bench: packages
	@+$(SELF) $(BUILD)/bench $(BUILD)/holdfast $(BUILD)/holdfastd $(BUILD)/load $(BUILD)/echo
	$(BUILD)/bench
	@tests/load_bench.sh $(BUILD)

lint: packages lint-packages
	@+$(SELF) $(BUILD)/flags $(BUILD)/suites.inc man
	@tests/lint.sh $(BUILD)

format:
	clang-format -i $(wildcard engine/*.[ch] engine/*/*.[ch] engine/*/*/*.[ch] sim/*.[ch] tests/*.[ch] tests/live/*.[ch])

VARIANTS = gcc-O0 gcc-O2 clang-O0 clang-O2
digests: packages lint-packages
	@+$(SELF) $(BUILD)/holdfast
	@+MAKE='$(MAKE)' tests/digests.sh $(BUILD) this $(VARIANTS)

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
	@echo 'make            builds $(BUILD)/holdfast and $(BUILD)/holdfastd'
	@echo 'make man        the manual pages, into $(BUILD)/man'
	@echo 'make install    programs, manual pages, service files and plots below DESTDIR and PREFIX ($(PREFIX))'
	@echo 'make uninstall  takes away what install has put there'
	@echo 'make demo       replays the time group of scenarios/time-group.scenario into out/time-group'
	@echo 'make check      all tests: unit, scenarios, command line, daemon, install, README, live (root), purity, lengths, digests, sanitizers'
	@echo 'make bench      measures speed and prints it beside the goals'
	@echo 'make lint       clang-format, clang-tidy, cppcheck; mandoc on the manual pages'
	@echo 'make digests    gcc and clang, -O0, -O2 and -O3: one digest'
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
# Said by make itself, without a process for each line.
say = $(if $(V),,$(info $(empty)  $(1)  $(2)))

# Changed flags or another compiler rebuild all; an added or removed file links again. Every object comes after the
# flags: the folders are made there, all at once.
$(BUILD)/flags: FORCE
	@mkdir -p $(sort $(dir $(OBJECTS)))
	@pkg-config --exists $(LIBRARIES) $(DAEMON_LIBRARIES) || { echo 'holdfast: the libraries $(LIBRARIES) $(DAEMON_LIBRARIES) or pkg-config are missing;' \
	  '"make packages" installs: $(PACKAGES)' >&2; exit 1; }
	$(call keep,$(CC) --version | head -n 1; echo '$(ALL_CFLAGS) | $(WHOLE) | $(LIBRARY_CFLAGS) | $(ALL_LDFLAGS) $(LIBS) $(DAEMON_LIBS)')
$(BUILD)/sources: FORCE
	$(call keep,printf '%s\n' $(OBJECTS))
$(BUILD)/suites.inc: FORCE
	$(call keep,printf 'SUITE(%s)\n' $(SUITES))
FORCE:

# The pure part is compiled without the path of GLib: an include of it there does not compile.
$(filter-out $(ENGINE),$(OBJECTS)): INCLUDES = $(LIBRARY_CFLAGS) -I$(BUILD)
$(BUILD)/tests/main.o: $(BUILD)/suites.inc

# Tests are compiled more often than they run; what they test keeps its own optimisation.
$(UNIT): OPT_HERE = -O0
$(SIM) $(MAIN) $(BENCH): OPT_HERE = $(WHOLE)
$(BUILD)/holdfast $(BUILD)/bench: WHOLE_HERE = $(WHOLE) $(if $(WHOLE),$(OPT))

$(OBJECTS): $(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC  ,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(OPT_HERE) $(INCLUDES) -MMD -MP -c $< -o $@

$(BUILD)/libengine.a: $(ENGINE) $(BUILD)/sources
	$(call say,AR  ,$@)
	$(Q)rm -f $@ && ar rcsD $@ $(ENGINE)

# All programs link the one archive of the engine.
$(BUILD)/holdfast: $(MAIN)
$(BUILD)/unit: $(UNIT) $(DAEMON)
$(BUILD)/unit: LIBS_HERE = -lcunit $(DAEMON_LIBS)
$(BUILD)/bench: $(BENCH)
$(BUILD)/holdfast $(BUILD)/unit $(BUILD)/bench: $(SIM) $(CONFIG) $(BUILD)/libengine.a $(BUILD)/sources
	$(call say,LINK,$@)
	$(Q)$(CC) $(or $(WHOLE_HERE),-fno-lto) $(ALL_LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) -o $@ $(LIBS_HERE) $(LIBS)

$(BUILD)/holdfastd: $(DAEMON_MAIN) $(DAEMON) $(CONFIG) $(BUILD)/libengine.a $(BUILD)/sources
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,--as-needed $(filter %.o,$^) $(filter %.a,$^) -o $@ $(DAEMON_LIBS) $(LIBS)

# The tables come from the same objects as the programs; the rest of the daemon is not needed for them.
$(BUILD)/manual: $(MANUAL) $(call object,engine/daemon/options.c engine/daemon/metrics_text.c) $(SIM) $(CONFIG) \
  $(BUILD)/libengine.a $(BUILD)/sources
	$(call say,LINK,$@)
	$(Q)$(CC) -fno-lto $(ALL_LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) -o $@ $(LIBS)

$(PAGES): $(BUILD)/man/%: engine/daemon/man/%.in $(BUILD)/manual
	@mkdir -p $(@D)
	$(call say,MAN ,$@)
	$(Q)$(BUILD)/manual $< > $@

# Neither knows anything of ours: what is measured is measured from outside.
$(BUILD)/load $(BUILD)/echo: $(BUILD)/%: $(BUILD)/tests/%.o $(BUILD)/sources
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $< -o $@

-include $(OBJECTS:.o=.d)
