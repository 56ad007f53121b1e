PYTHON ?= python3
VENV ?= .venv
export VENV

.PHONY: demo test check lock

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

lock:  ## write constraints.txt from the present environment
	$(VENV)/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > constraints.txt
