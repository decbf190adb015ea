from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from augrnn.cells import compilation
from augrnn.cells.cell import Cell
from augrnn.cells.compilation import stepper
from augrnn.cells.gru import GRU
from augrnn.cells.lstm import LSTM
from augrnn.cells.unroll import unroll


class CountState(NamedTuple):
    count_B1: Tensor
    square_B1: Tensor


class Counter(Cell):
    """Takes no input: counts its steps from where it starts."""

    input_size, output_size = 0, 1

    def step(self, p_BP: Tensor, state: CountState) -> tuple[Tensor, CountState]:
        assert p_BP is None
        count_B1 = state.count_B1 + 1
        return count_B1, CountState(count_B1, count_B1**2)


def test_a_number_of_steps_takes_no_input() -> None:
    start = CountState(torch.tensor([[0.0], [10.0]]), torch.zeros(2, 1))
    found = unroll(Counter(), 3, start, keep=True)
    assert found.y_TBO.squeeze(-1).tolist() == [[1, 11], [2, 12], [3, 13]]
    assert found.state.count_B1.flatten().tolist() == [3, 13]
    assert found.trace.square_B1.squeeze(-1).tolist() == [[1, 121], [4, 144], [9, 169]]


@pytest.mark.parametrize(
    ("inputs", "start", "told"),
    [(0, CountState(*torch.zeros(2, 1, 1)), "at least one step, not 0"), (3, None, "the state to start")],
)
def test_no_steps_and_no_start_are_refused(inputs: int, start: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        unroll(Counter(), inputs, start)


@pytest.mark.parametrize("make", [lambda: GRU(3, 4), lambda: LSTM(3, 4)])
def test_a_part_of_the_record_is_that_part_of_the_whole_trace(make: Callable[[], Cell]) -> None:
    torch.manual_seed(0)
    cell, x_TBI = make().double(), torch.randn(5, 2, 3).double()
    whole = unroll(cell, x_TBI, keep=True)
    seen: list[Any] = []

    def first_unit(record: Any) -> Tensor:
        seen.append(record)
        return record.hidden_BH[:, 0]

    part = unroll(cell, x_TBI, keep=first_unit)
    assert torch.equal(part.trace, whole.trace.hidden_BH[..., 0])
    assert torch.equal(part.y_TBO, whole.y_TBO)
    assert len(seen) == 5
    assert unroll(cell, x_TBI).trace is None


class Halting(Cell):
    """Repeats an inner cell until the sum of its outputs is positive for every sample, at most 9 times."""

    one_program = False

    def __init__(self, inner: Cell) -> None:
        super().__init__()
        self.inner, self.input_size, self.output_size = inner, inner.input_size, inner.output_size

    def initial_state(self, batch_size: int) -> Any:
        return self.inner.initial_state(batch_size)

    def project(self, x: Tensor) -> Tensor:
        return self.inner.project(x)

    def step(self, p_BP: Tensor, state: Any) -> tuple[Tensor, Any]:
        step = stepper(self.inner)
        for _ in range(9):
            h_BH, state = step(p_BP, state)
            if (h_BH.sum(-1) > 0).all():
                break
        return h_BH, state


def test_a_wrapper_that_loops_keeps_its_inner_step_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []

    def noted(step: Callable[..., Any], dynamic: bool | None) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            compiled.append(step.__qualname__)
            return step(*arguments)

        return run

    monkeypatch.setattr(compilation, "_COMPILED", {})
    monkeypatch.setattr(compilation, "available", lambda: True)
    monkeypatch.setattr(compilation.torch, "compile", noted)
    torch.manual_seed(0)
    cell, x_TBI = Halting(GRU(3, 4)), torch.randn(2, 5, 3)
    y_TBO = unroll(cell, x_TBI).y_TBO
    assert set(compiled) == {"GRU.step"}
    assert len(compiled) > 2

    compiled.clear()
    cell.eval()
    assert torch.equal(unroll(cell, x_TBI).y_TBO, y_TBO)
    with torch.no_grad():
        unroll(cell.train(), x_TBI)
    assert not compiled


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch's own, as it compiles
def test_a_wrapped_step_really_compiles_and_is_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    cell, x_TBI = Halting(GRU(3, 4)), torch.randn(2, 5, 3)
    plain = unroll(cell, x_TBI).y_TBO
    monkeypatch.setattr(compilation, "available", lambda: True)
    monkeypatch.setattr(compilation, "_COMPILED", {})
    found = unroll(cell, x_TBI).y_TBO
    assert GRU in compilation._COMPILED
    assert Halting not in compilation._COMPILED
    torch.testing.assert_close(found, plain)
    found.sum().backward()
    assert all(parameter.grad is not None for parameter in cell.parameters())
