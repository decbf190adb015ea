"""How many threads are used: by the work, the load and what the user wants."""

import os
import types
from collections.abc import Iterator
from pathlib import Path

import lightning as L
import pytest
import torch
from torch import nn

from augrnn import threads
from augrnn.training.thread_choice import ChooseThreads


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of eight cores, of which six are idle; afterwards the threads that there were."""
    before = torch.get_num_threads()
    monkeypatch.setattr(threads, "cores", lambda: 8)
    monkeypatch.setattr(threads, "idle_cores", lambda: 6)
    monkeypatch.delenv(threads.MOST, raising=False)
    monkeypatch.delenv(threads.EXACT, raising=False)
    yield
    torch.set_num_threads(before)


def test_small_work_gets_one_thread_and_large_work_the_idle_cores() -> None:
    assert (threads.choose(threads.LEAST_WORK - 1), torch.get_num_threads()) == (1, 1)
    assert (threads.choose(threads.LEAST_WORK), torch.get_num_threads()) == (6, 6)
    assert threads.in_use() == 6


def test_a_busy_machine_still_gives_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "idle_cores", lambda: 0)
    assert threads.choose(threads.LEAST_WORK) == 1


@pytest.mark.parametrize(
    ("most", "exact", "expected"),
    [
        ("2", "", (1, 2)),
        ("100", "", (1, 6)),
        ("4,1", "", (1, 4)),
        ("0", "", (1, 6)),
        ("many", "", (1, 6)),
        ("2", "3", (3, 3)),
        ("", "1", (1, 1)),
        ("", "none", (1, 6)),
    ],
)
def test_what_the_user_wants_goes_before(
    most: str, exact: str, expected: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(threads.MOST, most)
    monkeypatch.setenv(threads.EXACT, exact)
    assert (threads.choose(1), threads.choose(threads.LEAST_WORK)) == expected


def test_idle_cores_are_counted_from_what_they_spend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    cores = threads.cores()
    spent = iter([[100, 0, 50, 1000, 0, 0, 0, 0], [175, 0, 50, 1200, 25, 0, 0, 0]])  # 225 of 300 idle
    monkeypatch.setattr(threads, "_spent", lambda: next(spent))
    assert threads.idle_cores(seconds=0) == round(cores * 0.75)
    monkeypatch.setattr(threads, "_spent", lambda: [1] * 8)
    assert threads.idle_cores(seconds=0) == cores

    def unknown() -> list[int]:
        raise FileNotFoundError

    monkeypatch.setattr(threads, "_spent", unknown)
    assert threads.idle_cores(seconds=0) == cores


def test_the_machine_tells_what_its_cores_spend() -> None:
    if not Path("/proc/stat").exists():
        pytest.skip("needs Linux")
    assert len(threads._spent()) == 8
    assert sum(threads._spent()) > 0


def test_idle_threads_sleep_unless_the_user_wants_otherwise() -> None:
    environment: dict[str, str] = {}
    threads.let_idle_threads_sleep(environment)
    assert environment == {"OMP_WAIT_POLICY": "PASSIVE"}
    environment = {"OMP_WAIT_POLICY": "ACTIVE"}
    threads.let_idle_threads_sleep(environment)
    assert environment == {"OMP_WAIT_POLICY": "ACTIVE"}


def test_a_training_chooses_once_from_its_largest_weight_and_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(threads, "choose", asked.append)
    module = L.LightningModule()
    module.layers = nn.Sequential(nn.Linear(10, 20), nn.Linear(20, 3))
    callback, batch = ChooseThreads(), types.SimpleNamespace(size=7)
    for number in range(2):
        callback.on_train_batch_start(L.Trainer(logger=False, enable_checkpointing=False), module, batch, number)
    assert asked == [200 * 7]


def test_the_command_line_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from augrnn.cli import main

    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert main(["list"]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
