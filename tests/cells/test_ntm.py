import os
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch.testing import assert_close

from augrnn.cells.cell import Cell
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.lstm import LSTM, GravesLSTM
from augrnn.cells.ntm import NTM, NTMState
from augrnn.cells.unroll import unroll

CONTROLLERS: dict[str, Callable[[int], Cell]] = {
    "lstm": lambda size: LSTM(size, 6),
    "feedforward": lambda size: Feedforward(size, 6),
    "stack": lambda size: GravesLSTM(size, 6, 4, layers=2),
}


def machine(controller: str = "lstm", heads: int = 1, rows: int = 7, **options: object) -> NTM:
    torch.manual_seed(0)
    return NTM(3, 2, CONTROLLERS[controller], heads=heads, rows=rows, width=4, **options)  # type: ignore[arg-type]


def naive_step(cell: NTM, x: torch.Tensor, state: NTMState) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One step of one sequence, head by head and row by row: (output, memory, weightings)."""
    h, n, w = cell.heads, cell.rows, cell.width
    seen = torch.cat([x, state.read_BHW[0].flatten()])
    c, _ = cell.controller(seen[None], state.controller)
    parts = cell.to_heads(c)[0].split(cell.head_sizes)
    memory, weightings = state.memory_BNW[0], []
    for a in range(2 * h):
        key, beta = parts[0][a * w : (a + 1) * w], torch.log1p(parts[1][a].exp())
        gate, gamma = parts[2][a].sigmoid(), 1 + torch.log1p(parts[4][a].exp())
        shifts = parts[3][a * 3 : (a + 1) * 3].softmax(0)
        cosines = torch.stack([key @ row / (key.norm() * row.norm() + 1e-12) for row in memory])
        content = torch.exp(beta * cosines) / torch.exp(beta * cosines).sum()
        gated = gate * content + (1 - gate) * state.weighting_BAN[0, a] if cell.interpolation else content
        moved = torch.stack([sum(gated[(i - j) % n] * shifts[j + 1] for j in (-1, 0, 1)) for i in range(n)])  # type: ignore[arg-type, misc]
        weightings.append(moved**gamma / (moved**gamma).sum() if cell.sharpening else moved)
    reads = [sum(weightings[a][i] * memory[i] for i in range(n)) for a in range(h)]
    erased = memory.clone()
    for a in range(h):
        erased = erased * (1 - weightings[h + a][:, None] * parts[5][a * w : (a + 1) * w].sigmoid())
    for a in range(h):
        erased = erased + weightings[h + a][:, None] * parts[6][a * w : (a + 1) * w]
    return cell.output(torch.cat([c[0], *reads])), erased, torch.stack(weightings)


@pytest.mark.parametrize("options", [{}, {"interpolation": False}, {"sharpening": False}])
@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_step_is_the_papers(controller: str, heads: int, options: dict[str, bool]) -> None:
    cell = machine(controller, heads, **options)
    state = cell.initial_state(1)
    state = state._replace(memory_BNW=torch.randn(1, 7, 4))
    for _ in range(3):
        x = torch.randn(1, 3)
        output, memory, weightings = naive_step(cell, x[0], state)
        y, state = cell(x, state)
        assert_close(y[0], output, atol=1e-4, rtol=1e-4)
        assert_close(state.memory_BNW[0], memory, atol=1e-4, rtol=1e-4)
        assert_close(state.weighting_BAN[0], weightings, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_sequences_of_a_batch_do_not_meet(controller: str) -> None:
    cell, x_TBI = machine(controller), torch.randn(5, 3, 3)
    together = unroll(cell, x_TBI).y_TBO
    alone = torch.cat([unroll(cell, x_TBI[:, b : b + 1]).y_TBO for b in range(3)], dim=1)
    assert_close(together, alone)


def test_unroll_is_the_cell_step_by_step_and_the_trace_is_its_states() -> None:
    cell, x_TBI = machine(heads=2), torch.randn(4, 2, 3)
    unrolled = unroll(cell, x_TBI, keep=True)
    state, outputs, reads = cell.initial_state(2), [], []
    for x in x_TBI:
        y, state = cell(x, state)
        outputs.append(y)
        reads.append(state.read_BHW)
    assert_close(unrolled.y_TBO, torch.stack(outputs))
    assert_close(unrolled.trace.read_BHW, torch.stack(reads))
    assert_close(unrolled.state.memory_BNW, state.memory_BNW)
    assert unrolled.trace.weighting_BAN.shape == (4, 2, 4, 7)


def test_every_parameter_gets_a_gradient() -> None:
    cell = machine(heads=2)
    unroll(cell, torch.randn(4, 2, 3)).y_TBO.square().sum().backward()
    for name, parameter in cell.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("memory", ["blank", "random", "ring"])
def test_the_memory_before_the_first_step(memory: str) -> None:
    torch.manual_seed(0)
    cell = machine(memory=memory)
    memory_NW = cell.initial_state(2).memory_BNW[1]
    similarity_NN = torch.nn.functional.cosine_similarity(memory_NW[:, None], memory_NW[None], dim=-1)
    others_NN = similarity_NN - 2 * torch.eye(cell.rows)
    if memory == "blank":
        assert (memory_NW == 1e-6).all()
        assert not [name for name, _ in cell.named_parameters() if "memory" in name]
    if memory == "ring":  # the two nearest rows to each are its neighbours, around the end as well
        neighbours_N2 = (torch.arange(cell.rows)[:, None] + torch.tensor([-1, 1])) % cell.rows
        assert torch.equal(others_NN.topk(2).indices.sort().values, neighbours_N2.sort().values)
        assert_close(memory_NW.square().sum(dim=1), torch.full((cell.rows,), cell.width // 2 / 2))
    if memory != "blank":
        assert others_NN.max() < 1
        cell.step(cell.project(torch.zeros(2, cell.input_size)), cell.initial_state(2))[0].sum().backward()
        assert cell.first_memory_NW.grad.abs().sum() > 0


def test_closed_erase_gates_leave_the_memory() -> None:
    torch.manual_seed(0)
    before, after = {}, {}
    for bias in (0.0, -30.0):
        cell = machine(memory="random", erase_bias=bias)
        state = cell.initial_state(1)._replace(memory_BNW=torch.ones(1, cell.rows, cell.width))
        _, state_after = cell.step(cell.project(torch.zeros(1, cell.input_size)), state)
        added = state_after.weighting_BAN[:, 1:].transpose(1, 2) @ state_after.add_BHW
        before[bias], after[bias] = state.memory_BNW, (state_after.memory_BNW - added).detach()
    assert_close(after[-30.0], before[-30.0])
    assert (after[0.0] < before[0.0]).all()


def test_a_grown_memory_keeps_its_learned_rows() -> None:
    cell = machine(memory="ring")
    rows = cell.rows
    cell.resize(rows + 3)
    memory_NW = cell.initial_state(1).memory_BNW[0]
    assert torch.equal(memory_NW[:rows], cell.first_memory_NW)
    assert (memory_NW[rows:] == 1e-6).all()


def test_more_rows_start_unattended() -> None:
    cell = machine()
    before = cell.initial_state(2)
    cell.resize(11)
    after = cell.initial_state(2)
    assert after.memory_BNW.shape == (2, 11, 4)
    assert_close(after.weighting_BAN[..., :7], before.weighting_BAN)
    assert (after.weighting_BAN[..., 7:] == 0).all()
    assert cell.own_rows == 7


@pytest.mark.parametrize("memory", ["blank", "ring"])
def test_a_machine_with_fewer_rows_is_one_made_with_them(memory: str) -> None:
    cell, small = machine(memory=memory), machine(memory=memory, rows=4)
    rest = {name: value for name, value in cell.state_dict().items() if not name.startswith("first_")}
    small.load_state_dict(rest, strict=False)
    with torch.no_grad():
        small.first_focus_AN.copy_(cell.first_focus_AN[:, :4])
        small.first_read_HW.copy_(cell.first_read_HW)
        if memory == "ring":
            small.first_memory_NW.copy_(cell.first_memory_NW[:4])
    inputs_TBI = torch.randn(6, 3, cell.input_size)
    whole = unroll(cell, inputs_TBI).y_TBO
    cell.resize(4)
    assert_close(unroll(cell, inputs_TBI).y_TBO, unroll(small, inputs_TBI).y_TBO)
    cell.resize(cell.own_rows)
    assert torch.equal(unroll(cell, inputs_TBI).y_TBO, whole)
    with pytest.raises(ValueError, match="a machine with 3 shifts cannot have a memory of 2 rows"):
        cell.resize(2)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"rows": 0}, "rows of at least 1"),
        ({"heads": 0}, "heads of at least 1"),
        ({"width": -1}, "width of at least 1"),
        ({"rows": 4, "shift_range": 2}, "shift_range 2 does not fit a memory of 4 rows"),
    ],
)
def test_impossible_sizes_are_refused(options: dict[str, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        NTM(3, 2, CONTROLLERS["lstm"], **options)  # type: ignore[arg-type]


def test_compiled_and_eager_steps_give_the_same_numbers() -> None:
    # In a process of its own: the tests run eagerly, and the switch is read once.
    program = """
import torch
from augrnn.cells.unroll import unroll
from augrnn.cells.lstm import LSTM
from augrnn.cells.ntm import NTM
torch.manual_seed(0)
cell = NTM(3, 2, lambda size: LSTM(size, 6), rows=7, width=4)
cell.sequence = lambda *_: None
x_TBI = torch.randn(4, 2, 3)
gradients = []
for training in (True, False):  # only a cell in training mode runs compiled
    cell.train(training).zero_grad()
    y = unroll(cell, x_TBI).y_TBO
    y.square().sum().backward()
    gradients.append([y.detach()] + [p.grad.clone() for p in cell.parameters()])
from augrnn.cells.compilation import _COMPILED
assert len(_COMPILED) == 1, "nothing was compiled"
for compiled, eager in zip(*gradients):
    torch.testing.assert_close(compiled, eager, atol=1e-4, rtol=1e-4)
"""
    environment = os.environ | {"AUGRNN_COMPILE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
