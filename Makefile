PYTHON ?= python3
VENV ?= .venv
export VENV

.PHONY: demo test check docs lock audit

demo:  ## install, then generate puzzles, train, evaluate and solve on the CPU (about ten minutes)
	$(PYTHON) tools/setup.py
	$(VENV)/bin/hrm demo

test:  ## install, then the whole test suite
	$(PYTHON) tools/setup.py dev report hub export arc tensorboard text gpu studies slurm mcp agent web docs
	$(VENV)/bin/python -m pytest -n 2

check:  ## style, types and import rules
	$(PYTHON) tools/setup.py dev report hub export arc tensorboard text gpu studies slurm mcp agent web docs
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

docs:  ## the documentation as a site: open .site/index.html
	$(PYTHON) tools/setup.py docs
	$(VENV)/bin/python -m sphinx -q -W --keep-going -c docs . .site

lock:  ## write requirements.lock and THIRD_PARTY.md again (UPGRADE=--upgrade for newer versions)
	$(PYTHON) tools/setup.py supply
	$(VENV)/bin/python tools/lock.py $(UPGRADE)
	$(VENV)/bin/python tools/licences.py

audit:  ## ask PyPI's advisories about all that is locked; fails where one is known, or could not be asked about
	$(PYTHON) tools/setup.py supply
	sed '/^# for: torch-cpu$$/,$$d' requirements.lock > $(VENV)/audited.txt
	$(VENV)/bin/pip-audit --strict --disable-pip --require-hashes --requirement $(VENV)/audited.txt
