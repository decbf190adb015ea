"""Tables from files: CSV in the dialects that are met, TSV, JSON lines."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from augrnn.errors import UserError
from augrnn.tables.table import Row, Table, made_table
from augrnn.text.corpus_files import TABLES, checked_text, json_objects, read_text, short_list

DELIMITERS = (",", ";", "\t", "|")
"""What may stand between the cells of a CSV file."""

Lines = list[tuple[int, Row]]
"""The rows of a file, each with the number of its last line."""

_SIGN, _POINTS = r"[-+−]?", r"\d{1,3}(?:\.\d{3})+"

_EUROPEAN = re.compile(rf"{_SIGN}(?:{_POINTS}(?:,\d+)?|\d+,\d+)")
"""A number with a decimal comma or points between thousands, perhaps: "1,234" and "1.234" can be read in two ways."""

_SURELY = re.compile(rf"{_SIGN}(?:{_POINTS},\d+|\d+,(?!\d{{3}}$)\d+|0\d*,\d+|\d{{4,}},\d+)")
"""One that can only be read so."""

_ENGLISH = re.compile(rf"{_SIGN}(?:\d{{1,3}}(?:,\d{{3}})+\.\d+|\d+\.(?!\d{{3}}$)\d+|0\d*\.\d+|\d{{4,}}\.\d+)")
"""A number that can only be read as in English."""


def read_table(path: Path) -> Table:
    r"""A table from a file, by what its name ends in, gzipped (`.gz`) or not.

    - CSV: the first row has the columns' names. Commas, semicolons, tabs or bars stand between the cells: those by
      which all rows are as long as the first, and at least two. In quotes, a quote is doubled or, where \" is in the
      file, escaped by a backslash. In a file with semicolons numbers may have a decimal comma, which becomes a point.
    - TSV: tabs between cells, and nothing else has a meaning.
    - JSON lines, or a JSON list: an object for each row; all names in the order in which they come up are the columns.

    Raises:
      UserError: it is not UTF-8, empty, ragged, or bad in another way; says where.
    """
    kind = Path(path.name.removesuffix(".gz")).suffix
    if kind not in TABLES:
        raise UserError(f"{path} is no table: its name has none of the endings {', '.join(TABLES)}, gzipped or not")
    if kind in (".jsonl", ".json"):
        return _records(path)
    text = read_text(path)
    (_, header), *rows = tsv_rows(text) if kind == ".tsv" else _csv_rows(text, str(path))
    return made_table(str(path), header, rows)


def tsv_rows(text: str) -> Lines:
    """Lines cut at tabs, without empty ones; quotes and backslashes are characters as others are."""
    lines = enumerate((line.removesuffix("\r") for line in text.split("\n")), start=1)
    return [(number, tuple(line.split("\t"))) for number, line in lines if line]


def unescaped(cell: str) -> str:
    r"""A text of WikiTableQuestions' TSV files, in which a new line is \n, a bar \p and a backslash \\."""
    return re.sub(r"\\[np\\]", lambda found: {"n": "\n", "p": "|"}.get(found[0][1], "\\"), cell)


def csv_rows(text: str, name: str, delimiter: str = ",", escape: str | None = None) -> Lines:
    """The rows of a CSV text in one dialect, without blank lines.

    Args:
      text: the whole file.
      name: what messages call it.
      delimiter: between the cells.
      escape: before a quote inside quotes; a quote is doubled when None.

    Raises:
      UserError: its quotes do not fit.
    """
    source = io.StringIO(text, newline="")
    rows = csv.reader(source, delimiter=delimiter, escapechar=escape, doublequote=escape is None, strict=True)
    try:
        return [(rows.line_num, tuple(row)) for row in rows if row]
    except csv.Error as error:
        raise UserError(f"{name} is not a CSV file: line {rows.line_num}: {error}") from None


def _csv_rows(text: str, name: str) -> Lines:
    """The rows in that dialect which makes most sense of the file; if none does, in that of its first line."""
    escapes = ("\\", None) if '\\"' in text else (None,)
    read, refusals = [], []
    for escape in escapes:
        for delimiter in DELIMITERS:
            try:
                rows = csv_rows(text, name, delimiter, escape)
            except UserError as error:
                refusals.append(error)
                continue
            width = len(rows[0][1])
            if width > 1 and all(len(row) == width for _, row in rows):
                return _with_points(rows) if delimiter == ";" else rows
            read.append(rows)
    if not read:
        raise refusals[0]
    return max(read, key=lambda rows: len(rows[0][1]))  # the first of equals: a comma's


def _with_points(rows: Lines) -> Lines:
    """Numbers as in English, where some number of the file can only have a decimal comma and none only a point."""
    cells = [cell.strip() for _, row in rows for cell in row]
    if not any(map(_SURELY.fullmatch, cells)) or any(map(_ENGLISH.fullmatch, cells)):
        return rows
    swap = str.maketrans(",.", ".,")

    def english(cell: str) -> str:
        return cell.translate(swap) if _EUROPEAN.fullmatch(cell.strip()) else cell

    return [(number, tuple(map(english, row))) for number, row in rows]


def _records(path: Path) -> Table:
    header: dict[str, None] = {}
    records: list[tuple[int, dict[str, str]]] = []
    for number, (place, record) in enumerate(json_objects(path), start=1):
        if not isinstance(record, dict):
            raise UserError(f"{path}: {place} is no JSON object, which a row is, but {short_list([record])}")
        header |= dict.fromkeys(record)
        records.append((number, {key: _text(record[key], f"{path}: '{key}' of {place}") for key in record}))
    names = [checked_text(name, f"{path}: the column {name!r}") for name in header]
    return made_table(str(path), names, _completed(records, names))


def _completed(records: Sequence[tuple[int, dict[str, str]]], names: Sequence[str]) -> Iterator[tuple[int, Row]]:
    for number, record in records:
        yield number, tuple(record.get(name, "") for name in names)


def _text(value: object, where: str) -> str:
    """A cell: text as it is, numbers and true as JSON writes them, nothing for null."""
    return json.dumps(value) if isinstance(value, bool | int | float) else checked_text(value, where)
