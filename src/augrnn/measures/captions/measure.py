"""A trained captioner to numbers: metrics by way of decoding and by beam, and what its attention is like."""

# B = batch, T = words, L = places, R = rows of the grid, C = columns, N = images

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from augrnn.attention.hard import Decoding, HardAttention
from augrnn.captions.scenes import COLOURS, SHAPES, SIZES, Link, Scene, drawn, links
from augrnn.captions.scenes import FUNCTION_WORDS as SCENE_FUNCTION_WORDS
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.text_table import TextTable
from augrnn.exhibits.word_maps import WordMaps
from augrnn.measures.captions.pointing import (
    Sides,
    centre_map,
    centre_share,
    interval,
    pointed,
    summary,
    uniform_map,
    variations,
)
from augrnn.measures.captions.reading import Reading, forced_gap, readings, shuffled, written
from augrnn.measures.captions.words import FUNCTION_WORDS, NOUNS
from augrnn.measures.measure import Measure, Measured
from augrnn.measures.untrained import untrained
from augrnn.metrics.bleu import bleu_of
from augrnn.metrics.captions import CaptionScores, constant_caption, human_row
from augrnn.seeded import seeded
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.picture_task import PictureTask
from augrnn.tasks.scenes import Scenes
from augrnn.text.token_batches import PairBatch

BEAMS = (1, 3, 5, 10)
"""Beams that captions of test images are searched with."""

SHIFTS = (-1, 0, 1)
"""Steps by which maps are shifted to expose a mistake of one."""

RESAMPLES = 200
"""Samples of images, drawn with replacement, on which metrics are computed again: the same ones for every model."""

SHOWN, SIDE = 3, 56
"""Validation scenes that exhibits show, and their pixels a side."""

Numbers = dict[str, Any]


class CaptionMeasure(Measure):
    """What a model says of the validation images and of the task's test images.

    Numbers, for each split S:
      `S/scores`, by way of decoding and by beam the metrics of captions: "expectation" for every model, "argmax" and
      "sample" for one with hard attention; on the validation images as expected and with the system's own beam alone;
      `S/bleu4_resampled` and `S/cider_d_resampled`, of the expected ones with the system's beam on each of `RESAMPLES`
      samples of images, so that two models can be compared pair by pair (Koehn 2004);
      of test splits also `S/human`, each reference against the image's others, and `S/constant`, one caption for all
      images, chosen on the validation images;
      with attention `S/variation`, the median total variation between the maps of consecutive words of a given caption,
      `S/untrained_variation`, of the same architecture with new weights, and `S/forced_gap` (see `forced_gap`);
      with a gate `S/beta`: means over nouns and function words of given captions, and the mean of their difference over
      images with its interval.
    And `signatures` of the metrics; `beam`.

    Exhibits, of validation images alone, also while training: `captions` of some.
    """

    nouns: Collection[str] = NOUNS
    function_words: Collection[str] = FUNCTION_WORDS

    def measure(self, system: EncoderDecoder, task: PictureTask) -> Measured:
        numbers: Numbers = {"beam": system.beam_size, "signatures": task.metrics("val").signatures()}
        for split in (task.validation_split, *task.test_splits):
            found = _scores(system, task, split) | self.attention(system, task, split)
            numbers |= {f"{split}/{name}": value for name, value in found.items()}
        return Measured(numbers, self.preview(system, task))

    def attention(self, system: EncoderDecoder, task: PictureTask, split: str) -> Numbers:
        """The numbers of a split that are about attention; none without it."""
        read = readings(system, task.evaluation(split))
        if not read:
            return {}
        fresh = readings(untrained(system), task.evaluation(split))
        first = next(iter(task.evaluation(split)))
        numbers: Numbers = {
            "variation": median_variation(read.values()),
            "untrained_variation": median_variation(fresh.values()),
            "forced_gap": forced_gap(system, first, system.beam_size),
        }
        words = {number: given_words(task, split, number) for number in read}
        return numbers | betas(read, words, self.nouns, self.function_words)

    def preview(self, system: EncoderDecoder, task: PictureTask) -> dict[str, Exhibit]:
        return {"captions": samples(system, task)}

    def previews(self, model: Mapping[str, Any]) -> dict[str, type[Exhibit]]:
        return {"captions": TextTable}


