"""Where a data set of images with captions is: a directory, a file of captions, or the hub."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from augrnn.captions.collection import Collection, require_rows_apart, rows_collection
from augrnn.captions.layouts import TRAIN, Columns, named_split, read_directory, read_file, same_split, usual
from augrnn.errors import UserError
from augrnn.text.parallel_corpus import DATA_ROOT, load_hub

HUB, NAME = "jxie/flickr8k", "flickr8k"
"""The data set that is read where nothing else is given: its id on the hub, and its folder in $AUGRNN_DATA."""


@dataclass(frozen=True)
class CaptionCorpus:
    """Where the splits of a data set are. At most one of `directory`, `file` and a `hub` of one's own is given.

    Args:
      directory: see `augrnn.captions.layouts.read_directory`.
      file: see `augrnn.captions.layouts.read_file`.
      images: the folder of the images, where it is not beside the captions.
      columns: what the columns `image`, `caption` and `split` are called, where it is something else.
      hub: id of a data set on the hub. Of the default one, $AUGRNN_DATA may have a copy.
      held_out: for each split to be taken out of the training images how many, as a number or a share.
      held_out_seed: names which.
    """

    directory: Path | None = None
    file: Path | None = None
    images: Path | None = None
    columns: Columns | None = None
    hub: str = HUB
    held_out: Mapping[str, int | float] | None = None
    held_out_seed: int = 0

    def __post_init__(self) -> None:
        given = {"directory": self.directory, "captions": self.file, "hub": self.hub if self.hub != HUB else None}
        if len(several := [name for name, value in given.items() if value is not None]) > 1:
            raise UserError(f"a corpus has one origin: give {' or '.join(several)}, not both")
        if unknown := set(self.columns or {}) - {"image", "caption", "split"}:
            raise UserError(f"columns name '{min(unknown)}', which is none of image, caption and split")
        for split, count in (self.held_out or {}).items():
            if same_split(split, TRAIN):
                raise UserError(f"held_out takes '{split}' out of the training images: give it another name")
            if not (0 < count < 1 if isinstance(count, float) else count > 0):
                raise UserError(f"held_out: {split} is a number of images or a share below 1, not {count}")

    def read(self, split: str) -> Collection:
        """A split; `train` is without the images that `held_out` takes.

        Raises:
          UserError: nothing was found, with all that was tried, or what was found is bad.
        """
        parts = [name for name in (TRAIN, *(self.held_out or {})) if same_split(name, split)]
        if not self.held_out or not parts:
            return self._read(split)
        whole, of = self._divided
        part = named_split(split, parts, "held_out")
        return whole.chosen([number for number, name in enumerate(of) if name == part])

    @cached_property
    def _divided(self) -> tuple[Collection, list[str]]:
        """The training images, and for each the split that it is in now, which depends on its name and the seed."""
        whole = self._read(TRAIN)
        keys = [hashlib.sha256(f"{self.held_out_seed}\n{name}".encode()).digest() for name in whole.names]
        left = sorted(range(len(keys)), key=keys.__getitem__)
        of = [TRAIN] * len(keys)
        for split, wanted in (self.held_out or {}).items():
            count = max(1, round(wanted * len(keys)) if isinstance(wanted, float) else wanted)
            if count >= len(left):
                raise UserError(f"held_out leaves none of the {len(keys)} images to train on")
            for number in left[:count]:
                of[number] = split
            left = left[count:]
        return whole, of

    def _read(self, split: str) -> Collection:
        images = self.images.expanduser() if self.images else None
        if images and not images.is_dir():
            raise UserError(f"no folder of images {images}")
        if self.file is not None:
            return read_file(self.file.expanduser(), split, images, self.columns)
        if self.directory is not None:
            return read_directory(self.directory.expanduser(), split, images, self.columns)
        root = os.environ.get(DATA_ROOT)
        if root and self.hub == HUB and (Path(root) / NAME).is_dir():
            return read_directory(Path(root) / NAME, split, images, self.columns)
        try:
            data = load_hub(self.hub)
        except UserError:
            raise
        except Exception as error:  # the hub's client and its transports have no common class of errors
            mend = f"set {DATA_ROOT}, " if self.hub == HUB else ""
            raise UserError(
                f"the hub did not give {self.hub} and its cache has no copy: {mend}give the directory, or run once "
                "with a network"
            ) from error
        chosen = named_split(split, data, f"the hub data set {self.hub}")
        found = rows_collection(data[chosen], f"'{split}' of {self.hub}", self.columns)
        others = {name: rows.column_names for name, rows in data.items() if usual(name)}
        require_rows_apart(
            found, chosen, others, lambda name, wanted: data[name].select_columns(wanted)[:], self.hub, self.columns
        )
        return found
