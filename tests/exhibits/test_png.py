"""Exhibits as PNG files."""

import errno
import os
from pathlib import Path

import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pytest

from augrnn.errors import UserError
from augrnn.exhibits import png
from augrnn.exhibits.curves import BySize
from augrnn.exhibits.text_table import TextTable


def test_each_exhibit_is_drawn_under_its_name_and_closed(tmp_path: Path) -> None:
    curves = BySize({"a": [{"10": 0.0, "5": 3.0}]}, "wrong", "length")
    png.write({"one": curves, "two": TextTable(("a",), (("b",),))}, tmp_path / "deep")
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["one.png", "two.png"]
    for path in (tmp_path / "deep").iterdir():
        assert len(np.unique(matplotlib.image.imread(path)[..., :3].reshape(-1, 3), axis=0)) > 1
    assert not plt.get_fignums()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_picture_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    shown = {"one": TextTable(("a",), (("b",),))}
    png.write(shown, tmp_path)
    before = (tmp_path / "one.png").read_bytes()

    def full(_: int) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("os.fsync", full)
    for folder in (tmp_path, tmp_path / "new"):
        with pytest.raises(UserError, match=r"cannot write .*one\.png: "):
            png.write(shown, folder)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["one.png"]
    assert (tmp_path / "one.png").read_bytes() == before
    assert not plt.get_fignums()
