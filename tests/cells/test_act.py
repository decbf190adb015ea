import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations
from augrnn.cells import ACT, GRU, LSTM, RNN, PonderNet, Repeat, compilation, inner_steps
from augrnn.cells.act import ACTState
from augrnn.cells.cell import Cell
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.unroll import unroll
from augrnn.decoders.attentive import AttentiveDecoder
from tests.cells import inner_steps_naively as naively
from tests.cells.inner_steps_naively import CELLS, INPUT

STEPS, BATCH, CAP, EPSILON = 4, 5, 6, 0.05


def made(name: str, bias: float = -1.0, **options: Any) -> ACT:
    torch.manual_seed(0)
    act = ACT(CELLS[name](), cap=CAP, epsilon=EPSILON, **options).double()
    for parameter in act.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    act.halting_unit.weight.data *= 15
    act.halting_unit.bias.data.fill_(bias)
    return act


def inputs() -> Tensor:
    return torch.randn(STEPS, BATCH, INPUT - 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def of(tree: Any, b: int) -> Any:
    return pytree.tree_map(lambda leaf: leaf[b : b + 1], tree)


@pytest.mark.parametrize("name", CELLS)
def test_numbers_and_gradients_are_those_of_the_paper(name: str) -> None:
    act, x_TBI = made(name), inputs().requires_grad_()
    found = unroll(act, x_TBI, keep=True)
    parameters = [x_TBI, *act.parameters()]
    tau = 0.3
    value = found.y_TBO.square().sum() + tau * (found.trace.steps_B + found.trace.remainder_B).sum()
    value = value + sum(leaf.square().sum() for leaf in pytree.tree_leaves(found.state.inner))

    expected = x_TBI.new_zeros(())
    counts = set()
    for b in range(BATCH):
        told, state = naively.act(act.cell, act.halting_unit, x_TBI[:, b], EPSILON, CAP)
        for t, each in enumerate(told):
            torch.testing.assert_close(found.y_TBO[t, b], each.y_O)
            assert found.trace.steps_B[t, b] == each.steps
            torch.testing.assert_close(found.trace.remainder_B[t, b], each.remainder)
            halting_M = nn.functional.pad(torch.stack(each.halting), (0, CAP - each.steps))
            torch.testing.assert_close(found.trace.halting_BM[t, b], halting_M)
            expected = expected + each.y_O.square().sum() + tau * (each.steps + each.remainder)
            counts.add(each.steps)
        torch.testing.assert_close(of(found.state.inner, b), state)
        expected = expected + sum(leaf.square().sum() for leaf in pytree.tree_leaves(state))
    assert len(counts) > 1, "the samples should halt at different steps"
    torch.testing.assert_close(value, expected)
    naively.assert_same_gradients(value, expected, parameters)


class Scripted(Cell):
    """Emits the numbers that its state was given, one after the other, whatever the input."""

    input_size, output_size = 1, 1

    class Script(NamedTuple):
        left_BS: Tensor

    def initial_state(self, batch_size: int) -> Script:
        return self.Script(torch.zeros(batch_size, 1))

    def step(self, p_BP: Tensor, state: Script) -> tuple[Tensor, Script]:
        return state.left_BS[:, :1], self.Script(state.left_BS.roll(-1, 1))


def scripted(halting_BN: Tensor, epsilon: float, cap: int = 30) -> tuple[ACTState, Tensor]:
    """What ACT does where the halting probabilities are as given; the numbers that it saw."""
    act = ACT(Scripted(), epsilon, cap, halting_size=1).to(halting_BN.dtype)
    act.halting_unit.weight.data.fill_(1)
    act.halting_unit.bias.data.fill_(0)
    logit_BN = halting_BN.logit().requires_grad_()
    start = act.start(Scripted.Script(logit_BN), len(logit_BN))
    _, state = act.step(act.project(halting_BN.new_zeros(len(halting_BN), 0)), start)
    return state, logit_BN


@pytest.mark.parametrize(("dtype", "steps"), [(torch.float32, 9), (torch.float64, 10)])
def test_tenths_reach_nine_tenths_in_nine_steps_in_float32_and_ten_in_float64(dtype: torch.dtype, steps: int) -> None:
    tenth = torch.tensor(0.1, dtype=dtype)
    logit = tenth.logit()
    while logit.sigmoid() > tenth:  # as near to it from below as the halting unit comes
        logit = torch.nextafter(logit, torch.full_like(logit, -torch.inf))
    state, logit_BN = scripted(logit.sigmoid().expand(1, 30), 0.1)
    halting = logit_BN.sigmoid()[0, 0].detach().numpy()
    assert halting == pytest.approx(0.1, abs=torch.finfo(dtype).eps)
    total, count = halting.dtype.type(0), 0
    while total < halting.dtype.type(1 - 0.1):
        total, count = total + halting, count + 1
    assert state.steps_B.item() == count == steps
    assert state.remainder_B.item() == pytest.approx(1 - 0.1 * (steps - 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("halting", "epsilon", "steps", "remainder"),
    [
        ([0.995], 0.01, 1, 1.0),
        ([0.25, 0.25, 0.25, 0.25], 0.01, 4, 0.25),  # sums that are exact in binary
        ([0.5, 0.25, 0.25], 0.25, 2, 0.5),  # reached exactly: halts
        ([0.5, 0.125, 0.5], 0.25, 3, 0.375),
        ([0.5, 0.4, 0.05, 0.05], 0.01, 4, 0.05),
        ([0.9, 0.95], 0.01, 2, 0.1),  # beyond one together: the remainder is what is left
    ],
)
def test_where_it_halts(halting: list[float], epsilon: float, steps: int, remainder: float, dtype: torch.dtype) -> None:
    state, _ = scripted(torch.tensor([halting + [0.5] * 4], dtype=dtype), epsilon)
    assert state.steps_B.item() == steps
    assert state.remainder_B.item() == pytest.approx(remainder, abs=1e-6)


def test_at_the_cap_the_remainder_goes_to_the_last_step() -> None:
    state, logit_BN = scripted(torch.full((2, 5), 0.01, dtype=torch.float64), 0.01, cap=5)
    assert state.steps_B.tolist() == [5, 5]
    torch.testing.assert_close(state.remainder_B, torch.full((2,), 0.96).double())
    slope = state.halting_BM
    (gradient_BN,) = torch.autograd.grad(state.remainder_B.sum(), logit_BN)
    torch.testing.assert_close(gradient_BN[:, :4] / (slope * (1 - slope))[:, :4], torch.full((2, 4), -1.0).double())
    assert (gradient_BN[:, 4] == 0).all()


def test_the_ponder_cost_falls_with_each_halting_probability_but_the_last() -> None:
    halting_BN = torch.tensor([[0.3, 0.3, 0.3, 0.3, 0.5], [0.2, 0.9, 0.5, 0.5, 0.5], [0.999, 0.5, 0.5, 0.5, 0.5]])
    state, logit_BN = scripted(halting_BN.double(), 0.01)
    assert state.steps_B.tolist() == [4, 2, 1]
    assert not state.steps_B.requires_grad
    (gradient_BN,) = torch.autograd.grad((state.steps_B + state.remainder_B).sum(), logit_BN)
    by_halting_BN = gradient_BN / (halting_BN * (1 - halting_BN))
    expected_BN = torch.tensor([[-1.0, -1, -1, 0, 0], [-1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]).double()
    torch.testing.assert_close(by_halting_BN, expected_BN)


class Padded(NamedTuple):
    size: int
    lengths: Tensor


WRAPPERS: dict[str, Callable[[Cell], Cell]] = {
    "act": lambda cell: ACT(cell, cap=CAP),
    "ponder-net": lambda cell: PonderNet(cell, cap=CAP),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", ["lstm", "curved", "ntm"])
def test_padding_takes_no_steps_and_changes_nothing(name: str, wrapper: str, training: bool) -> None:
    torch.manual_seed(0)
    cell = WRAPPERS[wrapper](CELLS[name]()).double().train(training)
    lengths_B, x_TBI = torch.tensor([4, 1, 3, 2, 4]), inputs()
    torch.manual_seed(1)
    found = unroll(cell, x_TBI, cell.begin(Padded(BATCH, lengths_B)), keep=True)
    real_TB = torch.arange(STEPS)[:, None] < lengths_B
    assert ((found.trace.steps_B >= 1) == real_TB).all()
    assert (found.trace.halting_BM[~real_TB] == 0).all()
    if wrapper == "act":
        assert (found.trace.remainder_B[~real_TB] == 0).all()
        cost = (found.trace.steps_B + found.trace.remainder_B).sum()
        alone = sum(
            (each.steps_B + each.remainder_B).sum()
            for b, length in enumerate(lengths_B)
            for each in [unroll(cell, x_TBI[:length, b : b + 1], keep=True).trace]
        )
        torch.testing.assert_close(cost, alone)
    changed_TBI = x_TBI.masked_fill(~real_TB.unsqueeze(-1), 7.0)
    torch.manual_seed(1)
    other = unroll(cell, changed_TBI, cell.begin(Padded(BATCH, lengths_B)), keep=True)
    for one, two in zip(pytree.tree_leaves(found.state.inner), pytree.tree_leaves(other.state.inner), strict=True):
        assert torch.equal(one, two)
    if training:
        for b, length in enumerate(lengths_B):
            alone = unroll(cell, x_TBI[:length, b : b + 1])
            torch.testing.assert_close(found.y_TBO[:length, b], alone.y_TBO[:, 0])
            torch.testing.assert_close(of(found.state.inner, b), alone.state.inner)


def test_gradients_do_not_come_from_padding() -> None:
    act, x_TBI = made("lstm"), inputs().requires_grad_()
    lengths_B = torch.tensor([4, 1, 3, 2, 4])
    found = unroll(act, x_TBI, act.begin(Padded(BATCH, lengths_B)), keep=True)
    value = (found.trace.steps_B + found.trace.remainder_B).sum()
    (gradient_TBI,) = torch.autograd.grad(
        value + sum(leaf.square().sum() for leaf in pytree.tree_leaves(found.state.inner)), [x_TBI]
    )
    real_TB = torch.arange(STEPS)[:, None] < lengths_B
    assert (gradient_TBI[~real_TB] == 0).all()
    assert (gradient_TBI[real_TB] != 0).all()


@pytest.mark.parametrize("name", CELLS)
def test_samples_that_have_halted_may_leave_the_batch(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    act, x_TBI = made(name), inputs().requires_grad_()
    lengths_B = torch.tensor([4, 3, 3, 2, 4])

    def run() -> tuple[Any, tuple[Tensor | None, ...], list[int]]:
        sizes: list[int] = []
        step = act.cell.step

        def noted(p_BP: Tensor, state: Any) -> Any:
            sizes.append(len(p_BP))
            return step(p_BP, state)

        with monkeypatch.context() as patch:
            patch.setattr(act.cell, "step", noted)
            found = unroll(act, x_TBI, act.begin(Padded(BATCH, lengths_B)), keep=True)
        value = found.y_TBO.square().sum() + found.trace.remainder_B.sum()
        value = value + sum(leaf.square().sum() for leaf in pytree.tree_leaves(found.state.inner))
        return found, torch.autograd.grad(value, [x_TBI, *act.parameters()], allow_unused=True), sizes

    monkeypatch.setattr(inner_steps, "COMPACTION", math.inf)
    whole, gradients, sizes = run()
    assert set(sizes) == {BATCH}
    monkeypatch.setattr(inner_steps, "COMPACTION", 1)
    found, compact, sizes = run()
    assert min(sizes) < BATCH
    torch.testing.assert_close(found.y_TBO, whole.y_TBO)
    torch.testing.assert_close(found.trace, whole.trace)
    torch.testing.assert_close(found.state, whole.state)
    for ours, theirs in zip(compact, gradients, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            torch.testing.assert_close(ours, theirs)


def test_a_batch_stops_with_its_last_sample() -> None:
    act = made("rnn", bias=9.0)
    act.halting_unit.weight.data.fill_(0)
    calls: list[int] = []
    step = act.cell.step
    act.cell.step = lambda *given: calls.append(1) or step(*given)  # type: ignore[method-assign]
    unroll(act, inputs())
    assert len(calls) == STEPS


def test_the_input_is_projected_once_a_step_in_time() -> None:
    act = made("lstm")
    rows: list[int] = []
    act.cell.from_input.register_forward_hook(lambda module, given, found: rows.append(given[0].numel() // INPUT))
    unroll(act, inputs())
    assert sorted(rows) == [2, STEPS * BATCH], "all inputs at once, and two probes of the flag"


def test_the_halting_unit_starts_with_a_bias_of_one() -> None:
    assert ACT(RNN(INPUT, 4)).halting_unit.bias.item() == 1.0


def test_sizes_leave_the_flag_out() -> None:
    act = ACT(LSTM(INPUT, 4, 2))
    assert (act.input_size, act.output_size) == (INPUT - 1, 2)


def test_mixed_precision_halts_in_float32() -> None:
    torch.manual_seed(0)
    act = ACT(CELLS["ntm"](), cap=CAP)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = unroll(act, inputs().float(), keep=True)
    found.y_TBO.float().square().sum().backward()
    assert found.trace.halting_BM.dtype == found.trace.remainder_B.dtype == torch.float32
    assert found.state.inner.memory_BNW.dtype == torch.float32
    exact = unroll(act, inputs().float()).y_TBO
    torch.testing.assert_close(found.y_TBO.float(), exact, atol=0.05, rtol=0.05)


def test_a_record_leaves_out_what_the_inner_cells_does_and_the_flag() -> None:
    trace = unroll(made("dnc"), inputs(), keep=True).trace
    assert trace.inner.link_BNN.shape == (STEPS, BATCH, 0, 0)
    assert trace.flag_BF.shape == (STEPS, BATCH, 0)
    assert trace.halting_BM.shape == (STEPS, BATCH, CAP)


@pytest.mark.parametrize("epsilon", [0.0, 1.0, -0.1, 1.5, math.nan, ".1", None, True])
def test_epsilon_is_between_zero_and_one(epsilon: Any) -> None:
    with pytest.raises(ValueError, match=r"an epsilon between 0 and 1, not "):
        ACT(RNN(INPUT, 4), epsilon=epsilon)


@pytest.mark.parametrize("wrapper", [ACT, PonderNet])
def test_a_cap_is_at_least_one(wrapper: Any) -> None:
    with pytest.raises(ValueError, match=f"{wrapper.__name__} needs cap of at least 1, not 0"):
        wrapper(RNN(INPUT, 4), cap=0)
    with pytest.raises(ValueError, match="halting_size of at least 1, not 0"):
        wrapper(RNN(INPUT, 4), halting_size=0)
    for cap in (2.5, 3.0, "3", None, True):
        with pytest.raises(ValueError, match=f"{wrapper.__name__} needs a whole number for cap, not {cap!r}"):
            wrapper(RNN(INPUT, 4), cap=cap)
    with pytest.raises(ValueError, match=r"a whole number for halting_size, not 4\.0"):
        wrapper(RNN(INPUT, 4), halting_size=4.0)
    for bias in (math.nan, math.inf, "1", None):
        with pytest.raises(ValueError, match=f"a finite number for the bias of its halting unit, not {bias!r}"):
            wrapper(RNN(INPUT, 4), bias=bias)
    with pytest.raises(ValueError, match="a step of RNN emits 4 numbers, not a halting_size of 7"):
        wrapper(RNN(INPUT, 4), halting_size=7)


@pytest.mark.parametrize("wrapper", [ACT, PonderNet, lambda cell: Repeat(cell, 2)])
@pytest.mark.parametrize(
    ("inner", "told"),
    [
        (nn.Linear(3, 4), "goes around a Cell, not around a Linear"),
        (GRU, "goes around a Cell, not around the class GRU"),
        (None, "goes around a Cell, not around a NoneType"),
        (Cell(), "needs the sizes of its cell: Cell sets no input_size and no output_size"),
        (ACT(RNN(INPUT, 4)), "goes around a plain cell: ACT has inner steps of its own"),
        (Repeat(RNN(INPUT, 4), 2), "goes around a plain cell: Repeat has inner steps"),
    ],
)
def test_what_is_no_plain_cell_is_refused(wrapper: Any, inner: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told) as refused:
        wrapper(inner)
    assert "\n" not in str(refused.value)


def test_a_cell_without_an_input_has_no_channel_for_the_flag() -> None:
    cell = RNN(INPUT, 4)
    cell.input_size = 0
    with pytest.raises(ValueError, match="needs an input channel of the inner cell for its flag"):
        ACT(cell)


def test_halted_samples_leave_once_they_have_cost_enough() -> None:
    act = ACT(RNN(99, 100))
    weights = 99 * 100 + 100 * 100 + 200
    enough = inner_steps.COMPACTION // weights + 1
    assert act.compacts(left=5, rows=10, idle=enough)
    assert not act.compacts(left=5, rows=10, idle=enough - 1)
    assert not act.compacts(left=6, rows=10, idle=enough)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch's own, as it compiles
def test_an_inner_step_that_is_not_plain_is_compiled_and_keeps_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    act, plain = (ACT(Feedforward(INPUT, 4), cap=3) for _ in range(2))
    plain.load_state_dict(act.state_dict())
    x_TBI = inputs().float()
    expected = unroll(plain, x_TBI).y_TBO
    monkeypatch.setattr(inner_steps, "COMPACTION", 1)
    monkeypatch.setattr(compilation, "available", lambda: True)
    monkeypatch.setattr(compilation, "_COMPILED", {})
    found = unroll(act, x_TBI)
    assert list(compilation._COMPILED) == [Feedforward]
    assert not act.compacts(1, BATCH, 10**9)
    torch.testing.assert_close(found.y_TBO, expected)
    found.y_TBO.sum().backward()
    expected.sum().backward()
    for ours, theirs in zip(act.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_around_a_decoder() -> None:
    torch.manual_seed(0)
    decoder = AttentiveDecoder(9, INPUT, 4, 5, AdditiveAttention(4, 6, 3), maxout_size=2).double()
    values_BLD, start_BS = torch.randn(BATCH, 7, 6).double(), torch.randn(BATCH, 5).double()
    mask_BL = torch.arange(7) < torch.tensor([[7], [3], [5], [1], [7]])
    annotations = Annotations(values_BLD, mask_BL, start_BS, start_BS)
    with pytest.raises(ValueError, match="what a step of AttentiveDecoder emits is not known: give halting_size"):
        ACT(decoder)
    act = ACT(decoder, EPSILON, CAP, halting_size=4 + 6 + 4).double()
    act.halting_unit.weight.data *= 15
    act.halting_unit.bias.data.fill_(-1)
    x_TBI, start = inputs(), decoder.start(annotations)
    found = unroll(act, x_TBI, act.start(start, BATCH), keep=True)
    assert found.state.inner.attended is not None
    for b in range(BATCH):
        told, state = naively.act(act.cell, act.halting_unit, x_TBI[:, b], EPSILON, CAP, of(start, b))
        torch.testing.assert_close(found.y_TBO[:, b], torch.stack([each.y_O for each in told]))
        assert found.trace.steps_B[:, b].tolist() == [each.steps for each in told]
        torch.testing.assert_close(of(found.state.inner.hidden_BH, b), state.hidden_BH)
        torch.testing.assert_close(of(found.state.inner.alignment_BL, b), state.alignment_BL)
    for one, other in zip(found.state.inner.attended, start.attended, strict=True):
        assert one is other, "the source is the same at every step"
