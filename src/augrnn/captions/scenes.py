"""Drawn scenes of a few coloured shapes, with captions that say which shapes there are and where.

A scene is a pure function of its seed. Its captions are several sentences about the same objects, of which each word
that names an object is known to name that one, and its box.
"""

import random
from collections.abc import Iterator, Sequence
from io import BytesIO
from math import cos, pi, sin
from typing import NamedTuple

import torch
from PIL import Image, ImageDraw

from augrnn.batch_stream import generator
from augrnn.vision.pictures import Picture

SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
COLOURS = {
    "red": (210, 40, 40),
    "green": (40, 150, 60),
    "blue": (50, 80, 210),
    "yellow": (235, 205, 50),
    "purple": (140, 60, 160),
    "white": (245, 245, 245),
    "black": (20, 20, 20),
}
SIZES = {"small": (0.09, 0.12), "large": (0.16, 0.20)}
"""Half the side of an object's box, from and to, as shares of the picture's side: any box has a seventh in it."""

RELATIONS = {
    "left": ("left of", "to the left of"),
    "right": ("right of", "to the right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
}
ASIDE = {"left": "to its left", "right": "to its right", "above": "above it", "below": "below it"}
PLACES = (
    ("in the upper left", "at the top", "in the upper right"),
    ("on the left", "in the middle", "on the right"),
    ("in the lower left", "at the bottom", "in the lower right"),
)

FUNCTION_WORDS = ("a", "there", "is", "are", "the", "of", "to", "and", "with", "its", "it", "in", "at", "on", ",", ".")
"""Words that name nothing that is seen."""

PLACE_WORDS = ("upper", "lower", "left", "right", "top", "bottom", "middle")
RELATION_WORDS = ("above", "over", "below", "under")

VOCABULARY = (*SHAPES, *COLOURS, *SIZES, *FUNCTION_WORDS, *PLACE_WORDS, *RELATION_WORDS)
"""All words of all captions."""

CAPTIONS = 5
"""Captions of a scene, no two alike."""

MARGIN, GAP, FINER = 0.02, 0.02, 4
"""Least distance to the edge and between boxes, in sides of the picture; and how much finer shapes are drawn first."""


class Box(NamedTuple):
    """The sides of a rectangle, from 0 to 1, from the picture's upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle, x and y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


class Thing(NamedTuple):
    """An object of a scene. Its box is that of what is drawn. No other of the scene has its shape and colour."""

    shape: str
    colour: str
    size: str
    box: Box


class Link(NamedTuple):
    """A word that names an object.

    Attributes:
      word: its place in the caption.
      things: the objects that it may name, by their number: one, or several where more is not said.
    """

    word: int
    things: tuple[int, ...]


class Scene(NamedTuple):
    """What is drawn, and what is said of it.

    Attributes:
      things: 2 to 4 objects.
      ground: the grey of the ground, 0 to 255.
      captions: in words.
      links: for each caption the shapes' names in it, each with the one object that it names.
    """

    things: tuple[Thing, ...]
    ground: int
    captions: tuple[tuple[str, ...], ...]
    links: tuple[tuple[Link, ...], ...]


def scene(*seed: int) -> Scene:
    """The scene of a seed."""
    rng = random.Random(int(torch.randint(2**62, (), generator=generator(*seed))))
    things = _things(rng)
    ground = rng.randint(110, 170)
    told: dict[tuple[str, ...], tuple[Link, ...]] = {}
    while len(told) < CAPTIONS:
        words, links = _caption(things, rng)
        told.setdefault(words, links)
    return Scene(things, ground, tuple(told), tuple(told.values()))


def _things(rng: random.Random) -> tuple[Thing, ...]:
    kinds = rng.sample([(shape, colour) for shape in SHAPES for colour in COLOURS], rng.randint(2, 4))
    sizes = [rng.choice(list(SIZES)) for _ in kinds]
    while True:  # where boxes touch, all are placed anew
        boxes: list[Box] = []
        for size in sizes:
            half = rng.uniform(*SIZES[size])
            x, y = (rng.uniform(MARGIN + half, 1 - MARGIN - half) for _ in range(2))
            boxes.append(Box(x - half, y - half, x + half, y + half))
        if not any(_touch(one, other) for place, one in enumerate(boxes) for other in boxes[:place]):
            return tuple(Thing(*kind, size, box) for kind, size, box in zip(kinds, sizes, boxes, strict=True))


def _touch(one: Box, other: Box) -> bool:
    across = one.left - GAP < other.right and other.left - GAP < one.right
    return across and one.top - GAP < other.bottom and other.top - GAP < one.bottom


# Saying --------------------------------------------------------------------------------------------------------------


def relation(one: Box, other: Box) -> str:
    """Where a box is, seen from another: a key of RELATIONS, by the larger difference of their centres."""
    (x, y), (other_x, other_y) = one.centre, other.centre
    if abs(x - other_x) >= abs(y - other_y):
        return "left" if x < other_x else "right"
    return "above" if y < other_y else "below"


def place(box: Box) -> str:
    """In which ninth of the picture the centre of a box is."""
    column, row = (min(2, int(3 * each)) for each in box.centre)
    return PLACES[row][column]


def _caption(things: Sequence[Thing], rng: random.Random) -> tuple[tuple[str, ...], tuple[Link, ...]]:
    """A sentence; a number in it stands for an object until the end."""
    numbers = rng.sample(range(len(things)), len(things))
    first, second, *rest = numbers
    found = relation(things[first].box, things[second].box)
    where = rng.choice(RELATIONS[found])
    aside = ASIDE[relation(things[second].box, things[first].box)]
    forms: list[list[str | int]] = [
        [first, where, second],
        [first, "is", where, second],
        ["there is", first, where, second],
        [first, "with", second, aside],
        [first, f"{place(things[first].box)} and", second, place(things[second].box)],
        _listed(numbers),
    ]
    if rest:
        third = rest[0]
        to_third = rng.choice(RELATIONS[relation(things[first].box, things[third].box)])
        forms += [
            [first, "is", where, second, "and", to_third, third],
            [first, where, second, "and", third, place(things[third].box)],
        ]
    words: list[str] = []
    links: list[Link] = []
    for part in (*rng.choice(forms), "."):
        if isinstance(part, int):
            words += _named(part, things, rng)
            links.append(Link(len(words) - 1, (part,)))
        else:
            words += part.split()
    return tuple(words), tuple(links)


def _listed(numbers: Sequence[int]) -> list[str | int]:
    *before, last = numbers
    return ["there are", *(part for number in before[:-1] for part in (number, ",")), before[-1], "and", last]


def _named(number: int, things: Sequence[Thing], rng: random.Random) -> list[str]:
    """An object in words, with its size or not, and now and then without a colour where no other has its shape."""
    thing = things[number]
    alone = sum(other.shape == thing.shape for other in things) == 1
    size = [thing.size] if rng.random() < 0.5 else []
    colour = [] if alone and rng.random() < 0.15 else [thing.colour]
    return ["a", *size, *colour, thing.shape]


def links(words: Sequence[str], things: Sequence[Thing]) -> Iterator[Link]:
    """The shapes' names in any caption of a scene, a model's too, each with the objects that have what is said of it.

    That is the name, and the colour and size straight before it. No object: the caption is wrong there.
    """
    for number, word in enumerate(words):
        if word not in SHAPES:
            continue
        said = {word}
        before = number - 1
        while before >= 0 and (words[before] in COLOURS or words[before] in SIZES):
            said.add(words[before])
            before -= 1
        fitting = (place for place, thing in enumerate(things) if said <= {thing.shape, thing.colour, thing.size})
        yield Link(number, tuple(fitting))


# Drawing -------------------------------------------------------------------------------------------------------------


def drawn(things: Sequence[Thing], ground: int, side: int) -> Image.Image:
    """The picture of a scene, so many pixels a side, its edges smooth."""
    fine = side * FINER
    image = Image.new("RGB", (fine, fine), (ground, ground, ground))
    pen = ImageDraw.Draw(image)
    for thing in things:
        left, top, right, bottom = (fine * each for each in thing.box)
        _draw(pen, thing.shape, (left, top, right - 1, bottom - 1), COLOURS[thing.colour])
    return image.resize((side, side), Image.Resampling.BOX)


def _draw(
    pen: ImageDraw.ImageDraw, shape: str, box: tuple[float, float, float, float], colour: tuple[int, int, int]
) -> None:
    left, top, right, bottom = box
    width = right - left
    x, y = (left + right) / 2, (top + bottom) / 2
    if shape == "circle":
        pen.ellipse(box, fill=colour)
    elif shape == "square":
        pen.rectangle(box, fill=colour)
    elif shape == "triangle":
        pen.polygon([(x, top), (right, bottom), (left, bottom)], fill=colour)
    elif shape == "ring":
        pen.ellipse(box, outline=colour, width=round(width / 5))
    elif shape == "cross":
        arm = width / 6
        pen.rectangle((left, y - arm, right, y + arm), fill=colour)
        pen.rectangle((x - arm, top, x + arm, bottom), fill=colour)
    else:
        pen.polygon(_star(box), fill=colour)


def _star(box: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    """Ten corners of a star that fills a box."""
    angles = [pi * (each / 5 - 0.5) for each in range(10)]
    corners = [
        ((1.0, 0.4)[each % 2] * cos(angle), (1.0, 0.4)[each % 2] * sin(angle)) for each, angle in enumerate(angles)
    ]
    (low_x, high_x), (low_y, high_y) = ((min(axis), max(axis)) for axis in zip(*corners, strict=True))
    left, top, right, bottom = box
    return [
        (left + (right - left) * (x - low_x) / (high_x - low_x), top + (bottom - top) * (y - low_y) / (high_y - low_y))
        for x, y in corners
    ]


class Scenes(Sequence[Picture]):
    """The pictures of scenes, drawn when they are asked for.

    Args:
      seed: what the number of a scene follows in its seed.
      count: scenes.
      side: pixels a side.
    """

    def __init__(self, seed: tuple[int, ...], count: int, side: int) -> None:
        self.seed, self.scenes, self.side = seed, count, side

    def __len__(self) -> int:
        return self.scenes

    def scene(self, number: int) -> Scene:
        """What is in a picture."""
        return scene(*self.seed, number)

    def __getitem__(self, number: int) -> Picture:  # type: ignore[override]
        if not 0 <= number < self.scenes:
            raise IndexError(number)
        found = self.scene(number)
        file = BytesIO()
        drawn(found.things, found.ground, self.side).save(file, "PNG", compress_level=1)
        return Picture(f"scene {number}", file.getvalue())
