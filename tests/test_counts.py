"""Numbers of things that a user asks for."""

from typing import Any

import numpy as np
import pytest

from augrnn.cli import main
from augrnn.counts import is_finite, is_whole, require_count
from augrnn.errors import UserError

OPTIONS = [
    (["sweep", "run", "none.yaml"], "--jobs", "1,000"),
    (["reproduce", "ntm/copy", "--dry-run"], "--jobs", "1,000"),
    (["reproduce", "ntm/copy", "--dry-run"], "--seeds", "1,000"),
    (["translate", "--run", "none"], "--best", "1,000,000"),
    (["translate", "--run", "none"], "--beam", "1,000,000"),
]


@pytest.mark.parametrize("text", ["0", "-1", "1000001", "9" * 5000, "1.5", "nan", "two", "", "٣"])
@pytest.mark.parametrize(("words", "option", "most"), OPTIONS)
def test_a_count_out_of_range_is_one_line(
    words: list[str], option: str, most: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, f"{option}={text}"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"augrnn: error: {option} must be a whole number from 1 to {most}, not ")
    assert len(line) < 150


@pytest.mark.parametrize("value", [0, 8, True, 2.0, "3", None])
def test_a_count_from_python_is_of_the_same_range(value: object) -> None:
    assert [require_count("jobs", each, 7) for each in (1, 7)] == [1, 7]
    with pytest.raises(UserError, match="jobs must be a whole number from 1 to 7, not "):
        require_count("jobs", value, 7)


@pytest.mark.parametrize(
    ("value", "whole", "finite"),
    [
        (3, True, True),
        (-1, True, True),
        (np.int64(3), True, True),
        (3.0, False, True),
        (np.float32(0.5), False, True),
        (float("inf"), False, False),
        (float("nan"), False, False),
        (True, False, False),
        ("3", False, False),
        (None, False, False),
        ([3], False, False),
        (3j, False, False),
    ],
)
def test_numbers_are_told_from_what_is_none(value: Any, whole: bool, finite: bool) -> None:
    assert (is_whole(value), is_finite(value)) == (whole, finite)
