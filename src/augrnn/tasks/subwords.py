"""From raw sentences to Moses tokens ("words" here) to subwords, and back."""

import hashlib
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path

from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from augrnn.batches import EOS
from augrnn.errors import UserError
from augrnn.tasks.cache import cached

SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>"]
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
        """For each id the number of the word it is part of; EOS is a word of its own."""
        starts = [piece.startswith(WORD_START) or token == EOS for token, piece in ((t, self._pieces[t]) for t in ids)]
        return [max(number - 1, 0) for number in accumulate(starts)]


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


def cached_words(sentences: Sequence[str], moses: Moses, cache: Path | None = None) -> list[list[str]]:
    """The words of each sentence, kept in the cache."""

    def tokenised() -> str:
        return "\n".join(" ".join(moses.words(sentence)) for sentence in sentences)

    text = cached(f"words {moses.language} {version('sacremoses')}", sentences, tokenised, cache)
    return [line.split(" ") if line else [] for line in text.split("\n")]


def cached_subwords(sentences: Sequence[Sequence[str]], size: int, cache: Path | None = None) -> Subwords:
    """`train_subwords`, kept in the cache."""
    content = (" ".join(words) for words in sentences)
    kind = f"subwords {size} {WORD_START} {version('tokenizers')}"
    text = cached(kind, content, lambda: train_subwords(sentences, size).serialised, cache)
    return Subwords(Tokenizer.from_str(text))
