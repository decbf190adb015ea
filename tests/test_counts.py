"""Counts on the command line."""

import pytest

from augrnn.cli import main


@pytest.mark.parametrize("text", ["0", "-1", "1001", "9" * 5000, "1.5", "nan", "two", "", "٣"])
def test_a_count_out_of_range_is_one_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "run", "none.yaml", f"--jobs={text}"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("augrnn: error: --jobs must be a whole number from 1 to 1,000, not ")
    assert len(line) < 150
