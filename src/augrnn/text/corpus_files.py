"""Sentence pairs from a file: two texts, a table (TSV, CSV), JSON lines, or a folder that `datasets` has saved."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.errors import UserError

if TYPE_CHECKING:
    from datasets import Dataset

LANGUAGE = "{language}"
"""Stands in a file's name for the language, where each has its own file."""

TABLES = (".tsv", ".csv", ".jsonl", ".json")
"""Kinds of files that hold both languages."""

Text = dict[str, list[str]]
"""The sentences of each language, line by line; an empty one where there is none."""

Columns = Mapping[str, str | int]
"""The column of each language: its name, or its number from 0 in a table without a header."""


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, ended by line feeds only (a sentence may hold other separators).

    Raises:
      UserError: see `read_text`.
    """
    return read_text(path).removesuffix("\n").split("\n")


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, unpacked where its name ends in .gz.

    Raises:
      UserError: the file cannot be read, or is not a whole gzip file.
    """
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} is not a whole gzip file ({error}); fetch it again") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def read_text(path: Path) -> str:
    """A UTF-8 text, unpacked where its name ends in .gz.

    Raises:
      UserError: see `read_bytes`; or it is not UTF-8, or empty.
    """
    text = utf8(read_bytes(path), str(path))
    if not text.strip():
        raise UserError(f"{path} is empty; fetch it again")
    return text


def utf8(raw: bytes, name: str) -> str:
    """UTF-8 as text, without a byte order mark; a UserError with the name, the byte and its line where it is not."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        what = f"byte {error.object[error.start]:#04x} on line {line}"
        raise UserError(f"{name} is not UTF-8 text ({what}); convert it to UTF-8, with iconv for one") from None


def read_pairs(path: Path, languages: Sequence[str], columns: Columns | None = None) -> Text:
    """The pairs of a file, by what its name ends in.

    Args:
      path: a table, a folder, or a name with `LANGUAGE` in it, for a file of each language.
      languages: the two.
      columns: where the languages are, if not in columns of their names.

    Raises:
      UserError: something is missing (says what there is) or bad (says in which line).
    """
    named: Columns = {language: (columns or {}).get(language, language) for language in languages}
    if LANGUAGE in str(path):
        return two_texts([Path(str(path).replace(LANGUAGE, language)) for language in languages], languages)
    kind = _kind(path)
    if path.is_dir():
        return _saved(path, named)
    if kind in (".jsonl", ".json"):
        return _records(path, named)
    if kind in (".tsv", ".csv"):
        return _table(path, named, kind)
    raise UserError(
        f"{path} is no {', '.join(TABLES)} file, gzipped or not, no folder, and has no {LANGUAGE} in its name"
    )


def column_names(path: Path) -> list[str]:
    """The names in the first line of a table, or of the fields of the first JSON object; none of another file."""
    kind = _kind(path)
    if kind in (".jsonl", ".json"):
        first: Any = next((record for _, record in json_objects(path)), {})
        return list(first) if isinstance(first, dict) else []
    return [name.strip() for name in next(_rows(path, kind))[1]] if kind in (".tsv", ".csv") else []


def _kind(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix


def two_texts(paths: Sequence[Path], languages: Sequence[str]) -> Text:
    """The pairs of a file for each language.

    Raises:
      UserError: a file is bad, or they have different numbers of lines.
    """
    source, target = map(read_lines, paths)
    if len(source) != len(target):
        raise UserError(
            f"{paths[0]} has {len(source)} lines but {paths[1]} has {len(target)}: translations must be line by line"
        )
    return dict(zip(languages, (source, target), strict=True))


# Tables --------------------------------------------------------------------------------------------------------------


def _rows(path: Path, kind: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table with the number of their last line: TSV has no quotes, CSV has those of RFC 4180."""
    text = read_text(path)
    if kind == ".tsv":
        for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
            if line.strip():
                yield number, line.removesuffix("\r").split("\t")
        return
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in rows:
            if row:
                yield rows.line_num, row
    except csv.Error as error:
        raise UserError(f"{path} is not a CSV file: line {rows.line_num}: {error}") from None


