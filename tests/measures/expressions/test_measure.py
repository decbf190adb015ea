"""Right answers and a program's table, on a program whose choices are set by hand."""

import pytest
import torch

from augrnn.cells.lstm import LSTM
from augrnn.exhibits.exhibit import from_content
from augrnn.measures.expressions.measure import COLUMNS, ExpressionMeasure, program_table
from augrnn.measures.measure import measured, previewed
from augrnn.programs.arithmetic import ArithmeticProgram
from augrnn.systems.transducer import Transducer
from augrnn.tasks.expressions import Expressions


def keeps_the_first(sure: float) -> Transducer:
    """A program that keeps what it reads at a number, and the result of the step before at any other symbol."""
    system = Transducer(ArithmeticProgram(6, hidden_size=1, window=2))
    cell = system.cell
    for parameter in cell.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        cell.controller.from_input.bias[3] = 50  # the gates' exit is open
        cell.controller.from_input.bias[1] = -50  # and nothing is remembered
        cell.controller.from_input.bias[0] = 50
        cell.controller.from_input.weight[2] = torch.tensor([50.0, -50, -50, -50, -50])  # h: .76 at a number, else -.76
        cell.chooser.bias[3] = sure  # keep
        cell.chooser.weight[5, 0], cell.chooser.weight[6, 0] = sure, -sure
        cell.chooser.bias[8] = sure  # the right operand, which does not matter
    return system


TASK = Expressions(max_numbers=2, test_numbers=(1, 2), test_sequences=100)


def test_it_is_right_where_there_is_one_number() -> None:
    found = measured(keeps_the_first(40.0), TASK)
    assert found.numbers["right"] == {"1": 1.0, "2": 0.0}
    assert found.numbers["right_soft"] == {"1": 1.0, "2": 0.0}
    assert found.numbers["error"]["1"] == 0
    last = [text.split()[-2] for batch in TASK.test_sets()["2"] for text in batch.texts()]
    answers = [answer for batch in TASK.test_sets()["2"] for answer in batch.answers_B.tolist()]
    errors = [abs(float(number) - answer) for number, answer in zip(last, answers, strict=True)]
    assert found.numbers["error"]["2"] == pytest.approx(sum(errors) / len(errors), rel=1e-4)


def test_soft_and_hard_are_told_apart() -> None:
    found = measured(keeps_the_first(1.0), TASK)
    assert found.numbers["right"]["1"] == 1.0
    assert found.numbers["right_soft"]["1"] < 0.2


def test_a_program_is_shown_step_by_step() -> None:
    system = keeps_the_first(40.0).eval()
    (batch,) = (each for _, each in Expressions().codec.batches(["1.5 * -2"]))
    with torch.no_grad():
        table = program_table(system, batch)
    assert table.columns == COLUMNS
    assert [row[0] for row in table.rows] == ["1.5", "*", "-2", "="]
    assert [row[1] for row in table.rows] == ["keep 1.00"] * 4
    assert [row[2] for row in table.rows] == ["1.5 1.00", "1 ago 1.00", "-2 1.00", "1 ago 1.00"]
    assert [row[4] for row in table.rows] == ["1.5", "1.5", "-2", "-2"]
    assert [row[5] for row in table.rows] == ["keep 1.5", "keep 1 ago", "keep -2", "keep 1 ago"]
    assert [row[6] for row in table.rows] == ["1.5", "1.5", "-2", "-2"]
    assert from_content(table.content()).content() == table.content()


def test_a_network_without_choices_has_no_program() -> None:
    system = Transducer(LSTM(6, 4, 1))
    found = measured(system, TASK)
    assert set(found.numbers) == {"right", "error"}
    assert not found.exhibits
    assert not previewed(system, TASK)
    model = {"class_path": "x", "init_args": {"cell": {"class_path": "augrnn.cells.lstm.LSTM"}}}
    assert not ExpressionMeasure().previews(model)


def test_what_is_seen_in_training_is_foretold() -> None:
    model = {"init_args": {"cell": {"class_path": "augrnn.programs.arithmetic.ArithmeticProgram"}}}
    shown = previewed(keeps_the_first(1.0), TASK)
    assert {name: type(each) for name, each in shown.items()} == ExpressionMeasure().previews(model)
