"""The command line as its users meet it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from augrnn import bench
from augrnn.cli import main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--help"])
    assert done.value.code == 0
    text = capsys.readouterr().out
    for command in ("list", "reproduce", "check", "report", "bench", "fit", "validate", "test", "predict"):
        assert command in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["reproduce", "ntm/coppy"], "did you mean ntm/copy"),
        (["reproduce", "ntm/copy", "--scale", "huge"], "huge"),
        (["reproduce", "ntm/copy", "--variants", "gru"], "gru"),
        (["reproduce", "ntm/copy", "--seeds", "0"], "at least 1"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("augrnn: error: ")
    assert told in line


def test_check_json_is_one_list_with_the_promised_keys(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "augrnn.cli", "check", "--json"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    keys = {"experiment", "claim", "scale", "verdict", "value", "interval", "seeds", "paper", "public"}
    assert all(set(row) == keys for row in rows)
    assert {"ntm/copy", "attention/reversal", "attention/translation"} == {row["experiment"] for row in rows}


def test_bench_json_has_the_promised_keys(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bench, "translation_speed", lambda device, seconds: bench.Speed("t", "cpu", 1, 1.0, "u", 2.0))
    assert main(["bench", "--json", "--seconds", "0.01"]) == 0
    rows = json.loads(capsys.readouterr().out)
    keys = {"name", "device", "batch", "per_second", "unit", "reference_per_second"}
    assert all(set(row) == keys for row in rows)
    copies = [row for row in rows if row["unit"] == "sequences"]
    assert {row["batch"] for row in copies} == {1, 16, 64}
    assert all(row["per_second"] > 0 and row["reference_per_second"] > 0 for row in rows)
