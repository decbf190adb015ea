#!/usr/bin/env bash
# jsonargparse 4.53.0: null on the command line is None for an option of a class, and the text "None" for the same option of
# a class that is an argument of a class. `--data.init_args.part.init_args.file=null`, where `file: str | None`, gives the
# name of a file "None"; where the type is `int | None` it is refused. In a config file, or in a mapping that is given to the
# outer class (`--data.init_args={"part": {"init_args": {"file": null}}}`), it is None.
#
# Output seen:
#   class:          None
#   class in class: 'None'
#   mapping:        None
#   int in class:   refused
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'jsonargparse[signatures]==4.53.0' 2>/dev/null
cat >"$folder/try.py" <<'PY'
import json

from jsonargparse import ArgumentParser


class Part:
    def __init__(self, file: str | None = "a", size: int | None = 3) -> None: ...


class Data:
    def __init__(self, part: Part, name: str | None = "b") -> None: ...


parser = ArgumentParser(exit_on_error=False)
parser.add_argument("--data", type=Data)
start = ["--data=__main__.Data", "--data.init_args.part=__main__.Part"]


def found(*words: str):
    return parser.parse_args([*start, *words]).data.init_args


print("class:         ", repr(found("--data.init_args.name=null").name))
print("class in class:", repr(found("--data.init_args.part.init_args.file=null").part.init_args.file))
mapping = json.dumps({"part": {"init_args": {"file": None}}})
print("mapping:       ", repr(found(f"--data.init_args={mapping}").part.init_args.file))
try:
    found("--data.init_args.part.init_args.size=null")
    print("int in class:   taken")
except Exception:
    print("int in class:   refused")
PY
cd "$folder"
output=$(venv/bin/python try.py)
echo "$output"
[ "$output" = "class:          None
class in class: 'None'
mapping:        None
int in class:   refused" ]
