"""What a frozen network gives for pictures, kept on disk, so that epochs of a decoder never see a pixel."""

# B = batch, L = places of the grid, D = channels

import hashlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset, Features, List, Value
from datasets.arrow_writer import ArrowWriter
from numpy.typing import NDArray
from torch import Tensor

from augrnn.cache_directory import cache_directory
from augrnn.errors import UserError
from augrnn.files import locked, read_json, replacing, write_json
from augrnn.vision.backbone import CHUNK, Backbone
from augrnn.vision.pictures import Picture, decode

GRIDS, SEAL = "grids.arrow", "seal.json"
"""The files of a cached set: the grids, and the hash of that file with which pictures there are grids of."""


class Grids:
    """The grids of a set of pictures, read from disk as they are asked for: `grids[numbers]` is (B, L, D) in float16.

    The file is mapped into memory, so it may be larger than that.

    Args:
      rows: the data set, with a row for each picture that could be read.
      shape: L and D.
      present: for each picture whether it could be read.

    Attributes:
      present: the same.
    """

    def __init__(self, rows: Dataset, shape: tuple[int, int], present: Sequence[bool]) -> None:
        self.present = list(present)
        self._rows = np.cumsum(self.present) - 1
        # The arrays are views of the mapped file, so that to ask for 64 grids is to read 64 grids.
        self._chunks: list[NDArray[np.float16]] = [
            chunk.flatten().to_numpy(zero_copy_only=True).reshape(len(chunk), *shape)
            for chunk in (rows.data.column("grid").chunks if len(rows) else [])
        ]
        self._ends = np.cumsum([len(chunk) for chunk in self._chunks])

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, numbers: Sequence[int]) -> Tensor:
        if missing := [number for number in numbers if not self.present[number]]:
            raise ValueError(f"picture {missing[0]} could not be read and has no grid")
        rows = self._rows[list(numbers)]
        chunks = np.searchsorted(self._ends, rows, side="right")
        starts = np.concatenate([[0], self._ends])
        return torch.from_numpy(
            np.stack([self._chunks[chunk][row - starts[chunk]] for row, chunk in zip(rows, chunks, strict=True)])
        )


def cached_grids(
    pictures: Sequence[Picture], backbone: Backbone, cache: Path | None = None, skip_undecodable: bool = False
) -> Grids:
    """The backbone's grids of pictures, computed only where the cache does not have all of them whole.

    The cache knows them by the network's weights, its layer, what is done to pictures before, and the pictures' bytes;
    neither by names nor by code, which `datasets` would hash by its own rules (a traced network never alike). A file
    that is not as it was written is found and made again. Of several processes one computes, and the others wait.

    Args:
      pictures: read one after the other, twice where grids are computed; they need not be in memory together.
      backbone: a frozen one.
      cache: the directory; `cache_directory` when None.
      skip_undecodable: leave out pictures that cannot be read, which one line counts, instead of refusing the first.

    Raises:
      UserError: a picture cannot be read; names it. Or there is none, or the cache cannot be written.
    """
    digest = hashlib.sha256(f"1 {backbone.fingerprint} {skip_undecodable}".encode())
    for picture in pictures:
        digest.update(hashlib.sha256(picture.content).digest())
    folder = (cache or Path(cache_directory())) / f"grids-{digest.hexdigest()[:24]}"
    shape = backbone.grid_size[0] * backbone.grid_size[1], backbone.channels
    with locked(folder, wait=True):
        present = _sealed(folder)
        if present is None:
            present = _make(folder, pictures, backbone, skip_undecodable)
    if missing := present.count(False):
        _tell(f"{missing} of {len(present)} pictures cannot be read and are left out")
    return Grids(Dataset.from_file(str(folder / GRIDS)), shape, present)


def _sealed(folder: Path) -> list[bool] | None:
    """For each picture whether there is a grid of it, if the files are as they were written."""
    if not (folder / SEAL).exists():
        return None
    try:
        seal = read_json(folder / SEAL, "sha256", "present")
        if _hash(folder / GRIDS) == seal["sha256"]:
            return [bool(each) for each in seal["present"]]
    except (UserError, OSError):
        pass
    _tell(f"the grids in {folder} are damaged and are made again")
    return None


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _make(folder: Path, pictures: Sequence[Picture], backbone: Backbone, skip: bool) -> list[bool]:
    (folder / SEAL).unlink(missing_ok=True)
    present: list[bool] = []
    size = backbone.grid_size[0] * backbone.grid_size[1] * backbone.channels
    features = Features({"grid": List(Value("float16"), length=size)})
    start = time.monotonic()
    with replacing(folder / GRIDS) as file, ArrowWriter(features=features, stream=pa.PythonFile(file)) as writer:
        pixels = _pixels(pictures, backbone, skip, present)
        while chunk := list(islice(pixels, CHUNK)):
            grids_BLD = _grids(torch.stack(chunk), backbone)
            values = pa.array(grids_BLD.reshape(-1))
            writer.write_table(pa.table({"grid": pa.FixedSizeListArray.from_arrays(values, size)}))
        if not any(present):
            raise UserError(f"none of {len(present)} pictures can be read" if present else "there are no pictures")
        writer.finalize(close_stream=False)
    write_json(folder / SEAL, {"sha256": _hash(folder / GRIDS), "present": [int(each) for each in present]})
    seconds = time.monotonic() - start
    _tell(f"{backbone.name} saw {len(present)} pictures in {seconds:.0f} seconds; what it gave is in {folder}")
    return present


def _pixels(pictures: Iterable[Picture], backbone: Backbone, skip: bool, present: list[bool]) -> Iterator[Tensor]:
    """The pixels of the pictures that can be read; notes in `present` which those are."""
    for picture in pictures:
        try:
            image = decode(picture)
        except UserError:
            if not skip:
                raise
            present.append(False)
            continue
        present.append(True)
        yield backbone.pixels(image)


@torch.inference_mode()
def _grids(pixels_BCSS: Tensor, backbone: Backbone) -> NDArray[np.float16]:
    device = next(backbone.buffers()).device
    grids_BLD: NDArray[np.float16] = backbone(pixels_BCSS.to(device)).half().cpu().contiguous().numpy()
    if not np.isfinite(grids_BLD).all():
        raise UserError(f"layer {backbone.layer} of {backbone.name} gives numbers beyond 65,504, or none: not kept")
    return grids_BLD


def _tell(note: str) -> None:
    print(f"augrnn: {note}", file=sys.stderr)
