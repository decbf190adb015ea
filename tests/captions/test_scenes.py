"""Scenes: what is drawn is where the boxes say, and what is said is true of what is drawn."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from augrnn.captions.scenes import (
    CAPTIONS,
    COLOURS,
    SHAPES,
    SIZES,
    VOCABULARY,
    Box,
    Link,
    Scenes,
    Thing,
    drawn,
    links,
    place,
    relation,
    scene,
)

MANY = [scene(0, number) for number in range(300)]


def test_a_scene_is_a_function_of_its_seed() -> None:
    assert [scene(0, number) for number in range(50)] == MANY[:50]
    assert len(set(MANY)) == len(MANY)
    assert scene(1, 0) != scene(0, 0)
    one, again = Scenes((4,), 3, 32), Scenes((4,), 3, 32)
    assert [each.content for each in one] == [each.content for each in again]


def test_objects_keep_apart_and_inside_and_are_told_apart() -> None:
    assert {len(each.things) for each in MANY} == {2, 3, 4}
    for each in MANY:
        assert len({thing[:2] for thing in each.things}) == len(each.things)
        for number, (_, _, size, box) in enumerate(each.things):
            assert 0 < box.left < box.right < 1
            assert 0 < box.top < box.bottom < 1
            low, high = SIZES[size]
            assert 2 * low <= box.right - box.left <= 2 * high
            for other in (thing.box for thing in each.things[:number]):
                width = min(box.right, other.right) - max(box.left, other.left)
                height = min(box.bottom, other.bottom) - max(box.top, other.top)
                assert min(width, height) < 0


@pytest.mark.parametrize("side", [64, 224])
def test_what_is_drawn_fills_its_box_and_nothing_else(side: int) -> None:
    for each in MANY[:40]:
        pixels = np.asarray(drawn(each.things, each.ground, side)).astype(int)
        left = np.abs(pixels - each.ground).max(2) > 2
        for thing in each.things:
            x0, y0, x1, y1 = (side * edge for edge in thing.box)
            rows, columns = slice(int(y0), int(y1) + 2), slice(int(x0), int(x1) + 2)
            found = np.argwhere(left[rows, columns])
            (top, first), (bottom, last) = found.min(0), found.max(0)
            edges = int(x0) + first, int(y0) + top, int(x0) + last + 1, int(y0) + bottom + 1
            assert np.abs(np.array(edges) - (x0, y0, x1, y1)).max() <= 2
            colour = np.abs(pixels[rows, columns] - COLOURS[thing.colour]).max(2) < 3
            assert colour.sum() > 0.12 * (x1 - x0) * (y1 - y0)
            left[rows, columns] = False
        assert not left.any()


def test_captions_are_different_and_of_known_words() -> None:
    met = set()
    for each in MANY:
        assert len(set(each.captions)) == CAPTIONS
        for words in each.captions:
            assert words[-1] == "."
            assert 4 <= len(words) <= 30
            met |= set(words)
    assert met == set(VOCABULARY)
    assert len(set(VOCABULARY)) == len(VOCABULARY)


def test_words_are_linked_to_what_they_name() -> None:
    for each in MANY:
        for words, told in zip(each.captions, each.links, strict=True):
            assert [link.word for link in told] == [i for i, word in enumerate(words) if word in SHAPES]
            assert tuple(links(words, each.things)) == told
            for word, (number,) in told:
                thing = each.things[number]
                start = word
                while words[start] != "a":
                    start -= 1
                assert set(words[start + 1 : word + 1]) <= {thing.shape, thing.colour, thing.size}


TRUE = {
    "left of": lambda one, other: one[0] < other[0],
    "right of": lambda one, other: one[0] > other[0],
    "above": lambda one, other: one[1] < other[1],
    "over": lambda one, other: one[1] < other[1],
    "below": lambda one, other: one[1] > other[1],
    "under": lambda one, other: one[1] > other[1],
}


def test_relations_in_captions_are_true() -> None:
    checked = 0
    for each in MANY:
        for words, told in zip(each.captions, each.links, strict=True):
            text = " ".join(words[told[0].word + 1 : told[1].word])
            for phrase, holds in TRUE.items():
                if phrase in text:
                    one, other = (each.things[link.things[0]].box.centre for link in told[:2])
                    assert holds(one, other), " ".join(words)
                    checked += 1
    assert checked > 300


def test_relations_and_places_of_boxes() -> None:
    middle = Box(0.4, 0.4, 0.6, 0.6)
    around = {"left": (-0.3, 0.2), "right": (0.3, -0.2), "above": (0.1, -0.3), "below": (-0.1, 0.3)}
    for name, (x, y) in around.items():
        box = Box(0.4 + x, 0.4 + y, 0.6 + x, 0.6 + y)
        assert relation(box, middle) == name
    assert place(middle) == "in the middle"
    assert place(Box(0, 0, 0.2, 0.2)) == "in the upper left"
    assert place(Box(0.9, 0.9, 1.1, 1.1)) == "in the lower right"


def test_words_of_a_model_name_what_fits_them() -> None:
    box = Box(0, 0, 0.2, 0.2)
    things = [
        Thing("circle", "red", "small", box),
        Thing("circle", "blue", "large", box),
        Thing("star", "red", "large", box),
    ]
    text = "a circle and a large circle and a red star and a green circle and a small star ring"
    assert list(links(text.split(), things)) == [
        Link(1, (0, 1)),
        Link(5, (1,)),
        Link(9, (2,)),
        Link(13, ()),
        Link(17, ()),
        Link(18, ()),
    ]
    assert list(links(["a", "red"], things)) == []


def test_pictures_are_drawn_when_asked_for() -> None:
    scenes = Scenes((2, 0), 4, 48)
    assert len(scenes) == 4
    number = random.Random(0).randrange(4)
    image = Image.open(io.BytesIO(scenes[number].content))
    assert image.size == (48, 48)
    assert np.array_equal(np.asarray(image), np.asarray(drawn(*scenes.scene(number)[:2], 48)))
    with pytest.raises(IndexError):
        scenes[4]
