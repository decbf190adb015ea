"""The Neural Programmer: a soft step number by number, its hard twin on Python's lists, and sizes of all kinds."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from augrnn.cells.unroll import unroll
from augrnn.programs.choices import choosing
from augrnn.programs.programmer import OPERATIONS, Programmer
from augrnn.tasks.table_questions import TableBatch
from augrnn.tasks.tables import Tables

D = 5


def task(**options: Any) -> Tables:
    return Tables(**({"number_columns": 2, "word_columns": 1, "entries": 3, "examples": None} | options))


def batch(count: int = 6, rows: int = 4, **options: Any) -> TableBatch:
    return doubled(task(**options).sample(count, rows, 5.0, 0))


def doubled(given: TableBatch) -> TableBatch:
    table = given.table._replace(numbers_BRC=given.table.numbers_BRC.double())
    question = given.question._replace(numbers_BN=given.question.numbers_BN.double())
    return given._replace(table=table, question=question)


def programmer(reader: str = "lstm", text: bool = True) -> Programmer:
    torch.manual_seed(1)
    cell = Programmer(len(task().vocabulary), D, text, reader).double()
    for parameter in (cell.vectors, cell.history.weight, cell.control.weight, cell.words.weight):
        torch.nn.init.normal_(parameter, std=1.5)
    return cell


def states(cell: Programmer, words_L: Tensor) -> Tensor:
    """The reader's outputs at the words behind the padding, (L, D), with torch's own layers."""
    layer = {"LSTM": torch.nn.LSTM, "RNN": torch.nn.RNN}[type(cell.reader).__name__](D, D, dtype=torch.float64)
    for name, linear in {"ih": cell.reader.from_input, "hh": cell.reader.from_hidden}.items():
        getattr(layer, f"weight_{name}_l0").data = linear.weight.data
        getattr(layer, f"bias_{name}_l0").data = linear.bias.data
    padding = int((words_L == 0).sum())
    read = layer(cell.words.weight[words_L[padding:]])[0]
    return torch.cat([read.new_full((padding, D), math.nan), read])


def softmax(scores: Sequence[float], hard: bool) -> list[float]:
    if hard:
        return [float(place == max(range(len(scores)), key=scores.__getitem__)) for place in range(len(scores))]
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def dot(one: Tensor, other: Tensor) -> float:
    return sum(a * b for a, b in zip(one.tolist(), other.tolist(), strict=True))


def naively(cell: Programmer, given: TableBatch, b: int, steps: int, hard: bool) -> list[dict[str, Any]]:
    """The program of one question, from the paper, one cell at a time."""
    table, question = (type(part)(*(each[b] for each in part)) for part in (given.table, given.question))
    numbers, words = table.numbers_BRC.tolist(), table.words_BRC.tolist()
    rows, columns = range(len(numbers)), range(len(numbers[0]))
    z = states(cell, question.words_BL)
    named = dict(zip(cell.operations, cell.vectors, strict=True))

    def pivots(name: str, places: Tensor, values: Tensor) -> list[tuple[float, float]]:
        there = [(place, value) for place, value in zip(places.tolist(), values.tolist(), strict=True) if place >= 0]
        scores = [dot(z[place], named[name]) for place, _ in there]
        return list(zip(softmax(scores, hard), (value for _, value in there), strict=True)) if there else []

    greater, lesser = (pivots(name, question.left_BN, question.numbers_BN) for name in ("greater", "lesser"))
    match = pivots("match", question.places_BW, question.entries_BW) if "match" in named else []
    h, chosen = torch.zeros(D, dtype=torch.float64), torch.zeros(2 * D, dtype=torch.float64)
    selected, numbers_given, found = [[1.0 for _ in rows]] * 2, [0.0, 0.0, 0.0], []
    v = cell.words.weight[table.names_BC]
    for _ in range(steps):
        h = cell.history(torch.cat([chosen, h])).tanh()
        control = cell.control(torch.cat([z[-1], h])).tanh()
        operation = dict(
            zip(named, softmax([dot(control[:D], vector) for vector in named.values()], hard), strict=True)
        )
        column = softmax([dot(control[D:], vector) for vector in v], hard)
        before, earlier = selected[-1], selected[-2]
        sums = [sum(before[i] * numbers[i][j] for i in rows) for j in columns]
        number = operation["sum"] * sum(column[j] * sums[j] for j in columns)
        number += operation["count"] * sum(before)
        number += operation["difference"] * (numbers_given[-3] - numbers_given[-1])
        after = []
        for i in rows:
            weight = operation["and"] * min(before[i], earlier[i]) + operation["or"] * max(before[i], earlier[i])
            weight += operation["reset"]
            for j in columns:
                if table.numeric_BC[j]:
                    weight += column[j] * operation["greater"] * sum(p for p, x in greater if numbers[i][j] > x)
                    weight += column[j] * operation["lesser"] * sum(p for p, x in lesser if numbers[i][j] < x)
                elif match:
                    weight += column[j] * operation["match"] * sum(p for p, x in match if words[i][j] == x)
            after.append(weight)
        lookup = [[operation["assign"] * before[i] * column[j] for j in columns] for i in rows]
        chosen = torch.cat(
            [
                sum(weight * named[name] for name, weight in operation.items()),
                sum(weight * vector for weight, vector in zip(column, v, strict=True)),
            ]
        )
        selected, numbers_given = [*selected, after], [*numbers_given, number]
        found.append(
            {"operation": list(operation.values()), "column": column, "rows": after, "number": number, "lookup": lookup}
        )
    return found


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize(("reader", "text"), [("lstm", True), ("rnn", False)])
def test_every_step_is_as_written_from_the_paper(reader: str, text: bool, hard: bool) -> None:
    cell, given = programmer(reader, text), batch(word_columns=int(text))
    with choosing(cell, hard), torch.no_grad():
        found = unroll(cell, 4, cell.begin(given), keep=True)
        steps = [naively(cell, given, b, 4, hard) for b in range(given.size)]
    for b, program in enumerate(steps):
        for t, step in enumerate(program):
            assert found.trace.operation_BV[t, b].tolist() == pytest.approx(step["operation"], abs=1e-9)
            assert found.trace.columns_BC[t, b].tolist() == pytest.approx(step["column"], abs=1e-9)
            assert found.trace.rows_BR[t, b].tolist() == pytest.approx(step["rows"], abs=1e-9)
            assert float(found.y_TBO[t, b, 0]) == pytest.approx(step["number"], abs=1e-9)
            assert float(found.trace.scalar_B[t, b]) == pytest.approx(step["number"], abs=1e-9)
            cells = found.y_TBO[t, b, 1:].unflatten(0, given.cells_BRC.shape[1:])
            torch.testing.assert_close(cells, torch.tensor(step["lookup"], dtype=torch.float64))


def test_padded_rows_and_padded_words_change_nothing() -> None:
    cell, given = programmer(), batch()
    table, question = given.table, given.question
    padded = given._replace(
        table=table._replace(
            numbers_BRC=torch.cat([table.numbers_BRC, torch.zeros(6, 2, 3, dtype=torch.float64)], dim=1),
            words_BRC=torch.cat([table.words_BRC, torch.full((6, 2, 3), -1)], dim=1),
            real_BR=torch.cat([table.real_BR, torch.zeros(6, 2, dtype=torch.bool)], dim=1),
        ),
        question=question._replace(
            numbers_BN=torch.cat([question.numbers_BN, torch.full((6, 1), 7.0, dtype=torch.float64)], dim=1),
            left_BN=torch.cat([question.left_BN + 3 * (question.left_BN >= 0), torch.full((6, 1), -1)], dim=1),
            words_BL=torch.cat([torch.zeros(6, 3, dtype=torch.long), question.words_BL], dim=1),
            places_BW=question.places_BW + 3 * (question.places_BW >= 0),
        ),
    )
    plain, longer = (unroll(cell, 4, cell.begin(each), keep=True) for each in (given, padded))
    torch.testing.assert_close(longer.trace.rows_BR[..., :4], plain.trace.rows_BR)
    assert (longer.trace.rows_BR[..., 4:] == 0).all()
    torch.testing.assert_close(longer.y_TBO[..., : plain.y_TBO.shape[-1]], plain.y_TBO)
    assert (longer.y_TBO[..., plain.y_TBO.shape[-1] :] == 0).all()


def test_gradients_reach_all_parameters_and_are_right() -> None:
    cell, given = programmer(), batch(4, 3)
    parameters = list(cell.parameters())
    unroll(cell, 4, cell.begin(given)).y_TBO.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in parameters)

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = cell

        def forward(self) -> Tensor:
            return unroll(self.cell, 4, self.cell.begin(given)).y_TBO

    whole = Whole()
    start = cell.vectors.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda vectors: torch.func.functional_call(whole, {"cell.vectors": vectors}, ()), start
    )


def test_the_state_before_the_first_step_looks_as_one_after_it() -> None:
    # or the compiler makes another program of the first step, and of the second where one part stands for two
    cell = programmer()
    given = batch(6, 4)
    before = cell.begin(given)
    after = cell.step(None, before)[1]
    for name in ("history_BD", "chosen_B2D", "operation_BV", "columns_BC", "rows_BR", "before_BR", "scalars_BE"):
        one, other = getattr(before, name), getattr(after, name)
        assert one.requires_grad
        assert other.requires_grad
        assert (one.shape, one.stride(), one.dtype) == (other.shape, other.stride(), other.dtype), name
    assert before.rows_BR is not before.before_BR
    with torch.no_grad():
        assert not any(part.requires_grad for part in cell.begin(given) if isinstance(part, Tensor))


def test_questions_of_a_batch_do_not_touch_each_other() -> None:
    cell, given = programmer(), batch()
    whole = unroll(cell, 4, cell.begin(given)).y_TBO
    for b in range(given.size):
        parts = [type(part)(*(each[b : b + 1] for each in part)) for part in (given.table, given.question)]
        alone = TableBatch(*parts, *(each[b : b + 1] for each in given[2:]))
        torch.testing.assert_close(unroll(cell, 4, cell.begin(alone)).y_TBO, whole[:, b : b + 1])


def test_noise_is_in_training_alone() -> None:
    cell, given = programmer(), batch()
    cell.noise = torch.tensor(1.0)

    def ran() -> Tensor:
        return unroll(cell, 4, cell.begin(given)).y_TBO

    assert not torch.equal(ran(), ran())
    cell.eval()
    with choosing(cell, hard=False):
        assert torch.equal(ran(), ran())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"vocabulary": 0}, "a programmer needs vocabulary of at least 1"),
        ({"size": 0}, "a programmer needs size of at least 1"),
        ({"reader": "gru"}, "reads questions with one of lstm, rnn, not gru"),
    ],
)
def test_impossible_arguments_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Programmer(**({"vocabulary": 9, "size": 4} | options))


def test_operations_for_words_come_with_words() -> None:
    assert programmer(text=False).operations == OPERATIONS[:-1]
    assert programmer().operations == OPERATIONS
