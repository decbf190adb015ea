"""Questions about tables as a task, and what is measured on them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from augrnn.cli import main
from augrnn.errors import UserError
from augrnn.measures.measure import measured
from augrnn.systems.transducer import Transducer
from augrnn.tables.batch import PAD, SPECIAL, UNK
from augrnn.tables.perturbations import PERTURBATIONS
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


def test_what_only_holds_in_the_tables_order_is_told(folder: Path) -> None:
    numbers = measured(Transducer(Forced(RESET, RESET, ("last", 0), ("print", 1))).eval(), made(folder)).numbers
    assert numbers["right"]["held"] == pytest.approx(0.2)  # Sydney is in the last row too
    order = list(range(4))
    random.Random("t").shuffle(order)
    assert numbers["order_alone"]["held"] == (order[-1] not in (1, 3))
    assert numbers["perturbed"]["held"] == {
        **dict.fromkeys(PERTURBATIONS, pytest.approx(0.2)),
        "shuffled rows": pytest.approx(
            sum(ROWS[order[-1]][1] == answer for _, name, answer in QUESTIONS if name == "t") / 5
        ),
    }
    assert numbers["kinds"]["held"] == {"look-up": 2, "number not in the table": 1, "neither": 1}


def test_programs_that_do_not_look_at_the_question(folder: Path) -> None:
    numbers = measured(Transducer(Forced(RESET, RESET, RESET, RESET)).eval(), made(folder)).numbers
    fixed = numbers["fixed"]["held"]
    assert fixed["count"] == pytest.approx(0.2)  # 101 rows
    assert fixed["last row"] == pytest.approx(0.2)  # Sydney
    assert fixed["first row"] == fixed["column"] == 0
    assert fixed["answer"] == pytest.approx(0.2)


def test_a_checkpoint_has_the_words(folder: Path) -> None:
    task, other = made(folder), made(folder)
    other.load_state_dict({"words": ["year"]})
    assert other.words.known == ["year"]
    assert other.state_dict() == {"words": ["year"]}
    task.words  # noqa: B018 (learns them)
    with pytest.raises(UserError, match="the checkpoint was trained on another vocabulary"):
        task.load_state_dict({"words": ["year", "city"]})


@pytest.mark.parametrize(("size", "judged"), [(2500, "fits"), (9, "too small")])
def test_the_command_data_shows_the_questions(
    folder: Path, size: int, judged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, task = folder / "questions.yaml", made(folder)
    cell = {"class_path": "augrnn.programs.NeuralProgrammer", "init_args": {"vocabulary_size": size}}
    splits = {"train_split": "learn", "validation_split": "held", "test_splits": ["held", "unseen"]}
    options = {"directory": str(folder), "cache": str(folder / "cache"), "batch_size": 4, **splits}
    data = {"class_path": "augrnn.tasks.WikiTableQuestions", "init_args": options}
    path.write_text(json.dumps({"model": {"init_args": {"cell": cell}}, "data": data}))
    assert main(["data", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    words = [word for text, name, _ in QUESTIONS * 4 if name == "t" for word in text.replace("?", "").split()]
    unknown = sum(not (word.isdigit() or task.words.knows(word)) for word in words)
    share = unknown / sum(not word.isdigit() for word in words)
    assert lines[0] == (
        f"learn: 20 questions on 2 tables, 16 of them on tables within the limits; {share:.2%} of words unknown; the "
        "longest question has 7 words"
    )
    found = "look-up 50.0%, number in the table 0.0%, number not in the table 25.0%, neither 25.0%"
    assert lines[1] == f"  answers: {found}"
    assert lines[2].startswith("held: 5 questions on 2 tables, 4 of them on tables within the limits; ")
    assert lines[4] == "test splits, not read here: unseen"
    assert f"the training split has {task.words.size:,} that are known, four of them special" in lines[5]
    assert lines[5].endswith(f"the model of this config has {size:,}: {judged}")
    assert lines[6:] == ["example: which city has 7 medals?", "  of t: Year, City, Medals", "  answer: Athens"]


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
