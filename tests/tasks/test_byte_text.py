"""The tasks on text: what follows what, where sequences start, and what a byte costs, counted one by one."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from augrnn.errors import UserError
from augrnn.tasks.byte_task import ByteBatch, ByteTask
from augrnn.tasks.byte_text import ByteText
from augrnn.tasks.made_up_pages import MadeUpPages
from augrnn.text.made_up_pages import pages_bytes

TEXT = bytes(range(256)) * 8


@pytest.fixture
def make(tmp_path: Path) -> Any:
    (tmp_path / "text.txt").write_bytes(TEXT)

    def task(**options: Any) -> ByteText:
        return ByteText(**({"sequence": 10, "path": tmp_path, "batch_size": 4, "held_out": 0.1} | options))

    return task


def test_the_input_has_a_one_at_each_byte_and_the_target_is_the_byte_after_it(make: Any) -> None:
    task = make()
    for number in range(20):
        batch = task.draw(number)
        assert batch.inputs.shape == (10, 4, 256)
        for b in range(4):
            sequence = bytes(batch.bytes_LB[:, b].tolist())
            assert sequence in task.read("train")
            for t in range(10):
                assert batch.inputs[t, b].nonzero().tolist() == [[sequence[t]]]
                assert batch.inputs[t, b].sum() == 1
                assert batch.targets[t, b] == sequence[t + 1]
        assert batch.lengths.tolist() == batch.scored_outputs.tolist() == [10] * 4
        assert batch.size == 4


def test_sequences_start_at_every_place_of_the_training_text(make: Any) -> None:
    task = make(batch_size=1000, held_out=0.4)  # leaves 410 bytes to train on: 400 places
    starts = {bytes(task.draw(number).bytes_LB[:, b].tolist()) for number in range(10) for b in range(1000)}
    text = task.read("train")
    places = {text[start : start + 11] for start in range(len(text) - 10)}
    assert starts == places


def test_costs_are_those_of_each_byte_alone() -> None:
    torch.manual_seed(0)
    batch = ByteBatch(torch.randint(0, 256, (6, 3), dtype=torch.uint8))
    logits = torch.randn(2, 5, 3, 256, dtype=torch.float64)
    costs = batch.step_costs(logits)
    for n in range(2):
        for t in range(5):
            for b in range(3):
                given = logits[n, t, b].exp()
                expected = -math.log(given[int(batch.bytes_LB[t + 1, b])] / given.sum())
                assert costs[n, t, b].item() == pytest.approx(expected)
    bits = costs.sum(1) / math.log(2)
    assert torch.allclose(batch.cost_bits(logits), bits)
    assert torch.allclose(batch.scores(logits[0])["bits_per_character"], bits[0] / 5)


def test_a_batch_is_a_function_of_seed_and_number(make: Any) -> None:
    for task in (make, lambda **options: MadeUpPages(20, 5000, 1000, **options)):
        assert torch.equal(task(seed=1).draw(7).bytes_LB, task(seed=1).draw(7).bytes_LB)
        for other in (task(seed=2).draw(7), task(seed=1).draw(8)):
            assert not torch.equal(task(seed=1).draw(7).bytes_LB, other.bytes_LB)
        one, two = (torch.cat([batch.bytes_LB for batch in task(seed=seed).validation_set()], 1) for seed in (0, 1))
        assert torch.equal(one, two)


@pytest.mark.parametrize("wanted", [1, 2, 7, 19, 20, 1000])
def test_evaluation_sequences_do_not_overlap_and_span_their_split(make: Any, wanted: int) -> None:
    task = make(test_sequences=wanted)
    text = task.read("test")  # 204 bytes: at most 20 sequences, and one more byte to predict
    starts = task.starts("test").tolist()
    assert len(starts) == min(wanted, 20)
    assert starts[0] == 0
    assert all(after - before >= 10 for before, after in pairwise(starts))
    if len(starts) > 1:
        assert starts[-1] == len(text) - 11
    task.evaluation_batch_size = 3
    batches = list(task.test_sets()["test"])
    assert [batch.size for batch in batches] == [3] * (len(starts) // 3) + [len(starts) % 3] * bool(len(starts) % 3)
    found = torch.cat([batch.bytes_LB for batch in batches], 1)
    assert [bytes(sequence) for sequence in found.t().tolist()] == [text[start : start + 11] for start in starts]


def test_made_up_pages_have_other_pages_in_each_split() -> None:
    task = MadeUpPages(50, 4000, 2000)
    assert [len(task.read(split)) for split in ("train", "validation", "test")] == [4000, 2000, 2000]
    assert task.read("test") == pages_bytes(2000, 0, 2)
    ids = [set(MadeUpPages(50, 9000, 9000).read(split).split(b"<sha1>")[1:]) for split in ("train", "test")]
    assert not ids[0] & ids[1]
    with pytest.raises(UserError, match="no split of the made-up pages called dev; there are: train, validation, test"):
        task.read("dev")


def test_test_data_are_not_read_before_they_are_asked_for(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task, read = make(), []
    original = ByteText.read
    monkeypatch.setattr(ByteText, "read", lambda self, split: read.append(split) or original(self, split))
    task.setup("fit")
    task.draw(0)
    list(task.validation_set())
    assert task.test_names == ["test"]
    assert read == ["train", "validation"]
    task.test_sets()
    assert read == ["train", "validation", "test"]


def test_what_is_too_short_or_missing_is_refused_before_training(make: Any) -> None:
    for options, told in (
        ({"sequence": 204}, "'validation' of the text has 204 bytes, fewer than the 205 of a sequence of 204 and the"),
        ({"sequence": 5000}, "'train' of the text has 1640 bytes, fewer than the 5001"),
        ({"validation_split": "dev"}, "no split 'dev'"),
        ({"path": Path("no/such/folder")}, "no text no/such/folder; give a file, or a folder"),
    ):
        with pytest.raises(UserError, match=told):
            make(**options).setup("fit")
    make(sequence=203).setup("fit")


@pytest.mark.parametrize("size", ["sequence", "batch_size", "epoch_batches", "validation_sequences", "test_sequences"])
@pytest.mark.parametrize("task", [ByteText, MadeUpPages])
def test_sizes_below_one_are_refused(task: type[ByteTask], size: str) -> None:
    with pytest.raises(UserError, match=f"{task.__name__} needs {size} of at least 1, not 0"):
        task(**{size: 0})  # type: ignore[arg-type]


def test_there_are_no_lines_to_predict() -> None:
    with pytest.raises(UserError, match="no lines to predict"):
        MadeUpPages().codec  # noqa: B018
