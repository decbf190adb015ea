"""The tasks of captioning: what is in a batch, what is read when, and what is scored against what."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils import _pytree as pytree

from augrnn.encoders.grid import GridSource, PixelSource
from augrnn.errors import UserError
from augrnn.metrics.captions import CaptionMetrics
from augrnn.tasks.captioning import Captioning
from augrnn.tasks.picture_task import SCORES, PictureTask
from augrnn.tasks.scenes import Scenes
from augrnn.text.token_batches import EOS, UNK, PairBatch
from augrnn.vision.pictures import decode
from tests.tasks.pictures import backbone, folder, jpeg

VOCABULARY = 4 + 16
"""The special ones and all words of the training captions, numbers too."""


@pytest.fixture
def make(tmp_path: Path) -> Any:
    def captioning(**options: Any) -> Captioning:
        if "directory" not in options and not (tmp_path / "data").exists():
            folder(tmp_path / "data")
        defaults = {"directory": tmp_path / "data", "cache": tmp_path / "cache", "batch_size": 4, "pool": 2}
        return Captioning(backbone(), **({"vocabulary": VOCABULARY} | defaults | options))

    return captioning


@pytest.fixture
def scenes(tmp_path: Path) -> Scenes:
    counts = {"scenes": 12, "validation_scenes": 5, "test_scenes": 6}
    return Scenes(backbone(), side=32, batch_size=4, cache=tmp_path / "cache", **counts)


def same(one: PairBatch, other: PairBatch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(pytree.tree_leaves(one), pytree.tree_leaves(other), strict=True))


def words_of(task: PictureTask, batch: PairBatch) -> list[list[str]]:
    return [task.codec.vocabulary.words(ids) for ids in batch.target_BM.tolist()]


def test_a_batch_has_images_with_captions_of_theirs(make: Any) -> None:
    task = make()
    train = task.described("train")
    seen = set()
    assert task.epoch_length() == 5  # of 8 images with 20 captions
    for number in range(task.epoch_length()):
        batch = task.draw(number)
        assert batch.size == 4
        assert isinstance(batch.source, GridSource)
        for row, (image, words) in enumerate(zip(batch.index_B.tolist(), words_of(task, batch), strict=True)):
            assert words in train.captions[image]
            ids = batch.target_BM[row][batch.target_mask_BM[row]].tolist()
            assert ids[-1] == EOS
            assert UNK not in ids
            pixels = task.backbone.pixels(decode(train.pictures[image]))
            grid_LD = task.backbone(pixels[None])[0]
            torch.testing.assert_close(batch.source.values_BLD[row].float(), grid_LD, rtol=2e-3, atol=1e-3)
            seen.add((image, tuple(words)))
    assert len(seen) == 20


def test_batches_are_a_function_of_seed_and_number(make: Any) -> None:
    task, again, other = make(), make(), make(seed=1)
    numbers = [5, 0, 17, 5, 3]
    assert all(same(task.draw(number), again.draw(number)) for number in numbers)
    assert not all(same(task.draw(number), other.draw(number)) for number in numbers)


def test_an_evaluation_set_has_each_image_once_with_its_captions_in_turn(make: Any) -> None:
    task = make()
    batches = list(task.test_sets()["test"])
    numbers = [number for batch in batches for number in batch.index_B.tolist()]
    assert sorted(numbers) == [0, 1]
    captions = task.described("test").captions
    for batch in batches:
        for number, words in zip(batch.index_B.tolist(), words_of(task, batch), strict=True):
            spoken = [word if word in KNOWN else "<unk>" for word in captions[number][number % len(captions[number])]]
            assert words == spoken
    assert [same(*pair) for pair in zip(batches, task.test_sets()["test"], strict=True)] == [True] * len(batches)


KNOWN = {"a", "red", "green", "blue", "grey", "sheet", "the", "whole", "picture", "is", ".", "number"}


def test_scores_are_against_all_captions_of_the_image(make: Any) -> None:
    task = make()
    captions = task.described("val").captions
    words = [captions[1][2], captions[0][0]]
    ids = task.codec.vocabulary.encode(words)
    found = task.score([[*each, 7] for each in ids], [1, 0], "val")
    spoken = [task.codec.vocabulary.words(each) for each in ids]
    table = CaptionMetrics(captions, "").scores(spoken, [1, 0]).table()
    assert found == {name: table[name] for name in SCORES}
    assert found == task.score(ids[::-1], [0, 1], "val")
    assert task.score(ids[1:], [0], "val")["rouge_l"] == 1
    signature = task.metrics("val").signatures()["cider_d"]
    assert "nrefs:2-3|case:lower|punctuation:kept|tok:spaces" in signature


def test_text_is_treated_as_asked_and_says_so(make: Any) -> None:
    task = make(lowercase=False, punctuation=False, cut="moses", vocabulary=19)
    assert task.described("train").captions[0][0] == ["A", "red", "sheet"]
    assert task.codec.words.treatment == "case:kept|punctuation:dropped|tok:moses-en"
    assert task.codec.spelled(task.codec.vocabulary.encode([["A", "red", "sheet"]])[0]) == "A red sheet"


def test_no_test_split_is_read_before_its_time(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task, read = make(), []
    whole = task.corpus.read
    monkeypatch.setattr(type(task.corpus), "read", lambda _, split: (read.append(split), whole(split))[1])
    task.setup("fit")
    list(task.validation_set())
    assert task.test_names == ["test"]
    assert sorted(set(read)) == ["train", "val"]
    task.test_sets()
    assert read[-1] == "test"


def test_a_checkpoint_needs_no_corpus(make: Any, tmp_path: Path) -> None:
    task = make()
    state = task.state_dict()
    bare = make(directory=tmp_path / "nowhere")
    bare.load_state_dict(state)
    assert bare.codec.vocabulary.words([5, 6]) == task.codec.vocabulary.words([5, 6])
    assert bare.codec.words.treatment == task.codec.words.treatment
    ((numbers, batch),) = bare.codec.batches(["", str(tmp_path / "data" / "3.jpg"), " "])
    assert numbers == batch.index_B.tolist() == [1]
    assert torch.equal(batch.source.values_BLD, task.source("train", [3]).values_BLD)
    with pytest.raises(UserError, match=r"none\.jpg: No such file"):
        list(bare.codec.batches(["none.jpg"]))
    with pytest.raises(UserError, match="no data directory"):
        bare.draw(0)
    with pytest.raises(UserError, match="another vocabulary"):
        make(vocabulary=10).load_state_dict(state) or task.load_state_dict(make(vocabulary=10).state_dict())


def test_another_backbone_is_refused(make: Any, tmp_path: Path) -> None:
    state = make().state_dict()
    other = Captioning(backbone(size=48), directory=tmp_path)
    with pytest.raises(UserError, match="grids of another squeezenet1_1"):
        other.load_state_dict(state)


def test_a_tuned_encoder_gets_pixels(make: Any) -> None:
    task = make(tuned=True)
    batch = task.draw(0)
    assert isinstance(batch.source, PixelSource)
    assert batch.source.pixels_BCSS.shape == (4, 3, 32, 32)
    picture = task.described("train").pictures[int(batch.index_B[2])]
    assert torch.equal(batch.source.pixels_BCSS[2], task.backbone.pixels(decode(picture)))
    assert not list(task.cache.glob("grids-*"))
    assert task.state_dict().keys() == {"words", "vocabulary"}


# Odd input -----------------------------------------------------------------------------------------------------------


def spoiled(path: Path, captions: list[str] | None = None) -> Path:
    """A data set with one image more, with these captions."""
    folder(path)
    (path / "odd.jpg").write_bytes(jpeg((1, 2, 3)))
    with (path / "captions.csv").open("a") as file:
        file.writelines(f"odd.jpg,{caption},train\n" for caption in captions or ["A red sheet ."])
    return path


def test_blank_captions_and_images_without_any_are_left_out_and_told(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = make(directory=spoiled(tmp_path / "odd", [" ", "\u200b", "a"]))
    assert task.described("train").captions[-1] == [["a"]]
    assert capsys.readouterr().err == "augrnn: of 'train' 2 blank captions are left out\n"
    task = make(directory=spoiled(tmp_path / "bare", [".", "..."]), punctuation=False)
    assert len(task.described("train").captions) == len(task.described("train").pictures) == 8
    assert (
        capsys.readouterr().err == "augrnn: of 'train' 2 blank captions and 1 images without a caption are left out\n"
    )


@pytest.mark.parametrize("tuned", [False, True])
def test_an_image_that_cannot_be_read_is_refused_or_left_out(
    tuned: bool, make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoiled(tmp_path / "odd")
    (tmp_path / "odd" / "odd.jpg").write_text("this is a text")
    with pytest.raises(UserError, match=r"odd\.jpg cannot be read as an image"):
        [make(directory=tmp_path / "odd", tuned=tuned).draw(number) for number in range(5)]
    task = make(directory=tmp_path / "odd", tuned=tuned, skip_undecodable=True)
    assert {number for batch in range(5) for number in task.draw(batch).index_B.tolist()} == set(range(8))
    assert "1 of 9 pictures cannot be read and are left out" in capsys.readouterr().err


def test_a_tuned_encoders_images_are_looked_through_before_training(make: Any, tmp_path: Path) -> None:
    spoiled(tmp_path / "odd")
    (tmp_path / "odd" / "odd.jpg").write_text("this is a text")
    with pytest.raises(UserError, match=r"odd\.jpg cannot be read as an image"):
        make(directory=tmp_path / "odd", tuned=True).setup("fit")
    for number in (8, 9):  # all to validate on
        (tmp_path / "odd" / f"{number}.jpg").write_text("this is a text")
    with pytest.raises(UserError, match="none of 2 pictures can be read"):
        make(directory=tmp_path / "odd", tuned=True, skip_undecodable=True).setup("fit")


def test_captions_are_read_before_images_are_seen(make: Any, tmp_path: Path) -> None:
    for options in ({"validation_split": "nowhere"}, {"vocabulary": 5000}):
        with pytest.raises(UserError, match=r"no split 'nowhere'|5000 words is impossible"):
            make(**options).setup("fit")
    assert not list((tmp_path / "cache").glob("grids-*"))


def test_what_makes_no_sense_is_refused(make: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="vocabulary of 5000 words is impossible"):
        make(vocabulary=5000).draw(0)
    with pytest.raises(UserError, match="batch_size of at least 1"):
        make(batch_size=0)
    with pytest.raises(UserError, match="at spaces or by moses"):
        make(cut="commas")
    (tmp_path / "data" / "captions.csv").write_text("image,caption\n0.jpg, \n")
    with pytest.raises(UserError, match="no image of 'train' has a caption"):
        make().draw(0)


# Scenes --------------------------------------------------------------------------------------------------------------


def test_scenes_are_captioned_and_their_boxes_known(scenes: Scenes, tmp_path: Path) -> None:
    assert scenes.epoch_length() == 15
    batch = scenes.draw(3)
    assert batch.source.values_BLD.shape == (4, scenes.backbone.grid_size[0] ** 2, 128)
    for number, words in zip(batch.index_B.tolist(), words_of(scenes, batch), strict=True):
        assert tuple(words) in scenes.scenes("train")[number].captions
    assert scenes.target_vocabulary == scenes.codec.vocabulary.size
    assert [len(scenes.scenes(split)) for split in ("train", "val", "test")] == [12, 5, 6]
    assert not set(scenes.scenes("train")) & set(scenes.scenes("val"))
    assert UNK not in {token for batch in scenes.validation_set() for token in batch.target_BM.flatten().tolist()}
    again = Scenes(backbone(), side=32, scenes=12, batch_size=4, cache=tmp_path / "cache")
    assert same(again.draw(3), batch)
    other = Scenes(backbone(), side=32, scenes=12, batch_size=4, scenes_seed=1, cache=tmp_path / "cache")
    assert other.scenes("train")[0] != scenes.scenes("train")[0]


def test_scenes_score_their_own_captions_perfectly(scenes: Scenes) -> None:
    first = [scene.captions[0] for scene in scenes.scenes("test")]
    found = scenes.score(scenes.codec.vocabulary.encode(first), range(6), "test")
    assert found["bleu4"] == pytest.approx(100)
    assert found["rouge_l"] == 1
    people = scenes.metrics("test")
    assert "df:references of these 6 images" in people.signatures()["cider_d"]
    with pytest.raises(UserError, match="no split of scenes called tset"):
        scenes.described("tset")


@pytest.mark.data
def test_flickr8k_has_as_many_common_words_as_the_default_says(data_root: Path, tmp_path: Path) -> None:
    if not (data_root / "flickr8k").is_dir():
        pytest.skip("no flickr8k among the data")
    task = Captioning(backbone(), directory=data_root / "flickr8k", cache=tmp_path, tuned=True)
    counts: dict[str, int] = {}
    for captions in task.described("train").captions:
        for words in captions:
            for word in words:
                counts[word] = counts.get(word, 0) + 1
    assert sum(count >= 5 for count in counts.values()) + 4 == task.vocabulary
    assert task.codec.vocabulary.words(range(4, 8)) == sorted(counts, key=counts.__getitem__)[:-5:-1]
    assert task.epoch_length() == sum(map(len, task.described("train").captions)) // 64
