"""Shares of right answers, and programs step by step, on a programmer whose choices are set by hand."""

import torch

from augrnn.exhibits.exhibit import from_content
from augrnn.measures.measure import measured, previewed
from augrnn.measures.tables.measure import COLUMNS, TableMeasure, kind_of, programs_table
from augrnn.programs.programmer import OPERATIONS, Programmer
from augrnn.systems.transducer import Transducer
from augrnn.tasks.table_questions import Template
from augrnn.tasks.tables import Tables

TASK = Tables(min_rows=3, max_rows=4, test_rows=5, test_largest=(10.0, 20.0), test_questions=200)


def always(operation: str, sure: float = 40.0, task: Tables = TASK) -> Transducer:
    """A programmer that does one operation at each step."""
    system = Transducer(Programmer(len(task.vocabulary), 2))
    cell = system.cell
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        cell.control.bias[0] = 5
        cell.vectors[OPERATIONS.index(operation), 0] = sure
    return system


def test_a_program_that_answers_nothing_is_right_where_the_answer_is_nothing() -> None:
    found = measured(always("reset"), TASK).numbers
    assert found["right"].keys() == found["right_soft"].keys() == {"10", "20"}
    assert found["right"]["10"] < 0.2
    kinds = found["right_by_kind"]
    assert kinds["sum"] == kinds["count"] == kinds["print"] == 0
    assert len(kinds) == 23
    assert abs(sum(kinds.values()) / 23 - found["right"]["10"]) < 0.1


def test_questions_from_all_templates_count_apart() -> None:
    task = Tables(held_out=0.2, min_rows=3, max_rows=4, test_rows=5, test_largest=(10.0, 20.0), test_questions=600)
    found = measured(always("reset", task=task), task).numbers
    for name in ("10", "20"):
        # a program that answers nothing is right where cells are asked for, and there are none
        asked = list(task.sets_of_all_templates()[name])
        empty = [~batch.number_asked_B & (batch.cells_BRC.sum((1, 2)) == 0) for batch in asked]
        zero = [batch.number_asked_B & (batch.number_B.abs() <= 1e-3) for batch in asked]
        wanted = (torch.cat(empty) | torch.cat(zero)).double().mean()
        assert found["right_of_all"][name] == wanted != found["right"][name]


def test_a_sum_is_of_all_rows_at_first_and_of_none_after_a_sum() -> None:
    batch = TASK.sample(50, 4, 5.0, 0)
    system = always("sum").eval()
    with torch.no_grad():
        outputs = system(batch).y_TBO
    torch.testing.assert_close(outputs[0, :, 0], batch.table.numbers_BRC.sum((1, 2)))
    assert (outputs[1:, :, 0] == 0).all()


def test_programs_are_shown_step_by_step() -> None:
    batch = TASK.sample(3, 4, 5.0, 0)
    with torch.no_grad():
        table = programs_table(always("reset").eval(), TASK, batch, 2)
    assert table.columns == COLUMNS
    assert len(table.rows) == 8
    assert [row[0] for row in table.rows[::4]] == TASK.texts(batch)[:2]
    assert [row[1:6] for row in table.rows[:4]] == [(str(t), "reset 1.00", "", "4", "0") for t in (1, 2, 3, 4)]
    assert [bool(row[6]) for row in table.rows[:4]] == [False, False, False, True]
    assert from_content(table.content()).content() == table.content()


def test_kinds_are_said_in_words() -> None:
    assert kind_of(Template(0, 0, 0, 0, 0, 1, 0)) == "count"
    assert kind_of(Template(1, 0, 2, 2, 1, 0, 0)) == "greater or lesser, sum"
    assert kind_of(Template(3, 0, 0, 0, 0, 2, 0)) == "match, print"


def test_what_is_seen_in_training_is_foretold() -> None:
    shown = previewed(always("reset"), TASK)
    assert {name: type(each) for name, each in shown.items()} == TableMeasure().previews({})
