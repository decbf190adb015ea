"""What looks the same is the same text; what is read differently stays different."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augrnn.text.moses import Moses
from augrnn.text.normalisation import normalised

LINES = {
    "fr": "Un vélo rouge attend près de la rivière.",
    "de": "Zwei Hündchen spielen im Gras.",
    "vi": "Một con mèo đang ngủ trên ghế.",
    "cs": "Příliš žluťoučký kůň.",
    "ru": "Серый ёжик и йогурт.",
    "ko": "개가 잔디에서 달린다.",
    "hi": "एक लड़का क़लम से लिखता है",
    "yo": "Ajá dúdú ń sáré ní ọ̀nà.",
    "lt": "Ąžuolas, ė́jo",
}


@pytest.mark.parametrize("language", LINES)
def test_decomposed_text_is_the_same_text_and_keeps_its_words(language: str) -> None:
    line, moses = LINES[language], Moses(language)
    forms = {tuple(moses.words(unicodedata.normalize(form, line))) for form in ("NFC", "NFD")}
    (words,) = forms
    assert sum(word.strip(".,") != "" for word in words) == len(line.split())


INVISIBLE = "\u00ad\u200b\u2060\ufeff\u200e\u200f\u202a\u202c\ufe0f\u034f\u061c\u2063"


@pytest.mark.parametrize("mark", [*INVISIBLE, "\u200c", "\u200d"])
def test_invisible_characters_are_as_if_they_were_not_there(mark: str) -> None:
    moses = Moses("en")
    plain = ["A", "red", "dog", "is", "at", "home."]
    for line in ("".join(mark + word + mark for word in "A red dog is at home."), mark + f"{mark} ".join(plain)):
        assert moses.words(line) == ["a", "red", "dog", "is", "at", "home", "."]
    assert moses.words(f"{mark} {mark}") == []


@pytest.mark.parametrize(
    ("language", "line", "words"),
    [
        ("fa", "می\u200cخواهم کتاب\u200cها", ["می\u200cخواهم", "کتاب\u200cها"]),
        ("si", "ශ\u0dca\u200dරී ලංකාව", ["ශ\u0dca\u200dරී", "ලංකාව"]),
        ("hi", "क\u094d\u200cष क\u094d\u200dष", ["क\u094d\u200cष", "क\u094d\u200dष"]),
        ("en", "A 👩\u200d🔬 and a 👩\ufe0f\u200d🔬", ["a", "👩\u200d🔬", "and", "a", "👩\u200d🔬"]),
    ],
)
def test_joiners_stay_where_they_are_read(language: str, line: str, words: list[str]) -> None:
    moses = Moses(language)
    assert moses.words(line) == words
    assert moses.sentence(words) == " ".join(words)


@pytest.mark.parametrize(
    "space", ["\u00a0", "\u2009", "\u202f", "\u3000", "\t", "\u2028", "\u0085", "\x0b", "\r\n", "  "]
)
def test_every_space_is_a_space(space: str) -> None:
    assert normalised(f"{space}A{space}dog{space}", "en") == "a dog"


@pytest.mark.parametrize(
    ("language", "lower"),
    [
        ("tr", "istanbul ısparta iğdır ılık"),
        ("az", "istanbul ısparta iğdır ılık"),
        ("tr-TR", "istanbul ısparta iğdır ılık"),
    ]
    + [(language, "istanbul isparta iğdir ılık") for language in ("en", "de", "fr")],
)
def test_lower_case_knows_the_dotted_i(language: str, lower: str) -> None:
    assert normalised("İstanbul ISPARTA İĞDIR ılık", language) == lower
    assert normalised(unicodedata.normalize("NFD", "İstanbul ISPARTA İĞDIR ılık"), language) == lower
    assert normalised("İstanbul ISPARTA", language, lowercase=False) == "İstanbul ISPARTA"


@given(st.text(max_size=40), st.sampled_from(["en", "tr", "fa", "zh"]), st.booleans())
def test_what_is_normalised_stays_as_it_is(text: str, language: str, lowercase: bool) -> None:
    once = normalised(text, language, lowercase)
    assert normalised(once, language, lowercase) == once
    assert "  " not in once
    assert once == once.strip()


@given(st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=30))
def test_plain_characters_are_only_composed_and_spaced(text: str) -> None:
    seen = "".join(each for each in text if each not in "\u115f\u1160\u3164\uffa0")
    expected = " ".join(unicodedata.normalize("NFC", seen).split())
    assert normalised(text, "en", lowercase=False) == expected


def test_control_characters_are_dropped() -> None:
    assert normalised("a\x00b\x07 \x1bc\x80", "en") == "ab c"
