"""Changes of questions and tables that leave answers as they are."""

from augrnn.tables.corpus import Question, TableQuestions
from augrnn.tables.perturbations import ATTACKS, PERTURBATIONS, POLITE, asks_for_order
from augrnn.tables.table import made_table

TABLE = made_table("t", ("n", "m"), enumerate([(str(n), str(n * n)) for n in range(20)]))
QUESTIONS = [
    Question("a", "what is the n at the top?", "t", ("0",), ("0.0",)),
    Question("b", "the a", "t", ("1",), ("1.0",)),
]
DATA = TableQuestions(QUESTIONS, {"t": TABLE})


def texts(name: str) -> list[list[str]]:
    return [[question.text for question in change(DATA).questions] for change in PERTURBATIONS[name]]


def test_phrases_stand_before_and_behind() -> None:
    for name, phrases in (("attacking phrases", ATTACKS), ("polite phrases", POLITE)):
        found = texts(name)
        assert found == [
            [text for question in QUESTIONS for text in [made.format(phrase, question.text)]]
            for phrase in phrases
            for made in ("{0} {1}", "{1} {0}")
        ]


def test_stop_words_go_but_never_all_words() -> None:
    assert texts("no stop words") == [["what is n top?", "the a"]]


def test_words_and_rows_are_shuffled_the_same_way_each_time() -> None:
    (first,), (again,) = texts("shuffled words"), texts("shuffled words")
    assert first == again
    assert sorted(first[0].split()) == sorted(QUESTIONS[0].text.split())
    assert first[0] != QUESTIONS[0].text
    (change,) = PERTURBATIONS["shuffled rows"]
    tables = [change(DATA).tables["t"] for _ in "12"]
    assert tables[0] == tables[1] != TABLE
    assert sorted(tables[0].rows) == sorted(TABLE.rows)
    assert tables[0].header == TABLE.header
    assert change(DATA).questions == QUESTIONS


def test_words_that_ask_for_order_are_found() -> None:
    found = [
        asks_for_order(each._replace(text=text)) for each in QUESTIONS[:1] for text in ("Who was FIRST?", "lasting")
    ]
    assert found == [True, False]
