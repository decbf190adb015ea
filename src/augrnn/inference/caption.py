"""Captions of a user's images, by one trained model or by several at once, and where they looked for each word."""

# B = batch, S = pixels a side, M = words, L = places of the grid, R = its rows, C = its columns

import base64
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from augrnn.batches import moved
from augrnn.captions.codec import CaptionCodec
from augrnn.captions.collection import read_picture
from augrnn.errors import UserError
from augrnn.exhibits.word_maps import SEEN, WordMaps, brightness
from augrnn.files import replacing
from augrnn.inference.load import Model, together
from augrnn.inference.translate import GIGABYTE, MEMORY
from augrnn.search.beam_search import beam_search
from augrnn.systems.ensemble import EncoderDecoderEnsemble
from augrnn.vision.pictures import decode

PAGE = "captions.html"
"""The page in a folder of overlays."""

NAME = 200
"""Most bytes of an image's name in that of its overlays: file systems take 255 in all."""

Weights = NDArray[np.float64]
Pixels = NDArray[np.uint8]


class Captioned(NamedTuple):
    """One caption of an image.

    Attributes:
      image: the path of the image.
      rank: its place among the image's captions, 0 for the best.
      words: of the caption.
      score: log probability in nats over the length penalty.
      maps_MRC: where the model looked for each word, in cells of its grid; zero for models without attention.
      text: the caption as a line to read.
      picture_SS3: the image as the model was given it, squashed to a square.
    """

    image: str
    rank: int
    words: list[str]
    score: float
    maps_MRC: Weights
    text: str
    picture_SS3: Pixels

    @property
    def looked(self) -> bool:
        """Whether there are maps to show: the caption has words, and the model attention."""
        return bool(self.maps_MRC.any())

    def exhibit(self) -> WordMaps:
        """The overlay of each word, which can draw itself.

        Raises:
          UserError: the caption is empty, or the model has no attention.
        """
        if not self.looked:
            raise UserError("there are no maps to show: the caption is empty, or the model has no attention")
        return WordMaps(self.picture_SS3, self.maps_MRC, tuple(self.words))


class Captions(list[Captioned]):
    """The captions of one image, the best first. A notebook shows them with the overlays of the best."""

    @property
    def text(self) -> str:
        """The best caption as a line to read."""
        return self[0].text

    @property
    def score(self) -> float:
        """The score of the best caption."""
        return self[0].score

    def exhibit(self) -> WordMaps:
        """The overlays of the best caption; see `Captioned.exhibit`."""
        return self[0].exhibit()

    def __repr__(self) -> str:
        return "\n".join(f"{each.text} ({each.score:.4f})" for each in self)

    def _repr_html_(self) -> str:
        return f"{STYLE}{''.join(_section(self))}"


# Captioning ----------------------------------------------------------------------------------------------------------


class Captioner:
    """Trained models that caption as one: the probability of each next word is the mean of theirs.

    Args:
      models: at least one; all of the same vocabulary, and of the same backbone.

    Raises:
      UserError: a model does not caption, or they do not fit together.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        systems, self.codec = together(
            models, CaptionCodec, "caption needs one of Captioning or Scenes", "vocabularies or backbones"
        )
        self.system = EncoderDecoderEnsemble(systems)

    @overload
    def caption(self, images: str | Path, *search: Any, **named: Any) -> Captions: ...

    @overload
    def caption(self, images: Iterable[str | Path], *search: Any, **named: Any) -> list[Captions]: ...

    def caption(
        self,
        images: str | Path | Iterable[str | Path],
        best: int = 1,
        beam: int | None = None,
        length_penalty: float | None = None,
    ) -> Captions | list[Captions]:
        """The captions of an image, or of each of several.

        Args:
          images: the path of an image file, or several.
          best: captions an image.
          beam: hypotheses of the search; the first model's when None.
          length_penalty: the search's alpha; the first model's when None.

        Raises:
          UserError: an image cannot be read (names the first), there is none, or the search is impossible.
        """
        paths = [Path(each) for each in ([images] if isinstance(images, str | Path) else images)]
        beam = self.system.beam_size if beam is None else beam
        alpha = self.system.length_penalty if length_penalty is None else length_penalty
        self.system.check_search(best, beam, alpha)
        if not paths:
            raise UserError("nothing to caption: there is no image")
        places = self.codec.backbone.grid_size
        one = self.system.search_bytes(places[0] * places[1], beam)
        size = max(1, min(self.codec.batch_size, int(MEMORY * GIGABYTE // one)))
        found = [
            captions
            for start in range(0, len(paths), size)
            for captions in self._searched(paths[start : start + size], beam, alpha, best)
        ]
        return found[0] if isinstance(images, str | Path) else found

    @torch.inference_mode()
    def _searched(self, paths: Sequence[Path], beam: int, alpha: float, best: int) -> Iterator[Captions]:
        images = [decode(read_picture(path.expanduser())) for path in paths]
        there = moved(self.codec.batch(images, range(len(images))), self.system.device)
        found = beam_search(*self.system.search(there), beam, alpha, best)
        rows, columns = self.codec.backbone.grid_size
        for path, image, hypotheses in zip(paths, images, found, strict=True):
            pixels_SS3 = self.codec.backbone.pixels(image).permute(1, 2, 0).numpy()
            captions = Captions()
            for rank, hypothesis in enumerate(hypotheses):
                words = self.codec.vocabulary.words(hypothesis.tokens)
                maps_ML = hypothesis.alignment.double().cpu().numpy()
                if maps_ML.shape[1] != rows * columns:
                    raise UserError(
                        f"the model looks at {maps_ML.shape[1]} places, the task's backbone has {rows} x {columns}: "
                        "give both the same network and layer"
                    )
                maps_MRC = maps_ML.reshape(len(words), rows, columns)
                text = self.codec.spelled(hypothesis.tokens)
                captions.append(Captioned(str(path), rank, words, hypothesis.score, maps_MRC, text, pixels_SS3))
            yield captions


def readable(images: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Those files that can be read as images, and of each of the others why not, in one line."""
    kept, refused = [], []
    for path in images:
        try:
            decode(read_picture(path.expanduser()))
        except UserError as error:
            refused.append(str(error))
        else:
            kept.append(path)
    return kept, refused


