import pytest
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from augrnn.cells import RNN, PonderNet
from augrnn.cells.ponder_net import log_halting
from augrnn.cells.unroll import unroll
from tests.cells import inner_steps_naively as naively
from tests.cells.inner_steps_naively import CELLS, INPUT

STEPS, BATCH, CAP = 3, 4, 5


def made(name: str) -> PonderNet:
    torch.manual_seed(0)
    net = PonderNet(CELLS[name](), cap=CAP).double()
    for parameter in net.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    net.halting_unit.weight.data *= 4
    net.halting_unit.bias.data.fill_(-0.5)
    return net


def inputs() -> Tensor:
    return torch.randn(STEPS, BATCH, INPUT - 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", CELLS)
def test_training_gives_every_output_and_its_chance(name: str) -> None:
    net, x_TBI = made(name), inputs().requires_grad_()
    found = unroll(net, x_TBI, keep=True)
    p_TBM = found.trace.log_p_BM.exp()
    value = (p_TBM.unsqueeze(-1) * found.trace.outputs_BMO.square()).sum() + p_TBM.square().sum()
    value = value + sum(leaf.square().sum() for leaf in pytree.tree_leaves(found.state.inner))
    expected = x_TBI.new_zeros(())
    for b in range(BATCH):
        told, state = naively.ponder_net(net.cell, net.halting_unit, x_TBI[:, b], CAP)
        for t, (p, outputs) in enumerate(told):
            torch.testing.assert_close(p_TBM[t, b], torch.stack(p))
            torch.testing.assert_close(found.trace.outputs_BMO[t, b], torch.stack(outputs))
            torch.testing.assert_close(found.y_TBO[t, b], naively.averaged(p, outputs))
            torch.testing.assert_close(found.trace.steps_B[t, b], sum(n * share for n, share in enumerate(p, 1)))
            expected = expected + sum(
                share * y_O.square().sum() + share**2 for share, y_O in zip(p, outputs, strict=True)
            )
        torch.testing.assert_close(pytree.tree_map(lambda leaf, b=b: leaf[b : b + 1], found.state.inner), state)
        expected = expected + sum(leaf.square().sum() for leaf in pytree.tree_leaves(state))
    torch.testing.assert_close(value, expected)
    naively.assert_same_gradients(value, expected, [x_TBI, *net.parameters()])


@pytest.mark.parametrize("name", ["rnn", "curved", "dnc"])
def test_evaluation_draws_the_step_that_counts(name: str) -> None:
    net, many = made(name).eval(), 4000
    x_I = inputs()[0, 0]
    (told,), _ = naively.ponder_net(net.cell, net.halting_unit, x_I.unsqueeze(0), CAP)
    torch.manual_seed(0)
    with torch.no_grad():
        found = unroll(net, x_I.expand(1, many, -1), keep=True)
    steps_B = found.trace.steps_B[0]
    for n, (p, y_O) in enumerate(zip(told.p, told.outputs, strict=True), 1):
        here_B = steps_B == n
        share, chance = here_B.double().mean().item(), p.item()
        assert abs(share - chance) < 4 * (chance * (1 - chance) / many) ** 0.5 + 1e-9
        torch.testing.assert_close(found.y_TBO[0, here_B], y_O.detach().expand(int(here_B.sum()), -1))
    steps = naively.inner_steps(net.cell, net.halting_unit, x_I, net.cell.initial_state(1), CAP)
    first = int(steps_B[0])
    one = pytree.tree_map(lambda leaf: leaf[:1], found.state.inner)
    torch.testing.assert_close(one, pytree.tree_map(Tensor.detach, steps[first - 1].state))
    halting_M = found.trace.halting_BM[0, 0]
    torch.testing.assert_close(halting_M[:first], torch.stack([step.halting for step in steps[:first]]).detach())
    assert (halting_M[first:] == 0).all()


def test_draws_are_those_of_the_seed() -> None:
    net = made("rnn").eval()

    def steps(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return unroll(net, inputs().repeat(1, 10, 1), keep=True).trace.steps_B

    assert torch.equal(steps(3), steps(3))
    assert not torch.equal(steps(3), steps(4))


def test_extreme_chances_have_finite_logarithms_and_gradients() -> None:
    logits_MB = torch.tensor([[-200.0, 200.0, 0.0], [200.0, 200.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    log_p_MB = log_halting(logits_MB)
    torch.testing.assert_close(log_p_MB.exp().sum(0), torch.ones(3))
    torch.testing.assert_close(log_p_MB[:, 2].exp(), torch.tensor([0.5, 0.25, 0.25]))
    (log_p_MB.exp() * log_p_MB).sum().backward()
    assert log_p_MB.isfinite().all()
    assert logits_MB.grad is not None
    assert logits_MB.grad.isfinite().all()


def test_a_cap_of_one_is_the_cell_itself() -> None:
    torch.manual_seed(0)
    cell = RNN(INPUT, 4, 2)
    net = PonderNet(cell, cap=1)
    x_TBI = inputs().float()
    expected = unroll(cell, nn.functional.pad(x_TBI, (0, 1), value=1.0)).y_TBO
    torch.testing.assert_close(unroll(net, x_TBI).y_TBO, expected)
    torch.testing.assert_close(unroll(net.eval(), x_TBI).y_TBO, expected)
