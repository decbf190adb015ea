# Sourced by the other scripts: makes .venv where it is missing and installs into it what has changed since.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON=${PYTHON:-}
if [ -z "$PYTHON" ]; then
  for candidate in python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      PYTHON=$candidate
      break
    fi
  done
fi
if [ -z "$PYTHON" ]; then
  echo "augrnn needs Python 3.11 or newer with its venv module: install it, or name one with PYTHON=..." >&2
  exit 2
fi
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
stamp=.venv/installed
wanted=$(cat pyproject.toml constraints.txt | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  echo "Installing augrnn, PyTorch, Lightning and what they need into .venv: once, about 1 to 5 GB, 1 to 5 minutes." >&2
  .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off --no-compile -c constraints.txt -e '.[dev]' |
    while IFS= read -r line; do
      case $line in
        *Downloading* | "Installing collected"* | "Successfully installed"*) printf '%.100s\n' "  $line" >&2 ;;
      esac
    done
  # pip would make the bytecode on one core, which takes half a minute. What it cannot read is for other Pythons.
  .venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null || true
  echo "$wanted" >"$stamp"
  echo "Installed in $SECONDS s." >&2
fi
