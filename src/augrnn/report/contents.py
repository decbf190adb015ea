"""What a report shows: every claim with its verdict, and every experiment with its records and exhibits.

The models of this module are also the layout of claims.json; their field descriptions are its documentation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from augrnn.lab.claims import State
from augrnn.lab.claims_tables import NOT_RUN, Judged, Records, judged, records_of, strongest_of
from augrnn.lab.committed_record import Record
from augrnn.lab.committed_sweep import (
    FILES,
    SweepRecord,
    own_sweep_path,
    own_sweep_paths,
    pictures_path,
    read_sweep_record,
)
from augrnn.lab.experiment import Experiment, load
from augrnn.lab.places import names
from augrnn.report.cards import card_html
from augrnn.report.html import Html

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

FULL = "paper"
"""The scale that has the paper's sizes; at all others a verdict is of a reduced scale."""


class Cost(BaseModel):
    """What the runs took that a verdict rests on."""

    model_config = ConfigDict(extra="forbid")

    runs: int = Field(description="runs of the experiment at this scale that have ended")
    seconds: float = Field(description="their wall-clock seconds, added up")
    hardware: list[str] = Field(description="the machines that they ran on")


class ClaimEntry(BaseModel):
    """A claim of a paper, and what became of it here."""

    model_config = ConfigDict(extra="forbid")

    experiment: str = Field(description="the experiment's name, <paper>/<finding>")
    claim: str = Field(description="the claim's name, unique in the experiment")
    citation: str = Field(description="the paper that the experiment is about")
    sentence: str = Field(description="what the paper says")
    source: str = Field(description="where it says so")
    verdict: State = Field(description="at the largest scale that has a verdict; unjudged where the scale has no rule")
    scale: str = Field(description="that scale, or the sweep that judges the claim; empty where nothing has run")
    reduced: bool = Field(description="whether the scale is smaller than the paper's; false of a sweep")
    thin: bool = Field(description="whether few seeds decided, or the interval reaches the bar")
    thin_because: list[str] = Field(description="why it is thin, a reason each; empty where it is not")
    contested: str = Field(description="the paper that says the opposite; empty where we know of none")
    own: bool = Field(description="whether the record is one of the user's runs, and not a committed one")
    value: float | None = Field(description="the judged number; null where there is none")
    interval: tuple[float | None, float | None] | None = Field(
        description="its 95 % interval, an end null where it is unbounded; null where there is none"
    )
    seeds: int = Field(description="how many seeds were judged")
    here: str = Field(description="value, interval and seeds of all parts of the claim, in words")
    needed: str = Field(description="the bar, which was set before the runs, in words")
    paper: str = Field(description="the paper's value")
    public: str = Field(description="the value of the best public code that we know")
    cost: Cost | None = Field(description="what the runs took; null where nothing has run")


class ClaimsFile(BaseModel):
    """All claims of a report, as claims.json has them."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[2] = Field(description="the layout; raised when it changes")
    claims: list[ClaimEntry]


@dataclass(frozen=True)
class ShownSweep:
    """A sweep as the report shows it.

    Attributes:
      record: its record.
      own: whether that is the user's own one, and not a committed one.
      pictures: the folder of its drawn pictures.
      file: the sweep's file; empty where an experiment does not say so.
      rows: the claims that it judges, with their verdicts.
    """

    record: SweepRecord
    own: bool
    pictures: Path
    file: str = ""
    rows: Sequence[Judged] = ()


@dataclass(frozen=True)
class Shown:
    """An experiment as the report shows it.

    Attributes:
      experiment: the experiment.
      records: by scale, the smallest scale first; the user's own where none is committed.
      claims: every claim with its verdict.
      exhibits: for each scale what there is to see, by name.
      pictures: for each scale the folder of the drawn exhibits.
      card: the experiment's card, empty where it has none.
      sweeps: its sweeps that are on record; the user's own record where none is committed.
    """

    experiment: Experiment
    records: dict[str, Record]
    claims: Sequence[ClaimEntry]
    exhibits: "Mapping[str, Mapping[str, Exhibit]]"
    pictures: Mapping[str, Path]
    card: Html
    sweeps: Sequence[ShownSweep] = ()

    @property
    def page(self) -> str:
        """The experiment's page in the report."""
        return f"{self.experiment.name}.html"


