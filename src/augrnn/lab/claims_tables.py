"""Tables of claims and verdicts: for the terminal, for the README and for the experiments' cards.

All of them are made from the committed records alone, so that what is published can be made again without a run.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augrnn import files
from augrnn.errors import UserError
from augrnn.lab import committed_record, statistics
from augrnn.lab.claims import Claim, Verdict
from augrnn.lab.committed_record import Record
from augrnn.lab.experiment import Experiment, discover

CLAIMS, RESULTS = "claims", "results"
"""The names in the marks `<!-- claims:begin -->` (README) and `<!-- results:begin -->` (cards)."""

NOT_RUN = Verdict("not run", text="not run")


@dataclass(frozen=True)
class Judged:
    """A claim at a scale, with its verdict as the committed record keeps it."""

    experiment: Experiment
    claim: Claim
    scale: str
    verdict: Verdict

    def content(self) -> dict[str, Any]:
        """What `check --json` prints."""
        kept = {name: value for name, value in self.verdict.content(self.claim.name).items() if name != "text"}
        place = {"experiment": self.experiment.name, "claim": self.claim.name, "scale": self.scale}
        return {**place, **kept, "paper": self.claim.paper, "public": self.claim.public}


def committed(experiment: Experiment, experiments: Path) -> dict[str, Record]:
    """The committed records of an experiment, by scale, from the smallest scale to the largest."""
    found = {scale: committed_record.read_record(experiments, experiment.name, scale) for scale in experiment.scales}
    return {scale: record for scale, record in found.items() if record is not None}


def judged(experiment: Experiment, record: Record | None, scale: str) -> list[Judged]:
    """Every claim of an experiment with its verdict in a record ("not run" where that has none)."""
    stored = record.verdicts if record else {}
    return [Judged(experiment, claim, scale, stored.get(claim.name, NOT_RUN)) for claim in experiment.claims]


def strongest(experiment: Experiment, experiments: Path) -> list[Judged]:
    """Every claim at the largest scale that has a verdict on it; at the largest of all where none has."""
    rows = {}
    for scale, record in committed(experiment, experiments).items():
        for row in judged(experiment, record, scale):
            if row.verdict.state != "not run" or row.claim.name not in rows:
                rows[row.claim.name] = row
    return [rows.get(claim.name, Judged(experiment, claim, "", NOT_RUN)) for claim in experiment.claims]


# The README


def claims_table(experiments: Path) -> str:
    """Markdown: every claim of every experiment with its verdict."""
    head = ["experiment", "claim", "verdict", "ours", "the bar", "paper", "best public", "scale"]
    lines = []
    for experiment in discover(experiments):
        link = f"[{experiment.name}]({experiments.name}/{experiment.name}/README.md)"
        for row in strongest(experiment, experiments):
            bar = row.claim.bar(row.scale) if row.scale else ""
            ours = row.verdict.text
            texts = [row.claim.sentence, f"**{row.verdict.state}**", ours, bar, row.claim.paper, row.claim.public]
            lines.append([link, *texts, row.scale])
    return markdown(head, lines)


# The cards


def results_tables(experiment: Experiment, experiments: Path) -> str:
    """Markdown: an experiment's claims at each scale that has a record, and what the runs cost."""
    found = committed(experiment, experiments)
    if not found:
        return "No record yet."
    parts = [_scale_tables(experiment, scale, record) for scale, record in reversed(found.items())]
    return "\n\n".join(parts)


def _scale_tables(experiment: Experiment, scale: str, record: Record) -> str:
    lines = []
    for row in judged(experiment, record, scale):
        claim, verdict = row.claim, row.verdict
        texts = [claim.name, claim.sentence, claim.source, claim.paper, claim.public, verdict.text]
        lines.append([*texts, claim.bar(scale), f"**{verdict.state}**"])
    head = ["claim", "the paper says", "where", "paper", "best public", f"ours, {scale}", "the bar", "verdict"]
    return f"### Scale: {scale}\n\n{markdown(head, lines)}\n\n{costs_table(record)}\n\n{_origin(record)}"


def costs_table(record: Record) -> str:
    """Markdown: what each variant's runs took (medians over seeds)."""
    results = record.results
    lines = []
    for variant, seeds in results.planned.items():
        runs = results[variant]
        failed = sum(run.status == "failed" for run in runs)
        columns = [[getattr(run, name) for run in runs] for name in ("parameters", "sequences", "updates", "seconds")]
        middles = [_middle(values) for values in columns]
        count = f"{len(runs)} of {seeds}" + (f", {failed} failed" if failed else "")
        lines.append([variant, f"`{record.variants[variant]['config']}`", count, *middles])
    return markdown(["variant", "config", "runs", "parameters", "sequences", "updates", "seconds a run"], lines)


def _middle(values: Sequence[float | None]) -> str:
    present = [value for value in values if value is not None]
    return f"{statistics.median(present):,.0f}" if present else ""


def _origin(record: Record) -> str:
    origin = record.provenance
    texts = {key: ", ".join(str(value) for value in origin[key] if value is not None) for key in origin}
    torch = ", ".join(sorted({versions["torch"] for versions in origin["versions"] if "torch" in versions}))
    parts = [f"Hardware: {texts['hardware']}", f"threads a run: {texts['threads']}", f"commit: {texts['commit']}"]
    return "; ".join([*parts, f"Python {texts['python']}", *([f"torch {torch}"] if torch else [])]) + "."


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


# Between the marks


def pages(experiments: Path) -> dict[Path, str]:
    """The README and all cards as they should be.

    Raises:
      UserError: a page or its marks are missing.
    """
    wanted = {experiments.parent / "README.md": (CLAIMS, claims_table(experiments))}
    for experiment in discover(experiments):
        wanted[experiments / experiment.name / "README.md"] = (RESULTS, results_tables(experiment, experiments))
    return {path: _filled(path, mark, text) for path, (mark, text) in wanted.items()}


def _filled(path: Path, mark: str, text: str) -> str:
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    if not path.exists():
        raise UserError(f"{path} is missing; write it, with the lines {begin} and {end} where its table goes")
    page = path.read_text(encoding="utf-8")
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise UserError(f"{path} needs the line {begin} once and, after it, {end} once, where its table goes")
    return re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n\n{text}\n\n{end}", page, flags=re.DOTALL)


def changed(experiments: Path) -> dict[Path, str]:
    """The pages that are not as they should be, each with how they should be."""
    return {path: text for path, text in pages(experiments).items() if path.read_text(encoding="utf-8") != text}


def write(experiments: Path) -> list[Path]:
    """Bring the README and the cards up to date with the committed records; the pages that changed."""
    updates = changed(experiments)
    for path, text in updates.items():
        with files.replacing(path) as file:
            file.write(text.encode())
    return list(updates)


def difference(path: Path, text: str) -> str:
    """How a page differs from how it should be, as a unified diff."""
    lines = path.read_text(encoding="utf-8").splitlines(), text.splitlines()
    return "\n".join(difflib.unified_diff(*lines, "as it is", "as it should be", lineterm="", n=0))
