"""What a trained model or a result shows, as data: the base of all kinds, and their file.

A kind is a subclass with small fields: numbers, texts, arrays, and lists or dicts of these. It says what is shown, can
draw itself, and has a caption that names every mark of the drawing. Pictures, W&B's media, notebooks and pages are made
from the same exhibit.
"""

import json
import math
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from augrnn.dotted import named, path_of
from augrnn.errors import UserError
from augrnn.files import jsonable, read_json, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[Any]
"""The type of an array of numbers among an exhibit's fields."""

DECIMALS, DIGITS = 3, 9
"""In a file the numbers of arrays have that many decimals, and others that many digits."""


@dataclass(frozen=True, eq=False)
class Exhibit:
    """The base of all kinds. A kind is a frozen dataclass whose field types tell how a file's lists are read.

    Fields of type `Array` may be given as lists, with None where a number is missing. A notebook shows an exhibit as an
    SVG, or where it is `vector = False` (maps of many cells) as a PNG.
    """

    vector: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, _typed(getattr(self, each.name), each.type))

    @property
    def caption(self) -> str:
        """Sentences that name every mark of the drawing; made from the fields, without matplotlib."""
        raise NotImplementedError

    def draw(self) -> "Figure":
        """The picture alone; see `figure`. matplotlib is imported here and not before."""
        raise NotImplementedError

    def figure(self, captioned: bool = True) -> "Figure":
        """A picture of it, which the caller closes, with its caption or without. No text in it is read as a formula."""
        from augrnn.exhibits.style import add_caption, plt

        with plt.rc_context({"text.parse_math": False}):
            figure = self.draw()
            if captioned:
                add_caption(figure, self.caption)
        return figure

    def save(self, path: Path | str) -> None:
        """Write the picture in the format of the file's suffix: .png, .svg or .pdf; equal exhibits give equal bytes.

        Raises:
          UserError: there is no such format, or the file cannot be written.
        """
        from augrnn.exhibits.style import save

        save(self.figure(), Path(path))

    def _repr_png_(self) -> bytes | None:
        return None if self.vector else self.encoded("png")

    def _repr_svg_(self) -> str | None:
        return self.encoded("svg").decode() if self.vector else None

    def encoded(self, form: str) -> bytes:
        """The picture as a file has it, "png", "svg" or "pdf", with its caption."""
        from augrnn.exhibits.style import encoded, plt

        figure = self.figure()
        try:
            return encoded(figure, form)
        finally:
            plt.close(figure)

    def content(self) -> dict[str, Any]:
        """Plain JSON values: its `kind`, a dotted path, and its fields, arrays rounded."""
        return {"kind": path_of(type(self))} | {
            each.name: jsonable(_rounded(getattr(self, each.name))) for each in fields(self)
        }


def from_content(content: Any) -> Exhibit:
    """The exhibit that `Exhibit.content` describes.

    Raises:
      UserError: there is no such kind, or its fields are others.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get("kind"), str):
        raise UserError("an exhibit needs a kind")
    kind = named(content["kind"], Exhibit, "kind of exhibit")
    try:
        return kind(**{name: value for name, value in content.items() if name != "kind"})
    except (TypeError, ValueError) as error:
        raise UserError(f"the fields do not fit the kind {content['kind']}: {error}") from error


def write_exhibits(path: Path, exhibits: Mapping[str, Exhibit]) -> None:
    """Write exhibits, by name, as a JSON file with one row of an array on a line."""
    with replacing(path) as file:
        file.write(encoded(exhibits).encode())


def encoded(exhibits: Mapping[str, Exhibit]) -> str:
    """The text of the file that `write_exhibits` writes."""
    return _laid_out({name: exhibit.content() for name, exhibit in exhibits.items()}) + "\n"


def read_exhibits(path: Path) -> dict[str, Exhibit]:
    """The exhibits in a file, by name; none where there is no file.

    Raises:
      UserError: the file is damaged, or has an exhibit of a kind that is not known.
    """
    if not path.exists():
        return {}
    content = read_json(path)
    found = {}
    for name, each in content.items():
        try:
            found[name] = from_content(each)
        except UserError as error:
            raise UserError(f"{path}, exhibit {name}: {error}") from error
    return found


def _typed(value: Any, kind: Any) -> Any:
    """A value as a field's type has it: arrays of lists, tuples of lists, named tuples of tuples."""
    if kind == Array:
        return np.asarray(value, dtype=np.float64)
    if isinstance(kind, types.GenericAlias) and get_origin(kind) is tuple:
        return tuple(_typed(each, get_args(kind)[0]) for each in value)
    if isinstance(kind, type) and hasattr(kind, "_fields"):
        return kind(*value)
    return value


def _rounded(value: Any) -> Any:
    """Values as JSON has them, rounded; whole numbers are written as such."""
    if isinstance(value, np.ndarray):
        return _rounded(np.round(value, DECIMALS).tolist())
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() else float(f"{value:.{DIGITS}g}")
    return value


def _laid_out(value: Any, indent: str = "") -> str:
    """JSON text, with everything that holds lists or dicts over several lines, and all else on one."""
    inside = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(value, dict | list) or not any(isinstance(each, dict | list) for each in inside):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = indent + " "
    heads = [f"{inner}{json.dumps(name)}: " for name in value] if isinstance(value, dict) else [inner] * len(value)
    lines = [head + _laid_out(each, inner) for head, each in zip(heads, inside, strict=True)]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n" + ",\n".join(lines) + f"\n{indent}{last}"
