"""What is kept of a sweep: its points with their seeds, what mattered, and where it came from.

`augrnn sweep results` writes it to `runs/sweeps/<sweep>/results.json`, and with `--record` to
`experiments/<name>/sweeps/<sweep>.json`, which is committed with the pictures beside it.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any, Literal

from augrnn.errors import UserError
from augrnn.files import encoded, read_json, replacing
from augrnn.lab.claims import Verdict
from augrnn.lab.committed_record import Traced
from augrnn.lab.places import config_path
from augrnn.lab.plan import fingerprint
from augrnn.lab.results import Curve, Results, RunRecord
from augrnn.option_names import shortened, value_texts

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from augrnn.lab.experiment import Experiment

FORMAT = 2
"""The layout of the file; raised when it changes."""

SWEEPS = "sweeps"
"""The folder of the committed sweeps of an experiment, of their pictures in its figures, and of the user's in runs."""

FILES = Path("configs", "sweeps")
"""Where sweep files are, beside the experiments."""

PICTURES = ("parallel_coordinates.png", "slice.png")
"""The pictures of a sweep."""

MANY = 30
"""Points below which importance can still be chance."""


@dataclass(frozen=True)
class Row:
    """A point of a sweep, and how its runs have ended.

    Attributes:
      id: the point's id, or the number of the trial's task.
      values: its options.
      found: for each seed that has ended the metric at the end of training; None where it failed (diverged).
      planned: the number of seeds; where W&B's server chooses them, of those that have begun.
      pruned: whether its training was ended early.
      maximize: whether more of the metric is better.
      seconds: what its runs took, added up.
      curve: the metric over training, its median over those seeds that have a value; None where none has.
    """

    id: str
    values: Mapping[str, Any]
    found: Mapping[int, int | float | None]
    planned: int
    pruned: bool = False
    maximize: bool = False
    seconds: int | float = 0
    curve: Curve | None = None

    @property
    def mean(self) -> float | None:
        """What is searched for: the mean over seeds; None where one has failed, or none has ended."""
        numbers = [value for value in self.found.values() if value is not None]
        return fmean(numbers) if numbers and len(numbers) == len(self.found) else None

    @property
    def median(self) -> float | None:
        """The median over seeds, failed ones being worse than all others; None where that is a failed one."""
        worst = -math.inf if self.maximize else math.inf
        numbers = [worst if value is None else value for value in self.found.values()]
        middle = median(numbers) if numbers else worst
        return middle if math.isfinite(middle) else None

    @property
    def failed(self) -> bool:
        """Whether a seed has failed."""
        return None in self.found.values()

    @property
    def rank(self) -> tuple[int, float]:
        """Its place among others: whole ones, pruned ones, failed ones, and those of which nothing is known."""
        group = 3 if not self.found else 2 if self.failed else 1 if self.pruned else 0
        value = self.median if self.failed else self.mean
        return group, math.inf if value is None else -value if self.maximize else value


def whole_ones(rows: Sequence[Row]) -> list[Row]:
    """The points of which no seed has failed or was ended early."""
    return [row for row in rows if row.rank[0] == 0]


def best_share(whole: int) -> float:
    """The share of so many points that counts as the best: five at least, as Optuna advises, but half at most."""
    return min(0.5, max(0.1, 5 / whole))


def importance_told(rows: Sequence[Row], shares: Mapping[str, float]) -> list[str]:
    """Lines that say how much each parameter matters and what the numbers mean; none with nothing to compare."""
    if len(shares) < 2:
        return []
    whole = len(whole_ones(rows))
    meaning = f"shares in what tells the best {best_share(whole):.0%} of {whole} points from the others (PED-ANOVA)"
    caveat = f"; fewer than {MANY} points: a hint at most" if whole < MANY else ""
    lines = [f"importance, as {meaning}, not sizes of effects{caveat}:"]
    return lines + [f"importance of {name}: {share:.2f}" for name, share in shares.items()]


