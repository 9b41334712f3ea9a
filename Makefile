# dtmodel: the model layer of an application, inside PostgreSQL
#
# make, make install, make installcheck   as with every PGXS extension
# make demo, make check, make bench       install what is missing, run on a
#                                         throwaway server, leave nothing behind;
#                                         "make check CC=clang" tests that build
# make check-clients CLIENTS="django"     the same with applications, or these
# make check-citus CITUS_PREFIX=/folder   on a cluster of Citus, if it is installed
#                                         there, or in the server's own folders;
#                                         make bench CITUS_PREFIX=/folder likewise
# make check-all MAJORS="15 17"           make check on these majors; root only
# make check-long DTMODEL_TIMES=20        make check with so many times the work
#                                         of the random tests
# make check-mutants MUTANTS=20           changes one operator at a time, and says
#                                         which changes no regression test notices
# make check-coverage                     runs the tests, and says which lines and
#                                         branches of the code they did not run
# make dist                               what git has of the last commit, as PGXN's zip

PG_CONFIG ?= pg_config

# Where this file is. Tools that package for several majors build in folders of
# their own (make -f ../Makefile); names of what is in this one begin with it.
HERE := $(dir $(lastword $(MAKEFILE_LIST)))
here = $(patsubst $(HERE)%,%,$(sort $(wildcard $(addprefix $(HERE),$(1)))))

EXTENSION = dtmodel
MODULE_big = dtmodel
PGFILEDESC = "dtmodel - the model layer of an application"
DATA = $(call here,sql/dtmodel--*.sql)
OBJS = $(patsubst %.c,%.o,$(call here,src/*.c src/*/*.c src/*/*/*.c))

# OPTFLAGS is for flags such as -march=native on a machine of your own.
PG_CPPFLAGS = -I$(HERE)src
PG_CFLAGS = $(OPTFLAGS)

# Soft delete has two tiers. Most tests expect the same of both; those named
# preloaded_* and unpreloaded_* are for one, as are the isolation tests, which
# preloaded_concurrent.pl repeats in the other. "make installcheck PRELOAD=yes"
# runs the regression tests in sessions that preload the library.
SQL_TESTS = $(patsubst test/sql/%.sql,%,$(call here,test/sql/*.sql))
ifdef PRELOAD
REGRESS = $(filter-out unpreloaded_%,$(SQL_TESTS))
export PGOPTIONS := $(PGOPTIONS) -c session_preload_libraries=dtmodel
else
REGRESS = $(filter-out preloaded_%,$(SQL_TESTS))
# PostgreSQL 14 has no MERGE.
ISOLATION = $(filter-out $(if $(filter 14,$(MAJORVERSION)),merge_%), \
	$(patsubst test/specs/%.spec,%,$(call here,test/specs/*.spec)))
endif
REGRESS_OPTS = --inputdir=$(HERE)test
ISOLATION_OPTS = --inputdir=$(HERE)test --outputdir=.
TAP_TESTS = 1
PROVE_TESTS = $(call here,test/t/*.pl)
installcheck: export PERL5LIB := $(realpath $(HERE))/test/lib$(if $(PERL5LIB),:$(PERL5LIB))
EXTRA_CLEAN = built_for dtmodel-*.zip

# These run before there is a server or even a pg_config, so PGXS, which has
# a "check" of its own, stays out of them.
DRIVEN = demo check check-long check-all check-clients check-citus check-coverage check-mutants bench

ifneq ($(filter $(DRIVEN) dist,$(MAKECMDGOALS)),)
export PG_CONFIG CITUS_PREFIX CITUS_TESTS
.PHONY: $(DRIVEN) dist
check-long: export DTMODEL_TIMES ?= 20
check-coverage: export DTMODEL_TIMES ?= 0.1
check-mutants: export MUTANTS ?= 20
$(filter-out check-all,$(DRIVEN)):
	@$(HERE)test/harness/run $(patsubst check-%,%,$(@:-long=))
check-all:
	@$(HERE)test/harness/all $(MAJORS)

# META.json has two versions, the distribution's first.
VERSION = $(shell sed -n '/"version"/{s/.*: *"\(.*\)".*/\1/p;q;}' $(HERE)META.json)
ARCHIVE = dtmodel-$(VERSION)
dist:
	@command -v git >/dev/null || { echo 'make dist needs git' >&2; exit 1; }
	@[ -e $(HERE).git ] || { echo 'make dist needs a checkout: git does not track these files' >&2; exit 1; }
	@git -c safe.directory='*' -C $(HERE). archive --prefix=$(ARCHIVE)/ -o $(CURDIR)/$(ARCHIVE).zip HEAD
	@echo $(ARCHIVE).zip
else

SERVER := $(shell $(PG_CONFIG) --version --includedir-server 2>/dev/null)
ifeq ($(wildcard $(lastword $(SERVER))/postgres.h),)
$(error $(if $(SERVER),The server of PG_CONFIG=$(PG_CONFIG) has no headers,There is no PG_CONFIG=$(PG_CONFIG)): \
	install PostgreSQL 14 or later with its server headers (Debian: postgresql-server-dev-all), or name its pg_config (make PG_CONFIG=...))
endif

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Slugs need ICU, and a server that was built with it. Where they are, the
# server knows; one that was built with Meson does not say.
ifeq ($(with_icu),yes)
SHLIB_LINK += $(or $(strip $(ICU_LIBS)),-licui18n -licuuc)
endif

# Loading the library should take no look-up of its own symbols. The server's
# flags hide most of them from 16 on, the linker resolves them all.
ifeq ($(PORTNAME),linux)
SHLIB_LINK += -Wl,-Bsymbolic
endif

# PGXS follows includes only where the server was built to; headers are few. And
# an object is good for one server: for another one all of them are built again.
BUILT_FOR = $(CURDIR)/built_for
ifneq ($(shell cat built_for 2>/dev/null),$(SERVER))
.PHONY: $(BUILT_FOR)
endif
$(BUILT_FOR):
	@echo '$(SERVER)' >$@
COMPILED = $(OBJS) $(OBJS:.o=.bc)
$(COMPILED): $(BUILT_FOR) $(wildcard $(addprefix $(HERE)src/,*.h */*.h */*/*.h))

# In another folder there are no folders yet, and make would take what was
# compiled here, for whichever server.
ifneq ($(realpath $(HERE)),$(realpath $(CURDIR)))
ifneq ($(call here,built_for *.so $(COMPILED)),)
$(error $(realpath $(HERE)) has objects of its own: run "make clean" there before you build in another folder)
endif
FOLDERS = $(addprefix $(CURDIR)/,$(sort $(dir $(OBJS))))
$(FOLDERS):
	@mkdir -p $@
$(COMPILED): | $(FOLDERS)

# The tests expect what lies beside the sources.
$(CURDIR)/expected:
	@ln -s '$(realpath $(HERE))/expected' $@
installcheck: $(CURDIR)/expected
EXTRA_CLEAN += expected
endif
endif
