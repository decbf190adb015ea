"""The Neural Programmer of 2016 against its paper, written as loops over rows, columns and operations."""

import math
import operator as op
from typing import Any

import pytest
import torch
from torch import Tensor

from augrnn.cells.unroll import unroll
from augrnn.programs.neural_programmer import OPERATIONS, Choice, NeuralProgrammer, ProgramState, QuestionEncoder
from augrnn.tables.batch import ENTRY_MATCH, TableBatch
from tests.programs.tables import one, together

STEPS = 3


COMPARE = {"greater": op.gt, "less": op.lt, "greater or equal": op.ge, "less or equal": op.le}


def machine() -> NeuralProgrammer:
    torch.manual_seed(0)
    cell = NeuralProgrammer(12, 6, 0.0, 0.0)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(8.0)
    return cell


def softmax(scores: list[Tensor]) -> list[Tensor]:
    total = sum(score.exp() for score in scores)
    return [score.exp() / total for score in scores]


def naive(cell: NeuralProgrammer, batch: TableBatch) -> tuple[Tensor, list[list[Tensor]], list[Tensor]]:
    """One question: its number, the chance to print each cell (C, R) and the selection at the end, softly."""
    size, columns, rows = cell.size, batch.names_BC.shape[1], batch.row_mask_BR.shape[1]
    words = batch.words_BL[0].tolist()
    output, memory, outputs = torch.zeros(size), torch.zeros(size), []
    for word in words:
        gates = cell.question.from_input(cell.words.weight[word]) + cell.question.from_output(output)
        enter, forget, candidate, leave = gates.split(size)
        memory = forget.sigmoid() * memory + enter.sigmoid() * candidate.tanh()
        output = leave.sigmoid() * memory
        outputs.append(output)
    numbers = [float(n) for n, there in zip(batch.arguments_BA[0], batch.argument_mask_BA[0], strict=True) if there]
    left = [outputs[place] for place in batch.argument_places_BA[0].tolist()]
    vectors = [
        cell.words.weight[name] + int(batch.entry_match_BCR[0, c].sum()) * cell.words.weight[ENTRY_MATCH]
        for c, name in enumerate(batch.names_BC[0].tolist())
    ]
    value = [[float(v) for v in column] for column in batch.compared_BCR[0]]
    has = batch.compared_mask_BCR[0].tolist()

    def holds(operation: str, c: int, r: int) -> Tensor | float:
        if not has[c][r] or not numbers:
            return 0.0
        unit = cell.operations[OPERATIONS.index(operation)]
        choice = softmax([unit @ vector for vector in left[: len(numbers)]])
        compare = COMPARE[operation]
        return sum(p * compare(value[c][r], number) for p, number in zip(choice, numbers, strict=True))

    def by_order(c: int, sign: int, selected: list[Tensor]) -> list[Tensor]:
        order = sorted((r for r in range(rows) if has[c][r]), key=lambda r: -value[c][r])[::sign]
        found, free = [torch.zeros(())] * rows, torch.ones(())
        for r in order:
            found[r] = selected[r] * free
            free = free * (1 - selected[r])
        return found

    history = torch.zeros(size)
    selected = [torch.ones(()) for _ in range(rows)]
    number, printed = torch.zeros(()), [[torch.zeros(())] * rows for _ in range(columns)]
    for _ in range(STEPS):
        attention = softmax([word @ history for word in outputs])
        attended = sum(p * word for p, word in zip(attention, outputs, strict=True))
        seen = torch.cat([history, outputs[-1], attended])
        operation = cell.to_operation(seen).relu()
        p_operation = softmax([unit @ operation for unit in cell.operations])
        meant = sum(p * unit for p, unit in zip(p_operation, cell.operations, strict=True))
        wanted = cell.with_operation(torch.cat([cell.to_column(seen).relu(), meant])).relu()
        p_column = softmax(
            [
                wanted @ vector + cell.name_match[0] * float(batch.name_match_BC[0, c])
                for c, vector in enumerate(vectors)
            ]
        )
        number = p_operation[0] * sum(selected)
        printed = [[p_operation[-1] * p_column[c] * selected[r] for r in range(rows)] for c in range(columns)]
        largest = [by_order(c, 1, selected) for c in range(columns)]
        smallest = [by_order(c, -1, selected) for c in range(columns)]
        after = []
        for r in range(rows):
            before = [selected[j] for j in range(r)]
            later = [selected[j] for j in range(r + 1, rows)]
            gives = {
                "previous": selected[r + 1] if r + 1 < rows else 0.0,
                "next": selected[r - 1] if r else 0.0,
                "first": selected[r] * math.prod(1 - each for each in before),
                "last": selected[r] * math.prod(1 - each for each in later),
                "reset": 1.0,
            }
            in_columns: dict[str, list[Any]] = {
                "most frequent": [float(each[r]) for each in batch.most_frequent_BCR[0]],
                "select": [float(each[r]) for each in batch.entry_match_BCR[0]],
                "max": [each[r] for each in largest],
                "min": [each[r] for each in smallest],
                **{name: [holds(name, c, r) for c in range(columns)] for name in COMPARE},
            }
            for name, each in in_columns.items():
                gives[name] = sum(p * given for p, given in zip(p_column, each, strict=True))
            after.append(sum(p_operation[OPERATIONS.index(name)] * given for name, given in gives.items()))
        selected = after
        column = sum(p * vector for p, vector in zip(p_column, vectors, strict=True))
        history = cell.history(torch.cat([history, meant, column])).tanh() + cell.history_bias
    return number, printed, selected