@dataclass(frozen=True)
class SweepRecord(Traced):
    """What is kept of a sweep.

    Attributes:
      sweep: its name, that of its file without the ending.
      fingerprint: of its file and of the configs that the file names; see `sweep_fingerprint`.
      method: "grid", "random" or "bayes".
      metric: what it is about, and goal whether less or more of it is better.
      parameters, command: as its file has them.
      importance: the share of each parameter, largest first; empty where it cannot be told.
      provenance: the distinct commits, versions, machines and numbers of threads.
      rows: its points from the best one down.
      verdicts: on the claims that it judges, computed from these points.
    """

    sweep: str
    fingerprint: str
    method: str
    metric: str
    goal: Literal["minimize", "maximize"]
    parameters: Mapping[str, Any]
    command: Sequence[str]
    importance: Mapping[str, float]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def scale(self) -> str:
        """Its name, which stands for a scale's where claims are judged."""
        return self.sweep

    @property
    def results(self) -> Results:
        """The points, as claims see them. Seeds are numbered from 0; a point that was ended early counts as failed."""
        named = dict(zip(labels(self), self.rows, strict=True))
        number = {seed: i for i, seed in enumerate(sorted({seed for row in self.rows for seed in row.found}))}
        planned = {name: max(row.planned, len(row.found)) for name, row in named.items()}
        found = {}
        for name, row in named.items():
            ended = {number[seed]: value for seed, value in row.found.items()}
            if row.pruned:
                ended = dict.fromkeys(range(planned[name]))
            for seed, value in ended.items():
                failed = RunRecord(name, seed, "failed")
                found[name, seed] = failed if value is None else RunRecord(name, seed, "finished", {self.metric: value})
        return Results("", self.sweep, planned, found, {name: row.values for name, row in named.items()})

    @property
    def varied(self) -> list[str]:
        """The options of which not all points have the same value, in the file's order."""
        names = [name for name in self.parameters if self.rows and name in self.rows[0].values]
        return [name for name in names if len({json.dumps(row.values[name]) for row in self.rows}) > 1]

    @property
    def runs(self) -> int:
        """How many runs have ended."""
        return sum(len(row.found) for row in self.rows)

    def encoded(self) -> str:
        """The file's content."""
        points = [{name: value for name, value in asdict(row).items() if name != "maximize"} for row in self.rows]
        verdicts = [verdict.content(claim) for claim, verdict in self.verdicts.items()]
        return encoded({"format": FORMAT, **vars(self), "rows": points, "verdicts": verdicts}, lines="rows")

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        with replacing(path) as file:
            file.write(self.encoded().encode())


def value_columns(record: SweepRecord) -> dict[str, list[str]]:
    """For each option that is varied all points' values as short texts, the same ones in whatever order points are."""
    found = {}
    for name in record.varied:
        keys = [json.dumps(row.values[name], sort_keys=True) for row in record.rows]
        ordered = sorted(set(keys))
        texts = dict(zip(ordered, value_texts([json.loads(key) for key in ordered]), strict=True))
        found[name] = [texts[key] for key in keys]
    return found


def labels(record: SweepRecord) -> list[str]:
    """For each point a text that tells it from the others: its options by their short names, its id where two agree."""
    names, texts = shortened(record.varied), value_columns(record)
    parts = [[f"{names[name]} {each[number]}" for name, each in texts.items()] for number in range(len(record.rows))]
    found = [", ".join(part) or record.sweep for part in parts]
    times = Counter(found)
    return [f"{text} ({row.id})" if times[text] > 1 else text for text, row in zip(found, record.rows, strict=True)]


def record_path(experiments: Path, name: str, sweep: str) -> Path:
    """Where the record of an experiment's sweep is committed."""
    return experiments / name / SWEEPS / f"{sweep}.json"


def pictures_path(experiments: Path, name: str, sweep: str) -> Path:
    """The folder of its committed pictures."""
    return experiments / name / "figures" / SWEEPS / sweep


