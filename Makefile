# Thin on purpose: each target is one `python -m bnlib` command in the environment .venv.
PYTHON ?= python3
VENV := .venv
BNLIB := $(VENV)/bin/python -m bnlib
RECORD = $(if $(PROFILE),--profile $(PROFILE)) $(if $(CHAPTERS),--chapters $(CHAPTERS)) \
	$(if $(BUDGET),--budget $(BUDGET)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(TOGETHER),--together $(TOGETHER)) \
	$(if $(DEVICE),--device $(DEVICE))

.PHONY: book test test-all refresh record bench clean help

help:
	@echo "make book      execute the chapters, build the website, say where it is"
	@echo "make test      lint, unit tests, and the chapters' stored outputs (test-all: the slow ones too)"
	@echo "make refresh   rewrite the committed notebooks' outputs (CHAPTERS=\"03_lenet\": only some)"
	@echo "make record    train the runs that are missing (PROFILE= CHAPTERS= BUDGET= WORKERS= DEVICE=)"
	@echo "make bench     print the speed ratios"
	@echo "make clean     remove what was built; records and data sets stay"

book: $(VENV)/.installed
	$(BNLIB) book

test: $(VENV)/.installed
	$(BNLIB) test

test-all: $(VENV)/.installed
	$(BNLIB) test --all

refresh: $(VENV)/.installed
	$(BNLIB) refresh $(CHAPTERS)

record: $(VENV)/.installed
	$(BNLIB) record $(RECORD)

bench: $(VENV)/.installed
	$(BNLIB) bench

clean:
	@if [ -x $(VENV)/bin/python ]; then $(BNLIB) clean; else rm -rf _build; fi

$(VENV)/.installed: requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14) and "the book needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11 …")'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
