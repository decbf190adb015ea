"""Fonts for texts in any script: those of this machine that have the characters, and a word where none has."""

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

import matplotlib
from matplotlib import font_manager

MISSING = "□"
"""Stands for a character that no font here can draw."""

_told: set[str] = set()


def drawable(texts: Sequence[str]) -> tuple[str, ...]:
    """Texts as matplotlib can draw them, with the fonts that they need added to those of all pictures.

    A character that no installed font has becomes a box, and its script is told once on standard error.
    """
    wanted = {character for text in texts for character in text if character.isprintable() and character != " "}
    for family in matplotlib.rcParams["font.family"]:
        wanted -= _characters(font_manager.findfont(font_manager.FontProperties(family=[family])))
    for entry in _regular() if wanted else ():
        if found := wanted & _characters(entry.fname):
            matplotlib.rcParams["font.family"] = [*matplotlib.rcParams["font.family"], entry.name]
            wanted -= found
        if not wanted:
            break
    _tell(wanted)
    boxes = dict.fromkeys(map(ord, wanted), MISSING)
    return tuple(text.translate(boxes) for text in texts)


def _regular() -> list[font_manager.FontEntry]:
    """The installed fonts in their upright, regular form, by name."""
    fonts = [entry for entry in font_manager.fontManager.ttflist if entry.style == "normal" and entry.weight == 400]
    return sorted((entry for entry in fonts if "Last Resort" not in entry.name), key=lambda entry: entry.name)


@cache
def _characters(path: str) -> frozenset[str]:
    try:
        return frozenset(map(chr, font_manager.get_font(path).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()


def _tell(missing: Iterable[str]) -> None:
    scripts = {_script(character) for character in missing} - _told
    if scripts:
        _told.update(scripts)
        print(
            f"no installed font can draw {', '.join(sorted(scripts))}: boxes stand for these characters in pictures; a "
            "font such as Noto Sans (for Chinese, Japanese and Korean Noto Sans CJK) draws them",
            file=sys.stderr,
        )


def _script(character: str) -> str:
    """The first word of the character's name, which is its script: "CJK", "HIRAGANA", "ARABIC", "DEVANAGARI"."""
    return unicodedata.name(character, "characters without a name").split(" ")[0].split("-")[0]
