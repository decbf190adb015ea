"""Exhibits as PNG files."""

from pathlib import Path

import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np

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
