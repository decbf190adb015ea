"""From raw sentences to Moses tokens, which are called words here, and back."""

from collections.abc import Sequence

from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer

WORD_START = "▁"


class Moses:
    """Lowercase, normalise punctuation, tokenise: the text that published Multi30k scores are measured on.

    Args:
      language: two letters; chooses the rules on elisions and abbreviations.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._normalizer = MosesPunctNormalizer(language)
        self._tokenizer = MosesTokenizer(language)
        self._detokenizer = MosesDetokenizer(language)

    def words(self, sentence: str) -> list[str]:
        """The lowercased tokens of a raw sentence; none for a blank one."""
        plain = self._normalizer.normalize(sentence.lower().replace(WORD_START, " "))
        return self._tokenizer.tokenize(plain, escape=False) if plain.strip() else []

    def sentence(self, words: Sequence[str]) -> str:
        """A line to read: the words joined as they are written (lowercase stays)."""
        return self._detokenizer.detokenize(list(words), unescape=False)
