"""Parallel text: sentence i of one language translates sentence i of the other. From files, the hub or its cache."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.errors import UserError
from augrnn.text.corpus_files import TABLES, Columns, Text, dataset_text, read_pairs, two_texts
from augrnn.text.normalisation import normalised

if TYPE_CHECKING:
    from datasets import DatasetDict

DATA_ROOT = "AUGRNN_DATA"
"""Environment variable naming a directory with one folder for each data set."""

HUB, NAME = "bentrevett/multi30k", "multi30k"
"""The data set that is read where nothing else is given: its id on the hub, and its folder in $AUGRNN_DATA."""

HUB_SPLITS = {"val": "validation", "test_2016_flickr": "test"}
"""What the hub's copy of Multi30k calls the official splits."""

HUB_PATIENCE = 10.0
"""Seconds to wait for the hub before turning to its cache."""

TRAIN = "train"
"""The split that is trained on."""


@dataclass(frozen=True)
class ParallelCorpus:
    """Where the splits of a corpus are. At most one of `directory`, `files` and a `hub` of one's own is given.

    Args:
      languages: the two.
      directory: a folder with a file, or a file of each language, for each split; or one that `datasets` has saved.
      files: for each split its file.
      columns: where a file or data set has the languages, if not in columns of their names.
      hub: id of a data set on the hub. Of the default one, $AUGRNN_DATA may have a copy.
      held_out: for each split to be taken out of the training pairs how many, as a number or a share.
      held_out_seed: names which.
    """

    languages: tuple[str, str]
    directory: Path | None = None
    files: Mapping[str, str] | None = None
    columns: Columns | None = None
    hub: str = HUB
    held_out: Mapping[str, int | float] | None = None
    held_out_seed: int = 0

    def __post_init__(self) -> None:
        given = {"directory": self.directory, "files": self.files, "hub": self.hub if self.hub != HUB else None}
        if len(several := [name for name, value in given.items() if value is not None]) > 1:
            raise UserError(f"a corpus has one origin: give {' or '.join(several)}, not both")
        if unknown := set(self.columns or {}) - set(self.languages):
            raise UserError(f"columns name '{min(unknown)}', which is neither {' nor '.join(self.languages)}")
        for split, count in (self.held_out or {}).items():
            if split == TRAIN or split in (self.files or {}):
                raise UserError(f"held_out takes '{split}' out of the training pairs: give it another name")
            if count <= 0 or (isinstance(count, float) and count >= 1):
                raise UserError(f"held_out: {split} is a number of pairs or a share below 1, not {count}")

    def read(self, split: str) -> Text:
        """The pairs of a split, as they are; `train` is without those that `held_out` takes.

        Raises:
          UserError: nothing was found, with all that was tried, or what was found is bad.
        """
        if not self.held_out or split not in (TRAIN, *self.held_out):
            return self._read(split)
        text, of = self._divided
        chosen = [number for number, name in enumerate(of) if name == split]
        return {language: [text[language][number] for number in chosen] for language in self.languages}

    @cached_property
    def _divided(self) -> tuple[Text, list[str]]:
        """The training pairs, and for each the split that it is in now.

        Which pairs are held out depends on their text and the seed, not on their order. Those with the same sentence
        (of the language that is first in the alphabet, so that both directions divide alike) stay together.
        """
        text = self._read(TRAIN)
        whole = [not blank for blank in blank_pairs(text)]
        sentences = text[min(self.languages)]
        groups: dict[str, list[int]] = {}
        for number, sentence in enumerate(sentences):
            if whole[number]:
                groups.setdefault(sentence.strip(), []).append(number)
        order = sorted(groups, key=lambda key: hashlib.sha256(f"{self.held_out_seed}\n{key}".encode()).digest())
        of, left = [TRAIN] * len(sentences), iter(order)
        for split, wanted in (self.held_out or {}).items():
            count = round(wanted * sum(whole)) if isinstance(wanted, float) else wanted
            taken = 0
            while taken < max(1, count):
                if (key := next(left, None)) is None:
                    raise UserError(f"held_out wants more than the {sum(whole)} pairs that there are")
                for number in groups[key]:
                    of[number] = split
                taken += len(groups[key])
        if next(left, None) is None:
            raise UserError(f"held_out leaves none of the {sum(whole)} pairs to train on")
        return text, of

    def _read(self, split: str) -> Text:
        if self.files is not None:
            if split not in self.files:
                raise UserError(f"files name no split '{split}'; they have: {', '.join(self.files)}")
            return read_pairs(Path(self.files[split]).expanduser(), self.languages, self.columns)
        if self.directory is not None:
            return directory_text(Path(self.directory).expanduser(), split, self.languages, self.columns)
        root = os.environ.get(DATA_ROOT)
        if root and self.hub == HUB and (Path(root) / NAME).is_dir():
            return directory_text(Path(root) / NAME, split, self.languages, self.columns)
        try:
            return hub_text(self.hub, split, self.languages, self.columns)
        except UserError:
            raise
        except Exception as error:  # the hub's client and its transports have no common class of errors
            in_root = f"{DATA_ROOT}={root} has no folder {NAME}" if root else f"{DATA_ROOT} is not set"
            name, tried, mend = (NAME, f"{in_root}, ", f"set {DATA_ROOT}, ") if self.hub == HUB else (self.hub, "", "")
            raise UserError(
                f"no data set {name}: no directory was given, {tried}the hub did not give {self.hub} and its cache has "
                f"no copy; {mend}give the directory, or run once with a network"
            ) from error


