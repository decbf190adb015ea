"""How captions are cut into words: a choice that moves every metric, and so is named in each one's signature."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from augrnn.errors import UserError
from augrnn.text.moses import Moses
from augrnn.text.normalisation import RULES, normalised
from augrnn.text.vocabulary import cached_words

Cut = Literal["spaces", "moses"]
"""Where words end: at spaces, as in captions that are in words already, or where the Moses rules say."""


class CaptionWords:
    """From a raw caption to its words and back.

    Args:
      cut: see `Cut`.
      lowercase: whether words are lower case.
      punctuation: False leaves out words without a letter or digit, the full stop among them.
      language: its code.
    """

    def __init__(
        self, cut: Cut = "moses", lowercase: bool = True, punctuation: bool = True, language: str = "en"
    ) -> None:
        if cut not in get_args(Cut):
            raise UserError(f"captions are cut at {' or by '.join(get_args(Cut))}, not '{cut}'")
        self.cut, self.lowercase, self.punctuation, self.language = cut, lowercase, punctuation, language
        self._moses = Moses(language, lowercase)

    def words(self, captions: Sequence[str], cache: Path | None = None) -> list[list[str]]:
        """The words of each caption; none for a blank one.

        Args:
          captions: raw.
          cache: where the Moses rules' words are kept, for they take a while.
        """
        if self.cut == "moses":
            cut = cached_words(captions, self._moses, cache)
        else:
            cut = [normalised(caption, self.language, self.lowercase).split() for caption in captions]
        return cut if self.punctuation else [[word for word in words if _spoken(word)] for words in cut]

    def line(self, words: Sequence[str]) -> str:
        """Words as a line to read."""
        return self._moses.sentence(words) if self.cut == "moses" else " ".join(words)

    @property
    def treatment(self) -> str:
        """What this does to text, for signatures."""
        case, punctuation = ("lower" if self.lowercase else "kept"), ("kept" if self.punctuation else "dropped")
        cut = f"moses-{self.language}" if self.cut == "moses" else "spaces"
        return f"case:{case}|punctuation:{punctuation}|tok:{cut}"

    def state_dict(self) -> dict[str, Any]:
        """All that `from_state` needs, as plain values."""
        chosen = {"cut": self.cut, "lowercase": self.lowercase, "punctuation": self.punctuation}
        return chosen | {"language": self.language, "rules": RULES}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "CaptionWords":
        """The same words again.

        Raises:
          UserError: a newer augrnn wrote it.
        """
        if state["rules"] > RULES:
            raise UserError("the checkpoint's text was normalised by rules that only a newer augrnn has: update it")
        return cls(state["cut"], state["lowercase"], state["punctuation"], state["language"])


def _spoken(word: str) -> bool:
    return any(character.isalnum() for character in word)