def lines_of(found: Sequence[Captions], best: int = 1) -> Iterator[str]:
    """The captions as text: one a line for each image, or where there are more, the image, the text and the score.

    These stand between "|||", as in Moses' list of the n best.
    """
    for captions in found:
        for each in captions:
            yield each.text if best == 1 else f"{each.image} ||| {each.text} ||| {each.score:.4f}"


# Showing -------------------------------------------------------------------------------------------------------------


def draw(found: Sequence[Captions], folder: Path) -> None:
    """Write the page of all images as `PAGE`, and of each the overlays of its best caption as `<number>-<name>.png`.

    The page holds all that it shows, and may be sent alone. A caption without words has no overlays.
    """
    for number, captions in enumerate(found, start=1):
        if captions[0].looked:
            stem = os.fsdecode(os.fsencode(Path(captions[0].image).stem)[:NAME])
            captions.exhibit().save(folder / f"{number}-{stem}.png")
    with replacing(folder / PAGE) as file:
        file.write(page(found).encode(errors="replace"))  # a name of a file may be no text


STYLE = """<style>
.augrnn { font: 15px sans-serif; margin: 1.5em 0; }
.augrnn .maps { display: flex; flex-wrap: wrap; gap: 8px; }
.augrnn figure { margin: 0; width: 136px; text-align: center; }
.augrnn .seen { position: relative; width: 136px; height: 136px; background: var(--picture) 0 0 / 100% 100%; }
.augrnn .seen img { position: absolute; inset: 0; width: 100%; height: 100%; }
.augrnn .score { color: #666; }
</style>
"""


def page(found: Sequence[Captions]) -> str:
    """One HTML page of all images with their captions, and the overlays of each best one."""
    sections = "\n".join("".join(_section(captions)) for captions in found)
    return (
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>captions</title>\n'
        f"{STYLE}</head>\n<body>\n{sections}\n<p>{escape(SEEN)}</p>\n</body>\n</html>\n"
    )


def _section(captions: Captions) -> Iterator[str]:
    """A section of the page: the image's name, its captions with their scores, and the best one word by word."""
    best = captions[0]
    picture = f"--picture: url({_url(Image.fromarray(best.picture_SS3))})"
    yield f'<section class="augrnn">\n<p>{escape(best.image)}</p>\n<ol>\n'
    for each in captions:
        yield f'<li>{escape(each.text)} <span class="score">{each.score:.4f}</span></li>\n'
    yield f'</ol>\n<div class="maps" style="{picture}">\n<figure><div class="seen"></div></figure>\n'
    for word, map_RC in zip(best.words, best.maps_MRC, strict=True) if best.looked else ():
        seen = f'<div class="seen"><img src="{_url(_veil(map_RC))}" alt=""></div>'
        yield f"<figure>{seen}<figcaption>{escape(word)}</figcaption></figure>\n"
    yield "</div>\n</section>\n"


def _veil(map_RC: Weights) -> Image.Image:
    """Black that lets through as much as a map says, a pixel a cell: the browser draws it out, smoothly."""
    veil_RC4 = np.zeros((*map_RC.shape, 4), dtype=np.uint8)
    veil_RC4[..., 3] = np.round(255 * (1 - brightness(map_RC)))
    return Image.fromarray(veil_RC4)


def _url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
