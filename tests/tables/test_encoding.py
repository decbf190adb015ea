"""Batches hold what was prepared, cell by cell, whatever else is in them."""

import random
from pathlib import Path

import pytest
import torch

from augrnn.tables.batch import COLUMN_MATCH, ENTRY_MATCH, PAD, SPECIAL, UNK, TableBatch
from augrnn.tables.corpus import Question, TableCorpus, TableQuestions
from augrnn.tables.encoding import QuestionSet, TableVocabulary, learnt_vocabulary
from augrnn.tables.preparing import Limits, prepare
from augrnn.tables.table import made_table

TABLES = {
    "wide": made_table("wide", ("Team", "Goals", "Date"), [(1, ("York", "3", "July 6, 2010")), (2, ("Hull", "5", ""))]),
    "long": made_table("long", ("",), enumerate([("b",), ("7 m",), ("9 m",), ("9 m",)], start=1)),
    "large": made_table("large", ("x",), enumerate([("1",)] * 5, start=1)),
}
QUESTIONS = [
    Question("0", "how many goals by york after 2009", "wide", ("3",), ("3.0",)),
    Question("1", "more than 7", "long", ("9 m", "b"), ("9.0", "b")),
    Question("2", "x", "large", ("1",), ("1.0",)),
    Question("3", "who", "wide", ("Paris",), ("Paris",)),
]
DATA = TableQuestions(QUESTIONS, TABLES)
KNOWN = ["how", "many", "by", "after", "more", "than", "team", "goals"]
VOCABULARY = TableVocabulary(KNOWN)
ID = {word: number for number, word in enumerate(KNOWN, start=SPECIAL)}


def questions() -> QuestionSet:
    return QuestionSet(DATA, prepare(DATA, Limits(rows=4)), VOCABULARY)


def test_a_batch_spelled_out() -> None:
    batch = questions().batch([0, 1])
    how, more = [ID["how"], ID["many"], ID["goals"], ID["by"], UNK, ID["after"]], [ID["more"], ID["than"]]
    assert batch.words_BL.tolist() == [[*how, ENTRY_MATCH, COLUMN_MATCH], [*[PAD] * 5, *more, ENTRY_MATCH]]
    assert batch.word_mask_BL.tolist() == [[True] * 8, [False] * 5 + [True] * 3]
    assert batch.arguments_BA.tolist() == [[2009, 0], [7, 0]]
    assert batch.argument_mask_BA.tolist() == [[True, False], [True, False]]
    assert batch.argument_places_BA.tolist() == [[5, 0], [6, 0]]
    assert batch.row_mask_BR.tolist() == [[True, True, False, False], [True] * 4]
    assert batch.column_mask_BC.tolist() == [[True] * 3, [True, False, False]]
    assert batch.numeric_BC.tolist() == [[False, True, False], [False] * 3]
    assert batch.names_BC.tolist() == [[ID["team"], ID["goals"], UNK], [UNK, PAD, PAD]]
    assert batch.name_match_BC.tolist() == [[False, True, False], [False] * 3]
    no, none = [False] * 4, [0] * 4
    assert batch.entry_match_BCR.tolist() == [
        [[True, False, False, False], no, no],
        [[False, True, False, False], no, no],
    ]
    assert batch.most_frequent_BCR.tolist() == [[no] * 3, [[False, False, True, True], no, no]]
    assert batch.compared_BCR.tolist() == [[none, [3, 5, 0, 0], [20100706, 0, 0, 0]], [[0, 7, 9, 9], none, none]]
    mask = [[no, [True, True, False, False], [True, False, False, False]], [[False, True, True, True], no, no]]
    assert batch.compared_mask_BCR.tolist() == mask
    same = [0, 1, 2, 3]
    assert batch.order_BCR.tolist() == [[same, [1, 0, 2, 3], same], [[2, 3, 1, 0], same, same]]
    assert (batch.scalar_B.tolist(), batch.has_scalar_B.tolist()) == ([3, 0], [True, False])
    assert batch.answer_BCR.tolist() == [[none, [1, 0, 0, 0], none], [[2, 0, 1, 1], none, none]]
    assert batch.has_lookup_B.tolist() == [True, True]
    assert (batch.index_B.tolist(), batch.size) == ([0, 1], 2)
    assert batch.cell_mask.sum((1, 2)).tolist() == [6, 4]
    assert batch.cell_mask[0, :, :2].all()


