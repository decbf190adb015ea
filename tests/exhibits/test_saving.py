"""Pictures as files and in notebooks: the same bytes every time, whole or not at all."""

import subprocess
import sys
from pathlib import Path

import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pytest

from augrnn.errors import UserError
from augrnn.exhibits.alignments import Alignments
from augrnn.exhibits.curves import BySize, LearningCurves
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.text_table import TextTable

CURVES = BySize({"a": [{"10": 0.0, "5": 3.0}]}, "wrong", "length")
ALIGNMENTS = Alignments((np.eye(2),), (("a", "b"),), (("x", "y"),))
TEXTS = TextTable(("a", "b"), (("<b> & c", "d"),))
HEADS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("form", HEADS)
@pytest.mark.parametrize("exhibit", [CURVES, ALIGNMENTS, TEXTS])
def test_each_format_is_the_same_every_time_and_closed(exhibit: Exhibit, form: str, tmp_path: Path) -> None:
    first, second = tmp_path / f"deep/one.{form}", tmp_path / f"two.{form.upper()}"
    exhibit.save(first)
    exhibit.save(str(second))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(HEADS[form])
    assert not plt.get_fignums()


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_another_process_writes_the_same(form: str, tmp_path: Path) -> None:
    program = f"""
from augrnn.exhibits.curves import LearningCurves
curves = {{"a": [([1, 2], [1.0, 1e-9])], "b": [([1, 2], [1.0, None])]}}
LearningCurves(curves, "cost", floor=1e-3, bar=0.1).save("{tmp_path}/there.{form}")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    curves = {"a": [([1, 2], [1.0, 1e-9])], "b": [([1, 2], [1.0, None])]}
    LearningCurves(curves, "cost", floor=1e-3, bar=0.1).save(tmp_path / f"here.{form}")
    assert (tmp_path / f"here.{form}").read_bytes() == (tmp_path / f"there.{form}").read_bytes()


def test_a_png_has_a_palette_and_more_than_one_colour(tmp_path: Path) -> None:
    from PIL import Image

    CURVES.save(tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as written:
        assert written.mode == "P"
    image = matplotlib.image.imread(tmp_path / "x.png")
    assert len(np.unique(image[..., :3].reshape(-1, 3), axis=0)) > 10
    assert image.shape[1] == 768


@pytest.mark.parametrize("name", ["x.jpg", "x.gif", "x", "x.svg.gz"])
def test_another_format_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pictures are written as png, svg, pdf, not as '\w*'$"):
        CURVES.save(tmp_path / name)
    assert not list(tmp_path.iterdir())
    assert not plt.get_fignums()


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*folder/x\.png"):
        CURVES.save(tmp_path / "folder/x.png")
    assert not plt.get_fignums()


def test_notebooks_show_curves_as_svg_maps_as_png_and_tables_as_html() -> None:
    svg = CURVES._repr_svg_()
    assert svg is not None
    assert svg.startswith("<?xml")
    assert CURVES._repr_png_() is None
    png = ALIGNMENTS._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")
    assert ALIGNMENTS._repr_svg_() is None
    assert "<th>a</th><th>b</th></tr><tr><td>&lt;b&gt; &amp; c</td><td>d</td></tr>" in TEXTS._repr_html_()
    assert TEXTS.caption in TEXTS._repr_html_()
    assert not plt.get_fignums()


@pytest.mark.parametrize("rows", [(), (("a " * 200, "$x$"),), (("a", "b"), ("c" * 90, "d"))])
def test_tables_of_any_texts_are_drawn(rows: tuple[tuple[str, ...], ...], tmp_path: Path) -> None:
    TextTable(("one", "two"), rows).save(tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 1000
