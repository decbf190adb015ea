"""Questions about tables with their answers: WikiTableQuestions (Pasupat and Liang 2015), and data sets like it."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from augrnn.errors import UserError
from augrnn.tables.denotations import items
from augrnn.tables.reading import csv_rows, tsv_rows, unescaped
from augrnn.tables.table import Table, made_table
from augrnn.tables.values import canonical
from augrnn.text.corpus_files import json_objects, parsed_json, read_text, short_list
from augrnn.text.parallel_corpus import DATA_ROOT, load_hub

if TYPE_CHECKING:
    from datasets import DatasetDict

HUB, NAME = "stanfordnlp/wikitablequestions", "wikitablequestions"
"""The data set that is read where nothing else is given: its id on the hub, and its folder in $AUGRNN_DATA."""

TRAINING = "training"
"""The origin's training file, of which its random splits are made."""

_DIVIDED = re.compile(r"(random-split-[0-9]+)-(train|dev)")
_COLUMNS = ("id", "utterance", "context", "targetValue")


class Question(NamedTuple):
    """A question about a table.

    Attributes:
      id: its name in the data set.
      text: the question.
      table: the name of its table.
      answer: the items of the answer, as they were written; at least one.
      canon: for each of them the number or date in it, see `augrnn.tables.values.canonical`.
    """

    id: str
    text: str
    table: str
    answer: tuple[str, ...]
    canon: tuple[str, ...]


class TableQuestions(NamedTuple):
    """Questions in an order, and their tables by name."""

    questions: Sequence[Question]
    tables: Mapping[str, Table]


@dataclass(frozen=True)
class TableCorpus:
    """Where the splits of a data set are: of `directory` and a `hub` of one's own at most one is given.

    A split is called as in the origin: "training", "random-split-1-train", "random-split-1-dev" and so on to 5,
    "pristine-seen-tables", "pristine-unseen-tables", or any other that has a file.

    Args:
      directory: a folder with, gzipped or not, `data/<split>.tsv` and the tables that it names (`csv/204-csv/590.csv`),
        as the origin's; or with `<split>.tsv`, `tables.jsonl` (id, header and rows of each) and
        `random_split_dev_ids.json`, which divides the training file. Where the origin's tagged files
        (`tagged/data/<split>.tagged`) or `<split>.canon.tsv` are beside, canons are read from them.
      hub: id of a data set on the hub with the columns `id`, `question`, `answers` and `table`. Of the default one,
        $AUGRNN_DATA may have a copy.
    """

    directory: Path | None = None
    hub: str = HUB

    def __post_init__(self) -> None:
        if self.directory is not None and self.hub != HUB:
            raise UserError("a data set of questions has one origin: give directory or hub, not both")

    def read(self, split: str) -> TableQuestions:
        """The questions of a split, in the order of their file, with the tables that they are about.

        Raises:
          UserError: nothing was found, with what there is, or what was found is bad.
        """
        if (folder := self._folder) is not None:
            if not folder.is_dir():
                raise UserError(f"no data directory {folder}")
            questions = _questions(folder, split)
            tables = self._origin_tables if (folder / "data").is_dir() else self._tables
            return _with_tables(questions, tables, str(folder))
        part, chosen = _hub_splits(split) if self.hub == HUB else (None, [split])
        return _from_hub(self._hub(part), chosen, self.hub)

    @property
    def _folder(self) -> Path | None:
        if self.directory is not None:
            return self.directory.expanduser()
        root = os.environ.get(DATA_ROOT)
        return Path(root) / NAME if root and self.hub == HUB and (Path(root) / NAME).is_dir() else None

    @cached_property
    def _tables(self) -> Mapping[str, Table]:
        """All tables of a folder that has a file of them, by name."""
        assert self._folder is not None
        path = _file(self._folder, "tables.jsonl")
        if path is None:
            raise UserError(f"{self._folder} has neither a folder data, as the origin's, nor tables.jsonl")
        return dict(_table(record, f"{path}: {place}") for place, record in json_objects(path))

    @cached_property
    def _origin_tables(self) -> Mapping[str, Table]:
        assert self._folder is not None
        return _OriginTables(self._folder)

    def _hub(self, part: str | None) -> "DatasetDict":
        try:
            return load_hub(self.hub, part)
        except UserError:
            raise
        except Exception as error:  # the hub's client and its transports have no common class of errors
            mend = f"set {DATA_ROOT}, " if self.hub == HUB else ""
            raise UserError(
                f"the hub did not give {self.hub} and its cache has no copy: {mend}give the directory, or run once "
                "with a network"
            ) from error


# Folders -------------------------------------------------------------------------------------------------------------


