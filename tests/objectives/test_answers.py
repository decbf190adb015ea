"""Losses of answers, against the same numbers computed one by one."""

import math

import pytest
import torch

from augrnn.cells.unroll import Unrolled
from augrnn.objectives.answers import NumberLoss, TableLoss
from augrnn.tasks.expressions import Expressions
from augrnn.tasks.tables import Tables


def huber(error: float, delta: float) -> float:
    return 0.5 * error**2 if abs(error) <= delta else delta * (abs(error) - 0.5 * delta)


@pytest.mark.parametrize("delta", [0.5, 1.0])
def test_the_loss_is_hubers_at_each_expressions_own_end(delta: float) -> None:
    batch = Expressions().sample(20, 1, 4, 0)
    outputs_TBO = torch.randn(8, 20, 1)
    found = NumberLoss(delta)(batch, Unrolled(outputs_TBO, None, None))
    ends = zip(batch.lengths_B.tolist(), batch.answers_B.tolist(), strict=True)
    errors = [float(outputs_TBO[length - 1, b, 0]) - answer for b, (length, answer) in enumerate(ends)]
    assert float(found.value) == pytest.approx(sum(huber(error, delta) for error in errors) / 20, rel=1e-5)
    assert float(found.logged["loss"]) == float(found.value)


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan")])
def test_an_impossible_delta_is_refused(delta: float) -> None:
    with pytest.raises(ValueError, match="delta > 0"):
        NumberLoss(delta)


@pytest.mark.parametrize(("delta", "weight"), [(1.0, 1.0), (2.0, 5.0)])
def test_numbers_have_hubers_loss_and_cells_the_log_loss(delta: float, weight: float) -> None:
    batch = Tables(number_columns=2).sample(30, 3, 5.0, 0)
    outputs_TBX = torch.rand(4, 30, 7)
    found = TableLoss(delta, weight)(batch, Unrolled(outputs_TBX, None, None))
    numbers, cells = [], []
    for b in range(30):
        number, *given = outputs_TBX[-1, b].tolist()
        if batch.number_asked_B[b]:
            numbers.append(huber(number - float(batch.number_B[b]), delta))
        else:
            pairs = zip(given, batch.cells_BRC[b].flatten().tolist(), strict=True)
            cells.append(-sum(math.log(p if asked else 1 - p) for p, asked in pairs) / 6)
    assert float(found.value) == pytest.approx((sum(numbers) + weight * sum(cells)) / 30, rel=1e-5)
    assert float(found.logged["number_loss"]) == pytest.approx(sum(numbers) / len(numbers), rel=1e-5)
    assert float(found.logged["cells_loss"]) == pytest.approx(sum(cells) / len(cells), rel=1e-5)


def test_where_no_cells_are_asked_for_there_is_no_loss_of_cells() -> None:
    batch = Tables().sample(40, 3, 5.0, 0)
    sums = batch._replace(number_asked_B=torch.ones(40, dtype=torch.bool))
    found = TableLoss()(sums, Unrolled(torch.rand(4, 40, 4), None, None))
    assert set(found.logged) == {"loss", "number_loss"}
    assert found.value.isfinite()


@pytest.mark.parametrize("options", [{"delta": 0.0}, {"cells_weight": 0.0}, {"cells_weight": -1.0}])
def test_impossible_weights_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="> 0"):
        TableLoss(**options)
