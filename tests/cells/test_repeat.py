import pytest
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn.cells import NTM, RNN, Repeat
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.unroll import unroll
from tests.cells import inner_steps_naively as naively
from tests.cells.inner_steps_naively import CELLS, INPUT

TIMES, BATCH = 3, 4


def inputs() -> Tensor:
    return torch.randn(TIMES, BATCH, INPUT - 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("name", CELLS)
def test_the_last_of_the_steps_counts(name: str, steps: int) -> None:
    torch.manual_seed(0)
    repeat, x_TBI = Repeat(CELLS[name](), steps).double(), inputs().requires_grad_()
    found = unroll(repeat, x_TBI)
    value, expected = found.y_TBO.square().sum(), x_TBI.new_zeros(())
    unit = torch.nn.Linear(_emitted(repeat), 1).double()
    for b in range(BATCH):
        state = repeat.cell.initial_state(1)
        for t in range(TIMES):
            last = naively.inner_steps(repeat.cell, unit, x_TBI[t, b], state, steps)[-1]
            state = last.state
            torch.testing.assert_close(found.y_TBO[t, b], last.y_O)
            expected = expected + last.y_O.square().sum()
        torch.testing.assert_close(pytree.tree_map(lambda leaf, b=b: leaf[b : b + 1], found.state.inner), state)
    naively.assert_same_gradients(value, expected, [x_TBI, *repeat.parameters()])


def _emitted(repeat: Repeat) -> int:
    cell = repeat.cell
    x_1I = next(cell.parameters()).new_zeros(1, INPUT)
    return cell.step(cell.project(x_1I), cell.initial_state(1))[0].shape[1]


@pytest.mark.usefixtures("compiled_functions")
def test_a_cells_own_sequence_is_that_of_all_inner_steps() -> None:
    torch.manual_seed(0)
    repeat = Repeat(NTM(INPUT, 2, lambda size: Feedforward(size, 5), rows=4, width=3), 3)
    x_TBI = inputs().float()
    state = repeat.initial_state(BATCH)
    assert repeat.sequence(repeat.project(x_TBI), state) is not None
    whole, loop = unroll(repeat, x_TBI), unroll(repeat, x_TBI, keep=True)
    torch.testing.assert_close(whole.y_TBO, loop.y_TBO)
    torch.testing.assert_close(whole.state, loop.state)
    torch.testing.assert_close(loop.trace.inner.memory_BNW[-1], loop.state.inner.memory_BNW)


def test_steps_are_at_least_one() -> None:
    with pytest.raises(ValueError, match="Repeat needs steps of at least 1, not 0"):
        Repeat(RNN(INPUT, 4), 0)
    with pytest.raises(ValueError, match=r"Repeat needs a whole number for steps, not 2\.5"):
        Repeat(RNN(INPUT, 4), 2.5)  # type: ignore[arg-type]
