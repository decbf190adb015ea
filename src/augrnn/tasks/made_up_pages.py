"""Made-up pages in XML, on which it is known where identifiers are that nobody can predict."""

from augrnn.known_names import known
from augrnn.tasks.byte_task import TEST, VALIDATION, ByteTask
from augrnn.tasks.task import require_sizes
from augrnn.text.byte_corpus import SPLITS
from augrnn.text.made_up_pages import pages_bytes


class MadeUpPages(ByteTask):
    """From each byte of pages that are made up to the one after it.

        input    < i d > 7 2 9 0 4 <
        target   i d > 7 2 9 0 4 < /

    The pages of a split are a pure function of `pages_seed`; `augrnn.text.made_up_pages` has what is in them.

    Args:
      sequence: see ByteTask.
      training_bytes: of the text to train on.
      held_out_bytes: of the text to validate on, and of that to test on.
      pages_seed: names all pages, of which no two splits share one.
      batch_size, epoch_batches, validation_sequences, test_sequences, seed: see ByteTask.
      validation_split, test_splits: names of the splits to validate and test on.
    """

    def __init__(
        self,
        sequence: int = 500,
        training_bytes: int = 2_000_000,
        held_out_bytes: int = 200_000,
        pages_seed: int = 0,
        batch_size: int = 32,
        epoch_batches: int = 500,
        validation_sequences: int = 200,
        test_sequences: int = 500,
        validation_split: str = VALIDATION,
        test_splits: tuple[str, ...] = (TEST,),
        seed: int = 0,
    ) -> None:
        require_sizes("made-up pages", training_bytes=training_bytes, held_out_bytes=held_out_bytes)
        self.counts = dict(zip(SPLITS, (training_bytes, held_out_bytes, held_out_bytes), strict=True))
        self.pages_seed = pages_seed
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
        number = SPLITS.index(known(split, SPLITS, "split of the made-up pages"))
        return pages_bytes(self.counts[split], self.pages_seed, number)
