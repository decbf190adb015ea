"""What a question finds in its table, by a hand-made table and, on the real data, by naive loops over all cells."""

import random
from collections import Counter
from pathlib import Path

import pytest

from augrnn.tables import preparing
from augrnn.tables.corpus import Question, TableCorpus, TableQuestions
from augrnn.tables.denotations import right, values
from augrnn.tables.preparing import (
    KINDS,
    Limits,
    Lookup,
    PreparedQuestion,
    cached_prepare,
    prepare,
    prepare_question,
    printed,
)
from augrnn.tables.table import Table, made_table
from augrnn.tables.values import Date, canonical
from augrnn.tables.words import compared, words


def table(*rows: tuple[str, ...]) -> Table:
    return made_table("t", rows[0], enumerate(rows[1:], start=1))


CUPS = table(
    ("Winning team", "Goals", "", "2010 Place", "Date"),
    ("New York", "1,000", "", "1st", "July 6, 2010"),
    ("York City", "3", "", "2nd", "5 May 2009"),
    ("York", "3", "x", "10 km", "2008"),
    ("New York", "12%", "", "–", ""),
)


def asked(text: str, *answer: str, of: Table = CUPS) -> PreparedQuestion:
    return prepare_question(Question("q", text, "t", answer, tuple(map(canonical, answer))), Lookup(of))


def cells(*places: tuple[int, int]) -> list[int]:
    return [column * 4 + row for column, row in places]


def test_a_table_without_a_question() -> None:
    made = Lookup(CUPS).prepare()
    assert made.rows == 4
    assert made.numeric == [False, True, False, False, False]
    assert made.names == ["winning", "goals", "", "", "date"]
    assert made.most_frequent == cells((0, 0), (0, 3), (1, 1), (1, 2))
    none = [None] * 4
    places = [1, 2, 10, None]
    assert made.compared == [*none, 1000, 3, 3, 12, *none, *places, 20100706, 20090505, 2008, None]


def test_whole_entries_go_before_parts_of_entries() -> None:
    new = asked("did new york win")
    assert new.entries == cells((0, 0), (0, 2), (0, 3))  # "York" stands there as well
    assert new.words == ["did", None, None, "win"]
    part = asked("did city win")
    assert part.entries == cells((0, 1))
    assert part.words == ["did", "city", "win"]
    assert asked("did they win").entries == []


def test_numbers_match_cells_of_numeric_columns_and_stay_arguments() -> None:
    made = asked("who had 3 goals")
    assert made.entries == cells((1, 1), (1, 2))
    assert (made.words, made.arguments, made.places) == (["who", "had", "goals"], [3], [1])
    # Where a cell of a word column is that number, it is a phrase and no argument.
    year = asked("who won in 2008")
    assert year.entries == cells((4, 2))
    assert (year.words, year.arguments) == (["who", "won", "in", None], [])


def test_arguments_are_the_first_two_numbers_and_dates() -> None:
    made = asked("1999 or 20 or july 7 2011 or 5 goals")
    assert (made.words, made.arguments, made.places) == (["or", "or", "or", "goals"], [1999, 20], [0, 0])
    made = asked("goals before july 7th, 2011?")
    assert (made.words, made.arguments, made.places) == (["goals", "before"], [20110707], [1])
    made = asked("7")
    assert (made.words, made.arguments, made.places) == ([None], [7], [0])
    assert asked("").words == [None]


def test_names_match_as_a_whole_or_by_a_word() -> None:
    assert asked("which winning team has a date").names == [0, 4]
    assert asked("which team has a place").names == [0, 3]
    assert asked("how many goals by the team").names == [1]
    assert asked("who").names == []


def test_what_answers_are() -> None:
    team = asked("x", "new york ")
    assert (team.answer, team.scalar, team.kind) == ([(0, 1), (3, 1)], None, "look-up")
    place = asked("x", "1")
    assert (place.answer, place.scalar, place.kind) == ([(12, 1)], 1, "number in the table")  # 1st
    count = asked("x", "7 goals")
    assert (count.answer, count.scalar, count.kind) == ([], 7, "number not in the table")
    several = asked("x", "York", "6 July 2010", "York")
    assert (several.answer, several.kind) == ([(2, 1), (16, 2)], "look-up")
    assert (asked("x", "York", "Paris").answer, asked("x", "York", "Paris").kind) == ([], "neither")
    assert asked("x", "3", "12").scalar is None
    assert asked("x", "0").scalar == 0
    assert asked("x").kind == "neither"


def test_cells_are_printed_as_what_they_are_read_as() -> None:
    assert printed("1,000").amount == 1000
    assert printed("10 km").amount == 10
    assert printed("July 6, 2010").date == Date(2010, 7, 6)
    assert printed("New York").text == "new york"
    assert right(values(["4"]), [printed("4th")])


