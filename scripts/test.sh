#!/usr/bin/env bash
# Runs the linters and all tests, as many at once as there are cores; or what PYTEST OPTIONS say: scripts/test.sh [PYTEST OPTIONS].
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
if [ $# -eq 0 ]; then
  .venv/bin/ruff check .
  .venv/bin/ruff format --check .
  .venv/bin/mypy
  find experiments -name experiment.py -print0 | xargs -0 -n 1 .venv/bin/mypy  # one by one: they share a name
  .venv/bin/lint-imports --no-cache
  .venv/bin/augrnn check
  .venv/bin/augrnn tables --check
  set -- --numprocesses=auto --dist=loadgroup
fi
exec .venv/bin/python -m pytest "$@"
