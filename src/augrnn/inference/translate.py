"""Translating a user's text with one trained model or with several at once."""

# M = target words, L = source words ("<eos>" included), m = target units, l = source units, B = batch

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch

from augrnn.batches import moved
from augrnn.errors import UserError
from augrnn.files import jsonable, replacing
from augrnn.inference.load import Model
from augrnn.measures.translation.alignment import Weights, word_weights
from augrnn.search.beam_search import beam_search
from augrnn.search.model import Ensemble, Hypothesis
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.text.codec import PairCodec
from augrnn.text.token_batches import EOS, UNK, PairBatch
from augrnn.text.vocabulary import SPECIAL

DIGITS = 5
"""Digits after the point of the weights in the file of alignments."""


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
    """

    line: int
    rank: int
    source: list[str]
    target: list[str]
    score: float
    weights_ML: Weights
    source_pieces: list[str]
    target_pieces: list[str]


# Translating ---------------------------------------------------------------------------------------------------------


class Translator:
    """Trained models that translate as one: the probability of each next word is the mean of theirs.

    Args:
      models: at least one; all of the same languages and vocabularies.

    Raises:
      UserError: a model does not translate, or they do not fit together.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        first, *others = models
        for model in models:
            if not isinstance(model.system, EncoderDecoder) or not isinstance(model.codec, PairCodec):
                raise UserError(
                    f"{model.origin} is a run of {type(model.task).__name__}: translate needs one of Translation"
                )
        for other in others:
            if other.task.state_dict() != first.task.state_dict():
                both = f"{first.origin} and {other.origin}"
                raise UserError(f"{both} have other languages or vocabularies: they cannot be an ensemble")
        self.systems = [cast(EncoderDecoder, model.system) for model in models]
        self.codec = cast(PairCodec, first.codec)

    def translate(
        self, lines: Sequence[str], best: int = 1, beam: int | None = None, length_penalty: float | None = None
    ) -> list[list[Translated]]:
        """The best translations of each line, the best first; none for a blank line.

        Args:
          lines: raw sentences.
          best: translations a line.
          beam: hypotheses of the search; the first model's when None.
          length_penalty: the search's alpha; the first model's when None.

        Raises:
          UserError: there is no line, or the search is impossible.
        """
        first = self.systems[0]
        beam = first.beam_size if beam is None else beam
        alpha = first.length_penalty if length_penalty is None else length_penalty
        if not 1 <= best <= beam or not 0 <= alpha < math.inf:
            raise UserError(
                f"translate needs 1 <= best <= beam and length penalty >= 0, not best {best}, beam {beam}, "
                f"length penalty {alpha:g}"
            )
        if not lines:
            raise UserError("nothing to translate: the text is empty")
        words = [self.codec.source.words(line) for line in lines]
        found: list[list[Translated]] = [[] for _ in lines]
        for _, batch in self.codec.batches(lines):
            for line, source, hypotheses in self._searched(batch, beam, alpha, best):
                found[line] = [
                    self._told(line, rank, words[line], source, each) for rank, each in enumerate(hypotheses)
                ]
        return found

    @torch.inference_mode()
    def _searched(
        self, batch: PairBatch, beam: int, alpha: float, best: int
    ) -> Iterator[tuple[int, list[int], list[Hypothesis]]]:
        """For each sentence of a batch its number, its ids, and what the search finds."""
        there = moved(batch, self.systems[0].device)
        models, states, limits = zip(*(system.search(there) for system in self.systems), strict=True)
        found = beam_search(Ensemble(models), states, torch.stack(limits).amax(0), beam, alpha, best)
        for row, hypotheses in enumerate(found):
            yield int(batch.index_B[row]), batch.source.ids_BL[row][batch.source.mask_BL[row]].tolist(), hypotheses

    def _told(
        self, line: int, rank: int, words: list[str], source_ids: list[int], hypothesis: Hypothesis
    ) -> Translated:
        reader, writer = self.codec.source.vocabulary, self.codec.target.vocabulary
        source, target = [*words, SPECIAL[EOS]], writer.words(hypothesis.tokens)
        weights_ML: Weights = np.zeros((0, len(source)))
        if target:
            weights_ml = hypothesis.alignment[:, : len(source_ids)].double().cpu().numpy()
            weights_ML = word_weights(weights_ml, writer.word_of(hypothesis.tokens), reader.word_of(source_ids))
        pieces = reader.pieces(source_ids), writer.pieces(hypothesis.tokens)
        return Translated(line, rank, source, target, hypothesis.score, weights_ML, *pieces)

    def lines(self, found: Sequence[Sequence[Translated]], best: int = 1) -> Iterator[str]:
        """The translations as text: one a line of the input, or where there are more, Moses' list of the n best.

        That has the number of the line, the text and the score between "|||"; a blank line has one blank translation.
        """
        for line, translations in enumerate(found):
            texts = [(self.codec.target.line(each.target), each.score) for each in translations] or [("", 0.0)]
            for text, score in texts:
                yield text if best == 1 else f"{line} ||| {text} ||| {score:.4f}"


def replaced(found: Translated) -> Translated:
    """With the source word of the largest weight, as it is, for each word that has an <unk> (Luong et al. 2015)."""
    looked = found.weights_ML[:, :-1].argmax(1)  # "<eos>" is nothing to copy
    words = zip(found.target, looked, strict=True)
    return found._replace(target=[found.source[place] if SPECIAL[UNK] in word else word for word, place in words])


# Writing -------------------------------------------------------------------------------------------------------------


def write_alignments(found: Sequence[Sequence[Translated]], path: Path) -> None:
    """A JSON list of the translations, a line each: the fields of Translated, its weights as "weights"."""
    entries = []
    for each in (each for translations in found for each in translations):
        fields = {name: value for name, value in each._asdict().items() if name != "weights_ML"}
        numbers = {"score": round(each.score, DIGITS), "weights": each.weights_ML.round(DIGITS)}
        entries.append(json.dumps(jsonable(fields | numbers), ensure_ascii=False, allow_nan=False))
    with replacing(path) as file:
        file.write(b"[\n" + ",\n".join(entries).encode() + b"\n]\n")


def draw(found: Sequence[Sequence[Translated]], languages: tuple[str, str], folder: Path) -> None:
    """The alignment of each line's best translation as `<number of the line>.png`; none where that is empty."""
    from augrnn.exhibits.alignments import WRITTEN, Alignments, sides

    names = sides(*languages, WRITTEN)
    for best in (translations[0] for translations in found if translations and translations[0].target):
        words = (tuple(best.source),), (tuple(best.target),)
        Alignments((best.weights_ML,), *words, names).save(folder / f"{best.line}.png")