# Text ----------------------------------------------------------------------------------------------------------------


def ways(system: EncoderDecoder) -> Iterator[str]:
    """Decode in each way that the system's attention has, one after the other: their names."""
    attention = system.decoder.attention
    if not isinstance(attention, HardAttention):
        yield "expectation"
        return
    for way in get_args(Decoding):
        with attention.decoded_by(way), seeded(0, system.device):
            yield way


def _scores(system: EncoderDecoder, task: PictureTask, split: str) -> Numbers:
    judged = split in task.test_splits
    beams = sorted({*BEAMS, system.beam_size}) if judged else [system.beam_size]
    numbers: Numbers = {"scores": {}}
    for way in ways(system) if judged else itertools.islice(ways(system), 1):
        numbers["scores"][way] = {}
        for beam in beams:
            found = scored(system, task, split, min(beam, system.decoder.vocabulary))
            numbers["scores"][way][str(beam)] = found.table()
            if (way, beam) == ("expectation", system.beam_size):
                numbers |= resampled(found)
    if judged:
        references, treatment = task.described(split).captions, task.codec.words.treatment
        candidates = [words for several in task.described(task.validation_split).captions for words in several]
        constant = constant_caption(candidates, task.described(task.validation_split).captions)
        numbers["human"] = human_row(references, treatment)
        numbers["constant"] = task.metrics(split).scores([constant] * len(references)).table()
    return numbers


def scored(system: EncoderDecoder, task: PictureTask, split: str, beam: int) -> CaptionScores:
    """What each caption of a split scores, in the order of the images."""
    found = written(system, task.evaluation(split), beam)
    numbers = sorted(found)
    return task.metrics(split).scores(
        [task.codec.vocabulary.words(found[number].tokens) for number in numbers], numbers
    )


def resampled(scores: CaptionScores) -> dict[str, list[float]]:
    """BLEU-4 and CIDEr-D on samples of images, which are a function of the number of images alone."""
    size = len(scores.bleu_N10)
    draws = np.random.default_rng(0).integers(size, size=(RESAMPLES, size))
    return {
        "bleu4_resampled": [round(bleu_of(scores.bleu_N10[draw], effective_order=scores.short), 3) for draw in draws],
        "cider_d_resampled": [round(float(scores.cider_N[draw].mean()), 4) for draw in draws],
    }


def given_words(task: PictureTask, split: str, number: int) -> list[str]:
    """The caption of an image that evaluations give word by word."""
    several = task.described(split).captions[number]
    return several[number % len(several)]


def samples(system: EncoderDecoder, task: PictureTask, count: int = 6) -> TextTable:
    """The captions of the first validation images that can be read, with the system's beam."""
    split = task.validation_split
    found = written(system, [example(task, split, task.present(split)[:count])], system.beam_size)
    rows = (
        (f"{number}", " ".join(given_words(task, split, number)), " ".join(task.codec.vocabulary.words(each.tokens)))
        for number, each in found.items()
    )
    return TextTable(("image", "reference", "caption"), tuple(rows))


def example(task: PictureTask, split: str, images: Sequence[int]) -> PairBatch:
    """Some images of a split in one batch."""
    ids = task.codec.vocabulary.encode([given_words(task, split, number) for number in images])
    return task.batch(split, images, ids)


# Attention -----------------------------------------------------------------------------------------------------------


def median_variation(read: Collection[Reading]) -> float:
    """The median over all pairs of consecutive words."""
    found = np.concatenate([variations(each.maps_TL) for each in read])
    return float(np.median(found)) if len(found) else 0.0


