# T = time steps, B = batch, I = input, O = output, N = memory rows, W = row width, R = read heads, D = read modes

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from augrnn.cells.cell import Cell
from augrnn.cells.dnc import DNC, DNCState, allocation, linked, oneplus, used
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.lstm import LSTM
from augrnn.cells.unroll import Unrolled, unroll

CONTROLLERS: dict[str, Callable[[int], Cell]] = {
    "lstm": lambda size: LSTM(size, 6),
    "feedforward": lambda size: Feedforward(size, 6),
}

SURE = 40.0
"""A pre-activation that closes or opens a gate for good."""


def machine(controller: str = "lstm", read_heads: int = 1, rows: int = 5, width: int = 4) -> DNC:
    torch.manual_seed(0)
    return DNC(3, 2, CONTROLLERS[controller], read_heads=read_heads, rows=rows, width=width)


def cosine_softmax(memory: Tensor, key: Tensor, strength: Tensor) -> Tensor:
    """C(M, k, beta), row by row."""
    cosines = torch.stack([key @ row / (key.norm() * row.norm() + 1e-12) for row in memory])
    return torch.exp(strength * cosines) / torch.exp(strength * cosines).sum()


def naive_allocation(usage: Tensor) -> Tensor:
    a, product = torch.zeros_like(usage), torch.ones(())
    for row in sorted(range(len(usage)), key=usage.tolist().__getitem__):
        a[row] = (1 - usage[row]) * product
        product = product * usage[row]
    return a


def naive_link(link: Tensor, precedence: Tensor, write: Tensor) -> Tensor:
    after = torch.zeros_like(link)
    for i in range(len(write)):
        for j in range(len(write)):
            if i != j:
                after[i, j] = (1 - write[i] - write[j]) * link[i, j] + write[i] * precedence[j]
    return after


def naive_write_weighting(key: Tensor, beta: Tensor, gates: tuple[Tensor, Tensor], usage: Tensor, m: Tensor) -> Tensor:
    content, (allocate, write) = cosine_softmax(m, key, beta), gates
    return write * (allocate * naive_allocation(usage) + (1 - allocate) * content)


def naive_step(cell: DNC, x: Tensor, state: DNCState) -> dict[str, Tensor]:
    """One step of one sequence from the equations of the paper's Methods, head by head and row by row."""
    r, n, w = cell.read_heads, cell.rows, cell.width
    h, _ = cell.controller(torch.cat([x, state.read_BRW[0].flatten()])[None], state.controller)
    parts = list(cell.to_interface(h)[0].split(1))

    def take(count: int) -> Tensor:
        return torch.cat([parts.pop(0) for _ in range(count)])

    read_keys = [take(w) for _ in range(r)]
    read_strengths = 1 + torch.log1p(take(r).exp())
    write_key, write_strength = take(w), 1 + torch.log1p(take(1).exp())
    erase, vector, free = take(w).sigmoid(), take(w), take(r).sigmoid()
    allocate, write_gate = take(1).sigmoid(), take(1).sigmoid()
    modes = [take(3).softmax(0) for _ in range(r)]
    assert not parts

    memory, usage, written = state.memory_BNW[0], torch.zeros(n, dtype=x.dtype), state.write_BN[0]
    for i in range(n):
        kept = torch.ones(())
        for head in range(r):
            kept = kept * (1 - free[head] * state.read_weighting_BRN[0, head, i])
        usage[i] = (state.usage_BN[0, i] + written[i] - state.usage_BN[0, i] * written[i]) * kept
    write = naive_write_weighting(write_key, write_strength, (allocate, write_gate), usage, memory)
    memory = torch.stack([memory[i] * (1 - write[i] * erase) + write[i] * vector for i in range(n)])
    link = naive_link(state.link_BNN[0], state.precedence_BN[0], write)
    weightings, reads = [], []
    for head in range(r):
        before = state.read_weighting_BRN[0, head]
        forward = torch.stack([link[i] @ before for i in range(n)])
        backward = torch.stack([link[:, i] @ before for i in range(n)])
        content = cosine_softmax(memory, read_keys[head], read_strengths[head])
        weightings.append(modes[head][0] * backward + modes[head][1] * content + modes[head][2] * forward)
        reads.append(torch.stack([weightings[-1][i] * memory[i] for i in range(n)]).sum(0))
    return {
        "y": cell.output(torch.cat([h[0], *reads])),
        "memory_BNW": memory,
        "usage_BN": usage,
        "link_BNN": link,
        "precedence_BN": (1 - write.sum()) * state.precedence_BN[0] + write,
        "write_BN": write,
        "read_weighting_BRN": torch.stack(weightings),
        "read_BRW": torch.stack(reads),
        "free_gate_BR": free,
        "allocation_gate_B": allocate[0],
        "write_gate_B": write_gate[0],
        "mode_BRD": torch.stack(modes),
    }


