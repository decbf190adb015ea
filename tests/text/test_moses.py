"""Words and lines: what the Moses rules would cut, and scripts without spaces."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacremoses import MosesPunctNormalizer, MosesTokenizer

from augrnn.text.moses import UNSPACED, Moses, bleu_tokenizer, tokenised


@pytest.mark.parametrize(
    "line",
    [
        "see http://example.com/a_b, (www.a.org/x?b=c&d=1#e) or ftp://a.b/c.",
        "write to me@example.org and first.last+tag@sub.example.co.uk.",
        "c++, c# and f# are languages.",
        "#tag, and #another_one 5",
        "ask @some_one or @you!",
        "n° 5 and n° 6",
        "well done 👍🏽 👩‍🔬 🇫🇷 🇩🇪",
        "say (c++): https://en.wikipedia.org/wiki/c%2b%2b",
    ],
)
def test_what_is_one_word_comes_back_as_it_was(line: str) -> None:
    moses = Moses("en")
    assert moses.sentence(moses.words(line)) == line


def test_addresses_are_one_word() -> None:
    words = Moses("en").words("At http://example.com/a_b, or me@example.org. R&D, C++.")
    assert words == ["at", "http://example.com/a_b", ",", "or", "me@example.org", ".", "r", "&", "d", ",", "c++", "."]


def test_so_many_addresses_that_letters_run_out_lose_nothing() -> None:
    line = " ".join(f"www.a.org/{number}" for number in range(1300))
    words = Moses("en").words(line)
    assert words[:1165] == line.split()[:1165]
    assert "".join(words) == line.replace(" ", "")


@pytest.mark.parametrize(
    ("language", "line", "words"),
    [
        ("zh", "他在用Windows 10。", "他 在 用 windows 10 。"),
        ("zh-TW", "「你好，」他說。", "「 你 好 ， 」 他 說 。"),
        ("ja", "コーヒーを2杯ください。", "コ ー ヒ ー を 2 杯 く だ さ い 。"),
        ("th", "สวัสดีชาวโลก", "ส วั ส ดี ช า ว โ ล ก"),
        ("lo", "ສະບາຍດີ", "ສ ະ ບ າ ຍ ດີ"),
        ("km", "សួស្តី", "សួ ស្ តី"),
        ("my", "မင်္ဂလာပါ", "မ င်္ ဂ လာ ပါ"),
    ],
)
def test_scripts_without_spaces_have_a_word_a_character(language: str, line: str, words: str) -> None:
    moses = Moses(language)
    assert moses.words(line) == words.split()
    assert moses.sentence(words.split()) == line.lower()


def test_others_are_not_cut_into_characters() -> None:
    assert Moses("ko").words("안녕하세요 세계") == ["안녕하세요", "세계"]
    assert Moses("vi").words("con mèo đang ngủ") == ["con", "mèo", "đang", "ngủ"]


def test_bleu_is_named_as_sacrebleu_names_it() -> None:
    from sacrebleu.metrics.bleu import BLEU

    assert set(UNSPACED.values()) <= set(BLEU.TOKENIZERS)
    found = {language: bleu_tokenizer(language) for language in ("zh", "zh_CN", "ja", "th", "fr", "pt-BR")}
    assert found == {"zh": "zh", "zh_CN": "zh", "ja": "char", "th": "char", "fr": "none", "pt-BR": "none"}


def test_case_may_stay() -> None:
    assert Moses("fr", lowercase=False).words("Un Chien d'Évian.") == ["Un", "Chien", "d'", "Évian", "."]


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "Zs")), max_size=60))
def test_plain_words_are_those_of_moses(line: str) -> None:
    plain = MosesPunctNormalizer("en").normalize(line.lower())
    assert Moses("en").words(line) == MosesTokenizer("en").tokenize(plain, escape=False)


@pytest.mark.parametrize(
    ("lines", "are"),
    [
        (["a man 's shirt .", "two dogs , running ."], True),
        (["l' homme est là .", "un chien"], False),
        (["l' homme est là", "un chien d' ici", "x"], True),
        (["it &apos;s me", "&quot; yes &quot;"], True),
        (["a well @-@ known dog"], True),
        (["A man's shirt.", "Two dogs, running."], False),
        (["Comment ça va ?", "Oui : très bien !", "Le « chat »"], False),
        (["the dogs' house", "rock 'n' roll"], False),
        (["", " "], False),
        ([], False),
    ],
)
def test_text_in_tokens_is_noticed(lines: list[str], are: bool) -> None:
    assert tokenised(lines) == are


@pytest.mark.data
@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_multi30k_has_the_words_that_its_results_were_trained_on(data_root: Path, language: str) -> None:
    moses, normalizer, tokenizer = Moses(language), MosesPunctNormalizer(language), MosesTokenizer(language)
    for split, step in (("val", 1), ("train", 10)):
        text = gzip.decompress((data_root / f"multi30k/{split}.{language}.gz").read_bytes()).decode()
        lines = text.removesuffix("\n").split("\n")[::step]
        assert not tokenised(lines)
        for line in lines:
            assert moses.words(line) == tokenizer.tokenize(normalizer.normalize(line.lower()), escape=False)
