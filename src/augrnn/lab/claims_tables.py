"""Tables of claims and verdicts: for the terminal, for docs/claims.md and for the experiments' cards.

All of them are made from the committed records alone, so that what is published can be made again without a run.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from augrnn.errors import UserError
from augrnn.lab import statistics
from augrnn.lab.claims import STATES, Claim, Verdict
from augrnn.lab.committed_record import Record, Traced, own_path, read_record, results_path
from augrnn.lab.committed_sweep import SweepRecord, committed_sweeps, own_sweep_path, read_sweep_record
from augrnn.lab.experiment import Experiment
from augrnn.lab.results import RunRecord

NOT_RUN = Verdict("not run", text="not run")

OUTDATED = "the runs on record do not give it now"
"""Why a verdict is thin that is not the one which today's claim has from the runs on record."""


R = TypeVar("R", Record, SweepRecord)


@dataclass(frozen=True)
class Judged:
    """A claim at a scale, with its verdict as a record keeps it.

    Attributes:
      scale: its name; of a claim that a sweep judges the name of that.
      own: whether that record is one of the user's runs, and not a committed one.
    """

    experiment: Experiment
    claim: Claim
    scale: str
    verdict: Verdict
    own: bool = False

    def content(self) -> dict[str, Any]:
        """What `check --json` prints."""
        kept = {name: value for name, value in self.verdict.content(self.claim.name).items() if name != "text"}
        place = {"experiment": self.experiment.name, "claim": self.claim.name, "scale": self.scale}
        evidence = {"thin": bool(self.verdict.thin), "thin_because": list(self.verdict.thin)}
        return {**place, **kept, **evidence, "paper": self.claim.paper, "public": self.claim.public}


def committed(experiment: Experiment, experiments: Path) -> dict[str, Record]:
    """The committed records of an experiment, by scale, from the smallest scale to the largest.

    Their verdicts are those on record, with why they are thin.
    """
    return _marked(experiment, as_committed(experiment, experiments))


def as_committed(experiment: Experiment, experiments: Path) -> dict[str, Record]:
    """The same as the files have them: nothing is judged again, and no verdict says why it is thin."""
    return _read({scale: results_path(experiments, experiment.name, scale) for scale in experiment.scales})


def _read(paths: Mapping[str, Path]) -> dict[str, Record]:
    found = {scale: read_record(path) for scale, path in paths.items()}
    return {scale: record for scale, record in found.items() if record is not None}


def marked_sweeps(experiment: Experiment, experiments: Path) -> dict[str, SweepRecord]:
    """The committed records of an experiment's sweeps, as `committed` has those of its scales."""
    return _marked(experiment, committed_sweeps(experiment, experiments))


def _marked(experiment: Experiment, records: Mapping[str, R]) -> dict[str, R]:
    return {place: with_marks(experiment, record) for place, record in records.items()}


def with_marks(experiment: Experiment, record: R) -> R:
    """A record whose verdicts say why they are thin."""
    marked = dict(record.verdicts)
    for claim in experiment.claims_at(record.scale):
        verdict = marked.get(claim.name, NOT_RUN)
        if verdict.known:
            marked[claim.name] = replace(verdict, thin=_why_thin(claim, record, verdict))
    return replace(record, verdicts=marked)


def _why_thin(claim: Claim, record: Record | SweepRecord, verdict: Verdict) -> tuple[str, ...]:
    try:
        now = claim.judge(record.results)
    except (UserError, ArithmeticError, LookupError, TypeError, ValueError):  # it asks for more than the record has
        return (OUTDATED,)
    return now.thin if now.state == verdict.state else (OUTDATED,)


def judged(experiment: Experiment, record: Record | SweepRecord | None, scale: str) -> list[Judged]:
    """Every claim of a scale or sweep with its verdict in a record ("not run" where that has none)."""
    stored = record.verdicts if record else {}
    return [Judged(experiment, claim, scale, stored.get(claim.name, NOT_RUN)) for claim in experiment.claims_at(scale)]


