"""A programmer on a user's own table, whose program is forced so that the answer is known."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from augrnn.errors import UserError
from augrnn.inference.ask import Asker, write_page
from augrnn.inference.load import Model
from augrnn.programs.neural_programmer import OPERATIONS, Choice, NeuralProgrammer, ProgramState
from augrnn.systems.transducer import Transducer
from augrnn.tables.reading import read_table
from augrnn.tables.table import made_table
from augrnn.tasks.parity import Parity
from augrnn.tasks.wiki_table_questions import WikiTableQuestions

TABLE = made_table(
    "medals",
    ["Year", "City", "Medals"],
    enumerate([["1996", "Atlanta", "9"], ["2000", "<b>Sydney</b>", "3"], ["2004", "Athens", "7"]]),
)


class Forced(NeuralProgrammer):
    """Does what it is told: an operation and a column at each step."""

    def __init__(self, *program: tuple[str, int]) -> None:
        super().__init__(20, 4)
        self.program = list(program)

    def begin(self, batch: Any) -> ProgramState:
        self.left = list(self.program)
        return super().begin(batch)

    def choose(self, state: ProgramState) -> Choice:
        choice, (operation, column) = super().choose(state), self.left.pop(0)
        return choice._replace(
            log_operations_BO=certain(choice.log_operations_BO, OPERATIONS.index(operation)),
            log_columns_BC=certain(choice.log_columns_BC, column),
        )


def certain(scores: Tensor, place: int) -> Tensor:
    made = torch.full_like(scores, -torch.inf)
    made[:, place] = 0.0
    return made


def asker(*program: tuple[str, int]) -> Asker:
    task = WikiTableQuestions()
    task.load_state_dict({"words": ["which", "city", "year", "medals"]})
    return Asker(Model(Transducer(Forced(*program)).eval(), task, Path("run")))


RESET = ("reset", 0)


def test_cells_are_printed_and_the_program_is_told() -> None:
    found = asker(("greater or equal", 2), RESET, ("max", 2), ("print", 1)).ask(TABLE, "which city has 7 medals ?")
    assert found.text == "Atlanta"
    assert found.cells == ((0, 1),)
    assert [step.operation for step in found.steps] == ["greater or equal", "reset", "max", "print"]
    assert [step.rows for step in found.steps[:3]] == [(0, 2), (0, 1, 2), (0,)]
    assert [step.column for step in found.steps] == ["Medals", "", "Medals", "City"]
    assert str(found).splitlines()[:2] == [
        "answer    Atlanta",
        "step 1    greater or equal (1.00) of 'Medals' (1.00): 2 rows selected",
    ]
    assert found.unknown[0] == "has"


def test_rows_are_counted() -> None:
    found = asker(("less", 2), RESET, ("less", 2), ("count", 0)).ask(TABLE, "how many have less than 8 medals ?")
    assert (found.text, found.cells) == ("2", ())


def test_a_program_that_ends_elsewhere_has_no_answer() -> None:
    assert asker(RESET, RESET, RESET, RESET).ask(TABLE, "which city ?").text == "(no answer)"


def test_a_page_shows_texts_and_runs_none(tmp_path: Path) -> None:
    found = asker(RESET, RESET, ("next", 0), ("print", 1)).ask(TABLE, "<script>alert(1)</script> city ?")
    write_page(found, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<script>" not in page
    assert "<b>" not in page
    assert page.count("<td class=printed>") == len(found.cells) == 2
    assert page.count("<tr class=selected>") == 2


def test_long_tables_can_be_asked_about() -> None:
    table = made_table("long", ["n"], enumerate([[str(number)] for number in range(5000)]))
    found = asker(RESET, RESET, ("max", 0), ("print", 0)).ask(table, "which is the largest ?")
    assert found.text == "4999"
    assert "more rows are not shown" in found._repr_html_()


def test_one_cell_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("city\nParis\n")
    found = asker(RESET, RESET, RESET, ("print", 0)).ask(read_table(tmp_path / "one.csv"), "which ?")
    assert found.text == "Paris"


def test_empty_cells_are_an_answer() -> None:
    table = made_table("holes", ["city"], enumerate([["Paris"], [""], [""]]))
    found = asker(RESET, RESET, ("next", 0), ("print", 0)).ask(table, "which ?")
    assert found.answer == ("", "")
    assert found.text == "(empty cell), (empty cell)"


@pytest.mark.parametrize("question", ["", "  \n"])
def test_a_blank_question_is_refused(question: str) -> None:
    with pytest.raises(UserError, match="the question is blank"):
        asker(RESET).ask(TABLE, question)


def test_a_question_that_is_no_text_is_refused() -> None:
    with pytest.raises(UserError, match=r"the question has half a character \(a lone surrogate\)"):
        asker(RESET).ask(TABLE, "\udcff city ?")


def test_a_table_beyond_the_limits_is_refused() -> None:
    table = made_table("long", ["n"], enumerate([["1"]] * 10_001))
    with pytest.raises(UserError, match=r"long has 10001 rows and 1 columns: a question is about at most 10000 rows"):
        asker(RESET).ask(table, "how many ?")


def test_a_model_of_another_task_is_refused() -> None:
    with pytest.raises(UserError, match="run is a run of Parity: ask needs one of WikiTableQuestions"):
        Asker(Model(Transducer(NeuralProgrammer(20, 4)), Parity(), Path("run")))
