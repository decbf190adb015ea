"""The measures of captioning, on scenes and on models small enough to see through."""

from pathlib import Path

import numpy as np
import pytest
import torch

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Attention
from augrnn.attention.fixed_context import FixedContext
from augrnn.attention.hard import HardAttention
from augrnn.captions.scenes import Box, Link, Scene, Thing
from augrnn.decoders.captioning import CaptionDecoder
from augrnn.encoders.grid import GridEncoder, GridSource
from augrnn.measures.captions import measure as module
from augrnn.measures.captions.measure import (
    CaptionMeasure,
    ScenesMeasure,
    betas,
    given_maps,
    given_words,
    hits_bound,
    left,
    median_variation,
    own_maps,
    resampled,
    ways,
)
from augrnn.measures.captions.reading import Reading, forced_gap, readings, shuffled, written
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.captioning import Captioning
from augrnn.tasks.scenes import Scenes
from augrnn.vision.backbone import Backbone
from tests.tasks.pictures import backbone, folder

H = 8


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    cache = tmp_path_factory.mktemp("cache")
    backbone = Backbone(layer="features.6", size=32)  # a grid of 4 x 4
    return Scenes(backbone, side=32, scenes=8, validation_scenes=10, test_scenes=12, batch_size=4, cache=Path(cache))


def make(task: Scenes, kind: str = "soft") -> EncoderDecoder:
    torch.manual_seed(0)
    size = task.backbone.channels
    soft = AdditiveAttention(H, size, 6)
    soft.energy.weight.data *= 10
    attentions: dict[str, Attention] = {
        "soft": soft,
        "hard": HardAttention(soft),
        "mean": FixedContext(H, size, size),
    }
    decoder = CaptionDecoder(task.target_vocabulary, 6, H, size, attentions[kind])
    return EncoderDecoder(
        GridEncoder(size), decoder, length_factor=0, length_constant=12, beam_size=3, length_penalty=0.0
    ).eval()


