# PYTHON= names the Python that makes .venv; PORT= and BROWSER=none are for `make lab`.
.DEFAULT_GOAL := help
.PHONY: help lab test test-long test-full demo bench verify lint types system clean
.NOTPARALLEL:  # what the system lacks comes before .venv

PY := .venv/bin/python
READY := .venv/made-for

help: ## print this list
	@echo "The first of these also makes .venv: about a minute, once."
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1 \2/p' Makefile | awk '{ printf "  make %-10s", $$2; $$1 = $$2 = ""; print }'

lab: $(READY) ## open JupyterLab on the course (PORT=8889, BROWSER=none)
	@$(PY) -m hugezero lab

test: system $(READY) ## run the tests
	@$(PY) -m pytest

test-long: system $(READY) ## run the tests that take half a minute or more each: notebooks, browser, bad input
	@$(PY) -m pytest -m "long and not full"

test-full: system $(READY) ## run what `make test` leaves out: long forms, more examples, every mutant, some through the judge; running Linux beside the reference
	@$(PY) -m pytest -m "full or hypothesis" --hypothesis-profile full
	@$(PY) -m autograder verify --some
	@$(PY) -m autograder conform

demo: system $(READY) ## release, grade the example submissions, print the table
	@$(PY) -m autograder demo

bench: $(READY) ## print how fast things are
	@$(PY) -m tests.benchmark

verify: $(READY) ## prove the round trip, and that the checks catch every mutant
	@$(PY) -m autograder verify

lint: $(READY) ## check layout and style
	@$(PY) -m ruff format --check
	@$(PY) -m ruff check

types: $(READY) ## check types
	@$(PY) -m mypy

system: ## install what the tests need beside Python (as root on Debian or Ubuntu; else tells what is missing)
	@.ci/system

clean: ## remove .venv and caches; build/ stays, it may hold grades
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# .venv is whole when the file named READY holds this folder's name, written last. If it is not there,
# names another folder (the tree was moved), or .venv's Python has gone, .venv is made anew.
VENV_IS_FOR := $(shell $(PY) -c "print(open('$(READY)').read(), end='')" 2>/dev/null)
ifneq ($(VENV_IS_FOR),$(CURDIR))
.PHONY: $(READY)
endif

CANDIDATES = $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14)
INSTALL = install --quiet --constraint constraints.txt --editable '.[lab,grade,dev]'
NO_NETWORK = from versions: none|Connection|connection|resolve|resolution|timed out|unreachable|Proxy|proxy|SSL

$(READY): constraints.txt pyproject.toml
	@python=; seen=; \
	for candidate in $(CANDIDATES); do \
	    version=$$("$$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	    case $$version in \
	        3.1[1-9]|3.[2-9][0-9]) python=$$candidate; break;; \
	        *) seen="$$seen $$candidate is $$version.";; \
	    esac; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "This needs Python 3.11 or newer.$${seen:- There is no $(firstword $(CANDIDATES)) here.}" \
	        "Install one from python.org or your system's packages, or name it: make PYTHON=/path/to/python3.12" >&2; \
	    exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$python cannot make a .venv: its venv module is missing." \
	        "On Debian and Ubuntu: apt install python$$version-venv. Then run make again." >&2; \
	    exit 1; \
	fi; \
	if [ "$(VENV_IS_FOR)" = "$(CURDIR)" ]; then \
	    echo "Bringing .venv up to date (under a minute)."; \
	else \
	    echo "Making .venv with Python $$version: about a minute, once, and 200 MB to fetch."; \
	    rm -rf .venv; \
	    "$$python" -m venv .venv || exit 1; \
	fi; \
	if ! $(PY) -m pip $(INSTALL) >.venv/install.log 2>&1; then \
	    if grep -Eq '$(NO_NETWORK)' .venv/install.log; then \
	        echo "The Python package index cannot be reached." \
	            "Check the network, then run make again: what was fetched is kept." >&2; \
	    else \
	        grep ERROR .venv/install.log | head -n 1 >&2; \
	        echo "Installing failed; .venv/install.log has the whole story. You can simply run make again." >&2; \
	    fi; \
	    exit 1; \
	fi; \
	$(PY) -m ipykernel install --sys-prefix >>.venv/install.log 2>&1 || { tail -n 1 .venv/install.log >&2; exit 1; }; \
	printf %s '$(CURDIR)' >$(READY)
