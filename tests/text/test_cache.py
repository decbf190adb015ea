"""The cache gives back what was made, whole, or makes it again."""

from pathlib import Path

import pytest

from augrnn.errors import UserError
from augrnn.text import cache as module
from augrnn.text.cache import cached

TEXT = "un\ndeux\u2028\r\n"


def unexpected() -> str:
    raise AssertionError("the cache was not read")


def test_what_was_made_is_kept_by_kind_and_content(tmp_path: Path) -> None:
    assert cached("words en", ["a", "b"], lambda: TEXT, tmp_path) == TEXT
    assert cached("words en", ["a", "b"], unexpected, tmp_path) == TEXT
    for kind, content in (("words fr", ["a", "b"]), ("words en", ["ab"]), ("words en", ["a", "c"])):
        assert cached(kind, content, lambda: "other", tmp_path) == "other"
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("keep", [0, 10, 64, 68])
def test_a_damaged_file_is_made_again(tmp_path: Path, keep: int) -> None:
    cached("words", [], lambda: TEXT, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:keep])
    assert cached("words", [], lambda: TEXT, tmp_path) == TEXT
    assert cached("words", [], unexpected, tmp_path) == TEXT


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Path.write_bytes

    def fill(path: Path, data: bytes) -> None:
        original(path, data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.Path, "write_bytes", fill)
    with pytest.raises(UserError, match=r"cannot write the cache .*No space left on device; set AUGRNN_CACHE"):
        cached("words", [], lambda: TEXT, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write the cache"):
        cached("words", [], lambda: TEXT, tmp_path / "file" / "cache")


def test_the_directory_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(module.CACHE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert module.cache_directory() == str(tmp_path / "augrnn")
    monkeypatch.setenv(module.CACHE, str(tmp_path / "other"))
    assert module.cache_directory() == str(tmp_path / "other")
