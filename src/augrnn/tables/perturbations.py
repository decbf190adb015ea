"""Questions and tables changed so that their answers stay what they are (Mudrakarta et al. 2018, arXiv 1805.05492)."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from augrnn.tables.corpus import Question, TableQuestions
from augrnn.tables.table import Table

ATTACKS = ("in not a lot of words", "if its all the same", "in not many words", "one way or another")
"""Phrases that say nothing, of words on which the authors' program depended."""

POLITE = ("please answer", "do you know")
"""Phrases that say nothing, of words on which it did not."""

STOP_WORDS = frozenset({"a", "an", "at", "do", "does", "my", "the", "with"})
"""Words that a question can do without."""

ORDER = frozenset(
    {
        "above", "after", "before", "beginning", "below", "bottom", "consecutive", "earlier", "end", "final",
        "first", "follow", "followed", "following", "follows", "former", "immediately", "initial", "last",
        "later", "latter", "listed", "next", "preceded", "precedes", "preceding", "previous", "previously",
        "prior", "row", "rows", "start", "starting", "top", "under",
    }
)  # fmt: skip
"""Words of questions that may ask for a place in the table."""

Change = Callable[[TableQuestions], TableQuestions]


def of_texts(change: Callable[[Question], str]) -> Change:
    """All questions with their texts changed."""
    return lambda data: data._replace(
        questions=[question._replace(text=change(question)) for question in data.questions]
    )


def with_phrase(phrase: str) -> list[Change]:
    """A phrase before each question, and behind it."""
    return [
        of_texts(lambda question: f"{phrase} {question.text}"),
        of_texts(lambda question: f"{question.text} {phrase}"),
    ]


def without_stop_words(question: Question) -> str:
    """A question without `STOP_WORDS`; one that has no other words stays as it is."""
    kept = [word for word in question.text.split() if word.lower() not in STOP_WORDS]
    return " ".join(kept) or question.text


def shuffled_words(question: Question) -> str:
    """The words of a question in another order, which its id draws."""
    cut = question.text.split()
    random.Random(question.id).shuffle(cut)
    return " ".join(cut)


def shuffled_rows(data: TableQuestions) -> TableQuestions:
    """The rows of all tables in other orders, which their names draw."""
    return data._replace(tables={name: _shuffled(table) for name, table in data.tables.items()})


def _shuffled(table: Table) -> Table:
    rows = list(table.rows)
    random.Random(table.name).shuffle(rows)
    return replace(table, rows=tuple(rows))


def asks_for_order(question: Question) -> bool:
    """Whether a question has any word of `ORDER`."""
    return not ORDER.isdisjoint(question.text.lower().replace("?", " ").replace(",", " ").split())


PERTURBATIONS: Mapping[str, tuple[Change, ...]] = {
    "attacking phrases": tuple(change for phrase in ATTACKS for change in with_phrase(phrase)),
    "polite phrases": tuple(change for phrase in POLITE for change in with_phrase(phrase)),
    "no stop words": (of_texts(without_stop_words),),
    "shuffled words": (of_texts(shuffled_words),),
    "shuffled rows": (shuffled_rows,),
}
"""What is done to questions, each alone, by name."""