def test_the_limits() -> None:
    lookup = Lookup(CUPS)
    assert lookup.within(Limits(4, 1, 4))
    assert not any(map(lookup.within, (Limits(3, 1, 4), Limits(4, 0, 4), Limits(4, 1, 3))))
    questions = [Question(str(number), "york", name, ("York",), ("York",)) for number, name in enumerate("ab")]
    made = prepare(TableQuestions(questions, {"a": CUPS, "b": table(("York",), ("York",))}), Limits(rows=2))
    assert made.questions[0] is None
    assert made.questions[1] == PreparedQuestion([None], [], [], [0], [0], None, [(0, 1)])
    assert list(made.tables) == ["b"]


def test_a_large_table_is_looked_up() -> None:
    rows = [(str(number), f"name {number}") for number in range(10_000)]
    made = asked("how many after name 77", "9,999", of=table(("n", "name"), *rows))
    assert (made.entries, made.answer) == ([77, 10_077], [(9_999, 1)])


def test_what_is_prepared_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [Question("a", "did york have 3 goals", "t", ("York",), ("York",))]
    data = TableQuestions(questions, {"t": CUPS})
    made = cached_prepare(data, cache=tmp_path)
    assert made == prepare(data)
    monkeypatch.setattr(preparing, "prepare", None)
    assert cached_prepare(data, cache=tmp_path) == made
    changed = TableQuestions([questions[0]._replace(text="x")], data.tables)
    for other, limits in ((changed, Limits()), (data, Limits(rows=5))):
        with pytest.raises(TypeError):
            cached_prepare(other, limits, tmp_path)


# The real data set ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dev(data_root: Path) -> TableQuestions:
    return TableCorpus(data_root / "wikitablequestions").read("random-split-1-dev")


@pytest.mark.data
def test_kinds_of_answers_of_the_first_dev_split(dev: TableQuestions) -> None:
    everything = prepare(dev, Limits(1000, 1000, 1000))
    kinds = Counter(each.kind for each in everything.questions if each)
    # The protocol's approximate matching has 44.5, 25.1, 23.3 and 7.0 %, and the paper's code as many long tables.
    assert {kind: round(100 * kinds[kind] / 2831, 1) for kind in KINDS} == dict(
        zip(KINDS, (44.5, 25.2, 23.1, 7.2), strict=True)
    )
    assert prepare(dev).questions.count(None) == 68


@pytest.mark.data
def test_matches_are_those_of_loops_over_all_cells(dev: TableQuestions) -> None:
    chosen = random.Random(0).sample(dev.questions, 150)
    lookups = {each.table: Lookup(dev.tables[each.table]) for each in chosen}
    for each in chosen:
        made, lookup = prepare_question(each, lookups[each.table]), lookups[each.table]
        rows, columns = dev.tables[each.table].rows, range(lookup.columns)
        question = words(each.text)
        cut = [[words(row[column]) for row in rows] for column in columns]
        numeric = [all(len(cell) == 1 and isinstance(cell[0], float) for cell in column) for column in cut]
        whole, hidden = [], set()
        for number, cell in enumerate(cell for column in cut for cell in column):
            starts = [k for k in range(len(question)) if cell and question[k : k + len(cell)] == cell]
            whole += [number] * bool(starts)
            if not numeric[number // len(rows)]:
                hidden |= {k + j for k in starts for j in range(len(cell))}
        part = [
            number
            for number, cell in enumerate(cell for column in cut for cell in column)
            if not numeric[number // len(rows)] and any(word in cell for word in question)
        ]
        assert made.entries == (whole or part)
        kept = [
            None if k in hidden else word for k, word in enumerate(question) if k in hidden or isinstance(word, str)
        ]
        assert made.words == (kept or [None])
        numbers = [word for k, word in enumerate(question) if k not in hidden and not isinstance(word, str)]
        assert made.arguments == [number.digits if isinstance(number, Date) else number for number in numbers[:2]]
        prepared = lookup.prepare()
        assert prepared.compared == [compared(row[column]) for column in columns for row in rows]
        for column in columns:
            counts = Counter(cell for cell in cut[column] if cell)
            cells = {number % len(rows) for number in prepared.most_frequent if number // len(rows) == column}
            assert len({cut[column][row] for row in cells}) == bool(cells)
            assert len(cells) == (max(counts.values(), default=0) if max(counts.values(), default=0) > 1 else 0)


@pytest.mark.data
def test_the_right_cells_printed_are_the_right_answer(dev: TableQuestions) -> None:
    made = prepare(dev)
    printable = 0
    for question, each in zip(dev.questions, made.questions, strict=True):
        if each and each.answer:
            rows = dev.tables[question.table].rows
            first = {item: cell for cell, item in reversed(each.answer)}
            cells = [printed(rows[cell % len(rows)][cell // len(rows)]) for cell in first.values()]
            assert right(values(question.answer, question.canon), cells)
            printable += 1
    assert printable > 1900