def test_what_may_be_in_a_batch() -> None:
    made = questions()
    assert (made.fitting, made.trainable, len(made)) == ([0, 1, 3], [0, 1], 4)
    with pytest.raises(ValueError, match="question 2 is on a table beyond the limits"):
        made.batch([2])
    batch = made.batch([3])
    assert (batch.has_scalar_B.item(), batch.has_lookup_B.item(), batch.answer_BCR.any().item()) == (
        False,
        False,
        False,
    )


def test_the_vocabulary() -> None:
    assert learnt_vocabulary(DATA, least=2).known == ["goals", "date", "team", "x"]
    everything = learnt_vocabulary(DATA, least=1)
    assert {"york", "than"} < set(everything.known)
    assert not {"7", "2009", 7.0} & set(everything.known)
    assert (VOCABULARY.size, VOCABULARY.id("team"), VOCABULARY.id("x"), VOCABULARY.id(None)) == (12, 10, UNK, UNK)
    assert [VOCABULARY.word(number) for number in (0, 1, 2, 3, 4)] == ["<pad>", "<unk>", "<entry>", "<column>", "how"]


@pytest.mark.data
def test_a_question_is_the_same_in_any_batch(data_root: Path) -> None:
    data = TableCorpus(data_root / "wikitablequestions").read("random-split-1-dev")
    made = QuestionSet(data, prepare(data), learnt_vocabulary(data))
    chosen = random.Random(0).sample(made.fitting, 60)
    together = made.batch(chosen)
    assert together.words_BL.shape[1] == max(made.batch([number]).words_BL.shape[1] for number in chosen)
    for place, number in enumerate(chosen):
        alone = made.batch([number])
        require_part(alone, together, place)
        require_order(alone)
        assert alone.words_BL.shape[1] - alone.word_mask_BL.sum() == 0
        assert (alone.words_BL[0, -2:] == torch.tensor([ENTRY_MATCH, COLUMN_MATCH])).any() or not made[number].names


def require_part(alone: TableBatch, together: TableBatch, place: int) -> None:
    """What a question is alone stands in the corner of the padded batch, and nothing else does."""
    start = together.words_BL.shape[1] - alone.words_BL.shape[1]
    for name, one, all_of in zip(TableBatch._fields, alone, together, strict=True):
        if name in ("words_BL", "word_mask_BL"):
            assert all_of[place, start:].equal(one[0])
            assert not all_of[place, :start].any()
        elif name == "argument_places_BA":
            assert all_of[place].equal((one[0] + start).where(alone.argument_mask_BA[0], 0))
        elif name == "order_BCR":
            columns, rows = one.shape[1:]
            padding = torch.arange(all_of.shape[2])
            assert all_of[place, :columns, :rows].equal(one[0])
            assert all_of[place, :columns, rows:].equal(padding[rows:].expand(columns, -1))
            assert all_of[place, columns:].equal(padding.expand(all_of.shape[1] - columns, -1))
        else:
            corner = tuple(slice(size) for size in one.shape[1:])
            assert all_of[place][corner].equal(one[0])
            assert all_of[place].count_nonzero() == one.count_nonzero()


def require_order(alone: TableBatch) -> None:
    """Each column's order is sorted by hand."""
    for column in range(alone.order_BCR.shape[1]):
        seen = alone.compared_BCR[0, column].tolist()
        there = alone.compared_mask_BCR[0, column].tolist()
        rows = sorted(range(len(seen)), key=lambda row: (not there[row], -seen[row], row))
        assert alone.order_BCR[0, column].tolist() == rows