class _OriginTables(dict[str, Table]):
    """The tables of the origin's directory, each read when it is asked for first."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> Table:
        path = _file(self.folder, name)
        if path is None:
            raise KeyError(name)
        if name.endswith(".csv"):  # where a backslash is always escaped, whether a quote is there or not
            (_, header), *rows = csv_rows(read_text(path), str(path), escape="\\")
        elif name.endswith(".tsv"):
            (_, header), *rows = [(line, tuple(map(unescaped, row))) for line, row in tsv_rows(read_text(path))]
        else:
            raise UserError(f"{path} is no table of the origin: those are CSV and TSV files")
        return self.setdefault(name, made_table(name, header, rows))


def _file(folder: Path, name: str) -> Path | None:
    """A file, gzipped or not."""
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)


def _questions(folder: Path, split: str) -> list[Question]:
    data = folder / "data" if (folder / "data").is_dir() else folder
    if (path := _file(data, f"{split}.tsv")) is not None:
        return _read_questions(path, _canons(folder, data, split))
    divided, dev = _DIVIDED.fullmatch(split), _file(folder, "random_split_dev_ids.json")
    if divided and dev:
        whole = _read_questions(_file(data, f"{TRAINING}.tsv") or data / f"{TRAINING}.tsv", {})
        numbers = parsed_json(dev, read_text(dev))
        if not isinstance(numbers, dict) or not isinstance(numbers.get(f"{divided[1]}-dev", []), list):
            raise UserError(f"{dev} is no JSON object of lists")
        if f"{divided[1]}-dev" in numbers:
            held = set(numbers[f"{divided[1]}-dev"])
            if unknown := held - {each.id for each in whole}:
                raise UserError(f"{dev} names the question {min(unknown)}, which is not in {TRAINING}")
            return [each for each in whole if (each.id in held) == (divided[2] == "dev")]
    there = sorted({path.name.removesuffix(".gz").removesuffix(".tsv") for path in data.glob("*.tsv*")})
    found = short_list(name for name in there if not name.endswith(".canon")) or "none"
    raise UserError(f"no split '{split}' in {folder}; found: {found}")


def _read_questions(path: Path, canons: Mapping[str, Sequence[str]]) -> list[Question]:
    (_, names), *rows = tsv_rows(read_text(path))
    if missing := [name for name in _COLUMNS if name not in names]:
        raise UserError(f"{path} has no column '{missing[0]}' in its first line; found: {short_list(names)}")
    places = [names.index(name) for name in _COLUMNS]
    questions: dict[str, Question] = {}
    for line, row in rows:
        if len(row) != len(names):
            raise UserError(f"{path} has {len(row)} fields on line {line}, but {len(names)} on the first")
        name, text, table, answer = (row[place] for place in places)
        where = f"{path}: line {line}"
        if name in questions:
            raise UserError(f"{where} has the question {name} again")
        questions[name] = _question(name, unescaped(text), table, items(answer), canons.get(name), where)
    return list(questions.values())


def _question(
    name: str, text: str, table: str, answer: Sequence[str], canon: Sequence[str] | None, where: str
) -> Question:
    if not text.strip():
        raise UserError(f"{where} has no question")
    if not any(item.strip() for item in answer):
        raise UserError(f"{where}: the question {name} has no answer")
    known = canon is not None and len(canon) == len(answer)
    return Question(name, text, table, tuple(answer), tuple(canon if canon and known else map(canonical, answer)))


def _canons(folder: Path, data: Path, split: str) -> dict[str, list[str]]:
    """What the origin's tagger read in the answers of a split, by the question; nothing where that is not there."""
    path = _file(folder / "tagged" / "data", f"{split}.tagged") or _file(data, f"{split}.canon.tsv")
    if path is None:
        return {}
    (_, names), *rows = tsv_rows(read_text(path))
    if not {"id", "targetCanon"} <= set(names):
        raise UserError(f"{path} has no columns 'id' and 'targetCanon'; found: {short_list(names)}")
    name, canon = names.index("id"), names.index("targetCanon")
    return {row[name]: items(row[canon]) for _, row in rows if len(row) > max(name, canon)}


def _table(record: Any, where: str) -> tuple[str, Table]:
    try:
        name, header, rows = record["id"], record["header"], record["rows"]
    except (TypeError, KeyError):
        raise UserError(f"{where} is no JSON object with id, header and rows") from None
    if not isinstance(name, str) or not isinstance(rows, list):
        raise UserError(f"{where}: its id is no text, or its rows are no list")
    if not all(isinstance(row, list) and all(isinstance(cell, str) for cell in row) for row in [header, *rows]):
        raise UserError(f"{where}: the table {name} is not of lists of texts")
    return name, made_table(name, header, enumerate(rows, start=1))


def _with_tables(questions: Sequence[Question], tables: Mapping[str, Table], where: str) -> TableQuestions:
    found: dict[str, Table] = {}
    for each in questions:
        if each.table not in found:
            try:
                found[each.table] = tables[each.table]
            except KeyError:
                raise UserError(f"{where} has no table {each.table}, which the question {each.id} is about") from None
    return TableQuestions(questions, found)


# The hub -------------------------------------------------------------------------------------------------------------


def _hub_splits(split: str) -> tuple[str, list[str]]:
    """What the hub calls a split of WikiTableQuestions: a configuration and its splits."""
    if divided := _DIVIDED.fullmatch(split):
        return divided[1], ["train" if divided[2] == "train" else "validation"]
    if split == TRAINING:
        return "random-split-1", ["train", "validation"]
    return "random-split-1", ["test"] if split == "pristine-unseen-tables" else [split]


def _from_hub(data: "DatasetDict", splits: Iterable[str], hub: str) -> TableQuestions:
    questions: list[Question] = []
    tables: dict[str, Table] = {}
    for split in splits:
        if split not in data:
            raise UserError(f"no split '{split}' in the hub data set {hub}; found: {short_list(data)}")
        missing = {"id", "question", "answers", "table"} - set(data[split].column_names)
        if missing:
            found = short_list(data[split].column_names)
            raise UserError(f"the hub data set {hub} has no column '{min(missing)}'; found: {found}")
        for row in data[split]:
            where = f"the hub data set {hub}, '{split}', question {row['id']}"
            text, answer, table = row["question"], row["answers"], row["table"]
            texts = [text, *answer] if isinstance(answer, list) else [None]
            if not all(isinstance(each, str) for each in texts) or not isinstance(table, dict):
                raise UserError(f"{where} is no text with a list of texts as answers, and a table with its name")
            name, read = _table({"id": table.get("name"), **table}, where)
            tables.setdefault(name, read)
            questions.append(_question(row["id"], text, name, answer, None, where))
    return TableQuestions(questions, tables)