def betas(
    read: Mapping[int, Reading],
    words: Mapping[int, Sequence[str]],
    nouns: Collection[str],
    function_words: Collection[str],
) -> Numbers:
    """How much of the picture is let in at nouns and at function words; nothing where that never changes."""
    if all((each.beta_T == 1).all() for each in read.values()):
        return {}
    rows = []
    for number, each in read.items():
        kinds = [
            np.array([beta for beta, word in zip(each.beta_T, words[number], strict=False) if word in kind])
            for kind in (nouns, function_words)
        ]
        if all(map(len, kinds)):
            rows.append([kind.mean() for kind in kinds])
    if not rows:
        return {}
    means_N2 = np.array(rows, dtype=np.float64)
    differences_N = means_N2[:, 0] - means_N2[:, 1]
    low, high = interval(differences_N)
    at_nouns, at_others = means_N2.mean(axis=0).tolist()
    return {
        "beta": {
            "nouns": at_nouns,
            "function_words": at_others,
            "difference": float(differences_N.mean()),
            "low": low,
            "high": high,
            "images": len(rows),
        }
    }


# Scenes --------------------------------------------------------------------------------------------------------------


class ScenesMeasure(CaptionMeasure):
    """What a model says of drawn scenes, and whether it looks at what it names.

    Numbers beside `CaptionMeasure`'s, with attention, for each split S: `S/pointing`, for each kind of map a `summary`:
      "given", at the shapes' names of given captions; "known", at those of them for which the words before leave no
      other object (see `left`); "written", at those of the model's own, found with its beam, the
      boxes those of all objects that fit the name with the size and colour before it; "untrained", as given but with
      new weights; "shuffled", as given but with another image of the batch; "uniform" and "centre", maps that see
      nothing, a hit of the first being the share of the cells that hit;
      `S/hits_bound`, how often one hits who sees all and knows the words before, but for the last one ("state", what
      the paper's query can know) or with it ("word");
      `S/hits_by_shift`, the hits as given with the map of so many words later ("-1", "0", "1"): attention that is right
      by one step off is a known mistake, of which only these tell.
    And for every model `S/unfounded`, the share of shapes' names in the model's own captions that fit no object.

    Exhibits beside `CaptionMeasure`'s: with attention `overlay-0`, `overlay-1` and `overlay-2` of validation scenes.
    """

    nouns = SHAPES
    function_words = tuple(word for word in SCENE_FUNCTION_WORDS if word.isalpha())

    def attention(self, system: EncoderDecoder, task: PictureTask, split: str) -> Numbers:
        assert isinstance(task, Scenes)
        scenes, grid = task.scenes(split), task.backbone.grid_size
        own, unfounded = own_maps(system, task, split)
        numbers = super().attention(system, task, split) | {"unfounded": unfounded}
        if "variation" not in numbers:
            return numbers
        read = readings(system, task.evaluation(split))
        maps = {
            "given": given_maps(read, scenes),
            "known": given_maps(read, scenes, known=True),
            "written": own,
            "untrained": given_maps(readings(untrained(system), task.evaluation(split)), scenes),
            "shuffled": given_maps(readings(system, map(shuffled, task.evaluation(split))), scenes),
        }

        def judged(cases: Sequence[Case]) -> Numbers:
            return summary([pointed(map_L.reshape(grid), boxes) for map_L, boxes in cases])

        found = {name: judged(cases) for name, cases in maps.items()}
        regions = [boxes for _, boxes in maps["given"]]
        chance = [pointed(uniform_map(*grid), boxes)._replace(hit=centre_share(*grid, boxes)) for boxes in regions]
        found["uniform"] = summary(chance) | {"tolerant": 0.0}
        found["centre"] = summary([pointed(centre_map(*grid), boxes) for boxes in regions])
        shifted = {str(shift): judged(given_maps(read, scenes, shift))["hit"] for shift in SHIFTS}
        bound = {"state": hits_bound(scenes, read, seen_last=False), "word": hits_bound(scenes, read)}
        return numbers | {"pointing": found, "hits_by_shift": shifted, "hits_bound": bound}

    def preview(self, system: EncoderDecoder, task: PictureTask) -> dict[str, Exhibit]:
        assert isinstance(task, Scenes)
        return super().preview(system, task) | overlays(system, task)

    def previews(self, model: Mapping[str, Any]) -> dict[str, type[Exhibit]]:
        return super().previews(model) | {f"overlay-{number}": WordMaps for number in range(SHOWN)}


