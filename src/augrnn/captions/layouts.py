"""Captions as they are given out: parquet, the files of Flickr8k and Flickr30k, COCO's annotations, tables."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from augrnn.captions.collection import (
    Collection,
    ImageFiles,
    collected,
    folder_of,
    found_images,
    require_different,
    require_rows_apart,
    rows_collection,
)
from augrnn.errors import UserError
from augrnn.text.corpus_files import TABLES, column_names, parsed_json, read_lines, read_pairs, read_text, short_list

if TYPE_CHECKING:
    from datasets import Dataset

TRAIN = "train"
"""The split that is trained on."""

ALIASES = ({"train"}, {"val", "validation", "dev", "valid"}, {"test"})
"""Names of the same split."""

Columns = Mapping[str, str]
"""What the columns `image`, `caption` and `split` are called, where it is something else."""


def same_split(one: str, other: str) -> bool:
    """Whether two names are of the same split."""
    return one == other or any({one, other} <= names for names in ALIASES)


def usual(name: str) -> bool:
    """Whether this is what one of the three splits is called; others may share images with them ("all")."""
    return any(name in names for names in ALIASES)


def named_split(split: str, there: Iterable[str], where: Path | str) -> str:
    """What a split is called where it is: by its own name, or else by another name of it.

    Args:
      split: its name.
      there: the names that there are.
      where: what messages call the place.

    Raises:
      UserError: there is none, or there are several of other names; with all that there are.
    """
    there = sorted(set(there))
    fitting = [name for name in there if name == split] or [name for name in there if same_split(name, split)]
    if not fitting:
        raise UserError(f"no split '{split}' in {where}; found: {short_list(there) or 'none'}")
    if len(fitting) > 1:
        raise UserError(f"{where} has several splits that may be '{split}': {short_list(fitting)}; name one of them")
    return fitting[0]


def read_directory(directory: Path, split: str, images: Path | None, columns: Columns | None) -> Collection:
    """One split of a data set's own directory, in the first of these layouts that it has.

    - what `datasets` has saved;
    - `<split>-*.parquet` or `<split>.parquet`, here or in `data`, with the columns of `rows_collection`;
    - `*.token` or `*.token.txt` with lines of file, "#", number, tab, caption, and lists of the files of each split,
      `*trainImages.txt` and so on, as Flickr8k has them;
    - `captions_<split>*.json`, here or in `annotations`, as COCO has them;
    - `<split>` or `captions` with an ending of a table; see `read_file`.

    Text files may be gzipped.

    Args:
      directory: the folder.
      split: "train", "val" (or what else it is called, "validation" and "dev"), "test", or any name that it has.
      images: the folder of the images, where it is not inside.
      columns: see `Columns`.

    Raises:
      UserError: there are no captions, no such split, a file is bad, or an image is missing.
    """
    if not directory.is_dir():
        raise UserError(f"no data directory {directory}")
    for reader in (_saved, _parquet, _tokens, _annotations, _tables):
        found = reader(directory, split, images, columns)
        if found is not None:
            return found
    raise UserError(
        f"{directory} has no captions in any layout that is known: no parquet files, no *.token file, no "
        f"captions_<split>.json, no {split} or captions with an ending of {', '.join(TABLES)}"
    )


def read_file(path: Path, split: str, images: Path | None, columns: Columns | None) -> Collection:
    """One split of a file of captions.

    A table (CSV, TSV, JSON lines) has the columns `image` and `caption`, a line for each caption, and may have `split`;
    without that all are of the split "train". A JSON object is as COCO's annotations, or as Karpathy's lists of splits.

    Args:
      path: the file; names of images in it are relative to its folder, or to `images`.
      split: which.
      images: the folder of the images.
      columns: see `Columns`.

    Raises:
      UserError: see `read_directory`.
    """
    if not path.exists():
        raise UserError(f"no file of captions {path}")
    folders = [images] if images else [path.parent, *_folders(path.parent)]
    if ".json" in path.suffixes and read_text(path).lstrip().startswith("{") and ".jsonl" not in path.suffixes:
        return _json(path, split, folders)
    return _table(path, split, folders, columns)


def _folders(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.is_dir())


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").split(".")[0]


# Data sets -----------------------------------------------------------------------------------------------------------


def _saved(directory: Path, split: str, images: Path | None, columns: Columns | None) -> Collection | None:
    if not (directory / "dataset_dict.json").is_file():
        return None
    from datasets import load_from_disk

    chosen = named_split(split, [path.name for path in _folders(directory)], directory)

    def opened(kind: str) -> "Dataset":
        return _opened(lambda: load_from_disk(str(directory / kind)), directory / kind)

    found = rows_collection(opened(chosen), f"'{split}' of {directory}", columns)
    others = {path.name: opened(path.name).column_names for path in _folders(directory) if usual(path.name)}
    require_rows_apart(
        found, chosen, others, lambda kind, wanted: opened(kind).select_columns(wanted)[:], str(directory), columns
    )
    return found


def _parquet(directory: Path, split: str, images: Path | None, columns: Columns | None) -> Collection | None:
    files = sorted([*directory.glob("*.parquet"), *directory.glob("data/*.parquet")])
    if not files or images is not None:
        return None
    from datasets import Dataset
    from pyarrow import parquet

    kinds: dict[str, list[str]] = {}
    for path in files:
        kinds.setdefault(_stem(path).split("-")[0], []).append(str(path))
    chosen = named_split(split, kinds, directory)
    rows = _opened(lambda: Dataset.from_parquet(kinds[chosen]), Path(kinds[chosen][0]))
    found = rows_collection(rows, f"'{split}' of {directory}", columns)

    def texts(kind: str, wanted: list[str]) -> Mapping[str, Sequence[Any]]:
        return _opened(lambda: parquet.read_table(kinds[kind], columns=wanted).to_pydict(), Path(kinds[kind][0]))

    def there(kind: str) -> Sequence[str]:
        return _opened(lambda: parquet.read_schema(kinds[kind][0]).names, Path(kinds[kind][0]))

    require_rows_apart(
        found, chosen, {kind: there(kind) for kind in kinds if usual(kind)}, texts, str(directory), columns
    )
    return found


def _opened(read: Callable[[], Any], path: Path) -> Any:
    from datasets.utils import logging as told

    shown = told.is_progress_bar_enabled()
    told.disable_progress_bar()
    try:
        return read()
    except Exception as error:  # what a damaged file raises is of no common class
        raise UserError(f"{path} and those beside it cannot be read: {short_list([error])}") from None
    finally:
        if shown:
            told.enable_progress_bar()


# Flickr8k's files ----------------------------------------------------------------------------------------------------


def _tokens(directory: Path, split: str, images: Path | None, columns: Columns | None) -> Collection | None:
    texts = sorted(path for path in directory.iterdir() if re.search(r"\.token(\.txt)?(\.gz)?$", path.name))
    if not texts:
        return None
    if len(texts) > 1:
        raise UserError(f"{directory} has {len(texts)} files of captions: {short_list(path.name for path in texts)}")
    captions: dict[str, list[str]] = {}
    for number, line in enumerate(read_lines(texts[0]), start=1):
        name, tab, caption = line.rstrip("\r").partition("\t")
        if line.strip() and not (tab and "#" in name):
            raise UserError(f"{texts[0]} has no file, '#' and tab on line {number}: {line[:60]}")
        if tab:
            captions.setdefault(name.rpartition("#")[0], []).append(caption)
    lists: dict[str, Path] = {}
    for path in sorted(directory.iterdir()):
        if path not in texts and (kind := _named_split(path)):
            if kind in lists:
                raise UserError(f"{directory} has two lists of the split {kind}: {lists[kind].name} and {path.name}")
            lists[kind] = path
    names: dict[str, list[str]] = {}
    for kind, path in lists.items():
        listed = [line.strip() for line in read_lines(path) if line.strip()]
        names[kind] = [name if name in captions or f"{name}.jpg" not in captions else f"{name}.jpg" for name in listed]
        require_different(names[kind], str(path))
    _require_one_split(names, directory)
    names = names or {TRAIN: list(captions)}
    chosen = names[named_split(split, names, directory)]
    folders = [images] if images else [directory, *_folders(directory)]
    return collected(chosen, captions, found_images(chosen, folders, str(texts[0])))


def _named_split(path: Path) -> str | None:
    """The split whose list of files a file is, by its name; None for another file."""
    found = re.fullmatch(r".*?(train|val|dev|test)_?(images)?\.(txt|lst)(\.gz)?", path.name, re.IGNORECASE)
    return found[1].lower() if found else None


def _require_one_split(names: Mapping[str, Sequence[str]], where: Path) -> None:
    """Refuse an image in two splits: what is trained on must not be tested on."""
    of: dict[str, str] = {}
    for kind, listed in names.items():
        for name in listed:
            if of.setdefault(name, kind) != kind:
                raise UserError(f"{where} has the image {name} in the splits {of[name]} and {kind}")


def _require_apart(
    where: Path, kind: str, found: Collection, other: str, names: Sequence[str], folders: Sequence[Path]
) -> None:
    """The same for splits that have a file each: images of one name in two folders are two.

    Args:
      where: what messages call the data set.
      kind: the name of a split.
      found: its images.
      other: the name of another split.
      names: what its images are called.
      folders: where they may be.
    """
    folder = folder_of(names, folders)
    theirs = {folder / name for name in names} if folder else set()
    assert isinstance(found.pictures, ImageFiles)
    for name, path in zip(found.names, found.pictures.paths, strict=True):
        if path in theirs:
            raise UserError(f"{where} has the image {name} in the splits {kind} and {other}")


# COCO ----------------------------------------------------------------------------------------------------------------


def _annotations(directory: Path, split: str, images: Path | None, columns: Columns | None) -> Collection | None:
    files = sorted([*directory.glob("captions_*.json*"), *directory.glob("annotations/captions_*.json*")])
    if not files:
        return None
    kinds = {_stem(path).removeprefix("captions_"): path for path in files}
    undated = {kind: re.sub(r"\d{4}$", "", kind) for kind in kinds}
    several = [kind for kind, name in undated.items() if same_split(name, split)]
    chosen = several[0] if split not in kinds and len(several) == 1 else named_split(split, kinds, directory)

    def folders(kind: str) -> list[Path]:
        return [(images or directory) / place for place in (kind, f"images/{kind}", "images", "")]

    found = _json(kinds[chosen], TRAIN, folders(chosen))
    for kind, path in kinds.items():
        if usual(undated[kind]) and not same_split(undated[kind], undated[chosen]):
            names = [str(entry.get("file_name")) for entry in _entries(path)[0]]
            _require_apart(directory, chosen, found, kind, names, folders(kind))
    return found


def _entries(path: Path) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """The list of images in a file, and all that the file has."""
    content = parsed_json(path, read_text(path))
    entries = content.get("images") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{path} has no list of `images`: it is not as COCO's annotations are")
    return entries, content


def _json(path: Path, split: str, folders: Sequence[Path]) -> Collection:
    entries, content = _entries(path)
    if entries and "sentences" in entries[0]:
        return _karpathy(path, entries, split, folders)
    names = {_number(entry, "id", path, "image"): _text(entry, "file_name", path, "image") for entry in entries}
    if len(names) < len(entries):
        raise UserError(f"{path} has {len(entries) - len(names)} images whose `id` another has")
    require_different(list(names.values()), str(path))
    captions: dict[str, list[str]] = {}
    annotations = content.get("annotations")
    if not isinstance(annotations, list):
        raise UserError(f"{path} has no list of `annotations`: there are no captions in it")
    for entry in annotations:
        number = _number(entry, "image_id", path, "annotation")
        if number not in names:
            raise UserError(f"{path} has an annotation of image {number}, which is not among its `images`")
        captions.setdefault(names[number], []).append(_text(entry, "caption", path, "annotation"))
    named_split(split, [TRAIN], path)
    chosen = list(names.values())
    return collected(chosen, captions, found_images(chosen, folders, str(path)))


def _karpathy(path: Path, entries: Sequence[Mapping[str, Any]], split: str, folders: Sequence[Path]) -> Collection:
    captions: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    for entry in entries:
        folder = _text(entry, "filepath", path, "image") if "filepath" in entry else ""
        name = str(PurePosixPath(folder) / _text(entry, "filename", path, "image"))
        kind = _text(entry, "split", path, "image")
        names.setdefault(TRAIN if kind == "restval" else kind, []).append(name)
        sentences = _field(entry, "sentences", path, "image")
        if not isinstance(sentences, list):
            raise UserError(f"{path}: `sentences` of the image {name} is no list but {short_list([sentences])}")
        captions[name] = [_text(each, "raw", path, "sentence") for each in sentences]
    for listed in names.values():
        require_different(listed, str(path))
    _require_one_split(names, path)
    chosen = names[named_split(split, names, path)]
    return collected(chosen, captions, found_images(chosen, folders, str(path)))


def _field(entry: Any, name: str, path: Path, kind: str) -> Any:
    if not isinstance(entry, Mapping) or name not in entry:
        there = short_list(entry if isinstance(entry, Mapping) else [entry])
        raise UserError(f"{path}: one {kind} has no `{name}`, but {there}")
    return entry[name]


def _text(entry: Any, name: str, path: Path, kind: str) -> str:
    value = _field(entry, name, path, kind)
    if not isinstance(value, str):
        raise UserError(f"{path}: `{name}` of one {kind} is no text but {short_list([value])}")
    return value


def _number(entry: Any, name: str, path: Path, kind: str) -> int | str:
    value = _field(entry, name, path, kind)
    if not isinstance(value, int | str):
        raise UserError(f"{path}: `{name}` of one {kind} is no number but {short_list([value])}")
    return value


# A table of one's own ------------------------------------------------------------------------------------------------


def _tables(directory: Path, split: str, images: Path | None, columns: Columns | None) -> Collection | None:
    files = [
        path
        for path in sorted(directory.iterdir())
        if path.is_file() and Path(path.name.removesuffix(".gz")).suffix in TABLES
    ]
    kinds = {_stem(path): path for path in files}
    if any(same_split(kind, split) for kind in kinds):
        chosen = named_split(split, kinds, directory)
        found = _table(kinds[chosen], None, _beside(directory, chosen, images), columns)
        for kind, path in kinds.items():
            if kind != chosen and usual(kind):
                theirs = _names_in_table(path, columns), _beside(directory, kind, images)
                _require_apart(directory, chosen, found, kind, *theirs)
        return found
    if whole := [path for path in files if _stem(path) == "captions"]:
        return read_file(whole[0], split, images, columns)
    if any(same_split(kind, TRAIN) for kind in kinds):
        named_split(split, kinds, directory)
    return None


def _beside(directory: Path, kind: str, images: Path | None) -> list[Path]:
    """Where the images of a split's own table may be: in a folder of its name first."""
    return [images] if images else [directory / kind, directory, *_folders(directory)]


