#!/usr/bin/env python3
"""Draws docs/architecture.svg: the packages in their layers, and an arrow for each import from one to another.

The layers are those of pyproject.toml, the arrows the imports in the code. An arrow is left out where a longer way of
arrows says the same; the single modules at the bottom, which most packages use, have none. With --check it writes
nothing, and exits with 1 where the picture is not up to date.
"""

import sys
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"
WIDTH, HEIGHT, BOX, GAP = 920, 62, 118, 22


def layers() -> list[list[str]]:
    """The modules of each layer, the highest layer first."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(each for each in config["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def arrows(modules: list[str]) -> set[tuple[str, str]]:
    """Who imports whom, without what a longer way says."""
    graph = grimp.build_graph("augrnn")
    for module in modules:
        if graph.find_children(module):
            graph.squash_module(module)
    below = {one: graph.find_modules_directly_imported_by(one) & set(modules) for one in modules}
    reach = {one: _reached(one, below) for one in modules}
    return {
        (one, other)
        for one, others in below.items()
        for other in others
        if not any(other in reach[between] for between in others if between != other)
    }


def _reached(one: str, below: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(below[one])
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += below[each]
    return found


def picture() -> str:
    """The drawing, as SVG."""
    rows = layers()
    places: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        step = min(BOX + GAP, WIDTH / len(row))
        left = (WIDTH - step * len(row)) / 2
        for place, name in enumerate(row):
            places[name] = (left + step * (place + 0.5), 30 + HEIGHT * number)
    height = HEIGHT * len(rows) + 10
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">']
    parts.append('<rect width="100%" height="100%" fill="white"/>')
    for one, other in sorted(arrows([name for row in rows[:-2] for name in row])):
        (x, y), (u, v) = places[one], places[other]
        parts.append(f'<line x1="{x:.0f}" y1="{y + 13:.0f}" x2="{u:.0f}" y2="{v - 13:.0f}" stroke="#b5bfcc"/>')
        parts.append(f'<circle cx="{u:.0f}" cy="{v - 13:.0f}" r="2.5" fill="#6b7a90"/>')
    for name, (x, y) in places.items():
        width = min(BOX, WIDTH / max(len(row) for row in rows if name in row) - 6)
        box = f'x="{x - width / 2:.0f}" y="{y - 13:.0f}" width="{width:.0f}" height="26" rx="5"'
        parts.append(f'<rect {box} fill="#eef3fa" stroke="#0072b2"/>')
        label = name.removeprefix("augrnn.")
        small = ' font-size="8.5"' if len(label) * 7.5 > width else ""
        parts.append(f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle"{small}>{label}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> int:
    """Write the picture, or check it."""
    drawn = picture()
    if "--check" in sys.argv[1:]:
        return 0 if PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == drawn else 1
    PICTURE.write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
