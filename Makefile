# make demo   train the digits network in integers and write the page that shows how
# make test   the whole test suite
# make check  style, types, layers, and the tests that are quick (some 5 minutes)
# make differential N=2000 SEED=1
#             N generated networks: numpy against numba, then the simulator against Lava where there is one
# make fuzz N=10000 SEED=1
#             N altered files of every format for the commands that read them (docs/hostile-files.md)
#
# Each makes the virtual environment it needs first. PYTHON chooses the interpreter (3.10 to 3.13),
# VENV the folder of the environment, WORKERS how many tests run at once. On Python 3.10 Lava is installed too.

VENV ?= .venv
WORKERS ?= 2
PYTHON ?= $(shell sh .ci/find-python python3 3.12 3.11 3.10 3.13)

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO := build/demo
# A file's tests stay in one process, which compiles what they share only once; files in the order of `conftest.py`.
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

N ?= 200
SEED ?= 0

.PHONY: demo test check differential fuzz lint environment clean
.DELETE_ON_ERROR:

demo: $(INSTALLED)
	rm -rf $(DEMO)
	$(BIN)/burstchip new digits $(DEMO)
	$(BIN)/burstchip train $(DEMO)/network.yaml --seed 0 --epochs 12 --out $(DEMO)/run
	$(BIN)/burstchip report $(DEMO)/run
	@echo "Open $(CURDIR)/$(DEMO)/run/report.html in a browser."

test: $(INSTALLED)
	$(PYTEST)

check: lint
	$(PYTEST) -m "not slow"

# Its loops have a cache of their own, since most are never met again.
differential: $(INSTALLED)
	NETWORKS=$(N) SEED=$(SEED) BURSTCHIP_CACHE=$(CURDIR)/build/differential/cache \
		$(BIN)/python -m pytest -s -k more tests/differential/test_generated_networks.py

fuzz: $(INSTALLED)
	$(BIN)/python tests/fuzz/campaign.py --inputs $(N) --seed $(SEED) --jobs $(WORKERS)

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

environment: $(INSTALLED)

clean:
	rm -rf build .venv .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# Made again when the dependencies change, so that it holds nothing that is not listed. The extra `lava` has its
# own condition on the Python version and is empty on newer ones.
$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.10 to 3.13 is needed; name one with PYTHON=..." >&2; exit 1; }
	@test ! -e $(VENV) || test -e $(VENV)/pyvenv.cfg || { echo "$(VENV) is not a virtual environment" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,lava,dask,z3,mtkahypar,serial]'
	@touch $@
