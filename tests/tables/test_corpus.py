"""Every layout gives the same questions and tables, whole; what is missing or bad is named in one line."""

import csv
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict

from augrnn.errors import UserError
from augrnn.tables import corpus as corpora
from augrnn.tables.corpus import Question, TableCorpus
from augrnn.tables.table import Table

TABLES = {
    "csv/1-csv/0.csv": [["Name", "Goals"], ['The "Rock"', "1,000"], ["a\\b", "None"], ["two\nlines", "N/A"]],
    "csv/1-csv/1.csv": [["Year", "Year"], ["1998", "x|y"]],
}
TRAINING = [
    Question("nt-0", 'who is "the rock"?', "csv/1-csv/0.csv", ('The "Rock"',), ('The "Rock"',)),
    Question("nt-1", "how many?", "csv/1-csv/0.csv", ("1,000", "two\nlines"), ("1000.0", "two\nlines")),
    Question("nt-2", "which \\ of x|y\nin 1998", "csv/1-csv/1.csv", ("x|y",), ("x|y",)),
]
TEST = [Question("ns-0", '"when', "csv/1-csv/1.csv", ("1998",), ("1998.0",))]
DEV = ["nt-1"]


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("|", "\\p")


def questions_file(questions: list[Question]) -> str:
    rows = [(each.id, escaped(each.text), each.table, "|".join(map(escaped, each.answer))) for each in questions]
    return "\n".join("\t".join(row) for row in [("id", "utterance", "context", "targetValue"), *rows]) + "\n"


def backslashed(rows: list[list[str]]) -> str:
    cells = (['"' + cell.replace("\\", "\\\\").replace('"', '\\"') + '"' for cell in row] for row in rows)
    return "\n".join(",".join(row) for row in cells) + "\n"


def put(path: Path, content: str, packed: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if packed:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content.encode()))
    else:
        path.write_text(content, encoding="utf-8", newline="")


def origin(folder: Path) -> None:
    for name, rows in TABLES.items():
        put(folder / name, backslashed(rows))
    put(folder / "data/training.tsv", questions_file(TRAINING))
    put(folder / "data/random-split-1-dev.tsv", questions_file([each for each in TRAINING if each.id in DEV]))
    put(folder / "data/random-split-1-train.tsv", questions_file([each for each in TRAINING if each.id not in DEV]))
    put(folder / "data/pristine-seen-tables.tsv", questions_file(TEST))


def shared(folder: Path, packed: bool = True) -> None:
    records = [{"id": name, "title": "", "header": rows[0], "rows": rows[1:]} for name, rows in TABLES.items()]
    put(folder / "tables.jsonl", "\n".join(map(json.dumps, records)), packed)
    put(folder / "training.tsv", questions_file(TRAINING), packed)
    put(folder / "pristine-seen-tables.tsv", questions_file(TEST), packed)
    put(folder / "random_split_dev_ids.json", json.dumps({"random-split-1-dev": DEV}), packed)


def unpacked(folder: Path) -> None:
    shared(folder, packed=False)


def expected(questions: list[Question]) -> dict[str, Table]:
    names = dict.fromkeys(each.table for each in questions)
    made = {name: [tuple(row) for row in TABLES[name]] for name in names}
    return {name: Table(rows[0], tuple(rows[1:]), name) for name, rows in made.items()}


SPLITS = {
    "training": TRAINING,
    "pristine-seen-tables": TEST,
    "random-split-1-dev": [TRAINING[1]],
    "random-split-1-train": [TRAINING[0], TRAINING[2]],
}


@pytest.mark.parametrize("layout", [origin, shared, unpacked])
@pytest.mark.parametrize("split", SPLITS)
def test_every_layout_gives_the_same(tmp_path: Path, layout: Callable[[Path], None], split: str) -> None:
    layout(tmp_path)
    read = TableCorpus(tmp_path).read(split)
    assert list(read.questions) == SPLITS[split]
    assert read.tables == expected(SPLITS[split])


def test_the_origins_tables_may_be_named_as_tsv(tmp_path: Path) -> None:
    rows = TABLES["csv/1-csv/0.csv"]
    put(tmp_path / "csv/1-csv/0.tsv", "\n".join("\t".join(map(escaped, row)) for row in rows) + "\n")
    put(tmp_path / "data/mine.tsv", questions_file([TRAINING[0]._replace(table="csv/1-csv/0.tsv")]))
    table = TableCorpus(tmp_path).read("mine").tables["csv/1-csv/0.tsv"]
    assert [list(table.header), *map(list, table.rows)] == rows


