"""The rows that are measured in processes of their own."""

import os

import pytest

from augrnn.bench import conditions
from augrnn.errors import UserError


@pytest.fixture(autouse=True)
def eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGRNN_COMPILE", "0")


def test_a_busy_process_is_measured_beside_the_idle_machine() -> None:
    idle, busy = conditions.asked("busy", conditions.COPY.name, "0.1")
    assert idle > 0
    assert busy > 0


def test_longer_sequences_take_more_memory() -> None:
    if not os.access(conditions.FORGET, os.W_OK):
        pytest.skip("needs Linux")
    (short,), (longer,) = conditions.asked("memory", "2"), conditions.asked("memory", "80")
    memories = 80 * 16 * 128 * 20 * 4 / 2**20  # a loop keeps the memory of each step for its gradient
    assert short < memories < longer < 20 * memories


def test_the_first_update_is_timed() -> None:
    (seconds,) = conditions.asked("first", conditions.COPY.name)
    assert 0 < seconds < 60


def test_rows_come_from_what_the_processes_say(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    said = {"busy": [10.0, 6.0], "first": [5.0], "memory": [100.0]}

    def answered(*arguments: str, cache: str | None = None) -> list[float]:
        asked.append(arguments)
        return [value + 20.0 * (arguments[1] == "200") for value in said[arguments[0]]]

    monkeypatch.setattr(conditions, "asked", answered)
    rows = list(conditions.condition_rows(0.1))
    assert [(row.value, row.unit, row.reference) for row in rows] == [
        (6.0, "sequences/s", 10.0),
        (6.0, "target tokens/s", 10.0),
        (6.0, "target tokens/s", 10.0),
        (5.0, "s", 5.0),
        (5.0, "s", 5.0),
        (120.0, "MiB", None),
    ]


def test_a_process_that_ends_is_one_line() -> None:
    with pytest.raises(UserError, match="the benchmark's process ended: KeyError: 'no such thing'"):
        conditions.asked("busy", "no such thing", "0.1")
