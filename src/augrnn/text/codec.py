"""From a user's lines to batches and from token ids to lines, with all that it takes: it travels with a checkpoint."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer

from augrnn.errors import UserError
from augrnn.text.moses import Moses
from augrnn.text.normalisation import RULES
from augrnn.text.token_batches import EOS, PairBatch, pair_batch
from augrnn.text.vocabulary import Subwords, Units, vocabulary_of

SPREAD = 4
"""How many times as long as its shortest line the longest of a batch may be: the others are padded to it."""


class TextCodec:
    """One language: raw lines to words (normalised Moses tokens) to token ids, and back.

    Args:
      language: its code; chooses the rules on elisions and abbreviations.
      vocabulary: the units that words are written in.
      lowercase: whether words are lower case.
    """

    def __init__(self, language: str, vocabulary: Subwords, lowercase: bool = True) -> None:
        self.language, self.vocabulary, self.lowercase = language, vocabulary, lowercase
        self._moses = Moses(language, lowercase)

    def words(self, line: str) -> list[str]:
        """The words of a raw line; none for a blank one."""
        return self._moses.words(line)

    def line(self, words: Sequence[str]) -> str:
        """Words as a line to read: joined as they are written, in their case."""
        return self._moses.sentence(words)


class PairCodec:
    """Two languages: sources to translate into batches, and predictions into lines.

    Args:
      source, target: the languages.
      units: what the vocabularies are of.
      batch_size: lines a batch.
    """

    def __init__(self, source: TextCodec, target: TextCodec, units: Units, batch_size: int = 64) -> None:
        self.source, self.target, self.units, self.batch_size = source, target, units, batch_size

    def batches(
        self, lines: Sequence[str], room: Callable[[int, int], int] | None = None
    ) -> Iterator[tuple[list[int], PairBatch]]:
        """Batches of the lines that are not blank, short ones first, each with the numbers of its lines.

        `index_B` is the number of the line; the targets are empty.

        Args:
          lines: raw sentences.
          room: how many sentences fit in a batch, from the number of a line and its units, "<eos>" included.
        """
        yield from self.batches_of([self.source.words(line) for line in lines], room)

    def batches_of(
        self, words: Sequence[Sequence[str]], room: Callable[[int, int], int] | None = None
    ) -> Iterator[tuple[list[int], PairBatch]]:
        """The same for lines whose words are known."""
        ids = self.source.vocabulary.encode(words)
        numbers = sorted((number for number, each in enumerate(words) if each), key=lambda number: len(ids[number]))
        nothing = [[EOS]] * len(ids)
        for chosen in self._like_length(numbers, [len(each) for each in ids], room):
            yield chosen, pair_batch(ids, nothing, chosen)

    def _like_length(
        self, numbers: Sequence[int], units: Sequence[int], room: Callable[[int, int], int] | None
    ) -> Iterator[list[int]]:
        """Batches of lines, of which the longest has at most `SPREAD` times the units of the shortest."""
        chosen: list[int] = []
        for number in numbers:
            size = self.batch_size if room is None else min(self.batch_size, room(number, units[number]))
            if chosen and (len(chosen) >= size or units[number] > SPREAD * units[chosen[0]]):
                yield chosen
                chosen = []
            chosen.append(number)
        if chosen:
            yield chosen

    def texts(self, prediction: Mapping[int, Sequence[Any]]) -> list[str]:
        """The lines of what an EncoderDecoder predicts for a batch: of each source the best hypothesis."""
        return [self.spelled(best[0].tokens) for best in prediction.values()]

    def spelled(self, ids: Iterable[int]) -> str:
        """The line that target ids spell."""
        return self.target.line(self.target.vocabulary.words(ids))

    def state_dict(self) -> dict[str, Any]:
        """All that `from_state` needs, as plain values."""
        vocabularies = [self.source.vocabulary.serialised, self.target.vocabulary.serialised]
        return {
            "languages": [self.source.language, self.target.language],
            "units": self.units,
            "normalisation": {"rules": RULES, "lowercase": self.source.lowercase},
            "vocabularies": vocabularies[:1] if vocabularies[0] == vocabularies[1] else vocabularies,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], batch_size: int = 64) -> "PairCodec":
        """The codec that gave a state.

        Raises:
          UserError: a newer augrnn wrote it.
        """
        state = completed(state)
        if state["normalisation"]["rules"] > RULES:
            raise UserError("the checkpoint's text was normalised by rules that only a newer augrnn has: update it")
        lowercase = state["normalisation"]["lowercase"]
        made = [vocabulary_of(Tokenizer.from_str(text), state["units"]) for text in state["vocabularies"]]
        languages = state["languages"]
        source, target = (
            TextCodec(language, each, lowercase) for language, each in zip(languages, (made[0], made[-1]), strict=True)
        )
        return cls(source, target, state["units"], batch_size)


def completed(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state with all of today's entries: text of older checkpoints is lower case, and gets today's rules."""
    return {"normalisation": {"rules": RULES, "lowercase": True}} | dict(state)