def strongest(experiment: Experiment, experiments: Path) -> list[Judged]:
    """Every claim at the largest scale that has a verdict on it, or at its sweep; at the largest where none has."""
    return strongest_of(experiment, records_of(experiment, experiments, None).every)


def own_records(experiment: Experiment, runs: Path) -> dict[str, Record]:
    """The records in the folder of the user's runs, as `committed` has the committed ones.

    Raises:
      UserError: a record there is damaged, or of another version.
    """
    return _marked(experiment, _read({scale: own_path(runs, experiment.name, scale) for scale in experiment.scales}))


@dataclass(frozen=True)
class Records:
    """What there is of an experiment's records.

    Attributes:
      records: of its scales, by name: the committed ones, or where there is none the user's own.
      sweeps: of its sweeps, by name: each the committed one, or where there is none the user's own.
      own: the names of those scales and sweeps whose records are the user's own.
    """

    records: Mapping[str, Record]
    sweeps: Mapping[str, SweepRecord]
    own: frozenset[str]

    @property
    def every(self) -> Mapping[str, Record | SweepRecord]:
        """All of them, from the smallest scale to the largest, and then the sweeps."""
        return {**self.records, **self.sweeps}


def records_of(experiment: Experiment, experiments: Path, runs: Path | None) -> Records:
    """The records of an experiment: what is committed goes before the user's own, for its scales and for each sweep.

    Args:
      experiment: the experiment.
      experiments: the folder of all experiments.
      runs: the folder of the user's runs; None for none.

    Raises:
      UserError: a record is damaged, or of another version.
    """
    records, sweeps = committed(experiment, experiments), marked_sweeps(experiment, experiments)
    if runs is None:
        return Records(records, sweeps, frozenset())
    mine = own_records(experiment, runs) if not records else {}
    paths = {name: own_sweep_path(runs, name) for name in experiment.sweeps if name not in sweeps}
    read = {name: record for name, path in paths.items() if (record := read_sweep_record(path)) is not None}
    own = frozenset({*mine, *read})
    return Records({**records, **mine}, {**sweeps, **_marked(experiment, read)}, own)


def strongest_here(experiment: Experiment, experiments: Path, runs: Path) -> list[Judged]:
    """The same as `strongest`, with the records of the user's runs where none is committed.

    Of the user's own records the claims alone that those have judged.

    Raises:
      UserError: a record is damaged, or of another version.
    """
    here = records_of(experiment, experiments, runs)
    rows = [replace(row, own=row.scale in here.own) for row in strongest_of(experiment, here.every)]
    return [
        row if row.verdict.known or not row.own else replace(row, own=False, verdict=NOT_RUN, scale="") for row in rows
    ]


def strongest_of(experiment: Experiment, records: Mapping[str, Record | SweepRecord]) -> list[Judged]:
    """The same of some records, by scale from the smallest to the largest, and by sweep."""
    rows = {}
    for scale, record in records.items():
        for row in judged(experiment, record, scale):
            if row.verdict.known or row.claim.name not in rows:
                rows[row.claim.name] = row
    return [rows.get(claim.name, Judged(experiment, claim, "", NOT_RUN)) for claim in experiment.claims]


def counted(rows: Sequence[Judged]) -> str:
    """How many claims have which verdict, in words: "3 claims: 2 reproduced (1 thin), 1 partly"."""
    counts = Counter(row.verdict.state for row in rows)
    thin = Counter(row.verdict.state for row in rows if row.verdict.thin)
    states = [f"{counts[state]} {state}{of_them(thin[state])}" for state in reversed(STATES) if counts[state]]
    return f"{len(rows)} claim{'s' * (len(rows) != 1)}: " + (", ".join(states) or "none judged")


def of_them(thin: int) -> str:
    """How many of some verdicts are thin, as words behind their number; none where none is."""
    return f" ({thin} thin)" if thin else ""


