"""Errors and inner steps, counted by hand on made-up outputs."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from augrnn.batch_stream import BatchStream
from augrnn.cells import ACT, LSTM, RNN, PonderNet, Repeat
from augrnn.measures.measure import measured
from augrnn.measures.pondering.measure import PonderingMeasure
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.parity import Parity
from augrnn.tasks.sort import Sort


class Trace(NamedTuple):
    steps_B: Tensor


def test_counts_on_made_up_outputs() -> None:
    targets_TBO = torch.tensor([[[1.0], [0], [1]], [[0], [1], [0]]])
    scored_TB = torch.tensor([[1.0, 1, 1], [1, 1, 0]])
    logits_TBO = torch.tensor([[[2.0], [2], [1]], [[-1], [-1], [5]]])  # the second is wrong twice, the third padding
    batch = BitBatch(torch.zeros(2, 3, 1), targets_TBO, scored_TB)
    steps_TB = torch.tensor([[1.0, 2, 3], [4, 5, 0]])

    def system(given: BitBatch, keep: bool) -> Any:
        return SimpleNamespace(y_TBO=logits_TBO, trace=Trace(steps_TB))

    system.device, system.cell = torch.device("cpu"), None  # type: ignore[attr-defined]
    sets: Mapping[str, Any] = {"some": BatchStream(lambda number: batch, 2)}
    found = PonderingMeasure().measure(system, SimpleNamespace(test_sets=lambda: sets)).numbers  # type: ignore[arg-type]
    assert found["wrong_steps"]["some"] == pytest.approx(2 / 5)
    assert found["wrong_sequences"]["some"] == pytest.approx(1 / 3)
    assert found["inner_steps"]["some"] == pytest.approx(15 / 5)
    assert found["steps_by_position"] == {}


def test_steps_by_position_are_means_over_sequences_of_one_length() -> None:
    task = Sort(2, 3, test_sequences=200)
    system = Transducer(ACT(LSTM(3, 5, 3), cap=6))
    system.cell.halting_unit.bias.data.fill_(-1)
    found = measured(system, task).numbers
    assert list(found["inner_steps"]) == ["2", "3", "2-3"]
    assert {name: len(steps) for name, steps in found["steps_by_position"].items()} == {"2": 4, "3": 6}
    with torch.no_grad():
        taken = [system(batch, keep=True).trace.steps_B for batch in task.test_sets()["3"]]
    for position, mean in enumerate(found["steps_by_position"]["3"]):
        assert mean == pytest.approx(sum(int(steps[position].sum()) for steps in taken) / 200)
    assert sum(found["steps_by_position"]["3"]) / 6 == pytest.approx(found["inner_steps"]["3"])


@pytest.mark.parametrize(
    ("cell", "fewest", "most"),
    [
        (lambda: RNN(8, 4, 1), 1, 1),
        (lambda: Repeat(RNN(9, 4, 1), 3), 3, 3),
        (lambda: ACT(RNN(9, 4, 1), cap=4), 1, 4),
        (lambda: PonderNet(RNN(9, 4, 1), cap=4), 1, 4),
    ],
)
def test_every_kind_of_cell_is_measured_twice_alike(cell: Any, fewest: float, most: float) -> None:
    torch.manual_seed(0)
    system = Transducer(cell())
    task = Parity(8, 1, 8, test_nonzeros=(2,), test_ranges=((1, 8),), test_sequences=100)
    first, second = measured(system, task).numbers, measured(system, task).numbers
    assert first == second
    assert list(first["inner_steps"]) == ["2", "1-8"]
    for name in ("2", "1-8"):
        assert fewest <= first["inner_steps"][name] <= most
        assert first["wrong_steps"][name] == first["wrong_sequences"][name]
        assert 0.2 < first["wrong_steps"][name] < 0.8
