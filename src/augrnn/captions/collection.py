"""Images with their captions, whatever they were read from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from augrnn.errors import UserError
from augrnn.text.corpus_files import short_list
from augrnn.vision.pictures import Picture

if TYPE_CHECKING:
    from datasets import Dataset


class ImageFiles(Sequence[Picture]):
    """The files at these paths, each read when it is asked for; a UserError where one cannot be read."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> Picture:  # type: ignore[override]
        return read_picture(self.paths[number])


class ImageRows(Sequence[Picture]):
    """The images of a data set's column, undecoded, each read when it is asked for."""

    def __init__(self, rows: "Dataset", column: str, names: Sequence[str]) -> None:
        self.rows, self.column, self.names = rows.select_columns([column]), column, names

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> Picture:  # type: ignore[override]
        value = self.rows[number][self.column] or {}
        if value.get("bytes") is None and value.get("path"):
            return read_picture(Path(value["path"]))._replace(name=self.names[number])
        return Picture(self.names[number], value.get("bytes") or b"")


class Chosen(Sequence[Picture]):
    """Some of other pictures."""

    def __init__(self, pictures: Sequence[Picture], numbers: Sequence[int]) -> None:
        self.pictures, self.numbers = pictures, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, number: int) -> Picture:  # type: ignore[override]
        return self.pictures[self.numbers[number]]


def read_picture(path: Path) -> Picture:
    """An image file.

    Raises:
      UserError: it cannot be read.
    """
    try:
        return Picture(str(path), path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:  # a zero byte in its name
        raise UserError(f"cannot read {str(path)!r}: {error}") from None


class Collection(NamedTuple):
    """Images in an order, each with the captions that there are of it, raw; there may be none.

    Attributes:
      names: what each image is called in its data set; no two alike.
      captions: of each image.
      pictures: the images.
    """

    names: list[str]
    captions: list[list[str]]
    pictures: Sequence[Picture]

    def chosen(self, numbers: Sequence[int]) -> "Collection":
        """The images of these numbers."""
        names = [self.names[number] for number in numbers]
        captions = [self.captions[number] for number in numbers]
        return Collection(names, captions, Chosen(self.pictures, numbers))


def collected(names: Iterable[str], captions: Mapping[str, list[str]], paths: Mapping[str, Path]) -> Collection:
    """The collection of images that are files, by their names; images without captions have none."""
    names = list(names)
    return Collection(names, [captions.get(name, []) for name in names], ImageFiles([paths[name] for name in names]))


def require_different(names: Sequence[str], where: str) -> None:
    """Refuse names that stand twice, with the first of them."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(f"{where} has the image {name} twice: name each image once")
        seen.add(name)


def folder_of(names: Sequence[str], folders: Sequence[Path]) -> Path | None:
    """The first folder that has any of the first images of these names; None where there is none."""
    return next((each for each in folders if any(_is_file(each / name) for name in names[:100])), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a folder that may not be looked into
        return False


def found_images(names: Sequence[str], folders: Sequence[Path], where: str) -> dict[str, Path]:
    """The files of images, in the first folder that has any of them.

    Args:
      names: paths relative to it.
      folders: where they may be.
      where: what names them.

    Raises:
      UserError: no folder has them, or an image is missing there.
    """
    folder = folder_of(names, folders)
    looked = short_list(map(str, folders))
    if folder is None:
        example = f" ({short_list(names[:1])})" if names else ""
        raise UserError(
            f"none of the images that {where} names{example} is in {looked}: name their folder with `images`"
        )
    paths = {name: folder / name for name in names}
    if missing := [name for name, path in paths.items() if not _is_file(path)]:
        first = short_list(missing[:1])
        raise UserError(f"{where} has captions of {len(missing)} images that are not in {folder}, first {first}")
    return paths


# Rows of a data set --------------------------------------------------------------------------------------------------

NAMES = ("filename", "file_name", "image_name", "img_id", "image_id")
"""Columns that may hold what an image is called."""

CAPTIONS = ("captions", "caption", "sentences", "sentence", "text")
"""Columns that may hold an image's captions, as a list or one; besides them `caption_0`, `caption_1` and so on."""


def rows_collection(rows: "Dataset", where: str, columns: Mapping[str, str] | None = None) -> Collection:
    """The images of a data set with a row for each.

    Args:
      rows: with a column of images (`image`), one or more of captions, and perhaps one of names (`NAMES`).
      where: what messages call it.
      columns: the names of the columns `image` and `caption`, where they are others.

    Raises:
      UserError: a column is missing; says which there are.
    """
    from datasets import Image

    there, image = rows.column_names, (columns or {}).get("image", "image")
    wanted, name = _text_columns(there, columns)
    for what, column in (("images", image), *(("captions", each) for each in wanted or ["caption"])):
        if column not in there:
            raise UserError(
                f"{where} has no column '{column}' of {what}; found: {short_list(there)}; name it with `columns`"
            )
    texts = rows.select_columns([*wanted, *([name] if name else [])])
    captions = _captions([texts[each] for each in wanted], where)
    names = (
        [str(each) for each in texts[name]] if name else [f"image {each + 1} of {where}" for each in range(len(rows))]
    )
    require_different(names, where)
    return Collection(names, captions, ImageRows(rows.cast_column(image, Image(decode=False)), image, names))


def _text_columns(there: Sequence[str], columns: Mapping[str, str] | None) -> tuple[list[str], str | None]:
    """The columns of captions and the one of names, of those that there are; asked for, they need not be there."""
    named = (columns or {}).get("caption")
    numbered = sorted((name for name in there if name.startswith("caption_")), key=lambda name: (len(name), name))
    wanted = [named] if named else numbered or [name for name in CAPTIONS if name in there][:1]
    return wanted, next((each for each in NAMES if each in there), None)


def require_rows_apart(
    found: Collection,
    kind: str,
    others: Mapping[str, Sequence[str]],
    read: Callable[[str, list[str]], Mapping[str, Sequence[Any]]],
    where: str,
    columns: Mapping[str, str] | None = None,
) -> None:
    """Refuse a row that stands in another split too, by its name and its captions: names may start anew in each.

    Args:
      found: a split.
      kind: its name.
      others: of every split the columns that it has.
      read: from a split and some of its columns to these.
      where: what messages call the data set.
      columns: see `rows_collection`.
    """
    for other, there in others.items():
        wanted, name = _text_columns(there, columns)
        if other == kind or name is None or not wanted or not set(wanted) <= set(there):
            continue
        values = read(other, [*wanted, name])
        captions = _captions([values[each] for each in wanted], f"'{other}' of {where}")
        theirs = {(str(each), tuple(several)) for each, several in zip(values[name], captions, strict=True)}
        for each, several in zip(found.names, found.captions, strict=True):
            if (each, tuple(several)) in theirs:
                raise UserError(f"{where} has the image {each} in the splits {kind} and {other}")


def _captions(columns: Sequence[Sequence[Any]], where: str) -> list[list[str]]:
    return [
        [text for value in values for text in _texts(value, f"the captions of row {number} in {where}")]
        for number, values in enumerate(zip(*columns, strict=True), start=1)
    ]


def _texts(value: Any, where: str) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if strange := [each for each in values if each is not None and not isinstance(each, str)]:
        raise UserError(f"{where} are no texts: {short_list(strange)}")
    return [each for each in values if each is not None]
