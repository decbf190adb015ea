import errno
import fcntl
import json
import math
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augrnn import files
from augrnn.errors import UserError


def full_disk(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "summary.json"
    files.write_json(path, {"cost": 1})
    monkeypatch.setattr(os, call, full_disk)
    with pytest.raises(UserError, match=r"^cannot write .*summary.json: the disk is full; free some space[^\n]*$"):
        files.write_json(path, {"cost": 2})
    assert json.loads(path.read_text()) == {"cost": 1}
    assert os.listdir(tmp_path) == ["summary.json"]


def test_a_disk_that_is_really_full_leaves_nothing(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full, which is always full")
    path = tmp_path / "summary.json"
    (tmp_path / f".summary.json.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(UserError, match="the disk is full"):
        files.write_json(path, ["x" * 100_000])
    assert os.listdir(tmp_path) == []


def test_an_error_while_writing_leaves_nothing_half_written(tmp_path: Path) -> None:

    def write() -> None:
        with files.replacing(tmp_path / "x.json") as file:
            file.write(b"{")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert os.listdir(tmp_path) == []


def test_records_are_json_without_nan(tmp_path: Path) -> None:
    content = {"a": math.nan, "b": [math.inf, 1.5], "c": np.float32(0.5), "d": np.arange(2), "e": True, 3: (None, "x")}
    files.write_json(tmp_path / "x.json", content)
    expected = {"a": None, "b": [None, 1.5], "c": 0.5, "d": [0, 1], "e": True, "3": [None, "x"]}
    assert files.read_json(tmp_path / "x.json") == expected
    with pytest.raises(TypeError, match="not PosixPath"):
        files.write_json(tmp_path / "y.json", {"path": tmp_path})


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "small.json").write_text('{"format": 1')
    with pytest.raises(UserError, match=r"small\.json is damaged .* git"):
        files.read_json(tmp_path / "small.json")


def test_each_item_of_a_named_list_has_a_line() -> None:
    content = {"format": 1, "runs": [{"seed": 0, "curve": [1, 2]}, {"seed": 1}], "verdicts": []}
    text = files.encoded(content, lines="runs")
    assert json.loads(text) == content
    assert '  {"seed": 0, "curve": [1, 2]},\n' in text
    assert json.loads(files.encoded({"runs": []}, lines="runs")) == {"runs": []}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "not a JSON object"),
        ("3", "not a JSON object"),
        ("null", "not a JSON object"),
        ("{}", "no status"),
        ('{"a": 1', "line 1"),
        ("", "line 1"),
        ("\xff", "codec"),
    ],
)
def test_a_damaged_record_is_one_line(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=rf"summary\.json is damaged \(.*{reason}.*\); delete it"):
        files.read_json(path, "status")


def test_a_look_at_a_folder_does_not_keep_a_run_from_starting(tmp_path: Path) -> None:
    """`held` takes the lock for a moment, in which another process may begin."""
    (tmp_path / ".lock").touch()
    with open(tmp_path / ".lock", "rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.2, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        with files.locked(tmp_path):
            assert files.held(tmp_path)


def test_a_folder_that_stays_held_is_refused(tmp_path: Path) -> None:
    with files.locked(tmp_path), pytest.raises(UserError, match="another process is at work"), files.locked(tmp_path):
        pass
