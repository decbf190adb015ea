"""Texts as bytes: what is joined, how it is divided, and one line for whatever is wrong."""

import gzip
from pathlib import Path
from typing import Any

import datasets
import pytest

from augrnn.errors import UserError
from augrnn.text.byte_corpus import SPLITS, ByteCorpus, path_bytes, stretches
from augrnn.text.parallel_corpus import DATA_ROOT


def whole(corpus: ByteCorpus) -> bytes:
    return b"".join(map(corpus.read, SPLITS))


def complaint(**options: Any) -> str:
    with pytest.raises(UserError) as raised:
        ByteCorpus(**({"name": "none"} | options)).read("train")
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(("length", "held_out"), [(0, 0.05), (19, 0.05), (1000, 0.05), (1001, 0.1), (7, 0.4)])
def test_splits_follow_one_another_and_are_all_of_the_text(length: int, held_out: float) -> None:
    text = bytes(number % 251 for number in range(length))
    parts = stretches(text, held_out)
    assert tuple(parts) == SPLITS
    assert b"".join(parts.values()) == text
    assert len(parts["validation"]) == len(parts["test"]) == int(length * held_out)


def test_a_folders_text_files_are_joined_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes(b"second.")
    (tmp_path / "a.xml.gz").write_bytes(gzip.compress(b"<first/>"))
    (tmp_path / "c.txt").write_bytes(b"third")
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"third, gzipped"))
    (tmp_path / "SOURCE.md").write_text("not a text")
    assert path_bytes(tmp_path) == b"<first/>second.third, gzipped"
    assert whole(ByteCorpus("none", tmp_path)) == path_bytes(tmp_path)


def test_a_file_may_have_any_name_and_any_bytes(tmp_path: Path) -> None:
    raw = bytes(range(256)) * 3  # no UTF-8
    for name, content in (("enwik8", raw), ("enwik8.gz", gzip.compress(raw))):
        (tmp_path / name).write_bytes(content)
        assert whole(ByteCorpus("none", tmp_path / name)) == raw


def test_the_data_root_is_used_where_nothing_else_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/text.txt").write_bytes(b"here")
    monkeypatch.setenv(DATA_ROOT, str(tmp_path))
    assert whole(ByteCorpus("mine")) == b"here"
    message = complaint(name="other")
    assert f"no text other: {DATA_ROOT}={tmp_path} has no folder other" in message
    monkeypatch.delenv(DATA_ROOT)
    assert f"{DATA_ROOT} is not set" in complaint(name="mine")


@pytest.mark.parametrize("name", ["war_and_peace", "tinyshakespeare"])
def test_real_texts_are_found(name: str, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_ROOT, str(data_root))
    (file,) = (data_root / name).glob("*.gz")
    assert whole(ByteCorpus(name)) == gzip.decompress(file.read_bytes())


def test_what_is_wrong_with_files_is_told_in_a_line(tmp_path: Path) -> None:
    assert f"no text {tmp_path / 'no'};" in complaint(path=tmp_path / "no")
    assert f"{tmp_path} has no .txt or .xml file, gzipped or not; found: none" in complaint(path=tmp_path)
    (tmp_path / "read.me").write_text("no text")
    assert "found: read.me" in complaint(path=tmp_path)
    (tmp_path / "bad.txt.gz").write_bytes(b"not gzipped")
    assert "bad.txt.gz is not a whole gzip file" in complaint(path=tmp_path)
    (tmp_path / "bad.txt.gz").unlink()
    (tmp_path / "folder.txt").mkdir()
    assert "cannot read" in complaint(path=tmp_path)


def test_a_split_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"text")
    with pytest.raises(UserError, match=f"no split 'val' in {tmp_path}; found: train, validation, test"):
        ByteCorpus("none", tmp_path).read("val")


def test_one_origin_and_a_share_that_leaves_something(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="give path or hub, not both"):
        ByteCorpus("none", tmp_path, "some/hub")
    for share in (0, 0.5, -1, float("nan"), "a half"):
        with pytest.raises(UserError, match="above 0 and below a half"):
            ByteCorpus("none", held_out=share)  # type: ignore[arg-type]


# The hub -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, datasets.Dataset]:
    """What the hub gives, by split: to be filled."""
    found: dict[str, datasets.Dataset] = {}
    monkeypatch.delenv(DATA_ROOT, raising=False)
    monkeypatch.setattr("augrnn.text.byte_corpus.load_hub", lambda name: datasets.DatasetDict(found))
    return found


def rows(**columns: list[Any]) -> datasets.Dataset:
    return datasets.Dataset.from_dict(columns)


def test_a_data_set_has_its_own_splits_or_is_divided_like_a_file(hub: dict[str, datasets.Dataset]) -> None:
    hub["train"] = rows(text=["One\n", "", "Zwölf"], number=[1, 2, 3])
    expected = "One\n\nZwölf".encode()
    assert whole(ByteCorpus("none", hub="some/text")) == whole(ByteCorpus("tinyshakespeare")) == expected
    hub["unseen"] = rows(text=["Other"])
    assert ByteCorpus("none", hub="some/text").read("train") == expected
    assert ByteCorpus("none", hub="some/text").read("unseen") == b"Other"
    with pytest.raises(UserError, match="no split 'test' in the hub data set some/text; found: train, unseen"):
        ByteCorpus("none", hub="some/text").read("test")


def test_a_column_that_is_missing_or_no_text_is_refused(hub: dict[str, datasets.Dataset]) -> None:
    hub["train"] = rows(text=["One", None], number=[1, 2])
    assert "no column 'body' in 'train' of the hub data set some/text; found: text, number" in complaint(
        hub="some/text", column="body"
    )
    assert "'number' of row 1 in 'train' of the hub data set some/text is no text but 1" in complaint(
        hub="some/text", column="number"
    )
    assert "'text' of row 2 in 'train' of the hub data set some/text is no text but None" in complaint(hub="some/text")


def test_a_hub_that_does_not_answer_is_told_with_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(name: str) -> Any:
        raise OSError("no network")

    monkeypatch.setattr("augrnn.text.byte_corpus.load_hub", silent)
    monkeypatch.delenv(DATA_ROOT, raising=False)
    told = complaint(name="tinyshakespeare")
    assert told.startswith(f"no text tinyshakespeare: {DATA_ROOT} is not set, the hub did not give karpathy/tiny_shake")
    assert complaint(hub="a/b").startswith("no text a/b: the hub did not give a/b and its cache has no copy")