@pytest.mark.parametrize("read_heads", [1, 3])
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_step_is_the_papers(controller: str, read_heads: int) -> None:
    cell = machine(controller, read_heads).double()
    torch.nn.init.normal_(cell.to_interface.weight, std=2.0)
    state = cell.initial_state(1)
    state = state._replace(memory_BNW=torch.randn(1, 5, 4, dtype=torch.double))  # on a memory of zeros all rows tie
    for _ in range(6):
        x = torch.randn(1, 3, dtype=torch.double)
        expected = naive_step(cell, x[0], state)
        y, state = cell(x, state)
        assert_close(y[0], expected.pop("y"), atol=1e-5, rtol=1e-5)
        assert_close({name: getattr(state, name)[0] for name in expected}, expected, atol=1e-5, rtol=1e-5)


def test_allocation_is_the_papers_with_ties_in_the_order_of_the_rows() -> None:
    usages = [[0.0, 0.0, 0.0], [0.3, 0.9, 0.1], [1.0, 0.5, 0.5], [1.0, 1.0, 1.0], [1.0, 0.0, 1.0]]
    for usage in usages:
        assert_close(allocation(torch.tensor([usage]))[0], naive_allocation(torch.tensor(usage)), atol=1e-5, rtol=1e-5)
    assert_close(allocation(torch.zeros(1, 3)), torch.tensor([[1.0, 0.0, 0.0]]), atol=1e-5, rtol=0.0)