def own_sweep_path(runs: Path, sweep: str) -> Path:
    """Where `sweep results` writes the record of a sweep, committed or not; its pictures are beside it."""
    return runs / SWEEPS / sweep / "results.json"


def own_sweep_paths(runs: Path) -> list[Path]:
    """The records of all sweeps in a folder of runs, sorted by the sweeps' names."""
    return sorted((runs / SWEEPS).glob("*/results.json"))


def read_sweep_record(path: Path) -> SweepRecord | None:
    """The record in a file; None where there is no such file.

    Raises:
      UserError: it is no record of a sweep, or one of another version.
    """
    from pydantic import ValidationError

    if not path.exists():
        return None
    content = read_json(path, "format")
    if content.pop("format") != FORMAT:
        raise UserError(
            f"{path} is of another version, or no record of a sweep; this version reads format {FORMAT}, and "
            "`augrnn sweep results` writes it"
        )
    damaged = f"{path} is damaged ({{}}); delete it, or restore it with git"
    try:
        verdicts = {each["claim"]: Verdict.read(each) for each in content["verdicts"]}
    except (LookupError, TypeError) as error:
        raise UserError(damaged.format(f"verdicts: {type(error).__name__} {error}")) from None
    try:
        record = _form().validate_python({**content, "verdicts": verdicts})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(damaged.format(f"{place}: {first['msg']}")) from None
    rows = tuple(replace(row, maximize=record.goal == "maximize") for row in record.rows)
    return replace(record, rows=rows, verdicts=verdicts)  # as they were read: a check makes 0.0 of 0


@cache
def _form() -> "TypeAdapter[SweepRecord]":
    from pydantic import ConfigDict, TypeAdapter, with_config

    with_config(ConfigDict(extra="forbid"))(Row)
    with_config(ConfigDict(revalidate_instances="always"))(Verdict)
    return TypeAdapter(with_config(ConfigDict(extra="forbid"))(SweepRecord))


def committed_sweeps(experiment: "Experiment", experiments: Path) -> dict[str, SweepRecord]:
    """The committed records of an experiment's sweeps, by name."""
    found = {name: read_sweep_record(record_path(experiments, experiment.name, name)) for name in experiment.sweeps}
    return {name: record for name, record in found.items() if record is not None}


def sweep_fingerprint(path: Path, root: Path, owner: str = "") -> str:
    """A hash of what a sweep file says, its description apart, and of the configs that it names.

    Args:
      path: the file.
      root: what paths in it are relative to.
      owner: what names it, for messages.

    Raises:
      UserError: the file or a config is missing, or is no YAML with keys.
    """
    from augrnn.yaml_files import read_config  # slow to import

    content = {name: value for name, value in read_config(path, owner).items() if name != "description"}
    configs = {name: read_config(config_path(root, name), owner) for name in _configs(content)}
    return fingerprint({}, content, configs)


def _configs(content: Mapping[str, Any]) -> Iterator[str]:
    words = [str(word) for word in content.get("command") or ()]
    for before, word in zip(["", *words], words, strict=False):
        if before == "--config":
            yield word
        elif word.startswith("--config="):
            yield word.removeprefix("--config=")
    parameter = (content.get("parameters") or {}).get("config") or {}
    yield from parameter.get("values") or ([parameter["value"]] if "value" in parameter else [])


def outdated_sweeps(experiment: "Experiment", experiments: Path) -> list[str]:
    """A line for each sweep on record whose file, or a config in it, has changed, or that is not named any more."""
    root, lines = experiments.parent, []
    for name, record in committed_sweeps(experiment, experiments).items():
        path = config_path(root, FILES / f"{name}.yaml")
        if sweep_fingerprint(path, root, experiment.name) != record.fingerprint:
            lines.append(f"{experiment.name}: the sweep {name} has changed since its record was made")
    kept = [path.stem for path in sorted((experiments / experiment.name / SWEEPS).glob("*.json"))]
    strangers = [name for name in kept if name not in experiment.sweeps]
    return lines + [f"{experiment.name}: {name} is on record and no longer a sweep of it" for name in strangers]