def test_canons_of_the_origin_go_before_ours(tmp_path: Path) -> None:
    origin(tmp_path)
    shared(tmp_path / "other")
    tagged = "id\ttargetValue\ttargetCanon\ttargetCanonType\nns-0\t1998\t1998-xx-xx\tdate\nx\n"
    put(tmp_path / "tagged/data/pristine-seen-tables.tagged", tagged)
    put(tmp_path / "other/pristine-seen-tables.canon.tsv", tagged, packed=True)
    for folder in (tmp_path, tmp_path / "other"):
        assert TableCorpus(folder).read("pristine-seen-tables").questions[0].canon == ("1998-xx-xx",)
    put(tmp_path / "tagged/data/pristine-seen-tables.tagged", tagged.replace("1998-xx-xx", "a|b"))
    assert TableCorpus(tmp_path).read("pristine-seen-tables").questions[0].canon == ("1998.0",)


def hub_rows(questions: list[Question]) -> Dataset:
    def row(each: Question) -> dict[str, Any]:
        header, *rows = TABLES[each.table]
        table = {"header": header, "rows": rows, "name": each.table}
        return {"id": each.id, "question": each.text, "answers": list(each.answer), "table": table}

    return Dataset.from_list(list(map(row, questions)))


def test_the_hub_has_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def load(hub: str, part: str | None) -> DatasetDict:
        asked.append(part)
        parts = {"train": [TRAINING[0], TRAINING[2]], "validation": [TRAINING[1]], "test": TEST}
        return DatasetDict({name: hub_rows(each) for name, each in parts.items()})

    monkeypatch.setattr(corpora, "load_hub", load)
    monkeypatch.delenv("AUGRNN_DATA", raising=False)
    for split, part in (("random-split-3-dev", [TRAINING[1]]), ("pristine-unseen-tables", TEST)):
        read = TableCorpus().read(split)
        assert list(read.questions) == part
        assert read.tables == expected(part)
    assert {each.id for each in TableCorpus().read("training").questions} == {"nt-0", "nt-1", "nt-2"}
    assert list(TableCorpus(hub="my/own").read("validation").questions) == [TRAINING[1]]
    assert asked == ["random-split-3", "random-split-1", "random-split-1", None]
    with pytest.raises(UserError, match=r"no split 'mine' in the hub data set my/own; found: train, validation, test"):
        TableCorpus(hub="my/own").read("mine")


@pytest.mark.parametrize("bad", [{"answers": "2004"}, {"answers": [2004]}, {"question": None}, {"table": "csv/1.csv"}])
def test_bad_questions_of_a_hub_are_refused(monkeypatch: pytest.MonkeyPatch, bad: dict[str, Any]) -> None:
    rows = [row | bad for row in hub_rows(TEST)]
    monkeypatch.setattr(corpora, "load_hub", lambda hub, part: DatasetDict({"test": Dataset.from_list(rows)}))
    with pytest.raises(UserError, match=r"my/own, 'test', question .* is no text with a list of texts"):
        TableCorpus(hub="my/own").read("test")


def test_a_hub_without_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(hub: str, part: str | None) -> DatasetDict:
        raise OSError

    monkeypatch.setattr(corpora, "load_hub", load)
    monkeypatch.delenv("AUGRNN_DATA", raising=False)
    with pytest.raises(UserError, match=r"the hub did not give stanfordnlp/wikitablequestions .* set AUGRNN_DATA"):
        TableCorpus().read("training")


def test_the_folder_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared(tmp_path / "wikitablequestions")
    monkeypatch.setenv("AUGRNN_DATA", str(tmp_path))
    assert list(TableCorpus().read("training").questions) == TRAINING


