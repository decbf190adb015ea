"""The rules of the official evaluator, one by one, by hand-made cases; and its own answers, which must be right."""

import gzip
from pathlib import Path

import pytest

from augrnn.tables.denotations import items, normalised, right, value, values
from augrnn.tables.values import Date, canonical


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Citroën É", "citroen e"),
        ("‘a’ `b` “c”", "'a' 'b' \"c\""),
        ("1–2 — 3−4", "1-2 - 3-4"),
        ("Name[1][nb 2]", "name"),
        ("Name†*", "name"),
        ("[1]", ""),
        ("[a]", "[a]"),
        ("*", ""),
        ("Name (remark) (other)", "name"),
        ("Name(close)", "name(close)"),
        ("(only)", "(only)"),
        ('"Name" (x)[3]', "name"),
        ('"a" and "b"', '"a" and "b"'),
        ("etc..", "etc."),
        ("a.b.", "a.b"),
        (" a \t\n b ", "a b"),
        ("", ""),
        ("ΣΑΣ", "σασ"),
        ("Name. †", "name"),
    ],
)
def test_how_texts_are_normalised(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize("text", ["5", "5.0", " 5 ", "+5", "05", "5e0", "5.0000001", ".5e1", "٥"])
def test_what_python_2_reads_as_a_number(text: str) -> None:
    assert (value(text).amount, type(value(text).amount)) == (5, int)


@pytest.mark.parametrize(
    "text", ["1_000", "1,000", "5%", "nan", "inf", "1e999", "0x5", "5L", "", "-", "- 5", "9" * 400 + "_"]
)
def test_what_it_does_not(text: str) -> None:
    assert value(text).amount is None
    assert value(text).text == normalised(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2008-04-13", Date(2008, 4, 13)),
        ("xx-04-13", Date(None, 4, 13)),
        ("XXXX-04-xx", Date(None, 4)),
        ("2008-xx-13", Date(2008, None, 13)),
        ("xxxx-xx-13", Date(None, None, 13)),
        ("0098- 4-02", Date(98, 4, 2)),
        ("2008-02-31", Date(2008, 2, 31)),
        *[
            (text, None)
            for text in ("xx-xx-xx", "2008-13-01", "2008-01-32", "2008-00-01", "2008-01", "a-1-1", "xx-xxxx-1")
        ],
    ],
)
def test_dates_of_predictions(text: str, expected: Date | None) -> None:
    assert (value(text).date, value(text).amount) == (expected, None)


def test_a_date_of_a_year_alone_is_a_number() -> None:
    assert value("1998-xx-xx").amount == 1998
    assert right(values(["1998"], ["1998.0"]), values(["1998-xx-xx"]))


def test_a_value_without_a_text_has_its_canon_for_one() -> None:
    assert value("", "10.0").text == "10"
    assert value("", "0.25").text == "0.25"
    assert value("", "2008-04-13").text == "2008-4-13"
    assert value("", "xxxx-04-xx").text == "xx-4--1"


def test_an_item_matches_by_text_number_or_whole_date() -> None:
    target = value("10 years", "10.0")
    assert all(target.matches(value(text)) for text in ("10", "10 Years.", "10.0000009"))
    assert not any(target.matches(value(text)) for text in ("10.000002", "10 year", "ten", "2010-xx-10"))
    day = value("July 4", "xxxx-07-04")
    assert day.matches(value("xx-07-04"))
    assert day.matches(value("july 4"))
    assert not day.matches(value("1776-07-04"))
    assert not value("4").matches(value("four"))


def test_equal_items_count_once() -> None:
    assert len(values(["A", "a", "a [1]"])) == 1
    assert len(values(["5", "5.0", "five"])) == 2
    assert len(values(["July 4", "4 July"], ["xxxx-07-04", "xxxx-07-04"])) == 1
    assert right(values(["a"]), values(["a", "A"]))
    assert not right(values(["a"]), values(["a", "b"]))


def test_each_item_of_the_answer_matches_some_prediction() -> None:
    assert right(values(["a", "b"]), values(["b", "a"]))
    assert not right(values(["a", "b"]), values(["a"]))
    assert not right(values(["a", "b"]), values(["a", "c"]))
    # Two items of an answer may match one prediction, so that another one is never looked at.
    close = values(["x", "1"], ["1.0000002", "1.0"])
    assert len(values(["x", "1"], ["1.5", "1.0"])) == 2
    assert right([value("1.4000001"), value("1.4000009")], [value("1.4000005"), value("7")])
    assert len(close) == 1


def test_fields_are_unescaped_in_the_evaluators_order() -> None:
    assert items(r"a\nb|c\pd|e\\f") == ["a\nb", "c|d", "e\\f"]
    assert items(r"\\n") == ["\\\n"]  # and no backslash with an n


def test_sizes_differ() -> None:
    assert right([], [])
    assert not right([], values(["a"]))
    with pytest.raises(ValueError, match="shorter"):
        values(["a", "b"], ["1.0"])


@pytest.mark.data
def test_answers_of_the_origin_are_right_by_their_own_canon_and_by_ours(data_root: Path) -> None:
    raw = gzip.decompress((data_root / "wikitablequestions/pristine-seen-tables.canon.tsv.gz").read_bytes()).decode()
    rows = [line.split("\t") for line in raw.removesuffix("\n").split("\n")][1:]
    assert len(rows) == 3537
    wrong, plain = 0, 0
    for _, target, canon, _ in rows:
        texts, canons = items(target), items(canon)
        targets = values(texts, canons)
        wrong += not right(targets, values(canons))
        wrong += not right(targets, values(texts, map(canonical, texts)))
        plain += not right(targets, values(texts))
    assert wrong == 0
    assert plain == 0  # a text always matches itself
