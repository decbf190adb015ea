"""Writes a report: static files that open from the disk, with no server and no network."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from augrnn.errors import UserError
from augrnn.files import explained, read_json, replacing
from augrnn.report.charts import chart
from augrnn.report.contents import ClaimsFile, Shown, ShownSweep
from augrnn.report.experiment_page import experiment_page, picture
from augrnn.report.explore import figures_of
from augrnn.report.index import index
from augrnn.report.sweeps import OTHERS, sweep_pictures, sweeps_page

ASSETS = Path(__file__).parent / "assets"
"""What pages load: styles, scripts, and the library of charts with its licences."""

INDEX = "index.html"
"""The first page."""

LIST = "report-files.json"
"""What a report has written, each file by the hash of its content: a later one takes away what it has no more."""


def report_files(experiments: Sequence[Shown], others: Sequence[ShownSweep] = ()) -> dict[str, bytes]:
    """All files of a report, by their paths in it.

    Args:
      experiments: what it shows.
      others: the user's own sweeps that belong to none of them.
    """
    claims = ClaimsFile(format=2, claims=[entry for each in experiments for entry in each.claims])
    texts = {
        INDEX: index(experiments, others),
        **{each.page: experiment_page(each) for each in experiments},
        **{figure.path: figure.page() for figure in figures_of([each.experiment.name for each in experiments])},
        **({OTHERS: sweeps_page(others)} if others else {}),
        "claims.json": claims.model_dump_json(indent=1) + "\n",
        "claims.schema.json": json.dumps(ClaimsFile.model_json_schema(), indent=1) + "\n",
    }
    files = {
        **{path: text.encode() for path, text in texts.items()},
        **asset_files(),
        **pictures(experiments),
        **{name: content for each in others for name, content in _sweep_pictures(each, "")},
    }
    hashes = {name: _hash(content) for name, content in sorted(files.items())}
    return {LIST: (json.dumps({"files": hashes}, indent=1) + "\n").encode(), **files}


def asset_files() -> dict[str, bytes]:
    """What every page needs beside it, by paths in the report."""
    found = sorted(path for path in ASSETS.rglob("*") if path.is_file())
    return {f"assets/{path.relative_to(ASSETS).as_posix()}": path.read_bytes() for path in found}


def pictures(experiments: Sequence[Shown]) -> dict[str, bytes]:
    """The pictures of exhibits that have no chart, by paths in the report."""
    return {name: content for each in experiments for name, content in _pictures(each)}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _pictures(shown: Shown) -> Iterator[tuple[str, bytes]]:
    for scale, exhibits in shown.exhibits.items():
        for name, exhibit in exhibits.items():
            if chart(exhibit) is None:
                drawn = shown.pictures[scale] / f"{name}.png"
                yield picture(shown, scale, name), drawn.read_bytes() if drawn.exists() else exhibit.encoded("png")

    for sweep in shown.sweeps:
        yield from _sweep_pictures(sweep, shown.experiment.name)


def _sweep_pictures(sweep: ShownSweep, owner: str) -> Iterator[tuple[str, bytes]]:
    for drawn, name in sweep_pictures(sweep, owner).items():
        yield name, drawn.read_bytes()


def write_report(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write those files of a report that are not there yet, or other ones; gives their paths.

    Raises:
      UserError: the folder cannot be written.
    """
    changed = {path: content for name, content in files.items() if _content(path := folder / name) != content}
    for path, content in changed.items():
        with replacing(path) as file:
            file.write(content)
    return list(changed)


def remove_old(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Take away what an earlier report has written into a folder and this one has not; gives the paths.

    A file that has changed since is not the report's any more, and stays.

    Raises:
      UserError: the list of the earlier report is damaged, or a file cannot be taken away.
    """
    if not (folder / LIST).is_file():
        return []
    listed = read_json(folder / LIST, "files")["files"]
    hashes = listed if isinstance(listed, dict) else {}
    old = [path for name, kept in hashes.items() if name not in files and _is_ours(path := folder / name, kept, folder)]
    for path in old:
        try:
            path.unlink()
        except OSError as error:
            raise UserError(f"cannot take {path} away: {explained(error)}") from error
        for above in path.relative_to(folder).parents[:-1]:
            with contextlib.suppress(OSError):  # it holds something else
                (folder / above).rmdir()
    return old


def _is_ours(path: Path, kept: str, folder: Path) -> bool:
    if not os.path.isfile(path) or path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
        return False
    content = _content(path)
    return content is not None and _hash(content) == kept


def _content(path: Path) -> bytes | None:
    """What is in a file; None where there is none that can be read."""
    try:
        return path.read_bytes() if os.path.isfile(path) else None  # False for names that no file can have
    except OSError:
        return None
