"""Words, numbers and dates of questions and cells, by hand-made cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augrnn.tables.values import Date
from augrnn.tables.words import Word, compared, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "which city was champion in 1957, monterrey?",
            ["which", "city", "was", "champion", "in", 1957.0, "monterrey"],
        ),
        ("what was phil lockyer's party?", ["what", "was", "phil", "lockyer", "s", "party"]),
        ("at least 10,000 people", ["at", "least", 10000.0, "people"]),
        ("more than $2.5 million (12%)", ["more", "than", 2500000.0, 12.0]),
        ("three of twenty-five or thirty two", [3.0, "of", 25.0, "or", 32.0]),
        ("two hundred thousand", [200000.0]),
        ("the 1st and the second", ["the", "1st", "and", "the", "second"]),
        ("on july 6th, 2010 or before", ["on", Date(2010, 7, 6), "or", "before"]),
        ("june 2007; may 5 and may", [Date(2007, 6), Date(None, 5, 5), "and", "may"]),
        ("31 april 1990", [31.0, Date(1990, 4)]),
        ("March 4, 1911 – May 5, 1912", [Date(1911, 3, 4), Date(1912, 5, 5)]),
        ("2000–2005, 2:18:23, 3-0, N/A", ["2000 2005", "2 18 23", "3 0", "n a"]),
        ("the 1880's, 100m, 1990s", ["the", "1880s", "100m", "1990s"]),
        ("−5 and .593.", [-5.0, "and", 0.593]),
        ("#4 No. 7", [4.0, "no", 7.0]),
        ("Citroën C4[12] (a)†", ["citroen", "c4", "a"]),
        ("8½ km²", [8.0, "km"]),
        ("U.S. Route 66", ["u.s", "route", 66.0]),
        ("αβγ", ["αβγ"]),
        ("- – ? ''", []),
        ("", []),
    ],
)
def test_how_a_text_is_cut(text: str, expected: list[Word]) -> None:
    found = words(text)
    assert list(found) == expected
    assert list(map(type, found)) == list(map(type, expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("29 September 1947", 19470929),
        ("July 15", 715),
        ("June 2007", 200706),
        ("March 4, 1911 – May 5, 1912", 19110304),
        ("1998", 1998),
        ("1998–99", 1998),
        ("W 24–6", 24),
        ("4:16.89", 4),
        ("1st", 1),
        ("$2.5 million", 2.5e6),
        ("four", 4),
        ("−3.5 m", -3.5),
        ("CH2", 2),
        ("none", None),
        ("", None),
    ],
)
def test_what_comparisons_see(text: str, expected: float | None) -> None:
    assert compared(text) == expected


@given(st.text(max_size=40))
def test_any_text_can_be_cut(text: str) -> None:
    for word in words(text):
        assert word != ""
        assert not isinstance(word, str) or (word == word.lower().strip() and any(map(str.isalnum, word)))
    compared(text)