QUESTIONS = [one(3, 4, 5, 0), one(1, 1, 1, 1, numbers=0), one(2, 6, 3, 2, numbers=1), one(4, 2, 4, 3)]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_program_is_the_papers(question: TableBatch) -> None:
    cell = machine()
    number, printed, selected = naive(cell, question)
    found = unroll(cell, STEPS, cell.begin(question)).state
    torch.testing.assert_close(found.number_B[0], number)
    torch.testing.assert_close(found.log_printed_BCR[0].exp(), torch.stack([torch.stack(each) for each in printed]))
    torch.testing.assert_close(found.record.selected_BR[0], torch.stack(selected))


@pytest.mark.parametrize("training", [True, False])
def test_questions_do_not_see_each_other(training: bool) -> None:
    cell = machine().train(training)
    batch = together(*QUESTIONS)
    found = unroll(cell, STEPS, cell.begin(batch), keep=True)
    for place, question in enumerate(QUESTIONS):
        alone = unroll(cell, STEPS, cell.begin(question), keep=True)
        columns, rows = question.names_BC.shape[1], question.row_mask_BR.shape[1]
        torch.testing.assert_close(found.y_TBO[:, place, 0], alone.y_TBO[:, 0, 0])
        torch.testing.assert_close(found.trace.operations_BO[:, place], alone.trace.operations_BO[:, 0])
        torch.testing.assert_close(found.trace.columns_BC[:, place, :columns], alone.trace.columns_BC[:, 0])
        torch.testing.assert_close(found.trace.selected_BR[:, place, :rows], alone.trace.selected_BR[:, 0])
        log_BCR = found.state.log_printed_BCR
        torch.testing.assert_close(log_BCR[place, :columns, :rows], alone.state.log_printed_BCR[0])
        assert not found.trace.columns_BC[:, place, columns:].any()
        assert not found.trace.selected_BR[:, place, rows:].any()
        assert (log_BCR[place, columns:] == -torch.inf).all()


def certain(cell: NeuralProgrammer, state: ProgramState, operation: str, column: int) -> ProgramState:
    """A step whose operation and column are certain."""
    choice = cell.choose(state)
    operations_BO, columns_BC = choice.log_operations_BO, choice.log_columns_BC
    for scores, place in ((operations_BO, OPERATIONS.index(operation)), (columns_BC, column)):
        scores.data.fill_(-torch.inf)
        scores.data[:, place] = 0.0
    return cell.take(state, Choice(operations_BO, columns_BC, choice.columns_BCD))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_evaluation_does_what_training_weighs_where_the_choice_is_certain(operation: str) -> None:
    cell = machine()
    question = one(3, 5, 4, 4, numbers=1)
    soft = certain(cell, certain(cell, cell.begin(question), "greater or equal", 1), operation, 2)
    cell.eval()
    hard = certain(cell, certain(cell, cell.begin(question), "greater or equal", 1), operation, 2)
    torch.testing.assert_close(soft.number_B, hard.number_B)
    torch.testing.assert_close(soft.log_printed_BCR.exp(), hard.log_printed_BCR.exp())
    torch.testing.assert_close(soft.record.selected_BR, hard.record.selected_BR)
    assert set(hard.record.selected_BR.unique().tolist()) <= {0.0, 1.0}