class Dictated(Cell):
    """A controller that hands on the first `size` of its inputs, so that the input is the interface vector."""

    def __init__(self, input_size: int, size: int) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, size

    def initial_state(self, batch_size: int) -> tuple[()]:
        return ()

    def step(self, p_BP: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        return p_BP[:, : self.output_size], state


def dictated(rows: int, width: int) -> DNC:
    """A machine with one read head whose input is its interface vector."""
    size = 3 * 1 + 4 * width + 5
    cell = DNC(size, 1, lambda seen: Dictated(seen, size), rows=rows, width=width)
    torch.nn.init.eye_(cell.to_interface.weight)
    torch.nn.init.zeros_(cell.to_interface.bias)
    return cell.eval()


def ask(width: int, mode: str = "content", **asked: Any) -> Tensor:
    """An interface vector for one read head: gates are shut and vectors zero unless given."""
    vectors = {name: torch.as_tensor(asked.get(name, [0.0] * width)) for name in ("read_key", "write_key", "vector")}
    gate = {name: torch.tensor([SURE if asked.get(name) else -SURE]) for name in ("erase", "free", "allocate", "write")}
    strong = torch.tensor([SURE])
    modes = torch.tensor([SURE if mode == name else -SURE for name in ("backward", "content", "forward")])
    parts = [vectors["read_key"], strong, vectors["write_key"], strong, gate["erase"].expand(width), vectors["vector"]]
    return torch.cat([*parts, gate["free"], gate["allocate"], gate["write"], modes])


def run(cell: DNC, steps: list[Tensor]) -> Unrolled:
    return unroll(cell, torch.stack(steps)[:, None], keep=True)


def one_hot(row: int, width: int = 4) -> list[float]:
    return [float(i == row) for i in range(width)]


def writes(order: list[int]) -> list[Tensor]:
    """One step a vector: each is written to a newly allocated row."""
    return [ask(4, write=True, allocate=True, vector=one_hot(i)) for i in order]


def test_allocation_takes_a_fresh_row_for_each_write() -> None:
    trace = run(dictated(rows=4, width=4), writes([2, 0, 3, 1])).trace
    rows = trace.write_BN[:, 0].argmax(-1)
    assert rows.sort().values.tolist() == [0, 1, 2, 3]
    assert_close(trace.write_BN[:, 0], torch.eye(4)[rows], atol=1e-4, rtol=0.0)
    assert_close(trace.memory_BNW[-1, 0, rows], torch.eye(4)[[2, 0, 3, 1]], atol=1e-4, rtol=0.0)


def test_a_full_memory_is_not_written_by_allocation() -> None:
    trace = run(dictated(rows=2, width=4), writes([0, 1, 2])).trace
    assert trace.write_BN[2].abs().max() < 1e-4


def test_free_gate_frees_the_row_that_was_read() -> None:
    steps = [*writes([0, 1, 2]), ask(4, read_key=one_hot(1)), ask(4, free=True), *writes([3])]
    trace = run(dictated(rows=3, width=4), steps).trace
    freed = int(trace.write_BN[1, 0].argmax())
    assert_close(trace.usage_BN[3, 0], torch.ones(3), atol=1e-4, rtol=0.0)
    assert_close(trace.usage_BN[4, 0], 1 - torch.eye(3)[freed], atol=1e-4, rtol=0.0)
    assert_close(trace.write_BN[5, 0], torch.eye(3)[freed], atol=1e-4, rtol=0.0)


def test_content_write_goes_to_the_row_like_the_key_and_erases_it() -> None:
    over = ask(4, write=True, erase=True, write_key=one_hot(1), vector=one_hot(3))
    trace = run(dictated(rows=3, width=4), [*writes([0, 1, 2]), over]).trace
    rows = trace.write_BN[:3, 0].argmax(-1)
    assert_close(trace.memory_BNW[-1, 0, rows], torch.eye(4)[[0, 3, 2]], atol=1e-4, rtol=0.0)


@pytest.mark.parametrize(("mode", "start", "order"), [("forward", 2, [2, 0, 3, 1]), ("backward", 1, [1, 3, 0, 2])])
def test_links_lead_along_the_order_of_writing(mode: str, start: int, order: list[int]) -> None:
    # The last four steps write nothing: one look-up by content, then three moves.
    look_up = ask(4, read_key=one_hot(start))
    steps = [*writes([2, 0, 3, 1]), look_up, *[ask(4, mode=mode)] * 3]
    reads = run(dictated(rows=4, width=4), steps).trace.read_BRW[-4:, 0, 0]
    assert_close(reads, torch.eye(4)[order], atol=1e-3, rtol=0.0)


def test_links_lead_to_a_row_that_is_written_anew() -> None:
    # The row of vector 0 is freed and taken by vector 3, which follows vector 2.
    steps = [*writes([0, 1, 2]), ask(4, read_key=one_hot(0)), ask(4, free=True)]
    anew = ask(4, write=True, allocate=True, erase=True, vector=one_hot(3))
    moves = [ask(4, read_key=one_hot(1)), ask(4, mode="forward"), ask(4, mode="forward")]
    trace = run(dictated(rows=3, width=4), [*steps, anew, *moves]).trace
    assert_close(trace.read_BRW[-3:, 0, 0], torch.eye(4)[[1, 2, 3]], atol=1e-3, rtol=0.0)


def test_weightings_usage_and_links_stay_in_their_ranges() -> None:
    cell = machine(read_heads=2)
    torch.nn.init.normal_(cell.to_interface.weight, std=4.0)
    state, least, most = cell.initial_state(8), -1e-5, 1 + 1e-5
    for _ in range(30):
        _, state = cell(torch.randn(8, 3), state)
        assert state.usage_BN.min() >= 0
        assert state.usage_BN.max() <= most
        for weights in (state.write_BN, state.read_weighting_BRN, state.precedence_BN):
            assert weights.min() >= least
            assert weights.sum(-1).max() <= most
        assert state.link_BNN.min() >= least
        assert max(state.link_BNN.sum(1).max(), state.link_BNN.sum(2).max()) <= most
        assert (state.link_BNN.diagonal(dim1=1, dim2=2) == 0).all()


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_sequences_of_a_batch_do_not_meet(controller: str) -> None:
    cell, x_TBI = machine(controller, read_heads=2).double(), torch.randn(5, 3, 3, dtype=torch.double)
    together = unroll(cell, x_TBI).y_TBO
    alone = torch.cat([unroll(cell, x_TBI[:, b : b + 1]).y_TBO for b in range(3)], dim=1)
    assert_close(together, alone)


def test_unroll_is_the_cell_step_by_step_and_the_trace_is_its_states_without_the_links() -> None:
    cell, x_TBI = machine(read_heads=2), torch.randn(4, 2, 3)
    unrolled = unroll(cell, x_TBI, keep=True)
    state, outputs, usages = cell.initial_state(2), [], []
    for x in x_TBI:
        y, state = cell(x, state)
        outputs.append(y)
        usages.append(state.usage_BN)
    assert_close(unrolled.y_TBO, torch.stack(outputs))
    assert_close(unrolled.trace.usage_BN, torch.stack(usages))
    assert_close(unrolled.state.link_BNN, state.link_BNN)
    assert unrolled.trace.link_BNN.shape == (4, 2, 0, 0)
    assert unrolled.trace.read_weighting_BRN.shape == (4, 2, 2, 5)
    assert unrolled.trace.mode_BRD.shape == (4, 2, 2, 3)


def test_gradients_are_those_of_finite_differences_away_from_ties() -> None:
    torch.manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, dtype=torch.double, requires_grad=True)

    usage, write, read, free = draw(2, 4), draw(2, 4), draw(2, 2, 4), draw(2, 2)
    assert torch.autograd.gradcheck(allocation, (usage,))
    assert torch.autograd.gradcheck(used, (usage, write, read, free))
    assert torch.autograd.gradcheck(linked, (draw(2, 4, 4), usage, write))
    cell = machine(read_heads=2, rows=4, width=3).double()
    names = [name for name, _ in cell.named_parameters()]
    state = cell.initial_state(2)._replace(usage_BN=usage.detach(), memory_BNW=draw(2, 4, 3).detach())
    x_TBI = torch.randn(3, 2, 3, dtype=torch.double)

    def outputs(*parameters: Tensor) -> Tensor:
        rest = state
        for x in x_TBI:
            y, rest = torch.func.functional_call(cell, dict(zip(names, parameters, strict=True)), (x, rest))
        return y

    parameters = tuple(p.detach().clone().requires_grad_() for p in cell.parameters())
    assert torch.autograd.gradcheck(outputs, parameters, fast_mode=True)


