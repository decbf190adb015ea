from pathlib import Path

import pytest

from augrnn import code_version


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no such program
    assert code_version.commit() is None
    (tmp_path / "git").write_text("#!/bin/sh\nexit 128\n")
    assert code_version.commit() is None  # there, but not to be run
    (tmp_path / "git").chmod(0o755)
    assert code_version.commit() is None  # it refuses


def test_outside_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    assert code_version.commit(tmp_path) is None
    assert code_version.commit(tmp_path / "nowhere") is None