def blank_pairs(text: Text) -> list[bool]:
    """For each pair whether one of its sides has nothing to read."""
    sides = ([not normalised(line, language, lowercase=False) for line in lines] for language, lines in text.items())
    return [any(pair) for pair in zip(*sides, strict=True)]


# Directories ---------------------------------------------------------------------------------------------------------


def directory_text(directory: Path, split: str, languages: tuple[str, str], columns: Columns | None = None) -> Text:
    """One split from a directory.

    That holds `<split>.<language>` for each language, or `<split>` with an ending of `TABLES`, each gzipped (`.gz`) or
    not; or `datasets` has saved it.

    Raises:
      UserError: the directory, the split or a language is missing (says what there is), a file is bad, or the two files
        have different numbers of lines.
    """
    if not directory.is_dir():
        raise UserError(f"no data directory {directory}; give one that holds <split>.<language>.gz files")
    if (directory / "dataset_dict.json").is_file():
        return _saved_split(directory, split, languages, columns)
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(directory.iterdir(), reverse=True):  # so that a gzipped file stands for one that is not
        name, _, ending = path.name.removesuffix(".gz").rpartition(".")
        if name:
            found.setdefault(name, {}).setdefault(ending, path)
    splits = {
        name: endings
        for name, endings in sorted(found.items())
        if len(endings) > 1 or any(f".{ending}" in TABLES or path.suffix == ".gz" for ending, path in endings.items())
    }
    if split not in splits:
        there = ", ".join(splits) or "no <split>.<language>.gz file"
        raise UserError(f"no split '{split}' in {directory}; found: {there}")
    endings = splits[split]
    tables = [path for ending, path in endings.items() if f".{ending}" in TABLES]
    pair = [endings[language] for language in languages if language in endings]
    if len(tables) + bool(len(pair) == 2) > 1:
        names = ", ".join(path.name for path in (*tables, *pair))
        raise UserError(f"{directory} has the split '{split}' more than once ({names}): name one with `files`")
    if tables:
        return read_pairs(tables[0], languages, columns)
    for language in languages:
        if language not in endings:
            there = ", ".join(sorted(endings))
            raise UserError(f"no language '{language}' for split '{split}' in {directory}; found: {there}")
    return two_texts(pair, languages)


def _saved_split(directory: Path, split: str, languages: tuple[str, str], columns: Columns | None) -> Text:
    names = [path.name for path in sorted(directory.iterdir()) if path.is_dir()]
    name = split if split in names else HUB_SPLITS.get(split, split)
    if name not in names:
        raise UserError(f"no split '{split}' in {directory}; found: {', '.join(names)}")
    return read_pairs(directory / name, languages, columns)


# The hub -------------------------------------------------------------------------------------------------------------


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


def load_hub(hub: str, part: str | None = None) -> "DatasetDict":
    """A data set of the hub, or of the cache of `datasets` where the hub does not answer.

    Args:
      hub: its id.
      part: the name of one of its configurations, where it has several.

    Raises:
      UserError: the hub has none of that name.
      OSError: neither has it (or what else the hub's client raises).
    """
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
        return load_dataset(hub, part)
    with _offline():
        return load_dataset(hub, part)


def hub_text(hub: str, split: str, languages: tuple[str, str], columns: Columns | None = None) -> Text:
    """One split of the two languages from a hub data set, or from the `datasets` cache where the hub does not answer.

    Raises:
      UserError: the data set, the split or a language is missing, with what there is.
      OSError: neither the hub nor the cache has it (or what else the hub's client raises).
    """
    corpus = load_hub(hub)
    name = split if split in corpus else HUB_SPLITS.get(split, split)
    if name not in corpus:
        raise UserError(f"no split '{split}' in the hub data set {hub}; found: {', '.join(corpus)}")
    named = {language: (columns or {}).get(language, language) for language in languages}
    return dataset_text(corpus[name], named, f"the hub data set {hub}")
