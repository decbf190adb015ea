"""The command line as its users meet it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from augrnn.cli import main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--help"])
    assert done.value.code == 0
    text = capsys.readouterr().out
    ours = ("list", "reproduce", "check", "report", "sweep", "dashboard", "bench", "translate")
    for command in (*ours, "fit", "validate", "test", "predict"):
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
    folders = [path.parent for path in (root / "experiments").glob("*/*/experiment.py")]
    assert {f"{folder.parent.name}/{folder.name}" for folder in folders} == {row["experiment"] for row in rows}