Case = tuple[NDArray[np.float32], Sequence[Sides]]
"""A map, and the boxes of what its word names."""


def _cases(maps_TL: NDArray[np.float32], named: Sequence[Link], scene: Scene, shift: int = 0) -> list[Case]:
    return [
        (maps_TL[min(max(link.word + shift, 0), len(maps_TL) - 1)], [scene.things[thing].box for thing in link.things])
        for link in named
        if link.things
    ]


def given_maps(read: Mapping[int, Reading], scenes: Sequence[Scene], shift: int = 0, known: bool = False) -> list[Case]:
    """The maps at the shapes' names of given captions.

    Args:
      read: by the number of a scene.
      scenes: of the split.
      shift: take the map of so many words later.
      known: only where the words before leave no other object.
    """
    cases = []
    for number, each in read.items():
        scene = scenes[number]
        words, named = _given(scene, number)
        chosen = [link for link in named if not known or len(left(words, link, named, scene)) == 1]
        cases += _cases(each.maps_TL, chosen, scene, shift)
    return cases


def _given(scene: Scene, number: int) -> tuple[Sequence[str], Sequence[Link]]:
    place = number % len(scene.captions)
    return scene.captions[place], scene.links[place]


def left(words: Sequence[str], link: Link, named: Sequence[Link], scene: Scene, seen_last: bool = True) -> list[int]:
    """The objects that a shape's name may be about to name, as far as the words before it tell.

    They are those that were not named before, and that have the colour and size straight before the name.

    Args:
      words: the caption.
      link: the name.
      named: all names in the caption.
      scene: its objects.
      seen_last: whether the last word before the name counts.
    """
    said, place = set(), link.word - 1
    while place >= 0 and (words[place] in COLOURS or words[place] in SIZES):
        if seen_last or place < link.word - 1:
            said.add(words[place])
        place -= 1
    before = {thing for each in named if each.word < link.word for thing in each.things}
    things = enumerate(scene.things)
    return [number for number, each in things if number not in before and said <= {each.colour, each.size}]


def hits_bound(scenes: Sequence[Scene], numbers: Iterable[int], seen_last: bool = True) -> float:
    """How often one hits at the names of given captions who chooses among the objects that are left."""
    shares = []
    for number in numbers:
        words, named = _given(scenes[number], number)
        shares += [1 / len(left(words, link, named, scenes[number], seen_last)) for link in named]
    return float(np.mean(shares))


def own_maps(system: EncoderDecoder, task: Scenes, split: str) -> tuple[list[Case], float]:
    """The maps at the shapes' names of the model's own captions, and the share of names that fit no object."""
    cases: list[Case] = []
    named: list[Link] = []
    for number, each in written(system, task.evaluation(split), system.beam_size).items():
        scene = task.scenes(split)[number]
        found = list(links(task.codec.vocabulary.words(each.tokens), scene.things))
        named += found
        cases += _cases(each.alignment.float().cpu().numpy(), found, scene)
    return cases, sum(not link.things for link in named) / len(named) if named else 0.0


def overlays(system: EncoderDecoder, task: Scenes) -> dict[str, WordMaps]:
    """Where the system looks as it describes the first validation scenes; none for one without attention."""
    split, numbers = task.validation_split, list(range(min(SHOWN, len(task.scenes(task.validation_split)))))
    found = {}
    for number, each in written(system, [example(task, split, numbers)], system.beam_size).items():
        maps_TL = each.alignment.float().cpu().numpy()
        if maps_TL.any():
            scene, words = task.scenes(split)[number], tuple(task.codec.vocabulary.words(each.tokens))
            picture = np.asarray(drawn(scene.things, scene.ground, SIDE))
            found[f"overlay-{number}"] = WordMaps(picture, maps_TL.reshape(-1, *task.backbone.grid_size), words)
    return found
