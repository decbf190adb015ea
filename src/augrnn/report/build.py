"""Writes a report: static files that open from the disk, with no server and no network."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from augrnn.files import replacing
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
    assets = {path.relative_to(ASSETS).as_posix(): path.read_bytes() for path in sorted(_assets())}
    return {
        **{path: text.encode() for path, text in texts.items()},
        **{f"assets/{name}": content for name, content in assets.items()},
        **{name: content for each in experiments for name, content in _pictures(each)},
        **{name: content for each in others for name, content in _sweep_pictures(each, "")},
    }


def _assets() -> Iterator[Path]:
    return (path for path in ASSETS.rglob("*") if path.is_file())


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
    changed = {
        path: content
        for name, content in files.items()
        if not (path := folder / name).is_file() or path.read_bytes() != content
    }
    for path, content in changed.items():
        with replacing(path) as file:
            file.write(content)
    return list(changed)
