"""Translating a user's text with one trained model or with several at once."""

# M = target words, L = source words ("<eos>" included), m = target units, l = source units, B = batch

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np
import torch

from augrnn.batches import moved
from augrnn.errors import UserError
from augrnn.exhibits.alignments import WRITTEN, Alignments
from augrnn.files import jsonable, replacing
from augrnn.inference.load import Model, together
from augrnn.measures.translation.alignment import Weights, word_weights
from augrnn.search.beam_search import beam_search
from augrnn.search.model import Hypothesis
from augrnn.systems.ensemble import EncoderDecoderEnsemble
from augrnn.text.codec import PairCodec
from augrnn.text.token_batches import EOS, UNK, PairBatch
from augrnn.text.vocabulary import SPECIAL

DIGITS = 5
"""Digits after the point of the weights in the file of alignments."""

GIGABYTE = 2**30

MEMORY = 2.0
"""Gigabytes that the search of a batch may take."""


class Translated(NamedTuple):
    """One translation of a line.

    Attributes:
      line: the number of the line, from 0.
      rank: its place among the line's translations, 0 for the best.
      source: the words of the line, and "<eos>".
      target: the words of the translation, without "<eos>", for which a search has no row of weights.
      score: log probability in nats over the length penalty.
      weights_ML: where each target word looked; zero for models without attention.
      source_pieces, target_pieces: the units of the vocabulary that the words were read and written in.
      text: the translation as a line to read.
    """

    line: int
    rank: int
    source: list[str]
    target: list[str]
    score: float
    weights_ML: Weights
    source_pieces: list[str]
    target_pieces: list[str]
    text: str = ""

    def exhibit(self) -> Alignments:
        """Where each word looked, which can draw itself.

        Raises:
          UserError: the translation is empty, or the model has no attention.
        """
        if not self.weights_ML.any():
            raise UserError("there is no alignment to show: the translation is empty, or the model has no attention")
        words = (tuple(self.source),), (tuple(self.target),)
        return Alignments((self.weights_ML,), *words, ("source", f"target ({WRITTEN})"))


class Translations(list[Translated]):
    """The translations of one line, the best first; none of a blank line. A notebook shows it as a table."""

    @property
    def text(self) -> str:
        """The best translation as a line to read; blank for a blank line."""
        return self[0].text if self else ""

    @property
    def score(self) -> float:
        """The score of the best translation; 0 for a blank line."""
        return self[0].score if self else 0.0

    def exhibit(self) -> Alignments:
        """Where each word of the best translation looked; see `Translated.exhibit`."""
        if not self:
            raise UserError("there is no alignment to show: a blank line has no translation")
        return self[0].exhibit()

    def __repr__(self) -> str:
        return "\n".join(f"{each.text} ({each.score:.4f})" for each in self)

    def _repr_html_(self) -> str:
        """The texts with their scores, and the weights of the best: darker where a word (row) looked more."""
        rows = "".join(f"<tr><td>{escape(each.text)}</td><td>{each.score:.4f}</td></tr>" for each in self)
        tables = f"<table><tr><th>translation</th><th>score</th></tr>{rows}</table>"
        if self and self[0].weights_ML.any():
            best = self[0]
            head = "".join(f"<th>{escape(word)}</th>" for word in best.source)
            shown = "".join(
                f"<tr><th>{escape(word)}</th>"
                + "".join(f'<td style="background:rgba(0,114,178,{w:.2f})" title="{w:.2f}"></td>' for w in weights_L)
                + "</tr>"
                for word, weights_L in zip(best.target, best.weights_ML, strict=True)
            )
            tables += f"<table><tr><th></th>{head}</tr>{shown}</table>"
        return tables


# Translating ---------------------------------------------------------------------------------------------------------


