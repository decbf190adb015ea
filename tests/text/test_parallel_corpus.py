"""Reading parallel text: what is there is read as it is, what is wrong gets one clear line."""

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import datasets
import pytest

from augrnn.errors import UserError
from augrnn.text import parallel_corpus as corpora
from augrnn.text.parallel_corpus import ParallelCorpus

ENGLISH = ["A dog.", "Two dogs\u2028run.", "The end."]
FRENCH = ["Un chien.", "Deux chiens courent.", "La fin."]


def write(path: Path, lines: list[str]) -> None:
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode()))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / "multi30k"
    folder.mkdir()
    for split in ("train", "test_2017_flickr"):
        write(folder / f"{split}.en.gz", ENGLISH)
        write(folder / f"{split}.fr.gz", FRENCH)
    return folder


def complaint(directory: Path, split: str = "train", languages: tuple[str, str] = ("en", "fr")) -> str:
    with pytest.raises(UserError) as raised:
        corpora.directory_text(directory, split, languages)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def parallel_text(split: str, languages: tuple[str, str], directory: Path | None, hub: str) -> dict[str, list[str]]:
    return ParallelCorpus(languages, directory, hub=hub).read(split)


def test_pairs_are_read_line_by_line_in_either_direction_from_any_split(directory: Path) -> None:
    text = corpora.directory_text(directory, "train", ("en", "fr"))
    assert (list(text["en"]), list(text["fr"])) == (ENGLISH, FRENCH)
    turned = corpora.directory_text(directory, "test_2017_flickr", ("fr", "en"))
    assert list(turned["fr"]) == FRENCH


def test_a_last_line_without_line_feed_counts(directory: Path) -> None:
    (directory / "train.fr.gz").write_bytes(gzip.compress("\n".join(FRENCH).encode()))
    assert corpora.directory_text(directory, "train", ("en", "fr"))["fr"] == FRENCH


def test_missing_parts_are_named_with_what_there_is(directory: Path) -> None:
    assert str(directory / "no") in complaint(directory / "no")
    assert "'val'" in complaint(directory, "val")
    assert "test_2017_flickr, train" in complaint(directory, "val")
    assert "found: en, fr" in complaint(directory, languages=("en", "de"))
    for path in directory.iterdir():
        path.unlink()
    assert "no <split>.<language>.gz file" in complaint(directory)


def test_bad_files_are_named_with_what_is_wrong(directory: Path) -> None:
    path = directory / "train.fr.gz"
    whole = path.read_bytes()
    for bad, why in (
        (whole[:-12], "not a whole gzip file"),
        (b"plain text", "not a whole gzip file"),
        (whole[:20] + b"????" + whole[24:], "not a whole gzip file"),
        (gzip.compress(b"ligne\ncaf\xe9\n"), "not UTF-8 text (byte 0xe9 on line 2)"),
        (gzip.compress(b""), "is empty"),
        (b"", "is empty"),
        (gzip.compress(b"\n"), "is empty"),
    ):
        path.write_bytes(bad)
        message = complaint(directory)
        assert str(path) in message
        assert why in message


def test_unreadable_files_are_named(directory: Path) -> None:
    (directory / "train.fr.gz").unlink()
    (directory / "train.fr.gz").mkdir()
    assert "cannot read" in complaint(directory)


def test_misaligned_files_are_named_with_both_counts(directory: Path) -> None:
    write(directory / "train.fr.gz", FRENCH[:2])
    message = complaint(directory)
    assert "train.en.gz has 3 lines" in message
    assert "train.fr.gz has 2" in message


