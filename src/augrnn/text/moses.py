"""From raw sentences to Moses tokens, which are called words here, and back."""

from collections.abc import Sequence

import regex
from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer

from augrnn.text.normalisation import normalised, primary

WORD_START = "▁"

UNSPACED = {"zh": "zh", "yue": "zh", "ja": "char", "th": "char", "lo": "char", "km": "char", "my": "char"}
"""Languages written without spaces between words: each character of their scripts, with its marks, is a word.

The values are sacrebleu's names for how it cuts them (its `ja-mecab` needs a package of its own)."""

_SCRIPTS = "".join(
    rf"\p{{scx={name}}}" for name in ("Han", "Hiragana", "Katakana", "Bopomofo", "Thai", "Lao", "Khmer", "Myanmar")
)
_CHARACTER = regex.compile(rf"(?:(?=\p{{L}})[{_SCRIPTS}]|[{_SCRIPTS}--\p{{ASCII}}])\p{{M}}*", regex.V1)
_BETWEEN = regex.compile(rf"(?<=[{_SCRIPTS}\uFF00-\uFFEF]\p{{M}}*) | (?=[{_SCRIPTS}\uFF00-\uFFEF])")

# What the Moses rules would cut: whole words, and marks inside words that NFC could not compose.
_WHOLE = regex.compile(
    r"""(?: https?:// | ftp:// | www\. ) [^\s\u3000-\u303F\uFF00-\uFFEF]* [\w/=\-]
      | [\w.\-+]+ @ (?:[\w\-]+\.)+ \p{L}{2,}
      | (?<![\w&]) @ \w+
      | (?<!\w) \p{L} (?: \+\+ | \# ) (?!\w)
      | (?<!\w) n°
      | \p{Extended_Pictographic} \p{Emoji_Modifier}? (?: \u200D \p{Extended_Pictographic} \p{Emoji_Modifier}? )+
      | \p{Extended_Pictographic} \p{Emoji_Modifier}
      | \p{Regional_Indicator}{2}""",
    regex.VERBOSE | regex.IGNORECASE,
)
_INSIDE = regex.compile(r"(?<=[\p{L}\p{N}\p{M}\u200C\u200D])[\p{M}\u200C\u200D]")

_JOINED = regex.compile(r"(?<!\S)(#) (?=\w)|(?<=\w) (_+) (?=\w)")

_TOKENISED = regex.compile(
    r"""&(?:apos|quot|amp|lt|gt|bar|\#124|\#91|\#93); | @-@
      | (?<=\S)[ ](?:[.,]|'s|n't|'re|'ve|'ll)(?=[ ]|$) | \b(?:[ldjnsmct]|qu)'[ ](?=\p{L})""",
    regex.VERBOSE | regex.IGNORECASE,
)

_PLACEHOLDERS = [chr(code) for code in range(0xA000, 0xA48D)]
"""Letters (of Yi) that stand for what is protected while the Moses rules are applied."""


class Moses:
    """Normalise, tokenise: the text that published Multi30k scores are measured on.

    Web and e-mail addresses, `@names`, `C++` and emoji sequences are one word each. `#tag` and `a_b` are several, which
    are joined again.

    Args:
      language: its code; chooses the rules on elisions and abbreviations, and whether characters are words.
      lowercase: whether words are lower case.
    """

    def __init__(self, language: str, lowercase: bool = True) -> None:
        self.language, self.lowercase = language, lowercase
        self.unspaced = primary(language) in UNSPACED
        self._normalizer = MosesPunctNormalizer(primary(language))
        self._tokenizer = MosesTokenizer(primary(language))
        self._detokenizer = MosesDetokenizer(primary(language))

    def words(self, sentence: str) -> list[str]:
        """The words of a raw sentence; none for a blank one."""
        line = normalised(sentence.replace(WORD_START, " "), self.language, self.lowercase)
        held: dict[str, str] = {}
        line = _hold(_WHOLE, " {} ", line, held)
        if self.unspaced:
            line = _CHARACTER.sub(r" \g<0> ", line)
        if not line.isascii():
            line = _hold(_INSIDE, "{}", line, held)
        if not line.strip():
            return []
        words = self._tokenizer.tokenize(self._normalizer.normalize(line), escape=False)
        if not held:
            return words
        there = str.maketrans({letter: text for text, letter in held.items()})
        return [word.translate(there) for word in words]

    def sentence(self, words: Sequence[str]) -> str:
        """A line to read: the words joined as they are written, in their case."""
        line = _JOINED.sub(r"\1\2", self._detokenizer.detokenize(list(words), unescape=False))
        return _BETWEEN.sub("", line) if self.unspaced else line


def bleu_tokenizer(language: str) -> str:
    """How BLEU cuts text of a language, in sacrebleu's words; "none" where words have spaces between them."""
    return UNSPACED.get(primary(language), "none")


def tokenised(lines: Sequence[str]) -> bool:
    """Whether text seems to be in Moses tokens already, which the rules would cut again: most of its lines do."""
    there = [line for line in lines if line.strip()]
    return 2 * sum(bool(_TOKENISED.search(line)) for line in there) > len(there)


def _hold(pattern: regex.Pattern, form: str, line: str, held: dict[str, str]) -> str:
    """The line with a letter for each match, noted in `held`; what there is no letter for stays."""
    free = iter([letter for letter in _PLACEHOLDERS if letter not in line and letter not in held.values()])

    def letter(match: regex.Match) -> str:
        text = match.group()
        if text not in held:
            if (new := next(free, None)) is None:
                return text
            held[text] = new
        return form.format(held[text])

    return pattern.sub(letter, line)
