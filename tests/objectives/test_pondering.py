"""The objectives of ACT and PonderNet by hand, one sequence and one step at a time."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.cells import ACT, GRU, LSTM, NTM, RNN, PonderNet, Repeat
from augrnn.cells.feedforward import Feedforward
from augrnn.errors import UserError
from augrnn.objectives.expected_loss import ExpectedLoss, log_prior
from augrnn.objectives.objective import Objective
from augrnn.objectives.ponder_cost import PonderCost, papers_tau
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from tests.cells import inner_steps_naively as naively
from tests.objectives.test_others_fit import copy, fit

STEPS, BATCH, CAP, OUT = 4, 3, 5, 2


def batch(padded: bool = True) -> BitBatch:
    source = torch.Generator().manual_seed(0)
    inputs_TBI = torch.randn(STEPS, BATCH, 2, dtype=torch.float64, generator=source)
    targets_TBO = torch.randint(0, 2, (STEPS, BATCH, OUT), generator=source).double()
    scored_TB = torch.ones(STEPS, BATCH, dtype=torch.float64)
    scored_TB[0, 1] = 0
    if padded:
        scored_TB[2:, 2] = 0
    return BitBatch(inputs_TBI, targets_TBO, scored_TB)


def system(objective: Objective, net: bool = False) -> Transducer:
    torch.manual_seed(0)
    cell = LSTM(3, 4, OUT)
    made = Transducer(PonderNet(cell, CAP) if net else ACT(cell, cap=CAP), objective).double()
    made.cell.halting_unit.weight.data *= 15
    made.cell.halting_unit.bias.data.fill_(-0.7)
    return made


def cost(y_O: Tensor, targets_O: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(y_O, targets_O, reduction="sum")


def test_a_sequence_ends_with_its_last_scored_step() -> None:
    assert batch().lengths.tolist() == [4, 4, 2]
    assert batch().scored_outputs.tolist() == [8, 6, 4]
    nothing = batch()._replace(scored_TB=torch.zeros(STEPS, BATCH))
    assert nothing.lengths.tolist() == [STEPS] * BATCH


@pytest.mark.parametrize("convention", ["sums", "means", "mean_ponder"])
def test_the_ponder_cost_is_that_of_the_paper(convention: str) -> None:
    ours, given = system(PonderCost(0.3, convention)), batch()
    found = ours.objective(given, ours.answer(given, ours.objective.keep))
    expected, bits, steps, times = torch.zeros(()).double(), 0.0, 0, 0
    for b, length in enumerate((4, 4, 2)):
        inputs_TI = given.inputs_TBI[:length, b]
        told, _ = naively.act(ours.cell.cell, ours.cell.halting_unit, inputs_TI, 0.01, CAP)
        scored = [t for t in range(length) if given.scored_TB[t, b]]
        task = sum(cost(told[t].y_O, given.targets_TBO[t, b]) for t in scored)
        pondered = sum(each.steps + each.remainder for each in told)
        bits += task.item() / math.log(2) / BATCH
        if convention == "means":
            task = task / (OUT * len(scored))
        expected = expected + (task + 0.3 * pondered / (1 if convention == "sums" else length)) / BATCH
        steps, times = steps + sum(each.steps for each in told), times + length
    torch.testing.assert_close(found.value, expected)
    assert found.logged["cost_bits"].item() == pytest.approx(bits)
    assert found.logged["ponder"].item() == pytest.approx(steps / times)


@pytest.mark.parametrize(("convention", "factor"), [("sums", 1), ("means", 1 / (STEPS * OUT)), ("mean_ponder", 1)])
def test_taus_of_all_conventions_are_converted(convention: str, factor: float) -> None:
    given = batch(padded=False)._replace(scored_TB=torch.ones(STEPS, BATCH).double())
    theirs = system(PonderCost(0.3, convention))
    ours = system(PonderCost(papers_tau(0.3, convention, steps=STEPS, outputs=STEPS * OUT)))
    gradients = []
    for each in (theirs, ours):
        value = each.objective(given, each.answer(given, each.objective.keep)).value
        gradients.append(torch.autograd.grad(value, list(each.parameters())))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, factor * other)


def test_the_expected_loss_is_that_of_the_paper() -> None:
    ours, given = system(ExpectedLoss(beta=0.5, prior=0.3), net=True), batch()
    found = ours.objective(given, ours.answer(given, ours.objective.keep))
    geometric = [0.3 * 0.7**n for n in range(CAP)]
    prior = [p / sum(geometric) for p in geometric]
    expected, bits, divergence, times = torch.zeros(()).double(), 0.0, 0.0, 0
    for b, length in enumerate((4, 4, 2)):
        inputs_TI = given.inputs_TBI[:length, b]
        told, _ = naively.ponder_net(ours.cell.cell, ours.cell.halting_unit, inputs_TI, CAP)
        for t, (p, outputs) in enumerate(told):
            kl = sum(share * (share / q).log() for share, q in zip(p, prior, strict=True))
            expected = expected + 0.5 * kl / BATCH
            divergence, times = divergence + kl.item(), times + 1
            if given.scored_TB[t, b]:
                costs = (share * cost(y_O, given.targets_TBO[t, b]) for share, y_O in zip(p, outputs, strict=True))
                task = sum(costs, torch.zeros(()).double())
                expected, bits = expected + task / BATCH, bits + task.item() / math.log(2) / BATCH
    torch.testing.assert_close(found.value, expected)
    assert found.logged["cost_bits"].item() == pytest.approx(bits)
    assert found.logged["divergence"].item() == pytest.approx(divergence / times)


def test_the_prior_is_cut_and_sums_to_one() -> None:
    prior_M = log_prior(0.25, 3).exp()
    whole = 0.25 + 0.1875 + 0.140625
    torch.testing.assert_close(prior_M, torch.tensor([0.25, 0.1875, 0.140625]).double() / whole)


@pytest.mark.parametrize(
    ("cell", "objective"),
    [
        (ACT(GRU(4, 2)), PonderCost(0.01)),
        (ACT(NTM(4, 2, lambda size: Feedforward(size, 5), rows=4, width=3)), PonderCost(0.01)),
        (PonderNet(RNN(4, 5, 2), 4), ExpectedLoss()),
    ],
)
def test_they_train_through_the_transducer(cell: torch.nn.Module, objective: Objective, tmp_path: Path) -> None:
    ours = Transducer(cell, objective)
    before = {name: value.clone() for name, value in ours.named_parameters()}
    fit(ours, copy(), tmp_path, max_steps=4)
    assert not torch.equal(before["cell.halting_unit.weight"], ours.cell.halting_unit.weight)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: PonderCost(-0.1), "a finite tau of at least 0, not -0.1"),
        (lambda: PonderCost(math.nan), "a finite tau of at least 0, not nan"),
        (lambda: PonderCost(math.inf), "a finite tau of at least 0, not inf"),
        (lambda: PonderCost(0.1, "mean"), "put together by sums, means, mean_ponder, not mean"),
        (lambda: PonderCost("0.1"), "a finite tau of at least 0, not '0.1'"),
        (lambda: PonderCost(None), "a finite tau of at least 0, not None"),
        (lambda: PonderCost(True), "a finite tau of at least 0, not True"),
        (lambda: papers_tau("0.1", "means", 3, 2), "a finite tau of at least 0, not '0.1'"),
        (lambda: papers_tau(0.1, "mean", 3, 2), "put together by sums, means, mean_ponder, not mean"),
        (lambda: papers_tau(0.1, "means", 0, 2), "steps of at least 1, not 0"),
        (lambda: papers_tau(0.1, "means", 3, 2.5), r"a whole number for outputs, not 2\.5"),
        (lambda: ExpectedLoss("0.1"), "not beta '0.1' and prior 0.2"),
        (lambda: ExpectedLoss(prior="0.1"), "not beta 0.01 and prior '0.1'"),
        (lambda: ExpectedLoss(prior=None), "not beta 0.01 and prior None"),
        (lambda: ExpectedLoss(prior=1.0), "a prior between 0 and 1, not beta 0.01 and prior 1.0"),
        (lambda: ExpectedLoss(prior=0.0), "a prior between 0 and 1, not beta 0.01 and prior 0.0"),
        (lambda: ExpectedLoss(beta=-1.0), "a finite beta of at least 0"),
        (lambda: ExpectedLoss(beta=math.inf), "a finite beta of at least 0"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(make, told: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=told) as refused:
        make()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("objective", "told"),
    [(PonderCost(0.1), "such as augrnn.cells.ACT"), (ExpectedLoss(), "as augrnn.cells.PonderNet has them")],
)
def test_a_cell_that_does_not_ponder_is_told(objective: Objective, told: str) -> None:
    given = batch()
    ours = Transducer(Repeat(LSTM(3, 4, OUT), 2), objective).double()
    with pytest.raises(UserError, match=told):
        ours.answer(given, objective.keep)


def test_an_expected_loss_is_not_of_an_evaluation() -> None:
    ours = system(ExpectedLoss(), net=True).eval()
    with pytest.raises(UserError, match="is of a cell in training"):
        ours.answer(batch(), ours.objective.keep)
