"""What cards and the report tell of a sweep on record, in words and tables."""

from pathlib import Path

from augrnn.lab.claims_tables import claims_table, markdown, marked_sweeps, origin
from augrnn.lab.committed_sweep import FILES, PICTURES, Row, SweepRecord, importance_told, value_columns
from augrnn.lab.experiment import Experiment
from augrnn.lab.progress import duration
from augrnn.option_names import shortened

BEST = 10
"""Points that a table shows."""


def sweep_sections(experiment: Experiment, experiments: Path) -> list[str]:
    """Markdown: a section for each sweep of an experiment that is on record."""
    return [_section(experiment, record) for record in marked_sweeps(experiment, experiments).values()]


def _section(experiment: Experiment, record: SweepRecord) -> str:
    folder = f"figures/sweeps/{record.sweep}"
    links = [f"[{name.removesuffix('.png').replace('_', ' ')}]({folder}/{name})" for name in PICTURES]
    importance = importance_told(record.rows, record.importance)
    parts = [
        f"### Sweep: {record.sweep}",
        f"`{(FILES / record.sweep).as_posix()}.yaml`, {told(record)}",
        *([claims_table(experiment, record)] if record.verdicts else []),
        markdown(*best_points(record)),
        *(
            [f"{importance[0][:1].upper()}{importance[0][1:]}", "\n".join(f"- {line}" for line in importance[1:])]
            if importance
            else []
        ),
        f"Pictures: {', '.join(links)}.",
        origin(record),
    ]
    return "\n\n".join(parts)


def told(record: SweepRecord) -> str:
    """What was searched, for what, and how much of it there is: "grid: val/wrong_bits, minimized; 9 points, ..."."""
    special = {
        "with a failed seed": sum(row.failed for row in record.rows),
        "ended early": sum(row.pruned for row in record.rows),
        "not trained": sum(not row.found for row in record.rows),
    }
    words = ", ".join(f"{count:,} {what}" for what, count in special.items() if count)
    counted = f"{len(record.rows):,} points{f' ({words})' if words else ''}, {record.runs:,} runs"
    seconds = duration(sum(row.seconds for row in record.rows))
    return f"{record.method}: {record.metric}, {record.goal}d; {counted}; {seconds} of training."


def best_points(record: SweepRecord, most: int = BEST) -> tuple[list[str], list[list[str]]]:
    """A table of the best points that have a seed: its head and its rows."""
    texts = value_columns(record)
    head = [*shortened(record.varied).values(), f"{record.metric}, mean", "median", "least to most", "seeds"]
    shown = [(number, row) for number, row in enumerate(record.rows) if row.found][:most]
    return head, [[*(each[number] for each in texts.values()), *_numbers(row)] for number, row in shown]


def _numbers(row: Row) -> list[str]:
    known = [value for value in row.found.values() if value is not None]
    spread = f"{min(known):.4g} to {max(known):.4g}" if known else ""
    failed = len(row.found) - len(known)
    seeds = f"{len(row.found)} of {row.planned}" + (f", {failed} failed" if failed else "")
    return [_short(row.mean), _short(row.median), spread, seeds + (", ended early" if row.pruned else "")]


def _short(value: float | None) -> str:
    return "failed" if value is None else f"{value:.4g}"
