"""The commands `list`, `reproduce`, `check`, `report` and `figures`."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.errors import UserError
from augrnn.lab.experiment import discover, experiments_root, load

if TYPE_CHECKING:
    from rich.console import Console

    from augrnn.lab.claims_tables import Judged
    from augrnn.lab.runner import Outcome

COLOURS = {"reproduced": "green", "partly": "yellow", "not reproduced": "red", "not run": "dim"}


def add_parsers(subparsers: Any) -> argparse.ArgumentParser:
    """Add the lab's commands; each sets `run`, a function of the parsed options that gives the exit status.

    The functions raise UserError for what the user has to mend, and SystemExit where they are stopped. The parser of
    `reproduce` is given back, for those who know more places to run than this machine.
    """
    _add(subparsers, "list", list_experiments, "experiments, claims and verdicts")
    reproducing = parser = _add(
        subparsers, "reproduce", reproduce, "train what an experiment needs, and judge its claims"
    )
    parser.add_argument("experiment", help="its name, as `list` shows it (ntm/copy)")
    parser.add_argument("--scale", default="smoke", help="smoke, small or paper (default: smoke)")
    parser.add_argument("--seeds", type=int, metavar="N", help="another number of seeds than the scale's")
    parser.add_argument("--jobs", type=int, metavar="N", help="runs at once (default: as the cores allow)")
    parser.add_argument("--variants", type=_names, metavar="A,B", help="only these variants")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="run records (default: runs)")
    parser.add_argument("--retry", action="store_true", help="start failed runs, and those of other settings, over")
    parser.add_argument("--fresh", action="store_true", help="start all runs over, finished ones too")
    parser.add_argument(
        "--measure-again", action="store_true", help="measure finished runs again, from their last checkpoints"
    )
    parser = _add(subparsers, "check", check, "judge the committed records again; exit 1 where a verdict changed")
    parser.add_argument("--json", action="store_true", help="print the verdicts as one JSON list")
    parser = _add(subparsers, "report", report, "bring the tables of README and cards up to date with the records")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a page would change")
    parser = _add(subparsers, "figures", figures, "make the exhibits and pictures of the committed records again")
    parser.add_argument("experiment", nargs="?", help="only this one")
    parser.add_argument("--out", type=Path, metavar="DIR", help="draw the committed exhibits there, and change nothing")
    parser.add_argument("--format", choices=("png", "svg", "pdf"), help="of the pictures in DIR (default: png)")
    return reproducing


def _add(subparsers: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=words, description=words)
    parser.set_defaults(run=run)
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def list_experiments(options: argparse.Namespace) -> int:
    """Show every experiment with its claims, each with its verdict at the largest scale that has one."""
    from augrnn.lab.claims_tables import strongest

    experiments = experiments_root()
    for experiment in discover(experiments):
        rows = strongest(experiment, experiments)
        scales = ", ".join(f"{name} (about {scale.minutes:g} min)" for name, scale in experiment.scales.items())
        console().print(f"[bold]{experiment.name}[/bold]  {experiment.title}; scales: {scales}", highlight=False)
        show(rows)
    return 0


def reproduce(options: argparse.Namespace) -> int:
    """Run an experiment and show its verdicts; 1 where a run broke."""
    from augrnn.lab import runner

    names = ("scale", "seeds", "jobs", "variants", "runs", "retry", "fresh", "measure_again")
    settings = {name: getattr(options, name) for name in names}
    outcome = runner.reproduce(options.experiment, console=console(), **settings)
    return show_outcome(outcome, options)


def show_outcome(outcome: "Outcome", options: argparse.Namespace) -> int:
    """Show the verdicts that `reproduce` came to; 1 where a run broke."""
    from augrnn.lab.claims_tables import judged

    show(judged(load(options.experiment, experiments_root()), outcome.record, options.scale))
    for run, reason in outcome.crashed.items():
        print(f"{run} broke: {reason}; the same command resumes it (log: {run.folder(options.runs) / 'log.txt'})")
    kind = "record" if outcome.committed else "partial record (the scale's own plan is not complete)"
    print(f"{kind}: {outcome.path}")
    return 1 if outcome.crashed else 0


def check(options: argparse.Namespace) -> int:
    """Show what changed, or every verdict as JSON; 1 where a verdict changed."""
    import sys

    from augrnn.lab.check import check as check_records

    found = check_records(experiments_root())
    if options.json:
        print(json.dumps([row.content() for row in found.rows], indent=1, allow_nan=False))
    else:
        show([row for row in found.rows if row.verdict.state != "not run"])
        print(f"{len(found.rows)} claims and scales checked, {len(found.changed)} verdicts changed")
    for line in (*found.notes, *found.changed):
        print(line, file=sys.stderr)
    return 1 if found.changed else 0


def report(options: argparse.Namespace) -> int:
    """Write the tables, or with --check show how the pages differ from them; 1 where they do."""
    from augrnn.lab.claims_tables import changed, difference, write

    experiments = experiments_root()
    if not options.check:
        written = write(experiments)
        print("\n".join(f"updated {path}" for path in written) or "all pages are up to date")
        return 0
    pages = changed(experiments)
    for path, text in pages.items():
        print(f"{path} is not up to date: run `augrnn report`\n{difference(path, text)}")
    return 1 if pages else 0


def figures(options: argparse.Namespace) -> int:
    """Write what the committed records show; the committed examples of trained models are kept and drawn again.

    With a folder to draw in, draw what is committed there and leave the committed files as they are.
    """
    from augrnn.lab.committed_exhibits import draw_elsewhere, write_again

    if options.format and not options.out:
        raise UserError("--format needs --out DIR: the committed pictures are PNG")
    experiments = experiments_root()
    chosen = [load(options.experiment, experiments)] if options.experiment else discover(experiments)
    if options.out:
        for experiment in chosen:
            for path in draw_elsewhere(experiment, experiments, options.out, options.format or "png"):
                print(path)
        return 0
    for path in (path for experiment in chosen for path in write_again(experiment, experiments)):
        print(f"{path}, with its pictures")
    return 0


def show(rows: Sequence["Judged"]) -> None:
    """Print claims and verdicts as a table."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for name in ("claim", "verdict", "ours", "the bar", "paper", "best public", "scale"):
        table.add_column(name, overflow="fold")
    for row in rows:
        state = row.verdict.state
        bar = row.claim.bar(row.scale) if row.scale else ""
        texts = [row.verdict.text, bar, row.claim.paper, row.claim.public, row.scale]
        table.add_row(row.claim.name, f"[{COLOURS[state]}]{state}[/]", *map(escape, texts))
    console().print(table)


def console() -> "Console":
    """Where output goes: a terminal, or lines of 160 columns."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal else Console(width=160)