BAD: dict[str, tuple[str, str, str]] = {
    "no answer": (
        "training.tsv",
        questions_file([TRAINING[0]._replace(answer=("",))]),
        "line 2: the question nt-0 has no",
    ),
    "no question": ("training.tsv", questions_file([TRAINING[0]._replace(text=" ")]), "line 2 has no question"),
    "twice": ("training.tsv", questions_file([TRAINING[0], TRAINING[0]]), "line 3 has the question nt-0 again"),
    "no table": (
        "training.tsv",
        questions_file([TRAINING[0]._replace(table="x")]),
        "has no table x, which the question",
    ),
    "fields": (
        "training.tsv",
        questions_file(TRAINING[:1]) + "nt-9\tx\n",
        "has 2 fields on line 3, but 4 on the first",
    ),
    "columns": ("training.tsv", "id\tquestion\n", "has no column 'utterance' in its first line; found: id, question"),
    "id of a table": (
        "tables.jsonl",
        '{"header": [], "rows": []}',
        "line 1 is no JSON object with id, header and rows",
    ),
    "rows of a table": ("tables.jsonl", '{"id": "x", "header": [], "rows": 1}', "its rows are no list"),
    "cells": ("tables.jsonl", '{"id": "x", "header": ["a"], "rows": [[1]]}', "the table x is not of lists of texts"),
    "ragged": ("tables.jsonl", '{"id": "x", "header": ["a"], "rows": [["1", "2"]]}', "x: line 1 has 2 cells, but the"),
    "ids": (
        "random_split_dev_ids.json",
        '{"random-split-1-dev": ["nt-7"]}',
        "names the question nt-7, which is not in",
    ),
    "list of ids": ("random_split_dev_ids.json", "[]", "is no JSON object of lists"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_bad_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    name, content, told = BAD[kind]
    unpacked(tmp_path)
    put(tmp_path / name, content)
    with pytest.raises(UserError, match=re.escape(told)) as refusal:
        TableCorpus(tmp_path).read("random-split-1-dev" if "ids" in kind else "training")
    assert "\n" not in str(refusal.value)


def test_what_is_missing_is_told_with_what_there_is(tmp_path: Path) -> None:
    unpacked(tmp_path)
    put(tmp_path / "pristine-seen-tables.canon.tsv", "id\ttargetCanon")
    with pytest.raises(UserError, match=r"no split 'random-split-2-dev' in .*; found: pristine-seen-tables, training$"):
        TableCorpus(tmp_path).read("random-split-2-dev")
    with pytest.raises(UserError, match="no data directory"):
        TableCorpus(tmp_path / "none").read("training")
    (tmp_path / "tables.jsonl").unlink()
    with pytest.raises(UserError, match=r"neither a folder data, as the origin's, nor tables\.jsonl"):
        TableCorpus(tmp_path).read("training")
    with pytest.raises(UserError, match="one origin"):
        TableCorpus(tmp_path, hub="my/own")


# The real data set ---------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_all_questions_and_tables_are_read_whole(data_root: Path) -> None:
    corpus = TableCorpus(data_root / "wikitablequestions")
    read = corpus.read("training")
    assert (len(read.questions), len(read.tables), len(corpus._tables)) == (14152, 1679, 2108)
    assert sum(len(table.rows) for table in corpus._tables.values()) == 57960
    assert (len(corpus.read("pristine-seen-tables").questions), len({each.id for each in read.questions})) == (
        3537,
        14152,
    )
    for number, held in enumerate((2831, 2838, 2838, 2831, 2836), start=1):
        dev, train = (corpus.read(f"random-split-{number}-{part}") for part in ("dev", "train"))
        assert (len(dev.questions), len(train.questions)) == (held, 14152 - held)
        assert not set(dev.tables) & set(train.tables)
    # A reader that gives quotes a meaning loses some without a word.
    raw = gzip.decompress((data_root / "wikitablequestions/training.tsv.gz").read_bytes()).decode()
    assert len(list(csv.reader(raw.splitlines(keepends=True), delimiter="\t"))) - 1 == 14149
    assert sum(item in ("None", "N/A") for each in read.questions for item in each.answer) > 0


@pytest.mark.data
def test_all_tables_come_back_from_the_origins_files(data_root: Path, tmp_path: Path) -> None:
    tables = TableCorpus(data_root / "wikitablequestions")._tables
    questions = []
    for number, (name, table) in enumerate(tables.items()):
        rows = [list(row) for row in (table.header, *table.rows)]
        flat = name.replace(".csv", ".tsv")
        put(tmp_path / name, backslashed(rows))
        put(tmp_path / flat, "\n".join("\t".join(map(escaped, row)) for row in rows) + "\n")
        questions += [Question(f"{each}-{number}", "x", each, ("y",), ("y",)) for each in (name, flat)]
    put(tmp_path / "data/all.tsv", questions_file(questions))
    read = TableCorpus(tmp_path).read("all").tables
    assert len(read) == 2 * 2108
    for name, table in tables.items():
        assert read[name] == table
        assert read[name.replace(".csv", ".tsv")].rows == table.rows
