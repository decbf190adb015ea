"""A trained translation model to numbers: BLEU over all, by length and on joined sentences; what its alignment is like.

Every number of text is on normalised Moses tokens ("words"); `signature` says how BLEU was computed.
"""

# B = batch, M = target words, L = source words, m = target subwords, l = source subwords, N = sentences

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augrnn.batches import moved
from augrnn.exhibits.alignments import WRITTEN, Alignments, sides
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.text_table import TextTable
from augrnn.measures.measure import Measure, Measured
from augrnn.measures.translation.alignment import (
    DETERMINERS,
    Glance,
    Weights,
    colour_nouns,
    determiners,
    glance,
    looks,
    shape_of,
    word_weights,
)
from augrnn.measures.translation.silver_links import (
    SilverLinks,
    alignment_error,
    diagonal_links,
    hard_links,
    silver_links,
)
from augrnn.measures.untrained import untrained
from augrnn.metrics.bleu import bleu_of, bleu_signature, bleu_statistics, corpus_bleu
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.ensemble import Writer
from augrnn.tasks.translation import ParallelSplit, Translation, joined
from augrnn.text.token_batches import PairBatch, pair_batch

LENGTHS = ((1, 9), (10, 14), (15, 19), (20, None))
"""Source words of the length buckets, both ends included."""

JOINED = (1, 2, 3, 4)
"""How many neighbouring sentences are joined into one, to go beyond the lengths of the data."""

RESAMPLES = 200
"""Samples of sentences, drawn with replacement, on which BLEU is computed again: the same ones for every model."""

SHIFTS = (-1, 0, 1)
"""Steps by which alignments are shifted to expose a mistake of one."""

Numbers = dict[str, Any]


class TranslationMeasure(Measure):
    """What a model makes of the validation split and of the task's test splits.

    Numbers, for each split S:
      `S/bleu` with the system's own beam, `S/bleu_greedy`, `S/bleu_by_length` and `S/sentences_by_length` by bucket of
      source words, `S/bleu_resampled`, the bucket's BLEU on each of `RESAMPLES` samples of its sentences, so that two
      models can be compared pair by pair (Koehn 2004), and `S/bleu_joined` (greedy) by the mean source words of one,
      two, ... sentences joined;
      with attention also `S/alignment` (see `shape_of`), `S/alignment_error`, the error rate against silver links by
      shift ("-1", "0", "1"), and `S/alignment_error_diagonal`, that of a guess; for English to French also
      `S/colour_nouns`, the number of pairs, `S/noun_hits`, `S/colour_hits` and `S/crossings`, each the share of pairs
      by shift, and `S/articles`, for each kind in `DETERMINERS` that occurs its "cases" and the means of `Glance`.
    And `untrained/alignment` and `untrained/alignment_error`, of the same architecture with new weights on the
    validation split (not for an ensemble); `signature`; `beam`.

    Exhibits, of the validation split alone, also while training: `translations` of some sentences, and with attention
    the `alignments` of some, each with what the model itself wrote.
    """

    ensembles = True

    def measure(self, system: Writer, task: Translation) -> Measured:
        splits = [task.validation_split, *task.test_splits]
        references = task.parallel(splits[0]).target_words
        numbers: Numbers = {"signature": bleu_signature(references, task.bleu_tokenizer), "beam": system.beam_size}
        for split in splits:
            numbers |= {f"{split}/{name}": value for name, value in _scores(system, task, split).items()}
            numbers |= {f"{split}/{name}": value for name, value in _alignment(system, task, split).items()}
        if f"{splits[0]}/alignment" in numbers and isinstance(system, EncoderDecoder):
            fresh = _alignment(untrained(system), task, splits[0])
            numbers |= {f"untrained/{name}": fresh[name] for name in ("alignment", "alignment_error")}
        return Measured(numbers, self.preview(system, task))

    def preview(self, system: Writer, task: Translation) -> dict[str, Exhibit]:
        found: dict[str, Exhibit] = {"translations": samples(system, task, task.validation_split)}
        shown = shown_alignments(system, task, task.validation_split)
        return found | ({"alignments": shown} if shown.weights else {})

    def previews(self, model: Mapping[str, Any]) -> dict[str, type[Exhibit]]:
        return {"alignments": Alignments, "translations": TextTable}


# Text ----------------------------------------------------------------------------------------------------------------


