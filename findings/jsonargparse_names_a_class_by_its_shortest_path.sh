#!/usr/bin/env bash
# jsonargparse 4.53.0: a class that a package re-exports is dumped by its shortest path. A callable that makes instances
# ("type: Callable[[int], Base]") given as `class_path: shapes.square.Square` comes back as `shapes.Square` once
# shapes/__init__.py imports it, while a plain subclass type keeps the path that was written. So adding one line to an
# __init__.py changes the resolved config of every run, and with it whatever compares configs as text.
#
# Output seen:
#   without a re-export:
#   made shapes.square.Square
#   plain shapes.square.Square
#   with one:
#   made shapes.Square
#   plain shapes.square.Square
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'jsonargparse[signatures]==4.53.0' 2>/dev/null
mkdir "$folder/shapes"
cat >"$folder/shapes/base.py" <<'PY'
class Base:
    def __init__(self, size: int) -> None:
        self.size = size
PY
cat >"$folder/shapes/square.py" <<'PY'
from shapes.base import Base


class Square(Base):
    """The only subclass."""
PY
cat >"$folder/try.py" <<'PY'
from collections.abc import Callable

import yaml
from jsonargparse import ArgumentParser
from shapes.base import Base

parser = ArgumentParser(exit_on_error=False)
parser.add_argument("--made", type=Callable[[int], Base])
parser.add_argument("--plain", type=Base)
given = {"made": {"class_path": "shapes.square.Square"}, "plain": {"class_path": "shapes.square.Square", "init_args": {"size": 3}}}
dumped = yaml.safe_load(parser.dump(parser.parse_object(given)))
for name in ("made", "plain"):
    value = dumped[name]
    print(name, value if isinstance(value, str) else value["class_path"])
PY
cd "$folder"
: >shapes/__init__.py
before=$(venv/bin/python try.py)
echo "from shapes.square import Square" >shapes/__init__.py
after=$(venv/bin/python try.py)
printf 'without a re-export:\n%s\nwith one:\n%s\n' "$before" "$after"
[ "$before" = $'made shapes.square.Square\nplain shapes.square.Square' ]
[ "$after" = $'made shapes.Square\nplain shapes.square.Square' ]
