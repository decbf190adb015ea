"""`augrnn bench --against COMMIT`: the rows of an older commit and of the code as it is, measured in turns.

Both run in processes of their own that measure a row when they are asked for one, so that whatever else the machine
does meets both alike. The older one is asked what every commit with a benchmark has: `augrnn.bench.speeds(seconds)`.
"""

import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from augrnn.errors import UserError

SOURCE = Path(__file__).parents[2]
"""The folder that the package is imported from."""

WORKER = """
import json, sys
from augrnn.bench import speeds
rows = speeds(float(sys.argv[1]))
for line in sys.stdin:
    row = next(rows, None)
    print("ROW " + json.dumps(row and row._asdict()), flush=True)
"""
"""Measures one row for each line that it reads, and says null after the last."""

Row = tuple[str, str, int]
"""What names a row: its name, its device and its batch."""


class Ratio(NamedTuple):
    """A row of two commits.

    Attributes:
      name: what was measured.
      device, batch, unit: see `augrnn.bench.rows.Row`.
      before: of the older commit, the median over the turns.
      now: of the code as it is.
      ratio: the median over the turns of now / before.
      least, most: the ratios of the lowest and the highest turn.
    """

    name: str
    device: str
    batch: int
    unit: str
    before: float
    now: float
    ratio: float
    least: float
    most: float


def ratios(commit: str, seconds: float, turns: int) -> Iterator[Ratio]:
    """The rows that both have, in today's order.

    Args:
      commit: an older commit of the repository that this code is in.
      seconds: how long each figure is measured in a turn.
      turns: how often.

    Raises:
      UserError: there is no such commit or no repository, or a benchmark ends with an error.
    """
    found: dict[Row, list[tuple[float, float]]] = {}
    units: dict[Row, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        unpack(commit, Path(folder))
        for _ in range(turns):
            for before, now in _turn(Path(folder) / "src", seconds):
                key = (now["name"], now["device"], now["batch"])
                found.setdefault(key, []).append((_value(before), now["value"]))
                units[key] = now["unit"]
    for key, pairs in found.items():
        shares = [now / before for before, now in pairs]
        before, now = (statistics.median(side) for side in zip(*pairs, strict=True))
        yield Ratio(*key, units[key], before, now, statistics.median(shares), min(shares), max(shares))


def _value(row: dict[str, Any]) -> float:
    """A row's figure, also under the name that it had."""
    value: float = row["value"] if "value" in row else row["per_second"]
    return value


def _turn(older: Path, seconds: float) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The rows of both, each measured right after the other's, in pairs."""
    with worker(older, seconds) as before, worker(SOURCE, seconds) as now:
        waiting: tuple[dict[Row, dict[str, Any]], dict[Row, dict[str, Any]]] = ({}, {})
        open_ends = [(before, waiting[0], waiting[1]), (now, waiting[1], waiting[0])]
        while open_ends:
            for end in list(open_ends):
                process, mine, others = end
                row = ask(process)
                if row is None:
                    open_ends.remove(end)
                    continue
                key = (row["name"], row["device"], row["batch"])
                mine[key] = row
                if key in others:
                    yield waiting[0].pop(key), waiting[1].pop(key)


@contextlib.contextmanager
def worker(source: Path, seconds: float) -> "Iterator[subprocess.Popen[str]]":
    """A process that measures the rows of the package in a folder."""
    command = [sys.executable, "-W", "ignore", "-c", WORKER, str(seconds)]
    environment = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}  # as runs of these sizes have
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        ) as process,
    ):
        try:
            yield process
        except EOFError:
            errors.seek(0)
            lines = [line.strip() for line in errors if line.strip()]
            raise UserError(f"the benchmark of {source} ended: {lines[-1] if lines else 'no message'}") from None
        finally:
            process.kill()
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # a question that it did not live to read
                process.stdin.close()


def ask(process: "subprocess.Popen[str]") -> dict[str, Any] | None:
    """The next row of a worker; None after its last.

    Raises:
      EOFError: it has ended.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write("next\n")
        process.stdin.flush()
    for line in process.stdout:
        if line.startswith("ROW "):
            row: dict[str, Any] | None = json.loads(line.removeprefix("ROW "))
            return row
    raise EOFError


def unpack(commit: str, folder: Path) -> None:
    """Put the source of a commit into a folder.

    Raises:
      UserError: there is no git, no repository or no such commit, or it has no benchmark.
    """
    command = ["git", "-C", str(SOURCE), "archive", "--format=tar", commit, "--", "."]
    try:
        archive = subprocess.run(command, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise UserError("--against needs git") from None
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"--against {commit} is no commit of a clone of augrnn: {told[-1] if told else ''}") from None
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder / "src", filter="data")
    if not any((folder / "src" / "augrnn" / name).exists() for name in ("bench.py", "bench")):
        raise UserError(f"commit {commit} has no benchmark")
