"""The arithmetic program against the mean over all programs of a step, and its hard twin in plain Python."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from augrnn.cells.unroll import unroll
from augrnn.programs.arithmetic import OPERATIONS, ArithmeticProgram
from augrnn.programs.choices import Chooser, choosing

PLAIN: dict[str, Any] = {
    "add": lambda left, right: left + right,
    "subtract": lambda left, right: left - right,
    "multiply": lambda left, right: left * right,
    "keep": lambda left, right: left,
    "negate": lambda left, right: -left,
}


def program(window: int = 2) -> ArithmeticProgram:
    torch.manual_seed(0)
    cell = ArithmeticProgram(6, hidden_size=5, window=window).double()
    torch.nn.init.normal_(cell.chooser.weight, std=3.0)
    return cell


def inputs(steps: int = 5, batch: int = 3) -> Tensor:
    return torch.randn(steps, batch, 6, dtype=torch.float64)


def scores(cell: ArithmeticProgram, symbols_TBS: Tensor) -> Tensor:
    """All scores of all steps, with torch's LSTM."""
    lstm = torch.nn.LSTM(5, 5, dtype=torch.float64)
    pairs = {"ih": cell.controller.from_input, "hh": cell.controller.from_hidden}
    for name, linear in pairs.items():
        getattr(lstm, f"weight_{name}_l0").data = linear.weight.data
        getattr(lstm, f"bias_{name}_l0").data = linear.bias.data
    return cell.chooser(lstm(symbols_TBS)[0])


@pytest.mark.parametrize("window", [1, 2, 4])
def test_a_soft_step_is_the_mean_over_all_programs(window: int) -> None:
    cell, x_TBI = program(window), inputs()
    with torch.no_grad():
        found = unroll(cell, x_TBI, keep=True)
    operands = 1 + window
    for b in range(3):
        earlier = [0.0] * window
        for t, scores_S in enumerate(scores(cell, x_TBI[..., :-1])[:, b].detach()):
            operation, left, right = (part.softmax(0).tolist() for part in scores_S.split([5, operands, operands]))
            values = [float(x_TBI[t, b, -1]), *earlier]
            mean = 0.0
            for (name, p), i, j in itertools.product(
                zip(OPERATIONS, operation, strict=True), range(operands), range(operands)
            ):
                mean += p * left[i] * right[j] * PLAIN[name](values[i], values[j])
            assert float(found.y_TBO[t, b, 0]) == pytest.approx(mean, rel=1e-9)
            assert found.trace.operation_BV[t, b].tolist() == pytest.approx(operation)
            assert found.trace.left_BK[t, b].tolist() == pytest.approx(left)
            assert found.trace.right_BK[t, b].tolist() == pytest.approx(right)
            earlier = [mean, *earlier[:-1]]


def test_a_hard_program_is_its_likeliest_choices_run_in_plain_python() -> None:
    cell, x_TBI = program(), inputs()
    with choosing(cell, hard=True), torch.no_grad():
        found = unroll(cell, x_TBI).y_TBO
    for b in range(3):
        earlier = [0.0, 0.0]
        for t, scores_S in enumerate(scores(cell, x_TBI[..., :-1])[:, b]):
            operation, left, right = (int(part.argmax()) for part in scores_S.split([5, 3, 3]))
            values = [float(x_TBI[t, b, -1]), *earlier]
            result = PLAIN[OPERATIONS[operation]](values[left], values[right])
            assert float(found[t, b, 0]) == pytest.approx(result, rel=1e-12)
            earlier = [result, earlier[0]]


def test_choices_are_soft_in_training_and_hard_in_evaluation() -> None:
    cell, x_TBI = program(), inputs()
    soft, hard = unroll(cell, x_TBI, keep=True), unroll(cell.eval(), x_TBI, keep=True)
    assert set(hard.trace.operation_BV.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(soft.trace.operation_BV.argmax(-1), hard.trace.operation_BV.argmax(-1))
    assert ((soft.trace.operation_BV > 0) & (soft.trace.operation_BV < 1)).all()
    with choosing(cell, hard=False):
        torch.testing.assert_close(unroll(cell, x_TBI).y_TBO, soft.y_TBO)
    torch.testing.assert_close(unroll(cell, x_TBI).y_TBO, hard.y_TBO)
    assert cell.hard is None


def test_of_no_choice_nothing_is_chosen() -> None:
    chooser, none = Chooser(), torch.zeros(1, 3, dtype=torch.bool)
    for hard in (False, True):
        with choosing(chooser, hard):
            assert chooser.weights(torch.randn(1, 3), none).tolist() == [[0, 0, 0]]


def test_gradients_and_independence_of_the_batch() -> None:
    cell, x_TBI = program(), inputs(3, 2).requires_grad_()
    torch.autograd.gradcheck(lambda x: unroll(cell, x).y_TBO, x_TBI)
    unroll(cell, x_TBI).y_TBO[:, 0].sum().backward()
    assert (x_TBI.grad[:, 1] == 0).all()
    for row in range(2):
        torch.testing.assert_close(unroll(cell, x_TBI[:, row : row + 1]).y_TBO, unroll(cell, x_TBI).y_TBO[:, [row]])


def test_the_controller_sees_no_number() -> None:
    cell, x_TBI = program(), inputs()
    other = x_TBI.clone()
    other[..., -1] += 1
    one, two = (unroll(cell, each, keep=True).trace for each in (x_TBI, other))
    torch.testing.assert_close(one.operation_BV, two.operation_BV)
    torch.testing.assert_close(one.left_BK, two.left_BK)


@pytest.mark.parametrize("sizes", [(1, 5, 2), (6, 0, 2), (6, 5, 0)])
def test_impossible_sizes_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="a program needs"):
        ArithmeticProgram(*sizes)