@torch.no_grad()
@pytest.mark.parametrize("kind", ["soft", "hard", "mean"])
def test_numbers_and_exhibits_of_each_kind_of_model(task: Scenes, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAMS", (1, 2))
    monkeypatch.setattr(module, "RESAMPLES", 5)
    found = ScenesMeasure().measure(make(task, kind), task)
    numbers = found.numbers
    assert set(numbers["test/scores"]) == ({"expectation", "argmax", "sample"} if kind == "hard" else {"expectation"})
    assert set(numbers["test/scores"]["expectation"]) == {"1", "2", "3"}
    assert set(numbers["val/scores"]["expectation"]) == {"3"}
    assert len(numbers["test/bleu4_resampled"]) == len(numbers["test/cider_d_resampled"]) == 5
    assert numbers["test/human"]["bleu4"] > numbers["test/constant"]["bleu4"] > 0
    assert "test/unfounded" in numbers
    if kind == "mean":
        assert "test/pointing" not in numbers
        assert set(found.exhibits) == {"captions"}
    else:
        names = {"given", "known", "written", "untrained", "shuffled", "uniform", "centre"}
        assert set(numbers["test/pointing"]) == set(numbers["val/pointing"]) == names
        assert numbers["test/pointing"]["given"]["area"] == numbers["test/pointing"]["uniform"]["mass"]
        assert numbers["test/hits_by_shift"]["0"] == numbers["test/pointing"]["given"]["hit"]
        assert numbers["test/forced_gap"] < 1e-4
        assert numbers["test/variation"] >= 0
        assert set(numbers["test/beta"]) >= {"nouns", "function_words", "difference", "low", "high"}
        assert {"captions", "overlay-0"} <= set(found.exhibits)
    assert set(found.exhibits) <= set(ScenesMeasure().previews({}))


@torch.no_grad()
def test_photographs_have_no_boxes_and_their_nouns_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAMS", (1,))
    monkeypatch.setattr(module, "RESAMPLES", 5)
    photographs = Captioning(backbone(), vocabulary=20, directory=folder(tmp_path / "data"), cache=tmp_path / "cache")
    decoder = CaptionDecoder(20, 6, H, 128, AdditiveAttention(H, 128, 6))
    system = EncoderDecoder(GridEncoder(128), decoder, length_factor=0, length_constant=6).eval()
    found = CaptionMeasure().measure(system, photographs)
    assert set(found.numbers["test/scores"]["expectation"]) == {"1", "5"}
    assert found.numbers["val/forced_gap"] < 1e-4
    assert "test/pointing" not in found.numbers
    assert set(found.exhibits) == set(CaptionMeasure().previews({})) == {"captions"}


@torch.no_grad()
def test_maps_are_those_with_which_words_were_told(task: Scenes) -> None:
    """The map of the first word of a caption comes from the start, and there is one for each word and the end."""
    system = make(task)
    read = readings(system, task.evaluation("test"))
    assert sorted(read) == list(range(12))
    for number, each in read.items():
        words = given_words(task, "test", number)
        batch = task.batch("test", [number], task.codec.vocabulary.encode([words]))
        state = system.decoder.start(system.encoder(batch.source))
        _, first_L = system.decoder.attention(state.hidden_BH, state.attended)
        assert len(each.maps_TL) == len(each.beta_T) == len(words) + 1
        np.testing.assert_allclose(each.maps_TL[0], first_L[0].numpy(), atol=1e-6)


@torch.no_grad()
def test_forced_maps_of_another_caption_are_found_out(task: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    system, batch = make(task), next(iter(task.evaluation("test")))
    system.decoder.context_layer.weight.data *= 5
    assert forced_gap(system, batch, 2) < 1e-4
    real = module.written

    def wrong(*arguments: object) -> list:
        found = real_search(*arguments)
        return [[each[0]._replace(alignment=each[0].alignment.flip(1))] for each in found]

    from augrnn.measures.captions import reading

    real_search = reading.beam_search
    monkeypatch.setattr(reading, "beam_search", wrong)
    assert forced_gap(system, batch, 2) > 1e-2
    assert real is module.written


def test_the_image_of_another_example_is_shown(task: Scenes) -> None:
    batch = next(iter(task.evaluation("test")))
    found = shuffled(batch)
    assert isinstance(found.source, GridSource)
    assert torch.equal(found.source.values_BLD[1], batch.source.values_BLD[0])
    assert torch.equal(found.target_BM, batch.target_BM)


THINGS = (
    Thing("circle", "red", "small", Box(0.0, 0.0, 0.25, 0.25)),
    Thing("circle", "blue", "large", Box(0.5, 0.5, 1.0, 1.0)),
)
SCENE = Scene(THINGS, 120, (("a", "red", "circle", "."),), ((Link(2, (0,)),),))


def test_the_map_of_a_noun_is_at_its_own_place() -> None:
    maps_TL = np.eye(5, 16, dtype=np.float32)
    ((map_L, boxes),) = given_maps({0: Reading(maps_TL, np.ones(5, np.float32))}, [SCENE])
    assert map_L.argmax() == 2
    for shift, row in ((-1, 1), (1, 3), (9, 4)):
        assert given_maps({0: Reading(maps_TL, np.ones(5, np.float32))}, [SCENE], shift)[0][0].argmax() == row
    assert boxes == [THINGS[0].box]


def test_what_the_words_before_leave() -> None:
    """A red circle and a blue circle are told apart by their colours alone, and then by which was named."""
    words = ("a", "red", "circle", "and", "a", "circle", ".")
    named = (Link(2, (0,)), Link(5, (1,)))
    scene = SCENE._replace(captions=(words,), links=(named,))
    assert left(words, named[0], named, scene) == [0]
    assert left(words, named[0], named, scene, seen_last=False) == [0, 1]
    assert left(words, named[1], named, scene, seen_last=False) == [1]
    assert hits_bound([scene], [0]) == 1
    assert hits_bound([scene], [0], seen_last=False) == 0.75
    bare = scene._replace(captions=(("a", "circle", "."),), links=((Link(1, (0,)),),))
    assert hits_bound([bare], [0]) == 0.5
    read = {0: Reading(np.eye(3, 16, dtype=np.float32), np.ones(3, np.float32))}
    assert len(given_maps(read, [bare])) == 1
    assert given_maps(read, [bare], known=True) == []


@torch.no_grad()
def test_own_nouns_are_counted_with_what_is_said_of_them(task: Scenes, monkeypatch: pytest.MonkeyPatch) -> None:
    system = make(task)
    one = next(iter(written(system, [next(iter(task.evaluation("test")))], 1).values()))
    (ids,) = task.codec.vocabulary.encode([["a", "circle", "and", "a", "blue", "circle", "and", "a", "red", "star"]])
    said = one._replace(tokens=ids[:-1], alignment=torch.eye(10, 16))
    monkeypatch.setattr(module, "written", lambda *_: {0: said})
    monkeypatch.setattr(task, "_scenes", {"test": [SCENE]})
    cases, unfounded = own_maps(system, task, "test")
    assert [(map_L.argmax(), len(boxes)) for map_L, boxes in cases] == [(1, 2), (5, 1)]
    assert unfounded == pytest.approx(1 / 3)


def test_variation_is_the_median_over_all_pairs() -> None:
    still, moving = np.tile([[1.0, 0]], (3, 1)), np.array([[1.0, 0], [0, 1]])
    read = [Reading(maps.astype(np.float32), np.ones(len(maps), np.float32)) for maps in (still, moving, moving)]
    assert median_variation(read) == pytest.approx(0.5)


def test_betas_are_compared_within_an_image() -> None:
    read = {
        0: Reading(np.ones((4, 2), np.float32), np.array([0.2, 0.9, 0.4, 0.1], np.float32)),
        1: Reading(np.ones((3, 2), np.float32), np.array([0.1, 0.6, 0.1], np.float32)),
        2: Reading(np.ones((1, 2), np.float32), np.array([0.9], np.float32)),
    }
    words = {0: ["a", "dog", "in"], 1: ["the", "cat"], 2: []}
    found = betas(read, words, ("dog", "cat"), ("a", "in", "the"))["beta"]
    assert found["images"] == 2
    assert found["nouns"] == pytest.approx(0.75)
    assert found["function_words"] == pytest.approx(0.2)
    assert found["difference"] == pytest.approx(0.55)
    assert found["low"] <= 0.55 <= found["high"]
    still = {0: Reading(np.ones((2, 2), np.float32), np.ones(2, np.float32))}
    assert betas(still, {0: ["a", "dog"]}, ("dog",), ("a",)) == {}


def test_models_are_compared_on_the_same_samples(task: Scenes) -> None:
    scores = task.metrics("test").scores([["a", "red", "circle"]] * 12, range(12))
    assert resampled(scores) == resampled(scores)
    assert len(set(resampled(scores)["cider_d_resampled"])) > 50


def test_the_way_of_decoding_is_put_back(task: Scenes) -> None:
    system = make(task, "hard")
    assert list(ways(system)) == ["expectation", "argmax", "sample"]
    assert isinstance(system.decoder.attention, HardAttention)
    assert system.decoder.attention.decoding == "expectation"
