"""Prepared questions as batches: word ids for words, and arrays padded to one size."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from augrnn.tables.batch import ARGUMENTS, COLUMN_MATCH, ENTRY_MATCH, SPECIAL, UNK, TableBatch
from augrnn.tables.corpus import TableQuestions
from augrnn.tables.preparing import Prepared, PreparedQuestion, PreparedTable
from augrnn.tables.words import words

LEAST = 10
"""How often a word must stand in training questions and names of their columns to be known (the paper's code)."""


class TableVocabulary:
    """Words and their ids; the first `SPECIAL` ids are no words.

    Args:
      known: the words, in the order of their ids.
    """

    def __init__(self, known: Sequence[str]) -> None:
        self.known = list(known)
        self._ids = {word: number for number, word in enumerate(self.known, start=SPECIAL)}

    @property
    def size(self) -> int:
        """Ids, the special ones included."""
        return SPECIAL + len(self.known)

    def id(self, word: str | None) -> int:
        """The id of a word; UNK for None and any other word."""
        return UNK if word is None else self._ids.get(word, UNK)

    def knows(self, word: str) -> bool:
        """Whether a word has an id of its own."""
        return word in self._ids

    def word(self, number: int) -> str:
        """The word of an id, or what a special id stands for, in pointed brackets."""
        return ("<pad>", "<unk>", "<entry>", "<column>")[number] if number < SPECIAL else self.known[number - SPECIAL]


def learnt_vocabulary(data: TableQuestions, least: int = LEAST) -> TableVocabulary:
    """The words that stand often enough in questions and, once for each question, in the names of its columns.

    Numbers and dates are no words. The most frequent word comes first, and of equals the first in the alphabet.
    """
    counts: Counter[str] = Counter()
    for question in data.questions:
        for text in (question.text, *data.tables[question.table].header):
            counts.update(word for word in words(text) if isinstance(word, str))
    often = [word for word, count in counts.items() if count >= least]
    return TableVocabulary(sorted(often, key=lambda word: (-counts[word], word)))


_ARRAYS: dict[str, type] = {
    "words_BL": np.int64,
    "word_mask_BL": bool,
    "arguments_BA": np.float64,
    "argument_mask_BA": bool,
    "argument_places_BA": np.int64,
    "row_mask_BR": bool,
    "column_mask_BC": bool,
    "numeric_BC": bool,
    "names_BC": np.int64,
    "name_match_BC": bool,
    "entry_match_BCR": bool,
    "most_frequent_BCR": bool,
    "compared_BCR": np.float64,
    "compared_mask_BCR": bool,
    "order_BCR": np.int64,
    "scalar_B": np.float64,
    "has_scalar_B": bool,
    "answer_BCR": np.int64,
    "has_lookup_B": bool,
    "index_B": np.int64,
}
"""What a batch is made of; all of it is 0, PAD or False before it is filled."""


class _Table(NamedTuple):
    """A table's arrays without padding."""

    numeric_C: NDArray[np.bool_]
    names_C: NDArray[np.int64]
    most_frequent_CR: NDArray[np.bool_]
    compared_CR: NDArray[np.float64]
    compared_mask_CR: NDArray[np.bool_]
    order_CR: NDArray[np.int64]


class QuestionSet:
    """The questions of a split, to be asked for in batches: `batch(numbers)`.

    Args:
      data: the split.
      prepared: what `augrnn.tables.preparing.prepare` made of it.
      vocabulary: gives the ids.

    Attributes:
      fitting: the numbers of the questions on tables within the limits, which alone can be in a batch.
      trainable: those of them whose answer is a number or stands in the table.
    """

    def __init__(self, data: TableQuestions, prepared: Prepared, vocabulary: TableVocabulary) -> None:
        self.data, self.vocabulary = data, vocabulary
        self._questions = prepared.questions
        self._tables = {name: self._arrays(table) for name, table in prepared.tables.items()}
        self.fitting = [number for number, each in enumerate(self._questions) if each is not None]
        self.trainable = [number for number in self.fitting if self[number].scalar is not None or self[number].answer]

    def __len__(self) -> int:
        return len(self._questions)

    def __getitem__(self, number: int) -> PreparedQuestion:
        question = self._questions[number]
        if question is None:
            raise ValueError(f"question {number} is on a table beyond the limits")
        return question

    def _arrays(self, table: PreparedTable) -> _Table:
        shape = len(table.numeric), table.rows
        frequent = np.zeros(shape[0] * shape[1], bool)
        frequent[np.array(table.most_frequent, np.int64)] = True
        seen = np.array([np.nan if each is None else each for each in table.compared]).reshape(shape)
        mask = ~np.isnan(seen)
        names = np.array([self.vocabulary.id(name) for name in table.names])
        order = np.argsort(np.where(mask, -seen, np.inf), axis=-1, kind="stable")
        return _Table(np.array(table.numeric), names, frequent.reshape(shape), np.where(mask, seen, 0), mask, order)

    def batch(self, numbers: Sequence[int]) -> TableBatch:
        """The questions of these numbers, padded to the largest of them.

        Raises:
          ValueError: one of them is on a table beyond the limits.
        """
        questions = [self[number] for number in numbers]
        tables = [self._tables[self.data.questions[number].table] for number in numbers]
        asked = [self._ids(question) for question in questions]
        columns, rows = np.max([table.compared_CR.shape for table in tables], axis=0)
        sizes = {"B": len(questions), "L": max(map(len, asked)), "A": ARGUMENTS, "C": columns, "R": rows}
        made: dict[str, NDArray[Any]] = {
            name: np.zeros([sizes[letter] for letter in name.rpartition("_")[2]], kind)
            for name, kind in _ARRAYS.items()
        }
        made["order_BCR"][:] = np.arange(rows)
        made["index_B"][:] = numbers
        for b, (question, table, ids) in enumerate(zip(questions, tables, asked, strict=True)):
            c, r = table.compared_CR.shape
            start = sizes["L"] - len(ids)
            a = len(question.arguments)
            made["words_BL"][b, start:], made["word_mask_BL"][b, start:] = ids, True
            made["arguments_BA"][b, :a], made["argument_mask_BA"][b, :a] = question.arguments, True
            made["argument_places_BA"][b, :a] = [start + place for place in question.places]
            made["row_mask_BR"][b, :r], made["column_mask_BC"][b, :c] = True, True
            made["numeric_BC"][b, :c], made["names_BC"][b, :c] = table.numeric_C, table.names_C
            made["name_match_BC"][b, question.names] = True
            for name, array_CR in (
                ("most_frequent_BCR", table.most_frequent_CR),
                ("compared_BCR", table.compared_CR),
                ("compared_mask_BCR", table.compared_mask_CR),
                ("order_BCR", table.order_CR),
            ):
                made[name][b, :c, :r] = array_CR
            cells = np.array(question.entries, np.int64)
            made["entry_match_BCR"][b, cells // r, cells % r] = True
            for cell, item in question.answer:
                made["answer_BCR"][b, cell // r, cell % r] = item
            made["has_lookup_B"][b] = bool(question.answer)
            if question.scalar is not None:
                made["scalar_B"][b], made["has_scalar_B"][b] = question.scalar, True
        return TableBatch(**{name: torch.from_numpy(array) for name, array in made.items()})

    def _ids(self, question: PreparedQuestion) -> list[int]:
        ids = [self.vocabulary.id(word) for word in question.words]
        return ids + [ENTRY_MATCH] * bool(question.entries) + [COLUMN_MATCH] * bool(question.names)