class Translator:
    """Trained models that translate as one: the probability of each next word is the mean of theirs.

    Args:
      models: at least one; all of the same languages and vocabularies.

    Raises:
      UserError: a model does not translate, or they do not fit together.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        systems, self.codec = together(
            models, PairCodec, "translate needs one of Translation", "languages or vocabularies"
        )
        self.system = EncoderDecoderEnsemble(systems)

    @overload
    def translate(self, lines: str, *search: Any, **named: Any) -> Translations: ...

    @overload
    def translate(self, lines: Iterable[str], *search: Any, **named: Any) -> list[Translations]: ...

    def translate(
        self,
        lines: str | Iterable[str],
        best: int = 1,
        beam: int | None = None,
        length_penalty: float | None = None,
        replace_unknown: bool = False,
        memory: float = MEMORY,
    ) -> Translations | list[Translations]:
        """The translations of a sentence, or of each of several.

        Args:
          lines: a raw sentence, or several.
          best: translations a line.
          beam: hypotheses of the search; the first model's when None.
          length_penalty: the search's alpha; the first model's when None.
          replace_unknown: see `replaced`.
          memory: gigabytes that the search of a batch may take, by estimate: where lines are long, fewer are searched
            at once.

        Raises:
          UserError: there is no line, one is too long for the memory, or the search is impossible.
        """
        several = [lines] if isinstance(lines, str) else list(lines)
        if strange := [each for each in several if not isinstance(each, str)]:
            raise UserError(f"sentences are text, and here is one of type {type(strange[0]).__name__}")
        if halves := [each for each in several if any("\ud800" <= character <= "\udfff" for character in each)]:
            raise UserError(f"a sentence has half a character (a lone surrogate): {halves[0][:60]!r}")
        beam = self.system.beam_size if beam is None else beam
        alpha = self.system.length_penalty if length_penalty is None else length_penalty
        self.system.check_search(best, beam, alpha)
        if not (isinstance(memory, int | float) and 0 < memory < math.inf):
            raise UserError(f"the memory of a search must be a number of gigabytes above 0, not {memory}")
        if not several:
            raise UserError("nothing to translate: the text is empty")
        words = [self.codec.source.words(line) for line in several]
        found = [Translations() for _ in several]
        # All batches are made before the first is searched, so that a line that is too long is told at once.
        for _, batch in list(self.codec.batches_of(words, partial(self._room, beam, memory * GIGABYTE))):
            for line, source, hypotheses in self._searched(batch, beam, alpha, best):
                found[line] += [
                    self._told(line, rank, words[line], source, each, replace_unknown)
                    for rank, each in enumerate(hypotheses)
                ]
        return found[0] if isinstance(lines, str) else found

    def _room(self, beam: int, memory: float, line: int, units: int) -> int:
        """How many lines of so many units can be searched at once."""
        one = self.system.search_bytes(units, beam)
        if one > memory:
            raise UserError(
                f"line {line + 1} has {units} units of the vocabulary: with a beam of {beam} its search takes about "
                f"{one / GIGABYTE:.3g} GB, more than the memory of {memory / GIGABYTE:.3g} GB that it may; split the "
                "line, take a smaller beam, or allow more memory"
            )
        return int(memory // one)

    @torch.inference_mode()
    def _searched(
        self, batch: PairBatch, beam: int, alpha: float, best: int
    ) -> Iterator[tuple[int, list[int], list[Hypothesis]]]:
        """For each sentence of a batch its number, its ids, and what the search finds."""
        found = beam_search(*self.system.search(moved(batch, self.system.device)), beam, alpha, best)
        for row, hypotheses in enumerate(found):
            yield int(batch.index_B[row]), batch.source.ids_BL[row][batch.source.mask_BL[row]].tolist(), hypotheses

    def _told(
        self,
        line: int,
        rank: int,
        words: list[str],
        source_ids: list[int],
        hypothesis: Hypothesis,
        replace_unknown: bool,
    ) -> Translated:
        reader, writer = self.codec.source.vocabulary, self.codec.target.vocabulary
        source, target = [*words, SPECIAL[EOS]], writer.words(hypothesis.tokens)
        weights_ML: Weights = np.zeros((0, len(source)))
        if target:
            weights_ml = hypothesis.alignment[:, : len(source_ids)].double().cpu().numpy()
            weights_ML = word_weights(weights_ml, writer.word_of(hypothesis.tokens), reader.word_of(source_ids))
        pieces = reader.pieces(source_ids), writer.pieces(hypothesis.tokens)
        told = Translated(line, rank, source, target, hypothesis.score, weights_ML, *pieces)
        if replace_unknown and target:
            if not weights_ML.any():
                raise UserError("without attention there are no source words to replace unknown words by")
            told = replaced(told)
        return told._replace(text=self.codec.target.line(told.target))


def lines_of(found: Sequence[Translations], best: int = 1) -> Iterator[str]:
    """The translations as text: one a line of the input, or where there are more, Moses' list of the n best.

    That has the number of the line, the text and the score between "|||"; a blank line has one blank translation.
    """
    for line, translations in enumerate(found):
        for text, score in [(each.text, each.score) for each in translations] or [("", 0.0)]:
            yield text if best == 1 else f"{line} ||| {text} ||| {score:.4f}"


def replaced(found: Translated) -> Translated:
    """With the source word of the largest weight, as it is, for each word that has an <unk> (Luong et al. 2015)."""
    looked = found.weights_ML[:, :-1].argmax(1)  # "<eos>" is nothing to copy
    words = zip(found.target, looked, strict=True)
    return found._replace(target=[found.source[place] if SPECIAL[UNK] in word else word for word, place in words])


# Writing -------------------------------------------------------------------------------------------------------------


def write_alignments(found: Sequence[Translations], path: Path) -> None:
    """A JSON list of the translations, a line each: the fields of Translated, its weights as "weights"."""
    entries = []
    for each in (each for translations in found for each in translations):
        fields = {name: value for name, value in each._asdict().items() if name != "weights_ML"}
        numbers = {"score": round(each.score, DIGITS), "weights": each.weights_ML.round(DIGITS)}
        entries.append(json.dumps(jsonable(fields | numbers), ensure_ascii=False, allow_nan=False))
    with replacing(path) as file:
        file.write(b"[\n" + ",\n".join(entries).encode() + b"\n]\n")


def draw(found: Sequence[Translations], folder: Path) -> None:
    """The alignment of each line's best translation as `<number of the line>.png`; none where that is empty."""
    for translations in found:
        if translations and translations[0].target:
            translations.exhibit().save(folder / f"{translations[0].line}.png")
