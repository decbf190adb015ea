"""From raw sentences to Moses tokens ("words" here) to the units of a vocabulary, subwords or whole words, and back."""

import hashlib
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Literal
from unicodedata import unidata_version

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from augrnn.errors import UserError
from augrnn.text.cache import cached
from augrnn.text.moses import WORD_START, Moses
from augrnn.text.normalisation import RULES
from augrnn.text.token_batches import BOS, EOS, PAD

SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>"]

Units = Literal["subwords", "words"]
"""What a vocabulary is of."""


class Subwords:
    """Byte-pair encoding of words (Sennrich, Haddow and Birch 2016), reversible but for characters never met.

    A subword that starts a word carries the mark "▁". Ids 0 to 3 are PAD, BOS, EOS and UNK.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
        self.serialised = tokenizer.to_str()
        self.digest = hashlib.sha256("\n".join(self._pieces).encode()).hexdigest()[:16]

    @property
    def size(self) -> int:
        """Subwords in the vocabulary, the four special ones included."""
        return len(self._pieces)

    def encode(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """The subword ids of each sentence of words, ended by EOS."""
        encodings = self._tokenizer.encode_batch([list(words) for words in sentences], is_pretokenized=True)
        return [[*encoding.ids, EOS] for encoding in encodings]

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The subwords as text, word starts marked."""
        return [self._pieces[token] for token in ids]

    def words(self, ids: Iterable[int]) -> list[str]:
        """The words that ids up to the first EOS spell; an unknown character reads <unk>."""
        text = ""
        for token in ids:
            if token == EOS:
                break
            text += self._pieces[token] if token >= len(SPECIAL) or self._pieces[token] == "<unk>" else ""
        return text.replace(WORD_START, " ").split()

    def word_of(self, ids: Iterable[int]) -> list[int]:
        """For each id the number of the word it is part of, as `words` has them; EOS is a word of its own.

        A mark alone, which only a model writes, is part of the word behind it, or at the end of the one before.
        """
        numbers: list[int] = []
        number, spelled = 0, False
        for token in ids:
            piece = self._pieces[token]
            if spelled and (piece.startswith(WORD_START) or token == EOS):
                number, spelled = number + 1, False
            spelled |= piece != WORD_START and token not in (PAD, BOS)
            numbers.append(number)
        return numbers if spelled else [min(each, max(number - 1, 0)) for each in numbers]


class Words(Subwords):
    """The commonest words, each a unit of its own; any other word is UNK (Bahdanau et al. 2014, section 4.1)."""

    def words(self, ids: Iterable[int]) -> list[str]:
        """The words of ids up to the first EOS; any other word reads <unk>."""
        kept = takewhile(lambda token: token != EOS, ids)
        return [self._pieces[token] for token in kept if token not in (PAD, BOS)]

    def word_of(self, ids: Iterable[int]) -> list[int]:
        """For each id its place: every id is a word."""
        return list(range(len(list(ids))))


def train_subwords(sentences: Iterable[Sequence[str]], size: int) -> Subwords:
    """Learn the `size` subwords of a text; the same ones on every call.

    Raises:
      UserError: the text has too many characters or too few words for that size.
    """
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    # The mark is an ordinary character before the word: an end-of-word suffix makes the library number its first
    # subwords in the order of a hash table, differently on every run.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(WORD_START, prepend_scheme="always", split=False)
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(sentences, trainer)
    made = tokenizer.get_vocab_size()
    if made != size:
        limit = f"its characters alone need {made}" if made > size else f"all its words give no more than {made}"
        raise UserError(f"a vocabulary of {size} subwords is impossible for this training text: {limit}")
    return Subwords(tokenizer)


def train_words(sentences: Iterable[Sequence[str]], size: int) -> Words:
    """The commonest words of a text, in that order and then in the alphabet's, `size` units with the special ones.

    Raises:
      UserError: the text has too few words for that size, or the size has no room for one.
    """
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    trainer = trainers.WordLevelTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(sentences, trainer)
    made, least = tokenizer.get_vocab_size(), len(SPECIAL) + 1
    if size < least or made != size:
        limit = f"one word needs {least}" if size < least else f"all its words give no more than {made}"
        raise UserError(f"a vocabulary of {size} words is impossible for this training text: {limit}")
    return Words(tokenizer)


def cached_words(sentences: Sequence[str], moses: Moses, cache: Path | None = None) -> list[list[str]]:
    """The words of each sentence, kept in the cache."""

    def tokenised() -> str:
        return "\n".join(" ".join(moses.words(sentence)) for sentence in sentences)

    case = "lower" if moses.lowercase else "as it is"
    kind = f"words {moses.language} {case} {RULES} {version('sacremoses')} {unidata_version}"
    text = cached(kind, sentences, tokenised, cache)
    return [line.split(" ") if line else [] for line in text.split("\n")]


def cached_subwords(
    sentences: Sequence[Sequence[str]], size: int, cache: Path | None = None, units: Units = "subwords"
) -> Subwords:
    """`train_subwords` or `train_words`, kept in the cache."""
    content = (" ".join(words) for words in sentences)
    whole = units == "words"
    kind = f"vocabulary {size}" if whole else f"subwords {size} {WORD_START}"
    train = train_words if whole else train_subwords
    text = cached(f"{kind} {version('tokenizers')}", content, lambda: train(sentences, size).serialised, cache)
    return vocabulary_of(Tokenizer.from_str(text), units)


def vocabulary_of(tokenizer: Tokenizer, units: Units) -> Subwords:
    """A vocabulary that was trained before."""
    return (Words if units == "words" else Subwords)(tokenizer)
