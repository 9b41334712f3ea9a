# dtmodel: the model layer of an application, inside PostgreSQL
#
# make, make install, make installcheck   as with every PGXS extension
# make demo, make check, make bench       install what is missing, run on a
#                                         throwaway server, leave nothing behind

PG_CONFIG ?= pg_config

EXTENSION = dtmodel
MODULE_big = dtmodel
PGFILEDESC = "dtmodel - the model layer of an application"
DATA = $(wildcard sql/dtmodel--*.sql)
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))

# OPTFLAGS is for flags such as -march=native on a machine of your own.
PG_CPPFLAGS = -Isrc
PG_CFLAGS = $(OPTFLAGS)
SHLIB_LINK = -luuid

# Soft delete has two tiers. Most tests expect the same of both; those named
# preloaded_* and unpreloaded_* are for one, as are the isolation tests, which
# preloaded_concurrent.pl repeats in the other. "make installcheck PRELOAD=yes"
# runs the regression tests in sessions that preload the library.
SQL_TESTS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
ifdef PRELOAD
REGRESS = $(filter-out unpreloaded_%,$(SQL_TESTS))
export PGOPTIONS := $(PGOPTIONS) -c session_preload_libraries=dtmodel
else
REGRESS = $(filter-out preloaded_%,$(SQL_TESTS))
# PostgreSQL 14 has no MERGE.
ISOLATION = $(filter-out $(if $(filter 14,$(MAJORVERSION)),merge_%), \
	$(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec))))
endif
REGRESS_OPTS = --inputdir=test
ISOLATION_OPTS = --inputdir=test --outputdir=.
TAP_TESTS = 1
PROVE_TESTS = $(sort $(wildcard test/t/*.pl))

# These run before there is a server or even a pg_config, so PGXS, which has
# a "check" of its own, stays out of them.
DRIVEN = demo check check-long bench

ifneq ($(filter $(DRIVEN),$(MAKECMDGOALS)),)
export PG_CONFIG
.PHONY: $(DRIVEN)
check-long: export DTMODEL_JSON_PAIRS = 1000000
check-long: export DTMODEL_SCRIPTS = 10000
$(DRIVEN):
	@test/harness/run $(@:-long=)
else
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Slugs need ICU, and a server that was built with it. Where they are, the
# server knows; one that was built with Meson does not say.
ifeq ($(with_icu),yes)
SHLIB_LINK += $(or $(strip $(ICU_LIBS)),-licui18n -licuuc)
endif

# PGXS follows includes only where the server was built to; headers are few.
$(OBJS): $(wildcard src/*.h src/*/*.h)
endif
