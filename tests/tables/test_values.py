"""Numbers and dates are read as the origin's tagger read them, but for kinds that are named here with their shares."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from augrnn.tables.values import Date, canonical, date, number, numbers, parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234.5", 1234.5),
        ("−3", -3),
        ("-3", -3),
        ("12%", 12),
        ("12 %", 12),
        ("1st", 1),
        ("22nd", 22),
        ("$5", 5),
        ("€1,000", 1000),
        ("#4", 4),
        ("+480,000", 480000),
        (".593", 0.593),
        ("10 years", 10),
        ("61.10\xa0m", 61.1),
        ("2000 F", 2000),
        ("4.0 million", 4e6),
        ("$2.5 billion dollars", 2.5e9),
        ("12.21 (+0.7)", 12.21),
        ("007", 7),
        ("0", 0),
        *[
            (text, None)
            for text in (
                *("2–1", "2:47", "1990s", "2012 Olympics", "four", "1st match", "100m sprint", "292 km (181 mi)"),
                *(
                    "1,23",
                    "12,3456",
                    "",
                    "-",
                    "%",
                    "9 years, 4 months",
                    "Route 888",
                    "1.2.3",
                    "3 ft 6 in",
                    "٣x",
                    "9" * 400,
                ),
            )
        ],
    ],
)
def test_a_text_is_a_number_or_none(text: str, expected: float | None) -> None:
    assert number(text) == expected
    assert canonical(text) == (text if expected is None else str(float(expected)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("W 24–6", [24, 6]),
        ("−8 (70-68)", [-8, 70, 68]),
        ("1,234.5 and .5", [1234.5, 0.5]),
        ("363 469", [363469]),
        ("$26,000 to $30,000", [26000, 30000]),
        ("b. 1983", [1983]),
        ("No.251", [251]),
        ("CH2", [2]),
        ("4 ft 8½ in", [4, 8]),
        ("1991|1,992,000", [1991, 1992000]),
        ("March 4, 1911", [4, 1911]),
        ("1.2.3", [1.2, 3]),
        ("none", []),
        (f"{'9' * 400} or 2", [2]),
        ("", []),
    ],
)
def test_the_numbers_of_a_cell(text: str, expected: list[float]) -> None:
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("April 13, 2008", Date(2008, 4, 13)),
        ("april 13th 2008", Date(2008, 4, 13)),
        ("Sunday, Apr. 13", Date(None, 4, 13)),
        ("5 March 1988", Date(1988, 3, 5)),
        ("4th of July", Date(None, 7, 4)),
        ("27\xa0September", Date(None, 9, 27)),
        ("1988 Mar 5", Date(1988, 3, 5)),
        ("December 1985", Date(1985, 12)),
        ("1722, October", Date(1722, 10)),
        ("Sept", Date(None, 9)),
        ("2008-04-13", Date(2008, 4, 13)),
        ("01/16/2014", Date(2014, 1, 16)),
        ("07-06-1945", Date(1945, 7, 6)),
        ("16.09.1988", Date(1988, 9, 16)),
        ("12/13/14", Date(None, 12, 13)),
        ("1996-03", Date(1996, 3)),
        ("New Year's Day", Date(None, 1, 1)),
        ("1998", Date(1998)),
        *[
            (text, None)
            for text in (
                *(
                    "2005-06",
                    "27/02/1984",
                    "31 April 2004",
                    "30 February",
                    "2012-13",
                    "3000",
                    "0999",
                    "Mark 1",
                    "May Day",
                ),
                *("", "May Day", "Marble", "Jan 4-6, 2008", "13:45", "1–2", "2008-4-1", "Aug 94"),
            )
        ],
    ],
)
def test_a_text_is_a_date_or_none(text: str, expected: Date | None) -> None:
    assert date(text) == expected


def test_how_dates_are_written() -> None:
    written = [
        str(Date(2008, 4, 13)),
        str(Date(None, 7, 4)),
        str(Date(1985, 12)),
        str(Date(98)),
        str(Date(None, None, 3)),
    ]
    assert written == ["2008-04-13", "xxxx-07-04", "1985-12-xx", "0098-xx-xx", "xxxx-xx-03"]
    assert [Date(2011, 3, 4).digits, Date(None, 11, 15).digits, Date(1998).digits] == [20110304, 1115, 1998]
    texts = ("July 4", "1998", "1998-99", "May", "May 1998", "Away")
    assert [canonical(text) for text in texts] == ["xxxx-07-04", "1998.0", "1998-99", "May", "1998-05-xx", "Away"]


def test_parts_of_a_list() -> None:
    assert parts("Hayles, Dichio,\nDobie / N/A") == ["Hayles", "Dichio", "Dobie", "N", "A"]
    assert parts("1,234") == ["1,234"]
    assert parts(" \n") == []


# What the origin's tagger read ---------------------------------------------------------------------------------------


def lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().removesuffix("\n").split("\n")


def same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other


@pytest.mark.data
def test_answers_have_the_canon_of_the_origin(data_root: Path) -> None:
    rows = [line.split("\t") for line in lines(data_root / "wikitablequestions/pristine-seen-tables.canon.tsv.gz")[1:]]
    assert len(rows) == 3537
    wrong = [
        answer
        for _, answer, canon, _ in rows
        for one, other in zip(answer.split("|"), canon.split("|"), strict=True)
        if not same(canonical(one), other)
    ]
    assert wrong == ["Stage 3", "Since 1922"]


@pytest.mark.data
def test_cells_are_read_as_the_origin_read_them(data_root: Path) -> None:
    folder = data_root / "wikitablequestions"
    tables = {each["id"]: each["rows"] for each in map(json.loads, lines(folder / "tables.jsonl.gz"))}
    tally: Counter[str] = Counter()
    for tagged in map(json.loads, lines(folder / "table-values.jsonl.gz")):
        read = {
            kind: {(row, column): text for row, column, text in tagged[kind]} for kind in ("number", "date", "list")
        }
        for row, cells in enumerate(tables[tagged["id"]]):
            for column, cell in enumerate(cells):
                theirs = {kind: found.get((row, column)) for kind, found in read.items()}
                first = next(iter(numbers(cell)), None)
                if theirs["number"] is not None or first is not None:
                    tally[_kind(theirs["number"], first, bool(theirs["date"]))] += 1
                day = date(cell)
                if theirs["date"] or day:
                    tally["dates"] += 1
                    tally["dates agree"] += theirs["date"] == str(day)
                if "|" in (theirs["list"] or ""):
                    tally["lists"] += 1
                    tally["lists agree"] += parts(cell) == theirs["list"].split("|")
    # "March 4, 1911" is 41911 for the tagger, and a minus is nothing; "b. 1983" is .1983, "1, 2" is 12, "four" is 4.
    expected = {"numbers agree": 174077, "a date is one number": 5678, "no minus": 843, "other numbers": 2872}
    assert {kind: tally[kind] for kind in expected} == expected
    assert sum(expected.values()) == 183470
    assert (tally["dates agree"], tally["dates"]) == (33811, 34235)
    assert (tally["lists agree"], tally["lists"]) == (32976, 34761)


def _kind(theirs: str | None, ours: float | None, dated: bool) -> str:
    if theirs is not None and ours is not None and abs(float(theirs) - abs(ours)) < 1e-9:
        return "numbers agree" if ours >= 0 else "no minus"
    return "a date is one number" if dated and theirs is not None else "other numbers"