def _table(path: Path, columns: Columns, kind: str) -> Text:
    rows = _rows(path, kind)
    first = next(rows)[1]
    if all(isinstance(column, int) for column in columns.values()):
        names, rows = list(map(str, range(len(first)))), _rows(path, kind)
    else:
        names = [name.strip() for name in first]
    wanted = {language: str(column) for language, column in columns.items()}
    for name in wanted.values():
        if name not in names:
            raise UserError(
                f"{path} has no column '{name}' in its first line; found: {short_list(names)}; name the columns with "
                "`columns`, or give their numbers from 0 where there is no header"
            )
    places = {language: names.index(name) for language, name in wanted.items()}
    text: Text = {language: [] for language in columns}
    for number, row in rows:
        if len(row) != len(names):
            raise UserError(f"{path} has {len(row)} fields on line {number}, but {len(names)} on the first")
        for language, place in places.items():
            text[language].append(row[place])
    return text


def short_list(names: Iterable[Any]) -> str:
    """Names for a message, cut where they are many."""
    told = ", ".join(map(str, names))
    return told if len(told) <= 100 else f"{told[:100]}..."


# JSON ----------------------------------------------------------------------------------------------------------------


def _records(path: Path, columns: Columns) -> Text:
    """JSON lines, or one JSON list: objects with a text for each language, or an object of these as "translation"."""
    text: Text = {language: [] for language in columns}
    for place, record in json_objects(path):
        inner = record.get("translation") if isinstance(record, dict) else None
        fields = inner if isinstance(inner, dict) else record
        if not isinstance(fields, dict):
            raise UserError(f"{path}: {place} is no JSON object")
        for language, column in columns.items():
            if column not in fields:
                raise UserError(f"{path}: {place} has no '{column}'; found: {short_list(fields)}")
            text[language].append(checked_text(fields[column], f"{path}: '{column}' of {place}"))
    return text


def json_objects(path: Path) -> Iterator[tuple[str, Any]]:
    """The values of JSON lines, or of one JSON list, each with what messages call its place.

    Raises:
      UserError: the file is bad; see `read_text` and `parsed_json`.
    """
    content = read_text(path)
    if content.lstrip().startswith("["):
        for number, record in enumerate(parsed_json(path, content, 1), start=1):
            yield f"entry {number}", record
        return
    for number, line in enumerate(content.split("\n"), start=1):
        if line.strip():
            yield f"line {number}", parsed_json(path, line, number)


def parsed_json(path: Path, text: str, first: int = 1) -> Any:
    """The content of JSON text that starts on line `first` of a file; a UserError with the line where it is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not JSON: line {first + error.lineno - 1}: {error.msg}") from None
    except (ValueError, RecursionError) as error:  # a number of too many digits, brackets in brackets without end
        raise UserError(f"{path} cannot be read as JSON: from line {first} on: {error}") from None


def checked_text(value: Any, where: str) -> str:
    """A text, nothing for None; a UserError that says where it is not, or cannot be written as UTF-8."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UserError(f"{where} is no text but {short_list([value])}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UserError(f"{where} has half a character (a lone surrogate)") from None
    return value


# Data sets -----------------------------------------------------------------------------------------------------------


def _saved(path: Path, columns: Columns) -> Text:
    from datasets import load_from_disk

    try:
        made = load_from_disk(str(path))
    except Exception as error:  # what a damaged folder raises is of no common class
        raise UserError(f"{path} is no folder that `datasets` has saved: {short_list([error])}") from None
    if hasattr(made, "keys"):
        raise UserError(f"{path} has several splits ({', '.join(made)}): give it as `directory`")
    return dataset_text(made, columns, str(path))


def dataset_text(dataset: "Dataset", columns: Columns, where: str) -> Text:
    """The pairs of a data set with a column for each language, or with the hub's standard column `translation`.

    Raises:
      UserError: a column is missing; with what there is.
    """
    inside = dataset.features.get("translation")
    nested = inside is not None and not set(columns.values()) <= set(dataset.column_names)
    found = list(getattr(inside, "languages", None) or inside) if nested else dataset.column_names
    for column in columns.values():
        if column not in found:
            raise UserError(
                f"no language '{column}' in {where}; found: {short_list(found)}; for others give a directory"
            )
    pairs = [pair or {} for pair in dataset["translation"]] if nested else []
    values = {
        language: [pair.get(column) for pair in pairs] if nested else list(dataset[column])
        for language, column in columns.items()
    }
    return {
        language: [
            checked_text(value, f"'{language}' of pair {number + 1} in {where}") for number, value in enumerate(each)
        ]
        for language, each in values.items()
    }
