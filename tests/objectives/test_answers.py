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


def test_evenness_adds_up_how_improbable_operations_are() -> None:
    batch = Tables(number_columns=2).sample(6, 3, 5.0, 0)
    outputs_TBX, trace_TBV = torch.rand(4, 6, 7), torch.randn(4, 6, 9).softmax(-1)
    plain = TableLoss()(batch, Unrolled(outputs_TBX, None, None))
    found = TableLoss(evenness=0.7)(batch, Unrolled(outputs_TBX, None, trace_TBV))
    each = [-sum(math.log(p) for p in row) / 9 for step in trace_TBV.tolist() for row in step]
    assert float(found.value - plain.value) == pytest.approx(0.7 * sum(each) / 6, rel=1e-4)
    assert float(found.logged["loss"]) == float(plain.value)


def test_evenness_brings_back_an_operation_that_is_hardly_ever_chosen() -> None:
    batch = Tables().sample(1, 3, 5.0, 0)
    scores_TBV = torch.zeros(4, 1, 9)
    scores_TBV[:, :, 2] = -20.0
    scores_TBV.requires_grad_()
    outputs = Unrolled(torch.zeros(4, 1, 4), None, scores_TBV.softmax(-1))
    TableLoss(evenness=1.0)(batch, outputs).value.backward()
    assert scores_TBV.grad is not None
    assert scores_TBV.grad[:, :, 2].tolist() == [[pytest.approx(-1 / 9, abs=1e-3)]] * 4


@pytest.mark.parametrize("evenness", [-1.0, math.inf, math.nan])
def test_impossible_evenness_is_refused(evenness: float) -> None:
    with pytest.raises(ValueError, match="evenness of at least 0"):
        TableLoss(evenness=evenness)


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
