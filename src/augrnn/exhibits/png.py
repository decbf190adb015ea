"""Exhibits as PNG files."""

from collections.abc import Mapping
from pathlib import Path

from augrnn.exhibits.exhibit import Exhibit


def write(exhibits: Mapping[str, Exhibit], folder: Path) -> None:
    """Draw each exhibit as `<name>.png` in a folder."""
    from augrnn.exhibits.style import save

    for name, exhibit in exhibits.items():
        save(exhibit.figure(), folder / f"{name}.png")
