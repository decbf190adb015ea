"""Whatever dialect a table is written in, the cells come out as they were; what is no table is refused in one line."""

import csv
import gzip
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.tables.reading import csv_rows, read_table, tsv_rows
from augrnn.tables.table import Table

HEADER = ("Name", "Height, m", "")
ROWS = (
    ('The "Rock"', "1,234.5", ""),
    ("two\nlines", "−3", "None"),
    ("semi; colon | bar", "12%", "N/A"),
    ("αβγ \u2028 é", "2–1", " padded "),
)


def written(delimiter: str, backslash: bool = False) -> str:
    text = io.StringIO(newline="")
    escape = {"escapechar": "\\", "doublequote": False} if backslash else {}
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, **escape).writerows([HEADER, *ROWS])
    return text.getvalue()


def table(folder: Path, name: str, content: str | bytes) -> Table:
    path = folder / name
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return read_table(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("backslash", [False, True])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_every_dialect_of_csv(tmp_path: Path, delimiter: str, backslash: bool, name: str) -> None:
    read = table(tmp_path, name, "\ufeff" + written(delimiter, backslash))
    assert (read.header, read.rows) == (HEADER, ROWS)
    assert read.shape == (4, 3)
    assert read.name == str(tmp_path / name)


def test_tabs_and_records_are_read_as_they_are(tmp_path: Path) -> None:
    flat = [("a", "b"), ('"x', "C:\\new"), ("", "nan"), ("1e5", '""')]
    expected = (flat[0], tuple(flat[1:]))
    for end in ("\n", "\r\n"):
        read = table(tmp_path, "a.tsv", end.join("\t".join(row) for row in flat) + end)
        assert (read.header, read.rows) == expected
    records = [dict(zip(flat[0], row, strict=True)) for row in flat[1:]]
    for content in ("\n".join(map(json.dumps, records)), json.dumps(records)):
        read = table(tmp_path, "a.jsonl", content)
        assert (read.header, read.rows) == expected


def test_a_record_may_lack_a_name_and_have_numbers(tmp_path: Path) -> None:
    read = table(tmp_path, "a.json", '[{"a": 1, "b": null}, {"c": true, "a": 2.5}]')
    assert (read.header, read.rows) == (("a", "b", "c"), (("1", "", ""), ("2.5", "", "true")))


def test_one_cell_empty_columns_and_equal_names(tmp_path: Path) -> None:
    assert table(tmp_path, "a.csv", "only\nhere\n").rows == (("here",),)
    assert table(tmp_path, "b.csv", "x,x,\n1,,\n,,\n").rows == (("1", "", ""), ("", "", ""))
    assert table(tmp_path, "c.tsv", "x\n\n1").rows == (("1",),)


def test_ten_thousand_rows(tmp_path: Path) -> None:
    lines = [f"{number},{number * number:,d}".replace(",", ";", 1) for number in range(10_000)]
    read = table(tmp_path, "a.csv", "\n".join(["n;square", *lines]))
    assert read.shape == (10_000, 2)
    assert read.rows[-1] == ("9999", "99,980,001")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            ["1.234,5", "1,234", "12,50", "3.14.15", "x, y"],
            ["1,234.5", "1.234", "12.50", "3.14.15", "x, y"],
        ),
        (["1,234", "12,345,678"], ["1,234", "12,345,678"]),
        (["0,5", "1.234"], ["0.5", "1,234"]),
        (["0,5", "0.5"], ["0,5", "0.5"]),
        (["2,5", "1,234.5"], ["2,5", "1,234.5"]),
        (["1.5", "1,234"], ["1.5", "1,234"]),
    ],
)
def test_decimal_commas(tmp_path: Path, cells: list[str], expected: list[str]) -> None:
    read = table(tmp_path, "a.csv", "\n".join(["n;m", *[f"{cell};" for cell in cells]]))
    assert [row[0] for row in read.rows] == expected
    quoted = table(tmp_path, "b.csv", "\n".join(["n,m", *[f'"{cell}",' for cell in cells]]))
    assert [row[0] for row in quoted.rows] == cells


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, but the header has 2"),
        ("a.csv", "a,b\n1\n1,2\n", "line 2 has 1 cell, but the header has 2"),
        ("a.csv", "Title\na,b\n1,2\n", "line 2 has 2 cells, but the header has 1"),
        ("a.csv", 'a,b\n"1,2\n', "is not a CSV file: line 2"),
        ("a.csv", "a,b\n", "a header and no rows"),
        ("a.csv", " \n", "is empty"),
        ("a.csv", b"a,b\n\xe9,1\n", "not UTF-8 text (byte 0xe9 on line 2)"),
        ("a.tsv", "a\tb\n1\t2\t3", "line 2 has 3 cells"),
        ("a.jsonl", "[1]", "entry 1 is no JSON object"),
        ("a.jsonl", '{"a": [1]}', "'a' of line 1 is no text"),
        ("a.jsonl", '{"a": 1', "is not JSON: line 1"),
        ("a.jsonl", "{}", "has no columns"),
        ("a.json", '{"a": "\\ud800"}', "half a character"),
        ("a.xlsx", "a", "none of the endings"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, name: str, content: str | bytes, told: str) -> None:
    with pytest.raises(UserError, match=re.escape(told)) as refusal:
        table(tmp_path, name, content)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith(str(tmp_path / name))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read"):
        read_table(tmp_path / "a.csv")


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5), st.booleans())
def test_any_text_comes_back_from_its_dialect(rows: list[tuple[str, str]], backslash: bool) -> None:
    text = io.StringIO(newline="")
    escape = {"escapechar": "\\", "doublequote": False} if backslash else {}
    csv.writer(text, quoting=csv.QUOTE_ALL, **escape).writerows(rows)
    read = csv_rows(text.getvalue(), "x", escape="\\" if backslash else None)
    assert [row for _, row in read] == rows


def test_a_raw_split_keeps_lines_that_begin_a_field_with_a_quote() -> None:
    text = 'id\tanswer\n1\t"open\n2\tclosed"\n3\t""\n'
    assert tsv_rows(text) == [(1, ("id", "answer")), (2, ("1", '"open')), (3, ("2", 'closed"')), (4, ("3", '""'))]
