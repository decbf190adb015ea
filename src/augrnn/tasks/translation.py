"""Translation: of Multi30k's image descriptions (Elliott, Frank, Sima'an and Specia 2016), or of any parallel text."""

# B = batch, L = source positions, M = target positions

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning.pytorch.trainer.states import TrainerFn

from augrnn.batch_stream import BatchStream, generator
from augrnn.errors import UserError
from augrnn.metrics.bleu import corpus_bleu
from augrnn.tasks.task import TextTask, told
from augrnn.text.codec import PairCodec, TextCodec, completed
from augrnn.text.corpus_files import Text
from augrnn.text.moses import Moses, bleu_tokenizer, tokenised
from augrnn.text.parallel_corpus import HUB, TRAIN, ParallelCorpus, blank_pairs
from augrnn.text.token_batches import EOS, PairBatch, bucketed, padded, pair_batch
from augrnn.text.vocabulary import Subwords, Units, cached_subwords, cached_words


class ParallelSplit(NamedTuple):
    """A split as words (normalised Moses tokens) and as subword ids ending in EOS; item i of each is one pair."""

    source_words: list[list[str]]
    target_words: list[list[str]]
    source_ids: list[list[int]]
    target_ids: list[list[int]]


def chained(sentences: Sequence[Sequence[int]], group: Sequence[int]) -> list[int]:
    """The ids of some sentences as those of one: only the last keeps its EOS."""
    return [token for number in group for token in sentences[number][:-1]] + [EOS]


def joined(pairs: ParallelSplit, groups: Sequence[Sequence[int]]) -> ParallelSplit:
    """Each group of pairs as one pair, their sentences one after the other."""

    def texts(sentences: list[list[str]]) -> list[list[str]]:
        return [[word for number in group for word in sentences[number]] for group in groups]

    source, target = ([chained(side, group) for group in groups] for side in (pairs.source_ids, pairs.target_ids))
    return ParallelSplit(texts(pairs.source_words), texts(pairs.target_words), source, target)


def joined_batch(pairs: ParallelSplit, groups: Sequence[Sequence[int]]) -> PairBatch:
    """The pairs of each group as one pair, numbered as the first of them."""
    source, target = (
        padded([chained(side, group) for group in groups]) for side in (pairs.source_ids, pairs.target_ids)
    )
    return PairBatch(source, *target, torch.tensor([group[0] for group in groups]))