def test_a_program_by_hand() -> None:
    """How many rows have at least 1 in column 0? Which cell of column 1 is in the last of them?"""
    question = one(2, 4, 3, 0)
    question = question._replace(
        compared_BCR=torch.tensor([[[3.0, 0.0, 1.0, -2.0], [0.0] * 4]]).double(),
        compared_mask_BCR=torch.tensor([[[True, True, True, True], [False] * 4]]),
        arguments_BA=torch.tensor([[1.0, 0.0]]).double(),
        argument_mask_BA=torch.tensor([[True, False]]),
    )
    cell = machine().eval()
    state = certain(cell, cell.begin(question), "greater or equal", 0)
    assert certain(cell, state, "count", 0).number_B.tolist() == [2.0]
    printed = certain(cell, certain(cell, state, "last", 0), "print", 1).log_printed_BCR.exp()
    assert printed.tolist() == [[[0.0] * 4, [0.0, 0.0, 1.0, 0.0]]]


def test_gradients_are_finite_where_choices_are_certain() -> None:
    cell = machine()
    with torch.no_grad():
        cell.operations.mul_(100.0)
    state = unroll(cell, 4, cell.begin(together(*QUESTIONS))).state
    (state.number_B.sum() + state.log_printed_BCR.clamp(min=-100).sum()).backward()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in cell.parameters())


def test_dropout_keeps_its_masks_through_a_program() -> None:
    torch.manual_seed(0)
    cell = NeuralProgrammer(12, 200, 0.0, 0.5)
    state = unroll(cell, 4, cell.begin(QUESTIONS[0])).state
    dropped = state.given.kept_BD == 0
    assert 0.3 < dropped.float().mean() < 0.7
    assert (state.history_BD == 0).equal(dropped)
    assert state.given.words_BLD.eq(0).all(1).sum() > 40  # the same outputs for all words


@pytest.mark.parametrize("given", [{"dropout": 1.0}, {"recurrent_dropout": -0.1}, {"size": 0}, {"vocabulary_size": 0}])
def test_bad_sizes_and_rates_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"a Neural Programmer needs {next(iter(given))} "):
        NeuralProgrammer(**{"vocabulary_size": 9, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_question_is_read_in_cpp_as_in_the_loop(
    dropout: float, compiled_functions: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    encoder = QuestionEncoder(9, dropout)
    words_LBX = torch.randn(6, 4, 10)
    words_LBX[..., -1] = (torch.arange(6).unsqueeze(1) >= torch.tensor([0, 2, 5, 3])).float()
    words_LBX.requires_grad_()
    outcomes = []
    for there in (True, False):
        monkeypatch.setattr("augrnn.cells.recurrent_sequence.available", lambda there=there: there)
        torch.manual_seed(1)
        found = unroll(encoder, words_LBX, keep=True)
        outputs = found.y_TBO, found.state.cell_BD, found.trace.output_BD, found.trace.cell_BD
        loss = sum((part * torch.linspace(-1, 3, part.numel()).view(part.shape)).sum() for part in outputs)
        outcomes.append([*outputs, *torch.autograd.grad(loss, [words_LBX, *encoder.parameters()])])
    for ours, theirs in zip(*outcomes, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert not outcomes[0][0][:5, 2].any()
    assert outcomes[0][0][5, 2].any()


def test_a_question_read_backwards_is_the_reversed_question() -> None:
    torch.manual_seed(0)
    cell, mirrored = machine(), NeuralProgrammer(12, 6, 0.0, 0.0, backwards=True)
    mirrored.load_state_dict(cell.state_dict())
    batch = together(*QUESTIONS)
    words_BL, places_BA = batch.words_BL.clone(), batch.argument_places_BA.clone()
    for b, question in enumerate(QUESTIONS):
        length = question.words_BL.shape[1]
        words_BL[b, -length:] = question.words_BL[0].flip(0)
        places_BA[b] = (words_BL.shape[1] - 1 - question.argument_places_BA[0]) * question.argument_mask_BA[0]
    given = cell.begin(batch._replace(words_BL=words_BL, argument_places_BA=places_BA)).given
    found = mirrored.begin(batch).given
    torch.testing.assert_close(found.question_BD, given.question_BD)
    torch.testing.assert_close(found.numbers_B4A, given.numbers_B4A)
    for b, question in enumerate(QUESTIONS):
        length = question.words_BL.shape[1]
        torch.testing.assert_close(found.words_BLD[b, -length:], given.words_BLD[b, -length:].flip(0))
    first, second = (
        unroll(each, STEPS, each.begin(asked)).y_TBO
        for each, asked in ((cell, batch._replace(words_BL=words_BL, argument_places_BA=places_BA)), (mirrored, batch))
    )
    torch.testing.assert_close(first, second)
