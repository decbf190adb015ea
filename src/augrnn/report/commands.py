"""The command `report`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augrnn.errors import UserError
from augrnn.lab.commands import RUNS

OUT = RUNS / "report"


def add_parser(subparsers: Any) -> None:
    """Add the command; it sets `run`, a function of the parsed options that gives the exit status."""
    about = "make pages of all claims, curves and examples that a browser opens from the disk"
    parser = subparsers.add_parser("report", help=about, description=about)
    add = parser.add_argument
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--experiment", metavar="NAME", help="only this one, as `list` shows it (ntm/copy)")
    two = (
        "one page of two things side by side, beside the report: each an experiment's record, EXPERIMENT[@SCALE] "
        "(ntm/copy@small), or the path of a record, of the folder that has it, or of a run's folder; :VARIANT behind a "
        "record takes one of its models (ntm/copy@small:lstm)"
    )
    which.add_argument("--compare", nargs=2, metavar=("A", "B"), help=two)
    add("--out", type=Path, default=OUT, metavar="DIR", help=f"where it is written (default: {OUT})")
    own = f"your own results, shown where nothing is committed (default: {RUNS})"
    add("--runs", type=Path, default=RUNS, metavar="DIR", help=own)
    add("--committed", action="store_true", help="show only what is committed, and none of your own results")
    add("--open", action="store_true", help="open it in a browser")
    parser.set_defaults(run=report)


def report(options: argparse.Namespace) -> int:
    """Write the report, or a comparison, and print where it is.

    Raises:
      UserError: there is no such experiment or record, one is damaged, or a file cannot be written.
    """
    page = _comparison(options) if options.compare else _report(options)
    if options.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    return 0


def _report(options: argparse.Namespace) -> Path:
    from augrnn.lab.places import place_of, places
    from augrnn.report.build import INDEX, remove_old, report_files, write_report
    from augrnn.report.contents import other_sweeps, shown

    only = options.experiment and options.experiment.strip("/")
    found = shown([place_of(only)] if only else places(), None if options.committed else options.runs, only)
    if not found:
        raise UserError("there are no experiments to report on")
    others = [] if options.committed or only else other_sweeps(found, options.runs)
    files = report_files(found, others)
    removed = remove_old(files, options.out)
    written = write_report(files, options.out)
    page = options.out / (found[0].page if only else INDEX)
    _tell(page, written, removed)
    return page


def _comparison(options: argparse.Namespace) -> Path:
    from augrnn.report.build import INDEX, asset_files, write_report
    from augrnn.report.compare_page import comparison
    from augrnn.report.sides import sides

    found = comparison(*sides(options.compare, None if options.committed else options.runs))
    text = found.page(alone=not (options.out / INDEX).is_file())
    written = write_report({found.path: text.encode(), **asset_files()}, options.out)
    page: Path = options.out / found.path
    _tell(page, written)
    return page


def _tell(page: Path, written: Sequence[Path], removed: Sequence[Path] = ()) -> None:
    done = [f"{len(paths)} files {word}" for paths, word in ((written, "written"), (removed, "removed")) if paths]
    print(f"{page}  ({', '.join(done) or 'up to date'})")
