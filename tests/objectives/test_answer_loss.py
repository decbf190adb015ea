"""The loss of an answer against a loop over cells and items, written from the paper and its code."""

import math

import pytest
import torch

from augrnn.cells.unroll import Unrolled, unroll
from augrnn.objectives.answer_loss import AnswerLoss
from augrnn.programs.neural_programmer import NeuralProgrammer, ProgramState
from augrnn.tables.batch import TableBatch
from tests.programs.tables import one, together

QUESTIONS = [one(3, 4, 5, 0), one(2, 6, 3, 1), one(1, 1, 2, 2), one(4, 2, 4, 3)]


def ran(batch: TableBatch) -> Unrolled:
    torch.manual_seed(0)
    cell = NeuralProgrammer(12, 6, 0.0, 0.0)
    return unroll(cell, 4, cell.begin(batch))


def naive(question: TableBatch, state: ProgramState, place: int, loss: AnswerLoss) -> float:
    columns, rows = question.names_BC.shape[1], question.row_mask_BR.shape[1]
    cells = [(c, r) for c in range(columns) for r in range(rows)]
    p = {(c, r): math.exp(state.log_printed_BCR[place, c, r].item()) for c, r in cells}
    item = {(c, r): int(question.answer_BCR[0, c, r]) for c, r in cells}
    positive = sum(min(-math.log(p[at]) for at in cells if item[at] == k) for k in set(item.values()) - {0})
    negatives = [-math.log(1 - p[at]) for at in cells if item[at] == 0]
    if loss.negatives == "code":
        printed = (positive + sum(negatives)) * loss.scale / len(cells)
    else:
        printed = positive + (sum(negatives) / len(negatives) if negatives else 0.0)
    number = min((float(question.scalar_B) - state.number_B[place].item()) ** 2 / 2 / rows, loss.most)
    if question.has_scalar_B and question.has_lookup_B:
        soft = math.exp(-loss.sharpness * number) + math.exp(-loss.sharpness * printed)
        return max(-math.log(soft) / loss.sharpness, 0.0)
    if question.has_scalar_B:
        return number
    return printed if question.has_lookup_B else 0.0


@pytest.mark.parametrize("loss", [AnswerLoss(), AnswerLoss("paper"), AnswerLoss(scale=2.0, most=0.01, sharpness=2.0)])
def test_it_is_the_papers(loss: AnswerLoss) -> None:
    batch = together(*QUESTIONS)
    found = ran(batch)
    expected = [naive(question, found.state, place, loss) for place, question in enumerate(QUESTIONS)]
    assert loss(batch, found).value.item() == pytest.approx(sum(expected) / len(expected), rel=1e-4)
    assert len({bool(each) for each in batch.has_scalar_B & batch.has_lookup_B}) == 2


def test_an_infinite_sharpness_is_the_plain_minimum() -> None:
    x_B, y_B = torch.tensor([1.0, 3.0]), torch.tensor([2.0, 0.5])
    assert AnswerLoss(sharpness=math.inf).least(x_B, y_B).tolist() == [1.0, 0.5]


def test_what_no_program_can_answer_costs_nothing() -> None:
    question = one(2, 3, 3, 1)._replace(
        answer_BCR=torch.zeros(1, 2, 3, dtype=torch.int64), has_lookup_B=torch.tensor([False])
    )
    assert AnswerLoss()(question, ran(question)).value.item() == 0


def test_above_the_cut_a_number_has_no_gradient() -> None:
    batch = one(1, 2, 2, 0)
    number_B = torch.tensor([9.0], requires_grad=True)
    cost_B = AnswerLoss(most=3.0).of_number(batch, number_B)
    cost_B.sum().backward()
    assert cost_B.item() == 3.0
    assert number_B.grad is not None
    assert number_B.grad.item() == 0.0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"negatives": "mean"}, "code or paper, not mean"),
        ({"scale": 0.0}, "scale above 0, not 0.0"),
        ({"most": -1.0}, "most above 0, not -1.0"),
        ({"sharpness": math.nan}, "sharpness above 0, not nan"),
    ],
)
def test_bad_numbers_are_refused(given: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        AnswerLoss(**given)  # type: ignore[arg-type]
