"""The commands `list`, `reproduce`, `check`, `tables` and `figures`."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from augrnn.counts import MOST_JOBS, MOST_SEEDS, count
from augrnn.errors import UserError
from augrnn.lab.experiment import discover, load
from augrnn.lab.places import EXPERIMENTS, names, own_place, packaged, place_of, places
from augrnn.run_folder import LOG

if TYPE_CHECKING:
    from rich.console import Console

    from augrnn.lab.claims_tables import Judged
    from augrnn.lab.experiment import Experiment
    from augrnn.lab.outcome import Outcome

COLOURS = {"reproduced": "green", "partly": "yellow", "not reproduced": "red"}


RUNS = Path("runs")
"""Where results go, in the working directory."""


DrawSweeps = Callable[["Experiment", Path, Path | None, str], list[Path]]
"""Draws the committed sweeps of an experiment again: from the folder of experiments, in a folder or in their own."""


def add_parsers(subparsers: Any, draw_sweeps: DrawSweeps) -> argparse.ArgumentParser:
    """Add the lab's commands; each sets `run`, a function of the parsed options that gives the exit status.

    The functions raise UserError for what the user has to mend, and SystemExit where they are stopped. The parser of
    `reproduce` is given back, for those who know more places to run than this machine.

    Args:
      subparsers: what they are added to.
      draw_sweeps: what draws sweeps for `figures`.
    """
    parser = _add(subparsers, "list", list_experiments, "experiments, claims and verdicts")
    parser.add_argument("experiment", nargs="?", help="only this one, with its numbers")
    reproducing = parser = _add(
        subparsers, "reproduce", reproduce, "train what experiments need, judge their claims and draw their pictures"
    )
    parser.add_argument("experiment", nargs="+", help="its name, as `list` shows it (ntm/copy)")
    parser.add_argument("--scale", default="smoke", help="smoke, small or paper (default: smoke)")
    parser.add_argument(
        "--seeds", type=count("--seeds", MOST_SEEDS), metavar="N", help="another number of seeds than the scale's"
    )
    parser.add_argument(
        "--jobs", type=count("--jobs", MOST_JOBS), metavar="N", help="runs at once (default: as the cores allow)"
    )
    parser.add_argument("--variants", type=_names, metavar="A,B", help="only these variants")
    parser.add_argument("--runs", type=Path, default=RUNS, metavar="DIR", help=f"all results (default: {RUNS})")
    parser.add_argument("--retry", action="store_true", help="start failed runs, and those of other settings, over")
    parser.add_argument("--fresh", action="store_true", help="start all runs over, finished ones too")
    parser.add_argument(
        "--measure-again", action="store_true", help="measure finished runs again, from their last checkpoints"
    )
    parser.add_argument(
        "--record", action="store_true", help="write the committed record and pictures too, for those who keep them"
    )
    parser.add_argument(
        "--extend", action="store_true", help="with --record: keep the runs that are on record, and train what it lacks"
    )
    parser = _add(subparsers, "check", check, "judge the committed records again; exit 1 where a verdict changed")
    parser.add_argument("--json", action="store_true", help="print the verdicts as one JSON list")
    parser = _add(
        subparsers, "tables", tables, "bring the tables of README, docs/claims.md and cards up to date with the records"
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a page would change")
    drawing = partial(figures, draw_sweeps=draw_sweeps)
    parser = _add(subparsers, "figures", drawing, "make the exhibits and pictures of the committed records again")
    parser.add_argument("experiment", nargs="?", help="only this one")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="draw the committed exhibits and sweeps there, and change nothing"
    )
    parser.add_argument("--format", choices=("png", "svg", "pdf"), help="of the pictures in DIR (default: png)")
    return reproducing


def _add(subparsers: Any, name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=words, description=words)
    parser.set_defaults(run=run)
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def list_experiments(options: argparse.Namespace) -> int:
    """Show every experiment with its claims, each with its verdict at the largest scale that has one.

    An experiment without any committed record has the verdicts of the user's own runs.
    """
    if options.experiment:
        place = place_of(options.experiment)
        experiment = load(options.experiment, place)
        _head(experiment)
        show(_rows(experiment, place))
        return 0
    here = Path.cwd() / EXPERIMENTS
    if here.is_dir() and here not in places() and here.resolve() != packaged().resolve():
        _warn(f"{here} has no experiment of augrnn's (<paper>/<finding>/experiment.py that imports it); the package's:")
    broken = 0
    seen: set[str] = set()
    for place in places():
        for name in names(place):
            if name in seen:
                continue
            seen.add(name)
            try:
                experiment = load(name, place)
            except UserError as error:
                broken += 1
                _warn(f"augrnn: error: {error}")
                continue
            _head(experiment)
            for row in _rows(experiment, place):
                _print(f"  {_state(row)}  {_sentence(row)}")
    return 2 if broken else 0


def _rows(experiment: "Experiment", place: Path) -> "list[Judged]":
    from augrnn.lab.claims_tables import strongest, strongest_here

    try:
        return strongest_here(experiment, place, RUNS)
    except UserError as error:  # what is committed can be shown all the same
        rows = strongest(experiment, place)
        _warn(f"augrnn: {error}")
        return rows


def _head(experiment: "Experiment") -> None:
    scales = ", ".join(f"{name} (about {scale.minutes:g} min)" for name, scale in experiment.scales.items())
    _print(f"[bold]{experiment.name}[/bold]  {escape(experiment.title)}; scales: {scales}")


def _state(row: "Judged") -> str:
    state = row.verdict.state
    words = f"{state}, thin" if row.verdict.thin else state
    return f"[{COLOURS.get(state, 'dim')}]{words:20}[/]"


def _sentence(row: "Judged") -> str:
    own = f" (yours, {RUNS}/, scale {row.scale})" if row.own else ""
    return escape(row.claim.sentence + own)


def reproduce(options: argparse.Namespace) -> int:
    """Run experiments one after the other and show their verdicts; 1 where a run broke."""
    from augrnn.lab import runner

    keywords = ("scale", "seeds", "jobs", "variants", "runs", "retry", "fresh", "measure_again", "extend")
    settings = {name: getattr(options, name) for name in keywords}
    for name in options.experiment:  # a misspelt name is told before the first one trains
        load(name, place_of(name)).scale(options.scale)
    status = 0
    for name in options.experiment:
        if getattr(options, "dry_run", False):
            show_plan(name, options)
            continue
        outcome = runner.reproduce(name, console=console(), commit=options.record, **settings)
        status = max(status, show_outcome(outcome))
    return status


def show_plan(name: str, options: argparse.Namespace) -> None:
    """What `reproduce` would do, with nothing done."""
    from augrnn.lab.runner import planned

    request = planned(name, options.scale, options.seeds, options.variants, options.record, options.extend)
    experiment, plan, own = request.experiment, request.plan, request.own(options.runs)
    todo = request.left_to_do(options.runs, options.retry, options.fresh, options.measure_again, dry=True)
    for run in plan:
        state = run.state(options.runs) if run in own else "on record"
        print(f"{run.name}: {state}{', to be done' if run in todo else ''}")
    minutes = experiment.scale(options.scale).minutes
    print(f"{name} at scale {options.scale}: {len(todo)} of {len(plan)} runs to do (the whole scale: {minutes:g} min)")


def show_outcome(outcome: "Outcome") -> int:
    """Show the verdicts that `reproduce` came to, where its pictures are, and what to try next; 1 where a run broke."""
    from augrnn.lab.page import summary

    experiment, scale = outcome.experiment, outcome.scale
    print()
    _print(f"[bold]{experiment.name}[/bold], scale {scale}: {summary(outcome)}")
    show(outcome.rows)
    for run, reason in outcome.crashed.items():
        log = _near(outcome.folder / run.name / LOG)
        print(f"{run} broke: {reason}; the same command resumes it (log: {log})")
    if not outcome.complete:
        print("not the whole scale: runs are missing, or only some variants or seeds were asked for")
    for i, path in enumerate(outcome.pictures):
        print(f"{'pictures' if i == 0 else '':8}  {_near(path)}")
    print(f"page      {_near(outcome.page)}")
    if outcome.committed:
        print(f"record    {_near(outcome.committed)}")
    larger = list(experiment.scales)[list(experiment.scales).index(scale) + 1 :]
    if larger:
        size = experiment.scales[larger[0]]
        command = f"augrnn reproduce {experiment.name} --scale {larger[0]}"
        print(f"next      {command}  ({size.seeds} seed{'s' * (size.seeds != 1)}, about {size.minutes:g} min)")
    return 1 if outcome.crashed else 0


def _near(path: Path) -> Path:
    """A path as seen from the working directory."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def check(options: argparse.Namespace) -> int:
    """Show what changed, or every verdict as JSON; 1 where a verdict changed."""
    from augrnn.lab.check import check as check_records

    found = [check_records(place) for place in places()]
    rows = [row for each in found for row in each.rows]
    changed = [line for each in found for line in each.changed]
    if not rows:
        raise UserError("there are no experiments to check")
    if options.json:
        print(json.dumps([row.content() for row in rows], indent=1, allow_nan=False))
    else:
        for row in rows:
            if row.verdict.known:
                why = escape(", ".join(row.verdict.thin))
                _print(f"{row.experiment.name:28} {row.scale:14} {row.claim.name:38} {_state(row)} {why}".rstrip())
        print(f"{len(rows)} claims and scales checked, {len(changed)} verdicts changed")
    for line in (*(note for each in found for note in each.notes), *changed):
        _warn(line)
    return 1 if changed else 0