class Translation(TextTask):
    """Read a sentence in one language, give it in another.

        source   a man in a red shirt .                  ▁a ▁man ▁in ▁a ▁red ▁shirt ▁. <eos>
        target   un homme en chemise rouge .             ▁un ▁homme ▁en ▁chemise ▁rouge ▁. <eos>

    Text is normalised (`augrnn.text.normalisation`) and cut into words by the Moses rules, or into characters where a
    language has no spaces; the vocabulary is learned on the training split alone. BLEU is measured on these words.
    Pairs with a blank side are left out of training, which one line says; in other splits they stay.

    Args:
      source, target: codes of languages; any two that the data has.
      vocabulary: units, the four special ones included, for both languages together or for each.
      joint: one vocabulary for both languages.
      units: "subwords", or "words": the commonest words whole, and all others unknown, as in Bahdanau et al. 2014.
      batch_size: sentence pairs a batch.
      directory: the data set's own directory: see `augrnn.text.parallel_corpus.directory_text`.
      files: instead of a directory, for each split its file: a table (.tsv, .csv, .jsonl), or a text for each language,
        with "{language}" in the name.
      columns: the column of each language in tables: its name where that is not the language's, or its number from 0
        where there is no header.
      hub: instead of these, the id of a data set on the Hugging Face hub. Of the default one `multi30k` in the
        directory that AUGRNN_DATA names is a copy, and is read instead.
      held_out: splits to be taken out of the training pairs, each with its number of pairs or its share.
      held_out_seed: names which pairs these are.
      lowercase: whether all text is lower case; what the model writes is then so too.
      cache: directory for the words and the learned subwords; AUGRNN_CACHE or the user's cache directory when None.
      max_words: train only on pairs with at most this many words on either side.
      join: make training examples of 1, 2, ... to `join` pairs that the shuffle puts side by side, each size with the
        same share of the pairs, so that a corpus of short sentences trains on long ones too.
      validation_split, test_splits: official names of the splits to validate and test on.
      pool: training batches sorted together by length.
      seed: names the stream of training batches.
    """

    measure = "augrnn.measures.translation.measure.TranslationMeasure"

    command = "translate"
    finite = True
    learned = True

    def __init__(
        self,
        source: str = "en",
        target: str = "fr",
        vocabulary: int = 5000,
        joint: bool = True,
        units: Units = "subwords",
        batch_size: int = 64,
        directory: Path | None = None,
        files: dict[str, str] | None = None,
        columns: dict[str, str | int] | None = None,
        hub: str = HUB,
        held_out: dict[str, int | float] | None = None,
        held_out_seed: int = 0,
        lowercase: bool = True,
        cache: Path | None = None,
        max_words: int | None = None,
        join: int = 1,
        validation_split: str = "val",
        test_splits: tuple[str, ...] = ("test_2016_flickr",),
        pool: int = 50,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if source == target:
            raise UserError(f"translation needs two languages, not '{source}' twice")
        for name, value in {"vocabulary": vocabulary, "batch_size": batch_size, "join": join, "pool": pool}.items():
            if value < 1:
                raise UserError(f"{name} must be at least 1, not {value}")
        self.languages = source, target
        self.vocabulary, self.joint, self.units = vocabulary, joint, units
        self.batch_size, self.pool, self.seed = batch_size, pool, seed
        self.max_words, self.join = max_words, join
        self.source_vocabulary = self.target_vocabulary = vocabulary
        self.validation_split, self.test_splits = validation_split, list(test_splits)
        self.corpus = ParallelCorpus(self.languages, directory, files, columns, hub, held_out, held_out_seed)
        self.bleu_tokenizer = bleu_tokenizer(target)
        self.cache, self.lowercase = cache, lowercase
        self._moses = Moses(source, lowercase), Moses(target, lowercase)
        self._noted: set[str] = set()
        self._codec: PairCodec | None = None
        self._parallel: dict[str, ParallelSplit] = {}
        self._epoch: tuple[int, list[list[list[int]]]] | None = None

    # Reading ---------------------------------------------------------------------------------------------------------

    def prepare_data(self) -> None:
        """Fetch the data and learn the subwords, on one process before the others read them."""
        if self.trainer is None or self.trainer.state.fn == TrainerFn.FITTING:
            self.setup("fit")

    def setup(self, stage: str | None = None) -> None:
        """Before training, have the vocabulary and the split to validate on; the others are read when asked for.

        Without training the vocabulary is the checkpoint's, and no training text is read.
        """
        if stage in (None, "fit"):
            self.codec  # noqa: B018 (makes it)
            if self.trainer is None or self.trainer.limit_val_batches:
                self.parallel(self.validation_split)

    @property
    def codec(self) -> PairCodec:
        """From lines to batches and back; learned from the training split, or taken from a checkpoint."""
        if self._codec is None:
            source, target = self._words(TRAIN)
            texts = [source + target] if self.joint else [source, target]
            made = [cached_subwords(text, self.vocabulary, self.cache, self.units) for text in texts]
            reader, writer = (
                TextCodec(language, each, self.lowercase)
                for language, each in zip(self.languages, (made[0], made[-1]), strict=True)
            )
            self._codec = PairCodec(reader, writer, self.units, self.batch_size)
        return self._codec

    def _words(self, split: str) -> tuple[list[list[str]], list[list[str]]]:
        text = self._readable(split)
        source, target = (cached_words(text[moses.language], moses, self.cache) for moses in self._moses)
        return source, target

    def _readable(self, split: str) -> Text:
        """The pairs of a split; of the training one those that have both sides. Says once what is odd."""
        text = self.corpus.read(split)
        blank = blank_pairs(text)
        notes = []
        if any(blank):
            kept = "are left out" if split == TRAIN else "stay, so that the score is of the whole split"
            notes.append(f"{sum(blank)} of {len(blank)} pairs of '{split}' have a blank side and {kept}")
        if split == TRAIN:
            if all(blank):
                raise UserError(f"every pair of '{split}' has a blank side: there is nothing to train on")
            text = {
                language: [line for line, left_out in zip(lines, blank, strict=True) if not left_out]
                for language, lines in text.items()
            }
            notes += [
                f"the {language} text of '{split}' seems to be in tokens already, and will be cut again: give raw text"
                for language, lines in text.items()
                if tokenised(lines)
            ]
        for note in notes:
            if note not in self._noted:
                self._noted.add(note)
                told(note)
        return text

    def _encoded(self, split: str) -> ParallelSplit:
        source, target = self._words(split)
        return ParallelSplit(source, target, self.source_subwords.encode(source), self.target_subwords.encode(target))

    @cached_property
    def _trained(self) -> list[int]:
        train, limit = self.parallel(TRAIN), self.max_words
        pairs = zip(train.source_words, train.target_words, strict=True)
        kept = [number for number, pair in enumerate(pairs) if limit is None or max(map(len, pair)) <= limit]
        if not kept:
            raise UserError(f"no training pair has at most max_words={limit} words")
        return kept

    def parallel(self, split: str) -> ParallelSplit:
        """A split by its official name; read on the first call, so that no test split is read before its time."""
        if split not in self._parallel:
            self._parallel[split] = self._encoded(split)
        return self._parallel[split]

    @property
    def source_subwords(self) -> Subwords:
        return self.codec.source.vocabulary

    @property
    def target_subwords(self) -> Subwords:
        return self.codec.target.vocabulary

    def state_dict(self) -> dict[str, Any]:
        """The codec, so that a checkpoint needs no corpus, and is never read with another vocabulary."""
        return self.codec.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if self._codec is None:
            self._codec = PairCodec.from_state(state_dict, self.batch_size)
        elif (state_dict := completed(state_dict)) != (own := self.state_dict()):
            theirs, ours = (" to ".join(each["languages"]) for each in (state_dict, own))
            languages = "" if theirs == ours else f" ({theirs}) than this one ({ours})"
            raise UserError(
                f"the checkpoint was trained on another vocabulary{languages}: use its own data settings and the text "
                "that it was trained on"
            )

    # Batches ---------------------------------------------------------------------------------------------------------

    def epoch_length(self) -> int:
        """Training batches of an epoch, all full: each epoch leaves out a different remainder."""
        return max(1, len(self._sizes) // self.batch_size)

    @cached_property
    def _sizes(self) -> list[int]:
        """How many pairs each example of an epoch joins."""
        share = math.lcm(*range(1, self.join + 1))
        cycle = [size for size in range(1, self.join + 1) for _ in range(share // size)]
        cycles = len(self._trained) // sum(cycle)
        if not cycles:
            raise UserError(f"{len(self._trained)} training pairs are too few to join up to {self.join} of them")
        return cycle * cycles

    def _examples(self, epoch: int) -> list[list[int]]:
        """The pairs that each example of an epoch joins."""
        if self.join == 1:
            return [[number] for number in self._trained]
        shuffle = torch.randperm(len(self._trained), generator=generator(self.seed, epoch, self.join)).tolist()
        ends = [*accumulate(self._sizes)]
        return [[self._trained[i] for i in shuffle[start:end]] for start, end in pairwise([0, *ends])]

    def draw(self, number: int) -> PairBatch:
        """Batch `number` of the training stream, a pure function of the seed and the number.

        The number of an example in its split is that of the first pair it joins.
        """
        epoch, position = divmod(number, self.epoch_length())
        train = self.parallel(TRAIN)
        if self._epoch is None or self._epoch[0] != epoch:
            examples = self._examples(epoch)
            lengths = [
                (sum(len(train.target_ids[i]) for i in example), sum(len(train.source_ids[i]) for i in example))
                for example in examples
            ]
            batches = bucketed(lengths, self.batch_size, self.pool, self.seed, epoch)
            full = max(map(len, batches))
            self._epoch = epoch, [[examples[i] for i in batch] for batch in batches if len(batch) == full]
        return joined_batch(train, self._epoch[1][position])

    def evaluation(self, split: str, batch_size: int | None = None) -> BatchStream:
        """All of a split in batches of similar length, always the same ones in the same order."""
        pairs = self.parallel(split)
        lengths = [
            (len(source), len(target)) for source, target in zip(pairs.source_ids, pairs.target_ids, strict=True)
        ]
        batches = bucketed(lengths, batch_size or self.batch_size, len(lengths), 0)
        return BatchStream(lambda i: pair_batch(pairs.source_ids, pairs.target_ids, batches[i]), len(batches))

    def validation_set(self) -> BatchStream:
        return self.evaluation(self.validation_split)

    def test_sets(self) -> dict[str, BatchStream]:
        return {split: self.evaluation(split) for split in self.test_splits}

    # Scoring ---------------------------------------------------------------------------------------------------------

    def score(self, predictions: Sequence[Sequence[int]], indices: Sequence[int], split: str) -> dict[str, float]:
        """Corpus BLEU of predicted target ids, in percent, on normalised Moses tokens (see `bleu_signature`).

        Args:
          predictions: subword ids; what follows an EOS is ignored.
          indices: for each prediction the number of its pair in the split.
          split: an official name; "val" is the split to validate on.
        """
        references = self.parallel(self.validation_split if split == "val" else split).target_words
        hypotheses = [self.target_subwords.words(ids) for ids in predictions]
        return {"bleu": corpus_bleu(hypotheses, [references[index] for index in indices], self.bleu_tokenizer)}
