"""Parallel text: line i of one language translates line i of the other. Read from a directory, the hub or its cache.

A directory holds `<split>.<language>.gz` files, one sentence a line in UTF-8; a hub data set has a column for each
language.
"""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.errors import UserError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

DATA_ROOT = "AUGRNN_DATA"
"""Environment variable naming a directory with one folder for each data set."""

HUB_SPLITS = {"val": "validation", "test_2016_flickr": "test"}
"""What the hub's copy of Multi30k calls the official splits."""

HUB_PATIENCE = 10.0
"""Seconds to wait for the hub before turning to its cache."""


def read_lines(path: Path) -> list[str]:
    """The lines of a gzipped UTF-8 file, ended by line feeds only (a sentence may hold other separators).

    Raises:
      UserError: the file cannot be read, is not a whole gzip file, is not UTF-8, or is empty.
    """
    try:
        text = gzip.decompress(path.read_bytes()).decode("utf-8")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} is not a whole gzip file ({error}); fetch it again") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(f"{path} is not UTF-8 text (byte {error.object[error.start]:#04x} on line {line})") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    if not text.strip():
        raise UserError(f"{path} is empty; fetch it again")
    return text.removesuffix("\n").split("\n")


def directory_text(directory: Path, split: str, languages: tuple[str, str]) -> "Dataset":
    """One split of the two languages from a directory of `<split>.<language>.gz`.

    Raises:
      UserError: the directory, the split or a language is missing (says what there is), a file is bad, or the two files
        have different numbers of lines.
    """
    from datasets import Dataset

    if not directory.is_dir():
        raise UserError(f"no data directory {directory}; give one that holds <split>.<language>.gz files")
    found = sorted(path.name.removesuffix(".gz").rsplit(".", 1) for path in directory.glob("*.*.gz"))
    splits = {name: {language for other, language in found if other == name} for name, _ in found}
    if split not in splits:
        raise UserError(
            f"no split '{split}' in {directory}; found: {', '.join(splits) or 'no <split>.<language>.gz file'}"
        )
    for language in languages:
        if language not in splits[split]:
            there = ", ".join(sorted(splits[split]))
            raise UserError(f"no language '{language}' for split '{split}' in {directory}; found: {there}")
    paths = [directory / f"{split}.{language}.gz" for language in languages]
    source, target = map(read_lines, paths)
    if len(source) != len(target):
        raise UserError(
            f"{paths[0]} has {len(source)} lines but {paths[1]} has {len(target)}: translations must be line by line"
        )
    return Dataset.from_dict(dict(zip(languages, (source, target), strict=True)))


@contextmanager
def _offline() -> Iterator[None]:
    # Both libraries read their own switch from the environment once, at import.
    import datasets.config
    from huggingface_hub import constants

    before = datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE = before


def _load_hub(hub: str) -> "DatasetDict":
    # One question to the hub first: where it does not answer, load_dataset would try for half a minute.
    from datasets import load_dataset
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        HfApi().dataset_info(hub, timeout=HUB_PATIENCE, token=False)
    except HfHubHTTPError as error:
        if error.response.status_code in (401, 404):
            raise UserError(f"the hub has no public data set '{hub}'") from None
    except Exception:
        pass  # whatever the reason, the hub does not answer; its cache may have the data
    else:
        return load_dataset(hub)
    with _offline():
        return load_dataset(hub)


def hub_text(hub: str, split: str, languages: tuple[str, str]) -> "Dataset":
    """One split of the two languages from a hub data set, or from the `datasets` cache where the hub does not answer.

    Raises:
      UserError: the data set, the split or a language is missing, with what there is.
      OSError: neither the hub nor the cache has it (or what else the hub's client raises).
    """
    corpus = _load_hub(hub)
    name = split if split in corpus else HUB_SPLITS.get(split, split)
    if name not in corpus:
        raise UserError(f"no split '{split}' in the hub data set {hub}; found: {', '.join(corpus)}")
    for language in languages:
        if language not in corpus[name].column_names:
            there = ", ".join(corpus[name].column_names)
            raise UserError(
                f"no language '{language}' in the hub data set {hub}; found: {there}; for others give a directory"
            )
    return corpus[name].select_columns(list(languages))


def parallel_text(split: str, languages: tuple[str, str], directory: Path | None, name: str, hub: str) -> "Dataset":
    """One split of a parallel corpus: from `directory` if given, else $AUGRNN_DATA/name, else the hub, else its cache.

    Returns:
      a Dataset with a column of sentences for each language.

    Raises:
      UserError: nothing was found, with all that was tried, or what was found is bad.
    """
    if directory is not None:
        return directory_text(Path(directory).expanduser(), split, languages)
    root = os.environ.get(DATA_ROOT)
    if root and (Path(root) / name).is_dir():
        return directory_text(Path(root) / name, split, languages)
    try:
        return hub_text(hub, split, languages)
    except UserError:
        raise
    except Exception as error:  # the hub's client and its transports have no common class of errors
        in_root = f"{DATA_ROOT}={root} has no folder {name}" if root else f"{DATA_ROOT} is not set"
        raise UserError(
            f"no data set {name}: no directory was given, {in_root}, the hub did not give {hub} and its cache has no "
            f"copy; set {DATA_ROOT}, give the directory, or run once with a network"
        ) from error