def shown(places: Sequence[Path], runs: Path | None, only: str | None = None) -> list[Shown]:
    """All experiments of several places, sorted by name, those without a record last; of one name the first place's.

    Args:
      places: folders of experiments.
      runs: the user's own results, which count where nothing is committed; None for none.
      only: the one experiment that is asked for.

    Raises:
      UserError: an experiment or a record is damaged.
    """
    first: dict[str, Path] = {}
    for place in places:
        for name in names(place):
            first.setdefault(name, place)
    found = [_shown(load(name, first[name]), first[name], runs) for name in sorted(first) if only in (None, name)]
    return sorted(found, key=lambda each: not each.records)


def _shown(experiment: Experiment, place: Path, runs: Path | None) -> Shown:
    from augrnn.exhibits.exhibit import read_exhibits
    from augrnn.lab.committed_exhibits import exhibits_path
    from augrnn.lab.outcome import FIGURES
    from augrnn.run_folder import EXHIBITS

    name, here = experiment.name, records_of(experiment, place, runs)
    files = {}
    for scale in here.records:
        files[scale] = exhibits_path(place, name, scale), place / name / FIGURES / scale
        if scale in here.own and runs is not None:
            files[scale] = runs / name / scale / EXHIBITS, runs / name / scale / FIGURES
    card = place / name / "README.md"
    return Shown(
        experiment,
        dict(here.records),
        [_entry(row, here.every.get(row.scale), row.scale in here.own) for row in strongest_of(experiment, here.every)],
        {scale: read_exhibits(path) for scale, (path, _) in files.items()},
        {scale: folder for scale, (_, folder) in files.items()},
        card_html(card.read_text(encoding="utf-8")) if card.exists() else Html(""),
        list(_sweeps(experiment, here, place, runs)),
    )


def _sweeps(experiment: Experiment, here: Records, place: Path, runs: Path | None) -> Iterator[ShownSweep]:
    for name in (each for each in experiment.sweeps if each in here.sweeps):
        record, pictures = here.sweeps[name], pictures_path(place, experiment.name, name)
        if own := name in here.own and runs is not None:
            pictures = own_sweep_path(runs, name).parent
        file = (FILES / f"{name}.yaml").as_posix()
        yield ShownSweep(record, own, pictures, file, judged(experiment, record, name))


def other_sweeps(experiments: Sequence[Shown], runs: Path) -> list[ShownSweep]:
    """The user's own sweeps that belong to none of some experiments, sorted by name.

    Raises:
      UserError: a record is damaged.
    """
    named = {name for each in experiments for name in each.experiment.sweeps}
    paths = [path for path in own_sweep_paths(runs) if path.parent.name not in named]
    return [found for path in paths if (found := _own_sweep(path)) is not None]


def _own_sweep(path: Path) -> ShownSweep | None:
    record = read_sweep_record(path)
    return None if record is None else ShownSweep(record, True, path.parent)


def _entry(row: Judged, record: Record | SweepRecord | None, own: bool) -> ClaimEntry:
    verdict = row.verdict if record else NOT_RUN
    scale = row.scale if record else ""
    claim = row.claim
    return ClaimEntry(
        experiment=row.experiment.name,
        claim=claim.name,
        citation=row.experiment.paper,
        sentence=claim.sentence,
        source=claim.source,
        verdict=verdict.state,
        scale=scale,
        reduced=verdict.known and scale != FULL and scale in row.experiment.scales,
        thin=bool(verdict.thin),
        thin_because=list(verdict.thin),
        contested=claim.contested,
        own=own and record is not None,
        value=verdict.value,
        interval=verdict.interval,
        seeds=verdict.seeds,
        here=verdict.text,
        needed=claim.bar(scale) if scale else "",
        paper=claim.paper,
        public=claim.public,
        cost=None if record is None else cost(record),
    )


def cost(record: Record | SweepRecord) -> Cost:
    """What the runs of a record took."""
    if isinstance(record, SweepRecord):
        runs, seconds = record.runs, sum(row.seconds for row in record.rows)
    else:
        runs, seconds = len(record.runs), sum(run.seconds or 0 for run in record.runs)
    return Cost(runs=runs, seconds=seconds, hardware=record.origins("hardware"))


def short_citation(citation: str) -> str:
    """Authors and year: "Graves 2016: Adaptive ..." is "Graves 2016"; a citation without a year is kept whole.

    What begins with "none" is no paper's.
    """
    if citation.startswith("none"):
        return "no paper"
    found = re.match(r".*?\b(?:19|20)\d\d\b\)?", citation)
    return (found[0] if found else citation).strip()