def translated(system: Writer, task: Translation, batches: Sequence[PairBatch], beam: bool) -> list[list[str]]:
    """The words that the system gives for each sentence of a split, in the split's order.

    Args:
      system: in evaluation mode.
      task: spells the words.
      batches: together they hold each sentence once.
      beam: search with the system's beam; greedily if False.
    """
    tokens: dict[int, list[int]] = {}
    for number, batch in enumerate(batches):
        there = moved(batch, system.device)
        found = [best[0] for best in system.predict_step(there, number).values()] if beam else system.decode(there)
        tokens.update(zip(batch.index_B.tolist(), (hypothesis.tokens for hypothesis in found), strict=True))
    return [task.target_subwords.words(tokens[index]) for index in sorted(tokens)]


def _scores(system: Writer, task: Translation, split: str) -> Numbers:
    pairs = task.parallel(split)
    words = translated(system, task, list(task.evaluation(split)), beam=True)
    statistics = bleu_statistics(words, pairs.target_words, task.bleu_tokenizer)
    lengths = np.array([len(words) for words in pairs.source_words])
    buckets = {_name(low, high): (lengths >= low) & (lengths <= (high or np.inf)) for low, high in LENGTHS}
    joined = [joined_bleu(system, task, split, count) for count in JOINED]
    return {
        "bleu": bleu_of(statistics),
        "bleu_greedy": joined[0],
        "bleu_by_length": {name: bleu_of(statistics[inside]) for name, inside in buckets.items()},
        "sentences_by_length": {name: int(inside.sum()) for name, inside in buckets.items()},
        "bleu_resampled": {name: resampled_bleu(statistics[inside]) for name, inside in buckets.items()},
        "bleu_joined": {str(round(count * lengths.mean())): bleu for count, bleu in zip(JOINED, joined, strict=True)},
    }


def resampled_bleu(statistics_N10: NDArray[np.int64]) -> list[float]:
    """BLEU on samples of sentences, rounded; the samples are a function of the number of sentences alone."""
    size = len(statistics_N10)
    if not size:
        return [0.0] * RESAMPLES
    draws_RN = np.random.default_rng(0).integers(size, size=(RESAMPLES, size))
    return [round(bleu_of(statistics_N10[draw_N]), 2) for draw_N in draws_RN]


def _name(low: int, high: int | None) -> str:
    return f"{low}+" if high is None else f"{low}-{high}"


def neighbours(sentences: int, count: int) -> list[list[int]]:
    """The numbers of each `count` neighbouring sentences; fewer in the last."""
    return [list(range(start, min(start + count, sentences))) for start in range(0, sentences, count)]


def joined_bleu(system: Writer, task: Translation, split: str, count: int) -> float:
    """Greedy BLEU on a split whose neighbouring sentences are joined, as the long sentences of the paper's Fig. 2."""
    pairs = task.parallel(split)
    pairs = joined(pairs, neighbours(len(pairs.source_ids), count))
    order = sorted(range(len(pairs.source_ids)), key=lambda number: len(pairs.source_ids[number]))
    batches = [
        pair_batch(pairs.source_ids, pairs.target_ids, order[start : start + task.batch_size])
        for start in range(0, len(order), task.batch_size)
    ]
    return corpus_bleu(translated(system, task, batches, beam=False), pairs.target_words, task.bleu_tokenizer)


def samples(system: Writer, task: Translation, split: str, count: int = 6) -> TextTable:
    """The first sentences of a split, translated with the system's beam."""
    pairs = task.parallel(split)
    batch = pair_batch(pairs.source_ids, pairs.target_ids, list(range(min(count, len(pairs.source_ids)))))
    rows = zip(pairs.source_words, pairs.target_words, translated(system, task, [batch], beam=True), strict=False)
    return TextTable(("source", "reference", "translation"), tuple(tuple(map(" ".join, row)) for row in rows))


# Alignment -----------------------------------------------------------------------------------------------------------


def alignments(system: Writer, task: Translation, batches: Sequence[PairBatch]) -> Iterator[tuple[int, Weights]]:
    """For each sentence its number and its weights between words, (M, L), with the reference as the words before.

    Nothing for a system without attention, whose weights are all zero.
    """
    for batch in batches:
        on_device = moved(batch, system.device)
        weights_Bml = system.align(on_device).float().cpu().numpy()
        if not weights_Bml.any():
            return
        for row, index in enumerate(batch.index_B.tolist()):
            target = batch.target_BM[row][batch.target_mask_BM[row]].tolist()
            source = batch.source.ids_BL[row][batch.source.mask_BL[row]].tolist()
            yield (
                index,
                word_weights(
                    weights_Bml[row, : len(target), : len(source)],
                    task.target_subwords.word_of(target),
                    task.source_subwords.word_of(source),
                ),
            )


