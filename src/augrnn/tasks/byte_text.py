"""The text task of adaptive computation time (Graves 2016, section 3.5), on any text."""

from pathlib import Path

from augrnn.tasks.byte_task import TEST, VALIDATION, ByteTask
from augrnn.text.byte_corpus import ByteCorpus


class ByteText(ByteTask):
    """From each byte of a text to the one after it.

        input    W e l l ,   P r i n c e
        target   e l l ,   P r i n c e ,

    The paper has Wikipedia with its XML tags, and measures on what it trains on; here stretches of the text are held
    out.

    Args:
      sequence: see ByteTask; the paper's is 500.
      name: a folder in the directory that AUGRNN_DATA names; read where no path and no hub is given.
      path: a folder of .txt or .xml files, gzipped or not, which are joined in the order of their names; or one file.
        Their bytes are taken as they are.
      hub: id of a data set on the Hugging Face hub; its rows are joined, each on lines of its own.
      column: that has the text there.
      held_out: share of the bytes at the end that is the test, and of those before these that is the validation. Hub
        data sets of several splits have their own.
      batch_size, epoch_batches, validation_sequences, test_sequences, seed: see ByteTask.
      validation_split, test_splits: names of the splits to validate and test on.
    """

    def __init__(
        self,
        sequence: int = 500,
        name: str = "war_and_peace",
        path: Path | None = None,
        hub: str | None = None,
        column: str = "text",
        held_out: float = 0.05,
        batch_size: int = 32,
        epoch_batches: int = 500,
        validation_sequences: int = 200,
        test_sequences: int = 500,
        validation_split: str = VALIDATION,
        test_splits: tuple[str, ...] = (TEST,),
        seed: int = 0,
    ) -> None:
        self.corpus = ByteCorpus(name, path, hub, column, held_out)
        super().__init__(
            sequence,
            batch_size,
            epoch_batches,
            validation_sequences,
            test_sequences,
            validation_split,
            test_splits,
            seed,
        )

    def read(self, split: str) -> bytes:
        return self.corpus.read(split)
