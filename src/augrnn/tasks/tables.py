"""The tasks of questions about made-up tables: for a program, and as texts for models that read and write."""

# B = batch, M = letters of an answer

from collections.abc import Sequence
from functools import partial

from augrnn.batch_stream import BatchStream
from augrnn.tasks.table_questions import TableBatch, TableTask, Wording
from augrnn.tasks.task import StepTask, TextTask
from augrnn.text.token_batches import EOS, PairBatch, pair_batch

LETTERS = "0123456789.-|"
"""What numbers are spelled with, and what stands before each cell of a table."""

FIRST = 4
"""The first token id that is a letter; those before it have a fixed meaning."""


class Tables(TableTask, StepTask):
    """Questions about tables for a program, which is unrolled over STEPS; see TableTask."""

    measure = "augrnn.measures.tables.measure.TableMeasure"

    input_size, output_size = 0, 1

    def draw(self, number: int) -> TableBatch:
        return self.training_questions(number)

    def validation_set(self) -> BatchStream:
        return BatchStream(self.validation_questions, self.validation_batches)

    def test_sets(self) -> dict[str, BatchStream]:
        return {name: BatchStream(partial(self.test_questions, name), self.test_batches) for name in self.bounds}

    def sets_of_all_templates(self) -> dict[str, BatchStream]:
        """Sets like the test sets, of all templates alike: those that are held out are as likely as the others."""
        return {
            name: BatchStream(partial(self.questions_of_all_templates, name), self.test_batches) for name in self.bounds
        }


class TableTexts(TableTask, TextTask):
    """The same questions for a model that reads them, with their tables, as text and writes the answer; see TableTask.

    Words are tokens, and numbers are spelled. With one column of three rows:

        source   greater 2 . 5 column0 sum column0 | 3 | - 7 . 5 | 4 EOS
        target   7 EOS

    Answers are numbers alone, and tables have no words.
    """

    measure = "augrnn.measures.tables.texts.TableTextMeasure"

    def __init__(
        self,
        number_columns: int = 1,
        wording: Wording = "single",
        held_out: float = 0.0,
        min_rows: int = 30,
        max_rows: int = 100,
        largest: float = 100.0,
        test_rows: int = 120,
        test_largest: tuple[float, ...] = (100.0, 200.0),
        examples: int | None = None,
        differences: float | None = None,
        lessons: tuple[tuple[int, float], ...] = (),
        test_questions: int = 1000,
        batch_size: int = 50,
        epoch_batches: int = 500,
        validation_questions: int = 500,
        seed: int = 0,
    ) -> None:
        super().__init__(
            number_columns, 0, wording, True, held_out, min_rows, max_rows, largest, test_rows, test_largest, 1,
            examples, differences, lessons, (), test_questions, batch_size, epoch_batches,
            validation_questions, seed,
        )  # fmt: skip
        self.spelling = {letter: FIRST + place for place, letter in enumerate(LETTERS)}
        self.source_vocabulary = FIRST + len(LETTERS) + len(self.vocabulary)
        self.target_vocabulary = FIRST + len(LETTERS)

    def read(self, batch: TableBatch, first: int = 0) -> PairBatch:
        """Questions and tables as token ids, and answers; examples are numbered from `first` on."""
        ids = {word: FIRST + len(LETTERS) + place for place, word in enumerate(self.vocabulary)}
        sources, targets = [], []
        for b, text in enumerate(self.texts(batch)):
            cells = batch.table.numbers_BRC[b].flatten().tolist()
            words = [*text.split(), *(f"|{cell:.6g}" for cell in cells)]
            source = [token for word in words for token in ([ids[word]] if word in ids else self._spelled(word))]
            sources.append([*source, EOS])
            targets.append([*self._spelled(f"{round(float(batch.number_B[b]), 1):.6g}"), EOS])
        found = pair_batch(sources, targets, range(batch.size))
        return found._replace(index_B=found.index_B + first)

    def _spelled(self, number: str) -> list[int]:
        return [self.spelling[letter] for letter in number]

    def draw(self, number: int) -> PairBatch:
        return self.read(self.training_questions(number))

    def _evaluation(self, split: str, number: int) -> PairBatch:
        drawn = self.validation_questions(number) if split == "val" else self.test_questions(split, number)
        return self.read(drawn, number * self.evaluation_batch_size)

    def validation_set(self) -> BatchStream:
        return BatchStream(partial(self._evaluation, "val"), self.validation_batches)

    def test_sets(self) -> dict[str, BatchStream]:
        return {name: BatchStream(partial(self._evaluation, name), self.test_batches) for name in self.bounds}

    def score(self, predictions: Sequence[Sequence[int]], indices: Sequence[int], split: str) -> dict[str, float]:
        """The share of answers that are `right`, to the last letter."""
        wanted: dict[int, list[int]] = {}
        for number in sorted({index // self.evaluation_batch_size for index in indices}):
            batch = self._evaluation(split, number)
            for index, target_M, mask_M in zip(
                batch.index_B.tolist(), batch.target_BM, batch.target_mask_BM, strict=True
            ):
                wanted[index] = target_M[mask_M].tolist()[:-1]
        right = sum(_until_end(given) == wanted[index] for given, index in zip(predictions, indices, strict=True))
        return {"right": right / len(predictions)}


def _until_end(tokens: Sequence[int]) -> list[int]:
    return list(tokens[: tokens.index(EOS)]) if EOS in tokens else list(tokens)
