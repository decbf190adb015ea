"""Questions about tables: WikiTableQuestions (Pasupat and Liang 2015), or data sets of its form."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.trainer.states import TrainerFn

from augrnn.batch_stream import BatchStream, generator
from augrnn.errors import UserError
from augrnn.tables.batch import SPECIAL, UNK, TableBatch
from augrnn.tables.corpus import HUB, TableCorpus
from augrnn.tables.encoding import QuestionSet, TableVocabulary, learnt_vocabulary
from augrnn.tables.preparing import cached_prepare
from augrnn.tasks.task import StepTask, require_sizes


class WikiTableQuestions(StepTask):
    """Answer a question about a table, with the answer alone to learn from.

        table      Year | Competition | Position        question   when was her last gold medal ?
                   2001 | Worlds      | 1st             answer     2001
                   2003 | Worlds      | 7th

    Training leaves out questions on tables with more than 100 rows, 15 columns of numbers or 25 of words, and those
    whose answer is neither a number nor stands in the table. In other splits the latter count as wrong. No question is
    asked on larger tables: the metric `right` is a share of the other questions, and the measure counts these as wrong.
    The vocabulary, of words that stand ten times in questions and names of columns, is learned on the training split
    alone.

    Args:
      directory: the data set's own directory, see `augrnn.tables.corpus.TableCorpus`.
      hub: instead of it, an id on the Hugging Face hub. Of the default one `wikitablequestions` in the directory that
        AUGRNN_DATA names is a copy, and is read instead.
      train_split, validation_split, test_splits: names of splits.
      vocabulary: at most so many words, the special ones included, the most frequent first.
      batch_size: questions a training batch.
      word_dropout: the share of words that a training batch does not know.
      cache: directory for prepared questions; AUGRNN_CACHE or the user's cache directory when None.
      seed: names the stream of training batches.
    """

    measure = "augrnn.measures.wiki_table_questions.measure.WikiTableQuestionsMeasure"

    input_size, output_size = 0, 1
    finite = True
    learned = True
    evaluation_batch_size = 100

    def __init__(
        self,
        directory: Path | None = None,
        hub: str = HUB,
        train_split: str = "random-split-1-train",
        validation_split: str = "random-split-1-dev",
        test_splits: tuple[str, ...] = ("random-split-1-dev",),
        vocabulary: int = 2500,
        batch_size: int = 20,
        word_dropout: float = 0.1,
        cache: Path | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        require_sizes("questions about tables", batch_size=batch_size, vocabulary=vocabulary - SPECIAL)
        if not 0 <= word_dropout < 1:
            raise UserError(f"word_dropout must be at least 0 and less than 1, not {word_dropout}")
        self.corpus = TableCorpus(directory, hub)
        self.train_split, self.validation_split, self.test_splits = train_split, validation_split, list(test_splits)
        self.vocabulary, self.batch_size, self.word_dropout = vocabulary, batch_size, word_dropout
        self.word_ids = vocabulary
        self.cache, self.seed = cache, seed
        self._words: TableVocabulary | None = None
        self._read: dict[str, QuestionSet] = {}
        self._epoch: tuple[int, list[int]] | None = None

    # Reading ---------------------------------------------------------------------------------------------------------

    def prepare_data(self) -> None:
        """Fetch the data and prepare it, on one process before the others read it."""
        if self.trainer is None or self.trainer.state.fn == TrainerFn.FITTING:
            self.setup("fit")

    def setup(self, stage: str | None = None) -> None:
        """Before training, read the splits to train and to validate on; the others are read when asked for."""
        if stage in (None, "fit"):
            self.questions(self.train_split)
            if self.trainer is None or self.trainer.limit_val_batches:
                self.questions(self.validation_split)

    @property
    def words(self) -> TableVocabulary:
        """The words that are known; learned from the training split, or taken from a checkpoint."""
        if self._words is None:
            known = learnt_vocabulary(self.corpus.read(self.train_split)).known
            self._words = TableVocabulary(known[: self.vocabulary - SPECIAL])
        return self._words

    def questions(self, split: str) -> QuestionSet:
        """A split by its name; read on the first call, so that no test split is read before its time."""
        if split not in self._read:
            data = self.corpus.read(split)
            self._read[split] = QuestionSet(data, cached_prepare(data, cache=self.cache), self.words)
        return self._read[split]

    def state_dict(self) -> dict[str, Any]:
        """The words, so that a checkpoint needs no data set, and is never read with other words."""
        return {"words": self.words.known}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if self._words is None:
            self._words = TableVocabulary(state_dict["words"])
        elif self._words.known != state_dict["words"]:
            raise UserError(
                "the checkpoint was trained on another vocabulary: use its own data settings and the questions that it "
                "was trained on"
            )

    # Batches ---------------------------------------------------------------------------------------------------------

    @cached_property
    def _trained(self) -> list[int]:
        found = self.questions(self.train_split).trainable
        if len(found) < self.batch_size:
            raise UserError(
                f"'{self.train_split}' has {len(found)} questions to train on, fewer than a batch_size of "
                f"{self.batch_size}"
            )
        return found

    def epoch_length(self) -> int:
        """Training batches of an epoch, all full: each epoch leaves out a different remainder."""
        return len(self._trained) // self.batch_size

    def draw(self, number: int) -> TableBatch:
        """Batch `number` of the training stream, a pure function of the seed and the number."""
        epoch, position = divmod(number, self.epoch_length())
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = epoch, torch.randperm(len(self._trained), generator=generator(self.seed, epoch)).tolist()
        chosen = self._epoch[1][position * self.batch_size : (position + 1) * self.batch_size]
        batch = self.questions(self.train_split).batch([self._trained[place] for place in chosen])
        words_BL = batch.words_BL
        unknown_BL = torch.rand(words_BL.shape, generator=generator(self.seed, number, 1)) < self.word_dropout
        return batch._replace(words_BL=words_BL.masked_fill(unknown_BL & (words_BL >= SPECIAL), UNK))

    def evaluation(self, split: str) -> BatchStream:
        """All questions of a split on tables within the limits, always the same ones in the same order."""
        questions, size = self.questions(split), self.evaluation_batch_size

        def drawn(number: int) -> TableBatch:
            return questions.batch(questions.fitting[number * size : (number + 1) * size])

        return BatchStream(drawn, -(-len(questions.fitting) // size))

    def validation_set(self) -> BatchStream:
        return self.evaluation(self.validation_split)

    def test_sets(self) -> dict[str, BatchStream]:
        return {split: self.evaluation(split) for split in self.test_splits}

    @property
    def test_names(self) -> list[str]:
        return self.test_splits