@pytest.mark.parametrize("usage", [[0.0] * 4, [1.0] * 4, [0.5] * 4, [0.0, 1.0, 1.0, 0.0]])
def test_gradients_are_finite_where_usages_tie(usage: list[float]) -> None:
    usage_BN = torch.tensor([usage], requires_grad=True)
    (allocation(usage_BN) * torch.arange(4)).sum().backward()
    assert usage_BN.grad is not None
    assert torch.isfinite(usage_BN.grad).all()
    assert usage_BN.grad.abs().max() <= 4 * 3


def test_retention_has_a_gradient_where_a_row_is_freed_for_good() -> None:
    usage, read, free = torch.ones(1, 1), torch.ones(1, 2, 1), torch.ones(1, 2, requires_grad=True)
    used(usage, torch.zeros(1, 1), read * torch.tensor([[[1.0], [0.5]]]), free).sum().backward()
    assert_close(free.grad, torch.tensor([[-0.5, 0.0]]))


def test_every_parameter_gets_a_finite_gradient_from_the_empty_memory_on() -> None:
    cell = machine(read_heads=2, rows=40)
    unroll(cell, torch.randn(60, 2, 3)).y_TBO.square().sum().backward()
    for name, parameter in cell.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_saturated_interface_has_finite_outputs_and_gradients() -> None:
    cell = machine(read_heads=2)
    torch.nn.init.normal_(cell.to_interface.weight, std=1000.0)
    y_TBO = unroll(cell, torch.randn(20, 2, 3)).y_TBO
    y_TBO.square().mean().backward()
    assert torch.isfinite(y_TBO).all()
    assert all(torch.isfinite(p.grad).all() for p in cell.parameters() if p.grad is not None)