def tables(options: argparse.Namespace) -> int:
    """Write the tables, or with --check show how the pages differ from them; 1 where they do."""
    from augrnn.lab.pages import changed, difference, write

    experiments = own_place()
    if not options.check:
        written = write(experiments)
        print("\n".join(f"updated {path}" for path in written) or "all pages are up to date")
        return 0
    pages = changed(experiments)
    for path, text in pages.items():
        print(f"{path} is not up to date: run `augrnn tables`\n{difference(path, text)}")
    return 1 if pages else 0


def figures(options: argparse.Namespace, draw_sweeps: DrawSweeps) -> int:
    """Write what the committed records show; the committed examples of trained models are kept and drawn again.

    With a folder to draw in, draw what is committed there and leave the committed files as they are.
    """
    from augrnn.lab.committed_exhibits import draw_elsewhere, write_again

    if options.format and not options.out:
        raise UserError("--format needs --out DIR: the committed pictures are PNG")
    drawn = place_of(options.experiment) if options.experiment else places()[0]
    experiments = drawn if options.out else own_place()
    chosen = [load(options.experiment, experiments)] if options.experiment else discover(experiments)
    if options.out:
        form = options.format or "png"
        for experiment in chosen:
            drawn_here = draw_elsewhere(experiment, experiments, options.out, form)
            for path in (*drawn_here, *draw_sweeps(experiment, experiments, options.out, form)):
                print(path)
        return 0
    for experiment in chosen:
        for path in write_again(experiment, experiments):
            print(f"{path}, with its pictures")
        for path in draw_sweeps(experiment, experiments, None, "png"):
            print(path)
    return 0


def show(rows: Sequence["Judged"]) -> None:
    """Print each claim with its verdict, and the numbers that decided it."""
    for row in rows:
        _print(f"\n{_state(row)}  {_sentence(row)}")
        texts = {"here": row.verdict.text, "needed": row.claim.bar(row.scale) if row.scale else ""}
        texts["thin"] = ", ".join(row.verdict.thin)
        for head, text in {**texts, "paper": row.claim.paper}.items():
            parts = text.split("; ") if head != "paper" else [text]
            for i, part in enumerate(filter(None, parts)):
                _print(f"  {head if i == 0 else '':12}  {escape(part)}")
    print()


def _print(line: str) -> None:
    console().print(line, highlight=False, soft_wrap=True)


def _warn(line: str) -> None:
    print(line, file=sys.stderr)


def console() -> "Console":
    """Where output goes: a terminal, or lines of 160 columns."""
    from rich.console import Console

    found = Console()
    return found if found.is_terminal else Console(width=160)
