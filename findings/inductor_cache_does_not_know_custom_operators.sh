#!/usr/bin/env bash
# torch 2.14.1: inductor's cache of compiled graphs on disk does not know a custom operator's code. Let a release of a
# package change what its operator returns (here the number of rows), its fake kernel with it: the next process takes the
# older release's graph from the cache, and ends with an AssertionError about sizes, though nothing in the program is wrong.
# With an empty cache the same program runs. So an operator whose result changes shape needs another name.
#
# Output seen:
#   the first release: 1 rows: 8.0
#   the next one, same cache: 5 rows: AssertionError: expected size 5==1, stride 4==4 at dim=0
#   the next one, empty cache: 5 rows: 40.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'torch==2.14.1' 'numpy==2.4.6' 2>/dev/null
cat >"$folder/op.py" <<'PY'
import sys

import torch

SIZE = int(sys.argv[1])


@torch.library.custom_op("mine::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return x.new_ones(SIZE, len(x)) * 2


@twice.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return x.new_empty(SIZE, len(x))


def step(x: torch.Tensor) -> torch.Tensor:
    return twice(x * 3).sum()


try:
    print(SIZE, "rows:", torch.compile(step)(torch.ones(4)).item())
except AssertionError as error:
    print(SIZE, "rows: AssertionError:", str(error).splitlines()[0])
PY
run() { TORCHINDUCTOR_CACHE_DIR="$folder/$1" "$folder/venv/bin/python" "$folder/op.py" "$2" 2>/dev/null | grep rows; }
first=$(run cache 1)
next=$(run cache 5)
alone=$(run empty 5)
printf 'the first release: %s\nthe next one, same cache: %s\nthe next one, empty cache: %s\n' "$first" "$next" "$alone"
[ "$first" = '1 rows: 8.0' ]
[[ "$next" == '5 rows: AssertionError: expected size 5==1'* ]]
[ "$alone" = '5 rows: 40.0' ]