def _names_in_table(path: Path, columns: Columns | None) -> list[str]:
    """The images that a table names; none where it has no column of them, and so is no table of images."""
    image = (columns or {}).get("image", "image")
    if image not in column_names(path):
        return []
    return [str(PurePosixPath(each.strip())) for each in read_pairs(path, ("image",), {"image": image})["image"]]


def _table(path: Path, split: str | None, folders: Sequence[Path], columns: Columns | None) -> Collection:
    """A split of a table; all of it when None, whatever its column of splits says."""
    named = {each: (columns or {}).get(each, each) for each in ("image", "caption", "split")}
    there = column_names(path)
    divided = split is not None and ("split" in (columns or {}) or named["split"] in there)
    wanted = ("image", "caption", "split") if divided else ("image", "caption")
    if missing := [named[each] for each in wanted if there and named[each] not in there]:
        raise UserError(f"{path} has no column '{missing[0]}'; found: {short_list(there)}; name it with `columns`")
    text = read_pairs(path, wanted, named)
    captions: dict[str, list[str]] = {}
    names: dict[str, dict[str, None]] = {}
    kinds = text["split"] if divided else [TRAIN] * len(text["image"])
    for number, (image, caption, kind) in enumerate(zip(text["image"], text["caption"], kinds, strict=True), start=1):
        if not image.strip():
            raise UserError(f"{path} names no image for caption {number}: {caption[:60]}")
        name = str(PurePosixPath(image.strip()))
        names.setdefault(kind.strip(), {})[name] = None
        captions.setdefault(name, []).append(caption)
    listed = {kind: list(each) for kind, each in names.items()}
    _require_one_split(listed, path)
    chosen = listed[named_split(split or TRAIN, listed, path)]
    return collected(chosen, captions, found_images(chosen, folders, str(path)))