def test_oneplus_starts_at_one() -> None:
    x = torch.tensor([-100.0, 0.0, 2.0, 100.0])
    expected = torch.tensor([1.0, 1.69314718, 3.12692801, 101.0])
    assert_close(oneplus(x), expected)


def test_a_trained_machine_takes_another_memory() -> None:
    cell = machine()
    cell.rows = 9
    unrolled = unroll(cell, torch.randn(3, 2, 3))
    assert unrolled.state.memory_BNW.shape == (2, 9, 4)


def test_copies_and_saved_parameters_are_the_same_machine() -> None:
    cell, x_TBI = machine(read_heads=2), torch.randn(4, 2, 3)
    unroll(cell, x_TBI).y_TBO.sum().backward()
    loaded = DNC(3, 2, CONTROLLERS["lstm"], read_heads=2, rows=5, width=4)
    loaded.load_state_dict(cell.state_dict())
    for other in (copy.deepcopy(cell), loaded):
        assert_close(unroll(other, x_TBI).y_TBO, unroll(cell, x_TBI).y_TBO)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"rows": 0}, "rows of at least 1"),
        ({"read_heads": 0}, "read_heads of at least 1"),
        ({"width": -1}, "width of at least 1"),
        ({"input_size": 0}, "input_size of at least 1"),
        ({"output_size": 0}, "output_size of at least 1"),
    ],
)
def test_impossible_sizes_are_refused(options: dict[str, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        DNC(**({"input_size": 3, "output_size": 2, "controller": CONTROLLERS["lstm"]} | options))  # type: ignore[arg-type]


def test_learns_to_copy_a_vector() -> None:
    """One vector of three bits, a marker, and the vector again: the loss falls below half of ignorance."""
    torch.manual_seed(0)
    cell = DNC(4, 3, lambda size: Feedforward(size, 16), rows=4, width=6)
    optimizer = torch.optim.Adam(cell.parameters(), lr=0.01)
    losses = []
    for _ in range(300):
        bits = torch.randint(2, (32, 3)).float()
        x_TBI = torch.zeros(3, 32, 4)
        x_TBI[0, :, :3], x_TBI[1, :, 3] = bits, 1
        logits = unroll(cell, x_TBI).y_TBO[2]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, bits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) / 10 < losses[0] / 2


def test_compiled_and_eager_steps_give_the_same_numbers() -> None:
    # In a process of its own: the tests run eagerly, and the switch is read once.
    program = """
import torch
from augrnn.cells.unroll import unroll
from augrnn.cells.dnc import DNC
from augrnn.cells.lstm import LSTM
torch.manual_seed(0)
cell = DNC(3, 2, lambda size: LSTM(size, 6), read_heads=2, rows=7, width=4)
x_TBI = torch.randn(4, 2, 3)
start = cell.initial_state(2)
# On the memory of zeros identical rows tie, and rounding alone would choose among them.
start = start._replace(memory_BNW=torch.randn(2, 7, 4), usage_BN=torch.rand(2, 7))
gradients = []
for training in (True, False):  # only a cell in training mode runs compiled
    cell.train(training).zero_grad()
    y = unroll(cell, x_TBI, start).y_TBO
    y.square().sum().backward()
    gradients.append([y.detach()] + [p.grad.clone() for p in cell.parameters()])
from augrnn.cells.compilation import _COMPILED
assert len(_COMPILED) == 1, "nothing was compiled"
for compiled, eager in zip(*gradients):
    torch.testing.assert_close(compiled, eager, atol=1e-4, rtol=1e-4)
cell.train().zero_grad()
unroll(cell, x_TBI).y_TBO.square().sum().backward()
assert all(torch.isfinite(p.grad).all() for p in cell.parameters()), "not finite where usages tie"
"""
    environment = os.environ | {"AUGRNN_COMPILE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