def marked(verdict: Verdict) -> str:
    """Markdown: a verdict's state, with its mark."""
    return f"**{verdict.state}**" + (f", {verdict.mark}" if verdict.thin else "")


# docs/claims.md


def claims_tables(found: Sequence[Experiment], experiments: Path) -> str:
    """Markdown: every claim of every experiment with its verdict, a section for each experiment."""
    head = ["claim", "verdict", "here", "needed", "in the paper", "best public", "scale"]
    sections = []
    for experiment in found:
        rows = strongest(experiment, experiments)
        link = f"[{experiment.name}](../{experiments.name}/{experiment.name}/README.md)"
        lines = [[row.claim.sentence, *_judgement(row), row.claim.paper, row.claim.public, row.scale] for row in rows]
        sections.append(f"## {link}\n\n{experiment.title}. {counted(rows)}.\n\n{markdown(head, lines)}")
    return "\n\n".join(sections)


def _judgement(row: Judged) -> list[str]:
    return [marked(row.verdict), row.verdict.text, row.claim.bar(row.scale) if row.scale else ""]


# The cards


def results_tables(experiment: Experiment, experiments: Path) -> str:
    """Markdown: an experiment's claims at each scale that has a record, and what the runs cost."""
    found = committed(experiment, experiments)
    if not found:
        return "No record yet."
    parts = [_scale_tables(experiment, scale, record) for scale, record in reversed(found.items())]
    return "\n\n".join(parts)


def _scale_tables(experiment: Experiment, scale: str, record: Record) -> str:
    return f"### Scale: {scale}\n\n{claims_table(experiment, record)}\n\n{costs_table(record)}\n\n{origin(record)}"


def claims_table(experiment: Experiment, record: Record | SweepRecord) -> str:
    """Markdown: every claim that a record is about, with its verdict."""
    here = f"here, {record.scale}"
    head = ["claim", "the paper says", "where", "verdict", here, "needed", "in the paper", "best public"]
    lines = []
    for row in judged(experiment, record, record.scale):
        claim = row.claim
        lines.append([claim.name, claim.sentence, claim.source, *_judgement(row), claim.paper, claim.public])
    return markdown(head, lines)


def costs_table(record: Record) -> str:
    """Markdown: what each variant's runs took (medians over seeds)."""
    results = record.results
    lines = []
    for variant, seeds in results.planned.items():
        runs = results[variant]
        columns = [[getattr(run, name) for run in runs] for name in ("parameters", "sequences", "updates", "seconds")]
        middles = [_middle(values) for values in columns]
        kept = record.variants[variant]
        made_of = f"ensemble of {kept['ensemble_of']}" if "ensemble_of" in kept else f"`{kept['config']}`"
        lines.append([variant, made_of, ended(runs, seeds), *middles])
    return markdown(["variant", "config", "runs", "parameters", "sequences", "updates", "seconds a run"], lines)


def _middle(values: Sequence[float | None]) -> str:
    present = [value for value in values if value is not None]
    return f"{statistics.median(present):,.0f}" if present else ""


def ended(runs: Sequence[RunRecord], planned: int) -> str:
    """How many of the planned runs of a variant have ended, and how many of these failed, in words."""
    failed = sum(run.status == "failed" for run in runs)
    return f"{len(runs)} of {planned}" + (f", {failed} failed" if failed else "")


def origin(record: Traced) -> str:
    """A line: where a record came from."""
    texts = {key: ", ".join(record.origins(key)) for key in ("hardware", "threads", "commit", "python")}
    versions = record.provenance["versions"]
    torch = ", ".join(sorted({each["torch"] for each in versions if "torch" in each}))
    parts = [f"Hardware: {texts['hardware']}", f"threads a run: {texts['threads']}", f"commit: {texts['commit']}"]
    return "; ".join([*parts, f"Python {texts['python']}", *([f"torch {torch}"] if torch else [])]) + "."


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