def test_the_data_root_is_used_where_no_directory_is_given(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(corpora.DATA_ROOT, str(directory.parent))
    text = parallel_text("train", ("en", "fr"), None, corpora.HUB)
    assert list(text["en"]) == ENGLISH


def test_a_given_directory_is_never_replaced_by_another(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(corpora.DATA_ROOT, str(directory.parent))
    with pytest.raises(UserError, match="no data directory"):
        parallel_text("train", ("en", "fr"), directory / "no", corpora.HUB)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that answers and has English and German."""
    split = datasets.Dataset.from_dict({"en": ["a dog"], "de": ["ein Hund"]})
    monkeypatch.delenv(corpora.DATA_ROOT, raising=False)
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: None)
    monkeypatch.setattr(
        "datasets.load_dataset", lambda *_: datasets.DatasetDict(train=split, validation=split, test=split)
    )


@pytest.mark.usefixtures("hub")
def test_the_hub_is_read_by_the_official_names_of_splits() -> None:
    for split in ("train", "val", "test_2016_flickr", "test"):
        text = parallel_text(split, ("de", "en"), None, "some/data")
        assert list(text["de"]) == ["ein Hund"]


@pytest.mark.usefixtures("hub")
def test_what_the_hub_does_not_have_is_named() -> None:
    with pytest.raises(UserError, match="no split 'test_2017_flickr' in the hub data set some/data; found: train, val"):
        parallel_text("test_2017_flickr", ("de", "en"), None, "some/data")
    with pytest.raises(UserError, match=r"no language 'fr' .* found: en, de"):
        parallel_text("val", ("fr", "en"), None, "some/data")


ASK = """
import sys
from augrnn.errors import UserError
from augrnn.text import parallel_corpus as corpora
corpora.HUB_PATIENCE = 1
try:
    print(corpora.ParallelCorpus(("en", "de")).read("val")["en"][0])
except UserError as error:
    sys.exit(f"UserError: {error}")
"""


def ask(hub: str, home: Path) -> tuple[subprocess.CompletedProcess[str], float]:
    """What a fresh process says that has only this hub and this cache, and how long it takes."""
    kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    environment = kept | {"HF_ENDPOINT": hub, "HF_HOME": str(home), corpora.DATA_ROOT: str(home)}
    start = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, text=True, capture_output=True, timeout=60, check=False
    )
    return answer, time.monotonic() - start


def test_a_hub_that_is_not_there_or_never_answers_ends_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hubs = [f"http://127.0.0.1:{port}" for port in (9, silent.getsockname()[1])]
        for answer, seconds in ThreadPoolExecutor().map(ask, hubs, [tmp_path] * 2):
            assert answer.returncode == 1
            line = answer.stderr.strip().splitlines()[-1]
            assert line.startswith("UserError: no data set multi30k: no directory was given, AUGRNN_DATA=")
            assert "bentrevett/multi30k" in line
            assert seconds < 30


def test_without_a_network_the_cache_is_used(tmp_path: Path) -> None:
    lines = tmp_path / "val.jsonl"
    lines.write_text(json.dumps({"en": "a cached dog", "de": "ein Hund"}))
    datasets.load_dataset("json", data_files={"validation": str(lines)}, cache_dir=str(tmp_path / "made"))
    (made,) = (tmp_path / "made/json").glob("default-*/0.0.0/*/dataset_info.json")
    kept = tmp_path / "datasets/bentrevett___multi30k/default/0.0.0/0"
    kept.parent.mkdir(parents=True)
    made.parent.rename(kept)
    (kept / "json-validation.arrow").rename(kept / "multi30k-validation.arrow")
    info = json.loads((kept / "dataset_info.json").read_text()) | {"dataset_name": "multi30k"}
    (kept / "dataset_info.json").write_text(json.dumps(info))
    answer, _ = ask("http://127.0.0.1:9", tmp_path)
    assert (answer.returncode, answer.stdout.strip()) == (0, "a cached dog"), answer.stderr


# One's own corpus ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {"train.en": "a\nb\n", "train.fr": "c\nd\n"},
        {"train.tsv": "en\tfr\na\tc\nb\td\n"},
        {"train.csv": "fr,en\nc,a\nd,b\n"},
        {"train.jsonl": '{"en": "a", "fr": "c"}\n{"en": "b", "fr": "d"}\n', "README.md": "about", "test.de": "x"},
    ],
)
def test_a_directory_has_any_kind_of_file(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert ParallelCorpus(("en", "fr"), tmp_path).read("train") == {"en": ["a", "b"], "fr": ["c", "d"]}
    with pytest.raises(UserError, match=r"no split 'val' in .*; found: train"):
        ParallelCorpus(("en", "fr"), tmp_path).read("val")


def test_a_split_that_is_there_twice_is_named(tmp_path: Path) -> None:
    for name in ("train.en", "train.fr", "train.tsv"):
        (tmp_path / name).write_text("en\tfr\n")
    with pytest.raises(UserError, match=r"'train' more than once \(train.tsv, train.en, train.fr\)"):
        ParallelCorpus(("en", "fr"), tmp_path).read("train")


def test_a_directory_may_be_a_saved_data_set(tmp_path: Path) -> None:
    split = datasets.Dataset.from_dict({"translation": [{"en": "a", "fr": "b"}]})
    datasets.DatasetDict(train=split, validation=split).save_to_disk(str(tmp_path / "saved"))
    for name in ("train", "val", "validation"):
        assert ParallelCorpus(("fr", "en"), tmp_path / "saved").read(name) == {"fr": ["b"], "en": ["a"]}
    with pytest.raises(UserError, match=r"no split 'test' in .*; found: train, validation"):
        ParallelCorpus(("fr", "en"), tmp_path / "saved").read("test")


def many(tmp_path: Path, name: str, numbers: list[int]) -> ParallelCorpus:
    (tmp_path / name).write_text("en\tfr\n" + "".join(f"line {n // 2}\tligne {n}\n" for n in numbers))
    return ParallelCorpus(
        ("en", "fr"), files={"train": str(tmp_path / name)}, held_out={"val": 10, "test": 0.25}, held_out_seed=1
    )


def test_splits_are_taken_out_of_the_training_pairs(tmp_path: Path) -> None:
    one, other = many(tmp_path, "a.tsv", list(range(100))), many(tmp_path, "b.tsv", list(range(100))[::-1])
    found = {split: one.read(split) for split in ("train", "val", "test")}
    assert {split: len(text["en"]) for split, text in found.items()} == {"train": 64, "val": 10, "test": 26}
    together = [pair for text in found.values() for pair in zip(*text.values(), strict=True)]
    assert sorted(together) == sorted((f"line {n // 2}", f"ligne {n}") for n in range(100))
    assert not set(found["train"]["en"]) & {*found["val"]["en"], *found["test"]["en"]}
    for split, text in found.items():
        assert sorted(text["fr"]) == sorted(other.read(split)["fr"])
        turned = ParallelCorpus(("fr", "en"), None, one.files, None, corpora.HUB, one.held_out, 1).read(split)
        assert turned == text
    assert ParallelCorpus(("en", "fr"), files=one.files, held_out=one.held_out).read("val") != found["val"]


def test_more_pairs_move_few(tmp_path: Path) -> None:
    few, more = many(tmp_path, "a.tsv", list(range(100))), many(tmp_path, "b.tsv", list(range(104)))
    assert len(set(few.read("val")["en"]) & set(more.read("val")["en"])) >= 4


def test_blank_pairs_are_never_held_out(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("en\tfr\n\tb\na\t\u200b\n" + "".join(f"a{n}\tb{n}\n" for n in range(4)))
    corpus = ParallelCorpus(("en", "fr"), files={"train": str(tmp_path / "a.tsv")}, held_out={"val": 3})
    assert len(corpus.read("train")["en"]) == 3
    assert all(corpus.read("val")["en"])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"directory": Path("x"), "hub": "some/data"}, "one origin: give directory or hub, not both"),
        ({"directory": Path("x"), "files": {}}, "one origin: give directory or files, not both"),
        ({"columns": {"de": "x"}}, "columns name 'de', which is neither en nor fr"),
        ({"held_out": {"val": 0}}, "val is a number of pairs or a share below 1, not 0"),
        ({"held_out": {"val": 1.0}}, "not 1.0"),
        ({"held_out": {"val": -0.1}}, "not -0.1"),
        ({"held_out": {"train": 5}}, "held_out takes 'train' out of the training pairs"),
        ({"held_out": {"val": 5}, "files": {"train": "a.tsv", "val": "b.tsv"}}, "held_out takes 'val' out"),
    ],
)
def test_impossible_settings_are_named(options: dict[str, Any], why: str) -> None:
    with pytest.raises(UserError, match=why):
        ParallelCorpus(("en", "fr"), **options)


@pytest.mark.parametrize(
    ("held_out", "why"), [({"val": 101}, "wants more than the 100 pairs"), ({"val": 100}, "leaves none of the 100")]
)
def test_too_many_held_out_is_named(tmp_path: Path, held_out: dict[str, int | float], why: str) -> None:
    made = many(tmp_path, "a.tsv", list(range(100)))
    with pytest.raises(UserError, match=why):
        ParallelCorpus(("en", "fr"), files=made.files, held_out=held_out).read("train")
    with pytest.raises(UserError, match="files name no split 'dev'; they have: train"):
        made.read("dev")


@pytest.mark.usefixtures("hub")
def test_a_hub_id_of_ones_own_is_read_though_the_data_root_has_multi30k(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(corpora.DATA_ROOT, str(directory.parent))
    assert ParallelCorpus(("de", "en"), hub="some/data").read("train") == {"de": ["ein Hund"], "en": ["a dog"]}
    assert ParallelCorpus(("en", "fr")).read("train")["en"] == ENGLISH


def test_the_hubs_standard_column_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    features = datasets.Features({"id": datasets.Value("string"), "translation": datasets.Translation(["en", "fr"])})
    pairs = {"id": ["0", "1"], "translation": [{"en": "a dog", "fr": "un chien"}, {"en": "a cat", "fr": None}]}
    for split in (datasets.Dataset.from_dict(pairs, features), datasets.Dataset.from_dict(pairs)):
        monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", lambda *_, **__: None)
        monkeypatch.setattr("datasets.load_dataset", lambda *_, split=split: datasets.DatasetDict(train=split))
        found = ParallelCorpus(("fr", "en"), hub="some/data").read("train")
        assert found == {"fr": ["un chien", ""], "en": ["a dog", "a cat"]}
        with pytest.raises(UserError, match=r"no language 'de' in the hub data set some/data; found: en, fr"):
            ParallelCorpus(("de", "en"), hub="some/data").read("train")
