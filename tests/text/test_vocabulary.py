"""Words and subwords: reversible, the same on every call, cached whole or not at all."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.text import vocabulary as module
from augrnn.text.moses import Moses
from augrnn.text.token_batches import BOS, EOS, PAD, UNK
from augrnn.text.vocabulary import Subwords, cached_subwords, cached_words, train_subwords, train_words

TEXT = [line.split() for line in ["a red shirt .", "the dogs run in the green grass .", "a man 's shirt , a dog ."] * 3]
SIZE = 40


@pytest.fixture(scope="module")
def subwords() -> Subwords:
    return train_subwords(TEXT, SIZE)


@pytest.mark.parametrize(
    ("language", "sentence", "words"),
    [
        (
            "fr",
            "Un garçon vêtu d'un T-Shirt joue de l’accordéon.",
            "un garçon vêtu d' un t-shirt joue de l' accordéon .",
        ),
        ("en", "A boy sits on a woman's shoulders, smiling.", "a boy sits on a woman 's shoulders , smiling ."),
        ("de", "Zwei Männer, ca. 30 Jahre alt.", "zwei männer , ca. 30 jahre alt ."),
        ("en", '<pad> a < b & "c"', '< pad > a < b & " c "'),
    ],
)
def test_words_are_lowercased_moses_tokens_without_escapes(language: str, sentence: str, words: str) -> None:
    assert Moses(language).words(sentence) == words.split()


@pytest.mark.parametrize("blank", ["", "  ", "\t", "\u00a0", "\r"])
def test_a_blank_sentence_has_no_words(blank: str) -> None:
    assert Moses("en").words(blank) == []


def test_words_are_joined_as_they_are_written() -> None:
    words = ["un", "homme", "vêtu", "d'", "un", "t-shirt", ",", "souriant", "."]
    assert Moses("fr").sentence(words) == "un homme vêtu d'un t-shirt, souriant."


@given(st.lists(st.text("adeghimnorstu.,'", min_size=1, max_size=12), max_size=8))
def test_words_come_back_and_each_subword_knows_its_word(words: list[str]) -> None:
    subwords = train_subwords(TEXT, SIZE)
    (ids,) = subwords.encode([words])
    assert ids[-1] == EOS
    assert subwords.words(ids) == words
    spelled = [""] * (len(words) + 1)
    for piece, word in zip(subwords.pieces(ids), subwords.word_of(ids), strict=True):
        spelled[word] += piece
    assert spelled == ["▁" + word for word in words] + ["<eos>"]


def test_special_ids_are_those_of_every_vocabulary(subwords: Subwords) -> None:
    assert subwords.pieces([PAD, BOS, EOS, UNK]) == ["<pad>", "<bos>", "<eos>", "<unk>"]
    assert subwords.size == SIZE


def test_characters_never_met_become_unk_and_keep_their_word(subwords: Subwords) -> None:
    (ids,) = subwords.encode([["a", "☃", "d☃g"]])
    assert UNK in ids
    assert subwords.words(ids) == ["a", "<unk>", "d<unk>g"]
    assert max(subwords.word_of(ids)) == 3


def test_reading_ends_at_eos_and_skips_padding(subwords: Subwords) -> None:
    (ids,) = subwords.encode([["a", "dog"]])
    assert subwords.words([BOS, *ids, *ids, PAD]) == ["a", "dog"]


@given(st.data())
def test_whatever_a_model_writes_each_subword_knows_its_word(subwords: Subwords, data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.integers(UNK, SIZE - 1) | st.just(subwords.pieces(range(SIZE)).index("▁"))))
    ids, words = [BOS, *ids], subwords.words(ids)
    pieces, numbers = subwords.pieces(ids), subwords.word_of(ids)
    spelled = ["".join(piece for piece, n in zip(pieces, numbers, strict=True) if n == i) for i in range(len(words))]
    assert [word.removeprefix("<bos>").replace("▁", "") for word in spelled] == words
    assert max(numbers) < max(1, len(words))
    assert subwords.word_of([*ids, EOS, PAD])[-2:] == [len(words)] * 2


def test_a_mark_in_the_text_starts_no_word() -> None:
    assert Moses("en").words("a ▁b") == ["a", "b"]


def test_learning_gives_the_same_subwords_every_time() -> None:
    assert len({train_subwords(TEXT, SIZE).digest for _ in range(5)}) == 1


@pytest.mark.parametrize(("size", "why"), [(6, "its characters alone need"), (5000, "no more than")])
def test_an_impossible_size_says_what_is_possible(size: int, why: str) -> None:
    with pytest.raises(UserError, match=f"vocabulary of {size} .* {why} [0-9]+"):
        train_subwords(TEXT, size)


def test_the_commonest_words_are_whole_and_the_others_unknown() -> None:
    counts = Counter(word for sentence in TEXT for word in sentence)
    order = sorted(counts, key=lambda word: (-counts[word], word))
    words = train_words(TEXT, 4 + 5)
    assert words.pieces(range(words.size)) == ["<pad>", "<bos>", "<eos>", "<unk>", *order[:5]]
    (ids,) = words.encode([["a", "purple", "shirt", ".", "<s>", "a"]])
    assert words.words(ids) == ["a", "<unk>", "shirt", ".", "<unk>", "a"]
    assert words.words([BOS, *ids, *ids, PAD]) == words.words(ids)
    assert words.word_of(ids) == list(range(7))
    assert words.pieces(ids) == [*words.words(ids), "<eos>"]


def test_every_word_fits_in_a_vocabulary_of_all() -> None:
    words = train_words(TEXT, 4 + len({word for sentence in TEXT for word in sentence}))
    assert [words.words(ids) for ids in words.encode(TEXT)] == TEXT
    assert len({train_words(TEXT, words.size).digest for _ in range(5)}) == 1


@pytest.mark.parametrize(("size", "why"), [(3, "one word needs 5"), (4, "one word needs 5"), (5000, "no more than")])
def test_an_impossible_number_of_words_says_what_is_possible(size: int, why: str) -> None:
    with pytest.raises(UserError, match=f"vocabulary of {size} words .* {why}"):
        train_words(TEXT, size)


def test_words_and_subwords_have_caches_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, size = [["ab", "ba", "aab", "bab", "aba", "b"]], 9  # which both kinds can have
    first, subwords = (cached_subwords(text, size, tmp_path, units) for units in ("words", "subwords"))
    assert first.digest != subwords.digest
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(module, "train_words", unexpected)
    again = cached_subwords(text, size, tmp_path, "words")
    assert (again.digest, again.encode(text)) == (first.digest, first.encode(text))
    assert again.word_of([4, 5, EOS]) == [0, 1, 2]


def unexpected(*_: object) -> None:
    raise AssertionError("the cache was not read")


def test_subwords_are_learned_once_a_text_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached_subwords(TEXT, SIZE, tmp_path)
    cached_subwords(TEXT[1:], SIZE, tmp_path)
    cached_subwords(TEXT, SIZE - 1, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    monkeypatch.setattr(module, "train_subwords", unexpected)
    again = cached_subwords(TEXT, SIZE, tmp_path)
    assert (again.digest, again.size) == (first.digest, SIZE)
    assert again.encode(TEXT) == first.encode(TEXT)


def test_an_impossible_size_leaves_no_cache(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        cached_subwords(TEXT, 5000, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sentences", [["A dog."], ["", "A dog.", "", ""], [""], ["A\u00a0dog .\u2028"]])
def test_words_are_made_once_a_text(tmp_path: Path, sentences: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    moses = Moses("en")
    expected = [moses.words(sentence) for sentence in sentences]
    assert cached_words(sentences, moses, tmp_path) == expected
    cached_words(sentences, Moses("fr"), tmp_path)
    monkeypatch.setattr(Moses, "words", unexpected)
    assert cached_words(sentences, moses, tmp_path) == expected
    assert len(list(tmp_path.iterdir())) == 2
