"""Text as a string of bytes: a folder of files, a single file or a hub data set, and the splits it is divided into."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.counts import is_finite
from augrnn.errors import UserError
from augrnn.text.corpus_files import read_bytes, short_list
from augrnn.text.parallel_corpus import DATA_ROOT, load_hub

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = ("train", "validation", "test")
"""The splits of a text, in their order; the first is trained on."""

ENDINGS = (".txt", ".xml")
"""How the names of a folder's text files end, before a `.gz`."""

HUBS = {"tinyshakespeare": "karpathy/tiny_shakespeare"}
"""The ids on the hub of data sets that have one."""


@dataclass(frozen=True)
class ByteCorpus:
    """Where a text is. Its bytes are taken as they are, whatever their encoding.

    It is divided into stretches: at its end `held_out` of its bytes are the test, as many before these the validation,
    and all before them is trained on. A hub data set of several splits has its own.

    Args:
      name: a folder in the directory that AUGRNN_DATA names; read where no path and no hub is given.
      path: a folder, whose files with one of `ENDINGS`, gzipped or not, are joined in the order of their names; or a
        single file of any name.
      hub: id of a data set on the hub; its rows are joined, each on lines of its own.
      column: that has the text there.
      held_out: share of the bytes.
    """

    name: str
    path: Path | None = None
    hub: str | None = None
    column: str = "text"
    held_out: float = 0.05

    def __post_init__(self) -> None:
        if self.path is not None and self.hub is not None:
            raise UserError("a text has one origin: give path or hub, not both")
        if not is_finite(self.held_out) or not 0 < self.held_out < 0.5:
            raise UserError(f"held_out is the share of a text's bytes above 0 and below a half, not {self.held_out!r}")

    def read(self, split: str) -> bytes:
        """The bytes of a split.

        Raises:
          UserError: there is no such split, nothing was found, with all that was tried, or what was found is bad.
        """
        if split not in self._splits:
            raise UserError(f"no split '{split}' in {self._where}; found: {', '.join(self._splits)}")
        found = self._splits[split]
        return found if isinstance(found, bytes) else column_bytes(found, self.column, f"'{split}' of {self._where}")

    @cached_property
    def _root(self) -> Path | None:
        """The folder of that name in AUGRNN_DATA, where it is to be read and there."""
        root = os.environ.get(DATA_ROOT)
        return Path(root) / self.name if root and (Path(root) / self.name).is_dir() else None

    @cached_property
    def _where(self) -> str:
        place = self.path or (None if self.hub else self._root)
        return str(place) if place else f"the hub data set {self.hub or HUBS.get(self.name)}"

    @cached_property
    def _splits(self) -> "Mapping[str, bytes | Dataset]":
        place = self.path.expanduser() if self.path else None if self.hub else self._root
        if place is not None:
            return stretches(path_bytes(place), self.held_out)
        hub, root = self.hub or HUBS.get(self.name), os.environ.get(DATA_ROOT)
        in_root = f"{DATA_ROOT}={root} has no folder {self.name}" if root else f"{DATA_ROOT} is not set"
        if hub is None:
            raise UserError(f"no text {self.name}: {in_root}; set {DATA_ROOT}, or give a path or a hub data set")
        try:
            data = load_hub(hub)
        except UserError:
            raise
        except Exception as error:  # the hub's client and its transports have no common class of errors
            tried = "" if self.hub else f"{in_root}, "
            raise UserError(
                f"no text {self.hub or self.name}: {tried}the hub did not give {hub} and its cache has no copy; give a "
                "path, or run once with a network"
            ) from error
        if len(data) > 1:
            return dict(data)
        ((name, only),) = data.items()
        return stretches(column_bytes(only, self.column, f"'{name}' of the hub data set {hub}"), self.held_out)


def stretches(text: bytes, held_out: float) -> dict[str, bytes]:
    """A text divided into its splits, which follow one another; all but the first have a share `held_out` each."""
    share = int(len(text) * held_out)
    first, second = len(text) - 2 * share, len(text) - share
    return dict(zip(SPLITS, (text[:first], text[first:second], text[second:]), strict=True))


def path_bytes(path: Path) -> bytes:
    """A file's bytes, or those of a folder's text files joined, of which a gzipped one stands for one that is not.

    Raises:
      UserError: there is nothing, a folder has no text files (says what it has), or a file is bad.
    """
    if path.is_file():
        return read_bytes(path)
    if not path.is_dir():
        raise UserError(f"no text {path}; give a file, or a folder that holds {' or '.join(ENDINGS)} files")
    names = sorted(each.name for each in path.iterdir())
    plain = {name.removesuffix(".gz"): name for name in names if name.removesuffix(".gz").endswith(ENDINGS)}
    if not plain:
        raise UserError(
            f"{path} has no {' or '.join(ENDINGS)} file, gzipped or not; found: {short_list(names) or 'none'}"
        )
    return b"".join(read_bytes(path / name) for name in plain.values())


def column_bytes(dataset: "Dataset", column: str, where: str) -> bytes:
    """A column's texts in UTF-8, each on lines of its own.

    Raises:
      UserError: there is no such column, or what it holds is no text.
    """
    if column not in dataset.column_names:
        raise UserError(f"no column '{column}' in {where}; found: {short_list(dataset.column_names)}")
    rows = list(dataset[column])
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, str):
            raise UserError(f"'{column}' of row {number} in {where} is no text but {short_list([row])}")
    return "\n".join(row.removesuffix("\n") for row in rows).encode()
