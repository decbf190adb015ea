"""What an experiment shows at a scale, `experiments/<name>/exhibits/<scale>.json`, and its pictures.

The file is committed beside the record: what the record alone shows, and a few examples of trained models. The
pictures, `experiments/<name>/figures/<scale>/<exhibit>.png`, are drawn from it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.errors import UserError
from augrnn.exhibits.exhibit import Exhibit, encoded, read_exhibits, write_exhibits
from augrnn.lab.claims_tables import as_committed

if TYPE_CHECKING:
    from augrnn.lab.committed_record import Record
    from augrnn.lab.experiment import Experiment, Shown

LIMIT = 200_000
"""Bytes that the exhibits of a scale may have: they are committed."""


def exhibits_path(experiments: Path, name: str, scale: str) -> Path:
    """Where the exhibits of a scale are committed."""
    return experiments / name / "exhibits" / f"{scale}.json"


def made(experiment: "Experiment", record: "Record", shown: "Shown") -> dict[str, Exhibit]:
    """What an experiment shows of a record and of the exhibits of its models, by variant and seed."""
    return experiment.exhibits(record.results, shown) if experiment.exhibits else {}


def kept(experiment: "Experiment", record: "Record", shown: "Shown", experiments: Path) -> dict[str, Exhibit]:
    """What an experiment shows where some models are not there: the committed examples of models stay as they are."""
    committed = read_exhibits(exhibits_path(experiments, experiment.name, record.scale))
    of_record = made(experiment, record, {})
    found = made(experiment, record, shown) if shown else of_record
    return {**committed, **{name: each for name, each in found.items() if name not in committed or name in of_record}}


def write(
    experiment: "Experiment", record: "Record", exhibits: Mapping[str, Exhibit], experiments: Path
) -> Path | None:
    """Write the exhibits and pictures of an experiment at a scale; gives the file, None where it shows nothing.

    Args:
      experiment: whose record it is.
      record: the committed record of the scale.
      exhibits: what it shows; see `made` and `kept`.
      experiments: the folder of all experiments.

    Raises:
      UserError: the exhibits are over their limit.
    """
    if experiment.exhibits is None:
        return None
    path = exhibits_path(experiments, experiment.name, record.scale)
    size = len(encoded(exhibits).encode())
    if size > LIMIT:
        raise UserError(
            f"{experiment.name}: the exhibits of scale {record.scale} have {size} bytes, more than the {LIMIT} that "
            "are committed: show fewer or smaller ones"
        )
    write_exhibits(path, exhibits)
    _draw(read_exhibits(path), experiments / experiment.name / "figures" / record.scale, "png")
    return path


def write_again(experiment: "Experiment", experiments: Path) -> list[Path]:
    """Write the exhibits and pictures of all committed records of an experiment again, without its models."""
    records = as_committed(experiment, experiments).values()
    written = [write(experiment, record, kept(experiment, record, {}, experiments), experiments) for record in records]
    return [path for path in written if path]


def draw_elsewhere(experiment: "Experiment", experiments: Path, folder: Path, form: str) -> list[Path]:
    """Draw the committed exhibits of all scales as `<experiment>/<scale>/<exhibit>.<form>` in a folder of the user's.

    Raises:
      UserError: a picture cannot be written.
    """
    found = {scale: exhibits_path(experiments, experiment.name, scale) for scale in experiment.scales}
    return [
        path
        for scale, exhibits in found.items()
        for path in _draw(read_exhibits(exhibits), folder / experiment.name / scale, form)
    ]


def _draw(exhibits: Mapping[str, Exhibit], folder: Path, form: str) -> list[Path]:
    paths = {folder / f"{name}.{form}": exhibit for name, exhibit in exhibits.items()}
    for path, exhibit in paths.items():
        exhibit.save(path)
    return list(paths)
