"""Whatever kind of file pairs are in, the text comes out as it is; what is wrong is named with its line."""

import csv
import gzip
import io
import json
from pathlib import Path

import datasets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.text.corpus_files import Columns, read_pairs

ODD = [
    'He said "yes", twice.',
    "None",
    "N/A",
    "nan",
    "1e5",
    "a\u2028b\u0085c\x0bd\x0ce",
    "'",
    '"',
    "back\\slash \\n",
    " padded ",
    "#x",
]
PAIRS = [(line, f"το {line}") for line in ODD]
EXPECTED = {"en": [pair[0] for pair in PAIRS], "el": [pair[1] for pair in PAIRS]}
LANGUAGES = ("en", "el")


def table(header: list[str] | None = None) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([*([header] if header else []), *PAIRS])
    return text.getvalue()


def tsv(*rows: tuple[str, ...]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


RECORDS = [dict(zip(LANGUAGES, pair, strict=True)) for pair in PAIRS]
KINDS: dict[str, tuple[str, Columns | None]] = {
    "a.csv": (table(["en", "el"]), None),
    "b.csv": (table(["English", "Greek"]), {"en": "English", "el": "Greek"}),
    "c.csv": (table(), {"en": 0, "el": 1}),
    "a.tsv": (tsv(("el", "en", "by"), *[(pair[1], pair[0], "x") for pair in PAIRS]), None),
    "b.tsv": (tsv(*PAIRS), {"en": 0, "el": 1}),
    "c.tsv": (tsv(("en", "el"), *PAIRS).replace("\n", "\r\n"), None),
    "a.jsonl": ("".join(json.dumps(record) + "\n" for record in RECORDS), None),
    "b.jsonl": ("\n".join(json.dumps({"translation": record}, ensure_ascii=False) for record in RECORDS), None),
    "a.json": (json.dumps(RECORDS, indent=1), None),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("packed", [False, True])
def test_the_text_comes_out_as_it_is(tmp_path: Path, name: str, packed: bool) -> None:
    text, columns = KINDS[name]
    raw = text.encode()
    path = tmp_path / (name + ".gz" * packed)
    for content in (raw, b"\xef\xbb\xbf" + raw):
        path.write_bytes(gzip.compress(content) if packed else content)
        assert read_pairs(path, LANGUAGES, columns) == EXPECTED
        assert read_pairs(path, LANGUAGES[::-1], columns) == EXPECTED


@pytest.mark.parametrize("nested", [False, True])
def test_a_saved_data_set_is_read(tmp_path: Path, nested: bool) -> None:
    made = [{"translation": record} for record in RECORDS] if nested else RECORDS
    datasets.Dataset.from_list(made).save_to_disk(str(tmp_path / "saved"))
    assert read_pairs(tmp_path / "saved", LANGUAGES) == EXPECTED


@given(st.lists(st.tuples(*[st.text(st.characters(codec="utf-8"))] * 2), min_size=1, max_size=5))
def test_csv_and_json_hold_any_text(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("any")
    expected = {"en": [pair[0] for pair in pairs], "el": [pair[1] for pair in pairs]}
    with open(folder / "a.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("en", "el"), *pairs])
    lines = [json.dumps(dict(zip(LANGUAGES, pair, strict=True)), ensure_ascii=False) for pair in pairs]
    (folder / "a.jsonl").write_bytes("\n".join(lines).encode())
    for name in ("a.csv", "a.jsonl"):
        assert read_pairs(folder / name, LANGUAGES) == expected


def test_each_language_may_have_its_file(tmp_path: Path) -> None:
    for language in LANGUAGES:
        lines = [line.replace("\n", " ") for line in EXPECTED[language]]
        (tmp_path / f"pairs.{language}.txt").write_bytes("\n".join(lines).encode())
    assert read_pairs(tmp_path / "pairs.{language}.txt", LANGUAGES) == EXPECTED


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.tsv", b"en\tel\na\tb\nc\n", "1 fields on line 3, but 2 on the first"),
        ("a.tsv", b"en\tel\na\tb\tc\n", "3 fields on line 2, but 2 on the first"),
        ("a.tsv", b"en\tel\na\tb\nc\t\xe9\n", r"not UTF-8 text \(byte 0xe9 on line 3\)"),
        ("a.tsv", "en\tel\n".encode("utf-16"), r"not UTF-8 text \(byte 0xff on line 1\)"),
        ("a.tsv", b"A dog\tdogi\n", "no column 'en' in its first line; found: A dog, dogi; .* numbers from 0"),
        ("a.tsv", b"", "is empty"),
        ("a.csv", b"en;el\na;b\n", "no column 'en' .* found: en;el"),
        ("a.csv", b'en,el\na,b\n"c,d\n', "not a CSV file: line 3: unexpected end of data"),
        ("a.csv", b"en,el\na,b\n\nc,d,e\n", "3 fields on line 4, but 2"),
        ("a.jsonl", b'{"en": "a", "el": "b"}\n{"en": "a"\n', "not JSON: line 2: "),
        ("a.jsonl", b'{"en": "a", "de": "b"}\n', "line 1 has no 'el'; found: en, de"),
        ("a.jsonl", b'{"en": "a", "el": 5}\n', "'el' of line 1 is no text but 5"),
        ("a.jsonl", b'{"en": "\\ud800", "el": "b"}\n', "'en' of line 1 has half a character"),
        ("a.jsonl", b'{"en": "a", "el": ' + b"9" * 5000 + b"}", "cannot be read as JSON: from line 1 on: "),
        ("a.json", b"[" * 100_000, "cannot be read as JSON: from line 1 on: "),
        ("a.jsonl", b'"a"\n', "line 1 is no JSON object"),
        ("a.json", b'[{"en": "a", "el": "b"},\n {"en" "a"}]', "not JSON: line 2: "),
        ("a.json", b'[{"en": "a", "el": "b"}, 3]', "entry 2 is no JSON object"),
        ("a.xlsx", b"PK", "is no .tsv, .csv, .jsonl, .json file"),
        ("a.tsv.gz", b"en\tel\n", "not a whole gzip file"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=why) as raised:
        read_pairs(path, LANGUAGES)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*a.tsv: No such file"):
        read_pairs(tmp_path / "a.tsv", LANGUAGES)
    with pytest.raises(UserError, match="is no folder that `datasets` has saved"):
        read_pairs(tmp_path, LANGUAGES)
    (tmp_path / "x.en").write_text("a\nb\n")
    (tmp_path / "x.el").write_text("a\n")
    with pytest.raises(UserError, match=r"x.en has 2 lines but .*x.el has 1: translations must be line by line"):
        read_pairs(tmp_path / "x.{language}", LANGUAGES)
    datasets.DatasetDict(train=datasets.Dataset.from_list(RECORDS)).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(UserError, match=r"has several splits \(train\): give it as `directory`"):
        read_pairs(tmp_path / "saved", LANGUAGES)


def test_nothing_is_an_empty_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"en": null, "el": "b"}\n{"en": "", "el": "c"}\n')
    datasets.Dataset.from_dict({"en": [None, ""], "el": ["b", "c"]}).save_to_disk(str(tmp_path / "saved"))
    for name in ("a.jsonl", "saved"):
        assert read_pairs(tmp_path / name, LANGUAGES) == {"en": ["", ""], "el": ["b", "c"]}
