PYTHON ?= python3
VENV ?= .venv
export VENV

.PHONY: demo test check lock audit

demo:  ## install, then generate puzzles, train, evaluate and solve on the CPU (about ten minutes)
	$(PYTHON) tools/setup.py
	$(VENV)/bin/hrm demo

test:  ## install, then the whole test suite
	$(PYTHON) tools/setup.py dev plots hub export arc tensorboard text kernels studies slurm mcp agent
	$(VENV)/bin/python -m pytest -n 2

check:  ## style, types and import rules
	$(PYTHON) tools/setup.py dev plots hub export arc tensorboard text kernels studies slurm mcp agent
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

lock:  ## write requirements.lock and THIRD_PARTY.md again (UPGRADE=--upgrade for newer versions)
	$(PYTHON) tools/setup.py supply
	$(VENV)/bin/python tools/lock.py $(UPGRADE)

audit:  ## look for known vulnerabilities in what is locked
	$(PYTHON) tools/setup.py supply
	$(VENV)/bin/pip-audit --disable-pip --require-hashes --requirement requirements.lock
