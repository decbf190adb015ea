"""The command `report`."""

import argparse
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
    add("--experiment", metavar="NAME", help="only this one, as `list` shows it (ntm/copy)")
    add("--out", type=Path, default=OUT, metavar="DIR", help=f"where it is written (default: {OUT})")
    own = f"your own results, shown where nothing is committed (default: {RUNS})"
    add("--runs", type=Path, default=RUNS, metavar="DIR", help=own)
    add("--committed", action="store_true", help="show only what is committed, and none of your own results")
    add("--open", action="store_true", help="open it in a browser")
    parser.set_defaults(run=report)


def report(options: argparse.Namespace) -> int:
    """Write the report and print where it is.

    Raises:
      UserError: there is no such experiment, a record is damaged, or a file cannot be written.
    """
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
    done = [f"{len(paths)} files {word}" for paths, word in ((written, "written"), (removed, "removed")) if paths]
    print(f"{page}  ({', '.join(done) or 'up to date'})")
    if options.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    return 0