def _alignment(system: Writer, task: Translation, split: str) -> Numbers:
    weights = dict(alignments(system, task, list(task.evaluation(split))))
    if not weights:
        return {}
    pairs, silver = task.parallel(split), silver_links(task, split)
    diagonals = [diagonal_links(*map(len, each)) for each in zip(pairs.target_words, pairs.source_words, strict=True)]
    numbers: Numbers = {
        "alignment": shape_of(weights.values()),
        "alignment_error": {
            str(shift): alignment_error([hard_links(weights[i], shift) for i in range(len(silver))], silver)
            for shift in SHIFTS
        },
        "alignment_error_diagonal": alignment_error(diagonals, silver),
    }
    if task.languages == ("en", "fr"):
        numbers |= _crossings(weights, pairs) | {"articles": _articles(weights, pairs, silver)}
    return numbers


def _crossings(weights: dict[int, Weights], pairs: ParallelSplit) -> Numbers:
    found = [
        (weights[number], pair)
        for number, words in enumerate(zip(pairs.source_words, pairs.target_words, strict=True))
        for pair in colour_nouns(*words)
    ]
    numbers: Numbers = {"colour_nouns": len(found)}
    if found:
        shares = {str(shift): np.mean([looks(*each, shift) for each in found], axis=0) for shift in SHIFTS}
        for place, name in enumerate(("noun_hits", "colour_hits", "crossings")):
            numbers[name] = {shift: float(share[place]) for shift, share in shares.items()}
    return numbers


def _articles(weights: dict[int, Weights], pairs: ParallelSplit, silver: Sequence[SilverLinks]) -> Numbers:
    glances: dict[str, list[Glance]] = {kind: [] for kind in DETERMINERS}
    for number, (english, french) in enumerate(zip(pairs.source_words, pairs.target_words, strict=True)):
        for place in determiners(english, french, silver[number].sure):
            glances[place.kind].append(glance(weights[number], place))
    return {
        kind: {"cases": len(found)} | dict(zip(Glance._fields, np.mean(found, axis=0).tolist(), strict=True))
        for kind, found in glances.items()
        if found
    }


def shown_alignments(system: Writer, task: Translation, split: str, count: int = 4) -> Alignments:
    """Where the system looks as it writes its own translations, found with its beam.

    The sentences are the same ones for every model; none for a system without attention, or that writes nothing.
    """
    pairs = task.parallel(split)
    numbers = _worth_showing(pairs, task.languages == ("en", "fr"))[:count]
    batch = pair_batch(pairs.source_ids, pairs.target_ids, numbers)
    found = system.predict_step(moved(batch, system.device), 0)
    weights, sources, targets = [], [], []
    for number in numbers:
        tokens, looked_ml = found[number][0].tokens, found[number][0].alignment.float().cpu().numpy()
        if words := task.target_subwords.words(tokens) if looked_ml.any() else []:
            word_of = task.target_subwords.word_of(tokens), task.source_subwords.word_of(pairs.source_ids[number])
            weights.append(word_weights(looked_ml, *word_of))
            sources.append((*pairs.source_words[number], "<eos>"))
            targets.append(tuple(words))
    return Alignments(tuple(weights), tuple(sources), tuple(targets), sides(*task.languages, WRITTEN))


def _worth_showing(pairs: ParallelSplit, colours: bool) -> list[int]:
    """Sentences that fit a picture, those with a colour and its noun first; the same ones for every model."""
    sizes = [
        max(len(source), len(target)) for source, target in zip(pairs.source_words, pairs.target_words, strict=True)
    ]
    fitting = [number for number, size in enumerate(sizes) if 8 <= size <= 16] or list(range(len(sizes)))
    crossing = [
        number
        for number in fitting
        if colours and any(colour_nouns(pairs.source_words[number], pairs.target_words[number]))
    ]
    plain = [number for number in fitting if number not in set(crossing)]
    return [*crossing[:2], *plain]
