"""Questions about tables as a task, and what is measured on them."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from augrnn.errors import UserError
from augrnn.measures.measure import measured
from augrnn.systems.transducer import Transducer
from augrnn.tables.batch import PAD, SPECIAL, UNK
from augrnn.tasks.wiki_table_questions import WikiTableQuestions
from tests.inference.test_ask import RESET, Forced

ROWS = [["1996", "Atlanta", "9"], ["2000", "Sydney", "3"], ["2004", "Athens", "7"], ["2008", "Sydney", "11"]]
QUESTIONS = [
    ("which city has 7 medals?", "t", "Athens"),
    ("how many cities have less than 8 medals?", "t", "2"),
    ("which city was twice the host?", "t", "Sydney"),
    ("who was it?", "t", "nobody"),
    ("how many rows are there?", "long", "101"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tables = [
        {"id": "t", "header": ["Year", "City", "Medals"], "rows": ROWS},
        {"id": "long", "header": ["n"], "rows": [[str(n)] for n in range(101)]},
    ]
    (tmp_path / "tables.jsonl").write_text("\n".join(map(json.dumps, tables)))
    for split, questions in (("learn", QUESTIONS * 4), ("held", QUESTIONS)):
        lines = ["\t".join((f"{split}-{n}", *each)) for n, each in enumerate(questions)]
        (tmp_path / f"{split}.tsv").write_text("\n".join(["id\tutterance\tcontext\ttargetValue", *lines]) + "\n")
    return tmp_path


def made(folder: Path, **options: Any) -> WikiTableQuestions:
    splits: dict[str, Any] = {"train_split": "learn", "validation_split": "held", "test_splits": ("held",)}
    return WikiTableQuestions(directory=folder, cache=folder / "cache", **{"batch_size": 4, **splits, **options})


def test_training_has_the_questions_that_can_be_answered(folder: Path) -> None:
    task = made(folder, word_dropout=0.0)
    drawn = [int(number) for batch in map(task.draw, range(task.epoch_length())) for number in batch.index_B]
    assert sorted(drawn) == [number for number in range(20) if number % 5 < 3]
    assert task.questions("learn").data.questions[0].text == QUESTIONS[0][0]


def test_a_batch_depends_on_seed_and_number_alone(folder: Path) -> None:
    first, again, other = made(folder), made(folder), made(folder, seed=1)
    for number in (4, 0, 7):
        assert all(torch.equal(*pair) for pair in zip(first.draw(number), again.draw(number), strict=True))
    orders = [[task.draw(number).index_B.tolist() for number in range(6)] for task in (first, other)]
    assert orders[0] != orders[1]
    assert orders[0][:3] != orders[0][3:]


def test_unknown_words_are_drawn_in_training_alone(folder: Path) -> None:
    tasks = [made(folder, word_dropout=share) for share in (0.0, 0.5)]
    for task in tasks:
        task.load_state_dict({"words": ["which", "city", "how", "many", "medals", "than"]})
    whole, dropped = (sum(int((task.draw(number).words_BL >= SPECIAL).sum()) for number in range(30)) for task in tasks)
    assert 0.4 < dropped / whole < 0.6
    batch = tasks[1].draw(0)
    assert ((batch.words_BL == PAD) == ~batch.word_mask_BL).all()
    assert (batch.words_BL == UNK).any()


@pytest.mark.parametrize(
    ("program", "right"),
    [
        ([RESET, ("less or equal", 2), ("max", 2), ("print", 1)], {0}),
        ([("less", 2), RESET, ("less", 2), ("count", 0)], {1}),
        ([("most frequent", 1), RESET, ("most frequent", 1), ("print", 1)], {2}),
        ([RESET, RESET, RESET, RESET], set()),
        ([RESET, RESET, RESET, ("print", 1)], set()),
    ],
)
def test_answers_are_judged_by_the_data_sets_rules(
    folder: Path, program: list[tuple[str, int]], right: set[int]
) -> None:
    task = made(folder)
    system = Transducer(Forced(*program)).eval()
    numbers = measured(system, task).numbers
    assert numbers["right"]["held"] == pytest.approx(len(right) / 5)
    assert numbers["fitting"]["held"] == pytest.approx(0.8)
    assert numbers["operations"]["held"] == {program[-1][0]: 1.0}
    found = torch.cat([batch.right(system(batch).y_TBO) for batch in task.validation_set()])
    assert {number for number, each in enumerate(found.tolist()) if each} == right


def test_a_checkpoint_has_the_words(folder: Path) -> None:
    task, other = made(folder), made(folder)
    other.load_state_dict({"words": ["year"]})
    assert other.words.known == ["year"]
    assert other.state_dict() == {"words": ["year"]}
    task.words  # noqa: B018 (learns them)
    with pytest.raises(UserError, match="the checkpoint was trained on another vocabulary"):
        task.load_state_dict({"words": ["year", "city"]})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"batch_size": 0}, "batch_size of at least 1, not 0"),
        ({"vocabulary": 4}, "vocabulary of at least 1, not 0"),
        ({"word_dropout": 1.0}, "word_dropout must be at least 0 and less than 1, not 1.0"),
        ({"batch_size": 13}, "'learn' has 12 questions to train on, fewer than a batch_size of 13"),
        ({"train_split": "nope"}, "nope"),
    ],
)
def test_bad_settings_are_refused(folder: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        made(folder, **options).draw(0)


def test_the_first_split_is_whole(data_root: Path) -> None:
    task = WikiTableQuestions(directory=data_root / "wikitablequestions")
    assert task.epoch_length() == 10_272 // 20
    assert sum(batch.size for batch in task.validation_set()) == 2_831 - 68
    assert task.words.size == 2_072
