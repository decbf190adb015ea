"""Texts in any script are drawn, or said to be missing."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest

from augrnn.exhibits import fonts
from augrnn.exhibits.alignments import Alignments
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.text_table import TextTable


@pytest.fixture(autouse=True)
def _as_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_told", set())
    monkeypatch.setitem(matplotlib.rcParams, "font.family", ["sans-serif"])


def aligned(*words: str) -> Exhibit:
    return Alignments((np.eye(len(words)),), (words,), (words,))


@pytest.mark.parametrize("text", ["dog", "Việt", "e\u0301", "שלום", "привет", "", " ", "a\tb"])
def test_what_the_fonts_have_stays(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fonts.drawable([text]) == (text,)
    assert matplotlib.rcParams["font.family"] == ["sans-serif"]
    assert capsys.readouterr().err == ""


def test_formulas_are_text() -> None:
    assert fonts.drawable(["$", "a $x_1$"]) == ("$", "a $x_1$")


def test_another_installed_font_is_taken_where_the_first_has_no_such_character(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = {*fonts._characters(fonts.font_manager.findfont("DejaVu Sans"))}
    others = {letter for entry in fonts._regular() for letter in fonts._characters(entry.fname)} - first
    letter = min(letter for letter in others if letter.isprintable())
    assert fonts.drawable([letter]) == (letter,)
    family = matplotlib.rcParams["font.family"]
    assert family[0] == "sans-serif"
    assert len(family) == 2
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("kind", [aligned, lambda *words: TextTable(words, (words,))])
def test_what_no_font_has_is_boxes_told_in_one_line(
    kind: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fonts, "_regular", list)
    for name in ("first", "second"):
        kind("小狗", "はい", "नम", "a $x_$", "dog").save(tmp_path / f"{name}.png")  # type: ignore[operator]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("no installed font can draw CJK, DEVANAGARI, HIRAGANA: boxes stand")
    assert "Noto Sans CJK" in line
    assert len(list(tmp_path.iterdir())) == 2


def test_characters_without_a_name_are_told_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fonts, "_regular", list)
    assert fonts.drawable(["a\U0001fbf0"]) == ("a□",)
    assert "can draw SEGMENTED" in capsys.readouterr().err
