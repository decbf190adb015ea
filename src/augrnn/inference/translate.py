"""The command `translate`: a user's text through one trained model, several at once, or the mean of checkpoints."""

# M = target words, L = source words ("<eos>" included), m = target units, l = source units, B = batch

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from augrnn.batches import moved
from augrnn.checkpoints import mean_weights, read_checkpoint
from augrnn.errors import UserError
from augrnn.files import explained, jsonable, replacing
from augrnn.measures.translation.alignment import Weights, word_weights
from augrnn.search.beam_search import beam_search
from augrnn.search.model import Ensemble, Hypothesis
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.translation import Translation
from augrnn.text.token_batches import EOS, UNK, PairBatch
from augrnn.text.vocabulary import SPECIAL
from augrnn.training.command import Command, one_clear_line

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


# Loading -------------------------------------------------------------------------------------------------------------


class _Parts(Command):
    """The model and the task of a config, without a trainer: nothing is written, and any machine will do."""

    def instantiate_trainer(self, **kwargs: Any) -> Any:
        return None


def load(run: Path, checkpoints: Sequence[Path] = ()) -> tuple[EncoderDecoder, Translation]:
    """A run's model, ready to translate on the GPU where there is one, and its task.

    Args:
      run: the run's folder, with config.yaml and checkpoints/model.ckpt, or else checkpoints/last.ckpt.
      checkpoints: others to take the mean of in place of that one.

    Raises:
      UserError: something is missing, or not of a translation model on this data.
    """
    config = run / "config.yaml"
    if not config.is_file():
        raise UserError(f"{run} is not the folder of a run: it has no config.yaml")
    # The numbers of a loaded model need no seed, and no logger of the config may leave a file.
    parts = _Parts(["--config", str(config), "--seed_everything=false", "--trainer.logger=false"], run=False)
    system, task = parts.model, parts.datamodule
    if not isinstance(system, EncoderDecoder) or not isinstance(task, Translation):
        raise UserError(f"{run} is a run of {type(task).__name__}: translate needs one of Translation")
    paths = checkpoints or [_checkpoint(run)]
    for path in paths:
        checkpoint = read_checkpoint(path)
        state = checkpoint.get(type(task).__qualname__)
        if state is None:
            raise UserError(f"{path} is not a checkpoint of {type(task).__name__}")
        task.load_state_dict(state)
        if not all(tensor.isfinite().all() for tensor in checkpoint["state_dict"].values()):
            raise UserError(f"the weights of {path} are not finite: its training diverged")
    system.load_state_dict(mean_weights(paths))
    return system.eval().to("cuda" if torch.cuda.is_available() else "cpu"), task


def _checkpoint(run: Path) -> Path:
    for name in ("model.ckpt", "last.ckpt"):
        if (path := run / "checkpoints" / name).is_file():
            return path
    raise UserError(f"{run} has no checkpoints/model.ckpt or last.ckpt: train it first")


# Translating ---------------------------------------------------------------------------------------------------------


class Translator:
    """Trained models that translate as one: the probability of each next word is the mean of theirs.

    Args:
      runs: their folders, at least one; all of the same languages and vocabularies.
      checkpoints: for one run alone, checkpoints to take the mean of in place of its own.
    """

    def __init__(self, runs: Sequence[Path], checkpoints: Sequence[Path] = ()) -> None:
        if checkpoints and len(runs) > 1:
            raise UserError("checkpoints are averaged for one run: give one --run with --checkpoint")
        self.systems, tasks = zip(*(load(run, checkpoints) for run in runs), strict=True)
        self.task: Translation = tasks[0]
        for run, task in zip(runs, tasks, strict=True):
            if task.state_dict() != self.task.state_dict():
                raise UserError(f"{runs[0]} and {run} have other languages or vocabularies: they cannot be an ensemble")

    def translate(
        self, file: str, best: int = 1, beam: int | None = None, length_penalty: float | None = None
    ) -> list[list[Translated]]:
        """The best translations of each line, the best first; none for a blank line.

        Args:
          file: raw sentences, one a line; "-" reads the standard input.
          best: translations a line.
          beam: hypotheses of the search; the first run's when None.
          length_penalty: the search's alpha; the first run's when None.
        """
        first = self.systems[0]
        beam = first.beam_size if beam is None else beam
        alpha = first.length_penalty if length_penalty is None else length_penalty
        if not 1 <= best <= beam or not 0 <= alpha < math.inf:
            raise UserError(
                f"translate needs 1 <= best <= beam and length penalty >= 0, not best {best}, beam {beam}, "
                f"length penalty {alpha:g}"
            )
        self.task.predict_file = file
        batches = self.task.predict_dataloader()
        if not self.task.inputs:
            raise UserError(f"nothing to translate: {'the standard input' if file == '-' else file} is empty")
        found: list[list[Translated]] = [[] for _ in self.task.inputs]
        for batch in batches:
            for line, source, hypotheses in self._searched(batch, beam, alpha, best):
                found[line] = [self._told(line, rank, source, each) for rank, each in enumerate(hypotheses)]
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

    def _told(self, line: int, rank: int, source_ids: list[int], hypothesis: Hypothesis) -> Translated:
        reader, writer = self.task.source_subwords, self.task.target_subwords
        source, target = [*self.task.inputs[line], SPECIAL[EOS]], writer.words(hypothesis.tokens)
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
            texts = [(self.task.sentence(each.target), each.score) for each in translations] or [("", 0.0)]
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


def draw(found: Sequence[Sequence[Translated]], folder: Path) -> None:
    """The alignment of each line's best translation as `<number of the line>.png`; none where that is empty."""
    from augrnn.exhibits import png
    from augrnn.exhibits.alignments import Alignments

    for best in (translations[0] for translations in found if translations and translations[0].target):
        # Two dollars in a word would make matplotlib read it as a formula.
        source, target = (tuple(word.replace("$", r"\$") for word in words) for words in (best.source, best.target))
        try:
            png.write({str(best.line): Alignments((best.weights_ML,), (source,), (target,))}, folder)
        except OSError as error:
            raise UserError(f"cannot write the pictures in {folder}: {explained(error)}") from None


def command(options: argparse.Namespace) -> int:
    """Print the translations of a text, and write what else is asked for."""
    with one_clear_line():
        translator = Translator(options.runs, options.checkpoints)
        found = translator.translate(options.file, options.best, options.beam, options.length_penalty)
    looked = all(each.weights_ML.any() for translations in found for each in translations if each.target)
    if not looked and (options.alignments or options.pictures or options.replace_unknown):
        raise UserError("without attention there are no alignments to write, to draw or to replace words by")
    if options.replace_unknown:
        found = [[replaced(each) for each in translations] for translations in found]
    for line in translator.lines(found, options.best):
        print(line)
    if options.alignments:
        write_alignments(found, options.alignments)
    if options.pictures:
        draw(found, options.pictures)
    return 0
