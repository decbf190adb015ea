"""Two commits measured in turns, with benchmarks that answer at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from augrnn.bench import against
from augrnn.cli import main
from augrnn.errors import UserError

BENCHMARK = """
from typing import NamedTuple
class Speed(NamedTuple):
    name: str
    device: str
    batch: int
    per_second: float
    unit: str
    reference_per_second: None = None
def speeds(seconds):
    for name, rate in ROWS:
        yield Speed(name, "cpu", 16, rate * seconds, "sequences")
"""


def source(folder: Path, rows: list[tuple[str, float]], ending: str = "", today: bool = False) -> None:
    """Write a benchmark; of `today` with the names that its figures have now."""
    (folder / "augrnn").mkdir(parents=True, exist_ok=True)
    (folder / "augrnn" / "__init__.py").touch()
    text = BENCHMARK.replace("ROWS", repr(rows)) + ending
    if today:
        text = text.replace("reference_per_second", "reference").replace("per_second", "value")
    (folder / "augrnn" / "bench.py").write_text(text)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose one commit has the rows a and b, and whose working tree has c, b and a."""
    folder = tmp_path / "clone" / "src"
    source(folder, [("a", 2.0), ("b", 10.0)])
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "m"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    source(folder, [("c", 1.0), ("b", 5.0), ("a", 6.0)], today=True)
    monkeypatch.setattr(against, "SOURCE", folder)
    return folder


def test_rows_that_both_have_are_compared(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--against", "HEAD", "--seconds", "0.5", "--turns", "2", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert {name: row["ratio"] for name, row in rows.items()} == {"a": 3.0, "b": 0.5}
    assert (rows["a"]["before"], rows["a"]["now"]) == (1.0, 3.0)
    assert main(["bench", "--against", "HEAD", "--turns", "1"]) == 0
    assert "3.00 times [3.00, 3.00]" in capsys.readouterr().out


def test_what_cannot_be_compared_is_told_in_one_line(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="--against nothing is no commit"):
        list(against.ratios("nothing", 1.0, 1))
    source(clone, [], "raise ValueError('broken today')", today=True)
    with pytest.raises(UserError, match="ended: ValueError: broken today"):
        list(against.ratios("HEAD", 1.0, 1))
    monkeypatch.setattr(against, "SOURCE", Path(sys.prefix))
    with pytest.raises(UserError, match="is no commit of a clone"):
        list(against.ratios("HEAD", 1.0, 1))


@pytest.mark.parametrize(
    "words",
    [
        ["--seconds", "0"],
        ["--seconds=-1"],
        ["--seconds", "inf"],
        ["--seconds", "nan"],
        ["--seconds", "x"],
        ["--turns", "0"],
    ],
)
def test_impossible_numbers_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
