"""The command `report`."""

import argparse
import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.errors import UserError
from augrnn.files import explained, replacing
from augrnn.lab.commands import RUNS

if TYPE_CHECKING:
    from augrnn.report.print_page import Chapter

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
    pdf = "print all of it to one PDF as well, by a browser of this machine (default: beside the page)"
    add("--pdf", nargs="?", const=True, type=Path, metavar="FILE", help=pdf)
    add("--open", action="store_true", help="open it in a browser")
    parser.set_defaults(run=report)


def report(options: argparse.Namespace) -> int:
    """Write the report, or a comparison, and print where it is.

    Raises:
      UserError: there is no such experiment or record, one is damaged, a file cannot be written, or there is no browser
        to print with.
    """
    from augrnn.report.browser import browser

    if isinstance(options.pdf, Path) and options.pdf.is_dir():
        raise UserError(f"--pdf needs the name of a file, and {options.pdf} is a folder")
    program = browser() if options.pdf else ""
    page = _comparison(options, program) if options.compare else _report(options, program)
    if options.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    return 0


def _report(options: argparse.Namespace, program: str) -> Path:
    from augrnn.lab.places import place_of, places
    from augrnn.report.build import INDEX, pictures, remove_old, report_files, write_report
    from augrnn.report.contents import other_sweeps, shown
    from augrnn.report.print_page import chapters

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
    if program:
        title, parts = chapters(found, first_page=not only)
        default = page.with_suffix(".pdf") if only else options.out / "report.pdf"
        _print(options, program, title, parts, pictures(found), default)
    return page


def _comparison(options: argparse.Namespace, program: str) -> Path:
    from augrnn.report.build import INDEX, asset_files, write_report
    from augrnn.report.compare_page import comparison
    from augrnn.report.print_page import Chapter
    from augrnn.report.sides import sides

    found = comparison(*sides(options.compare, None if options.committed else options.runs))
    text = found.page(alone=not (options.out / INDEX).is_file())
    written = write_report({found.path: text.encode(), **asset_files()}, options.out)
    page: Path = options.out / found.path
    _tell(page, written)
    if program:
        parts = [Chapter("", found.body, found.charts)]
        _print(options, program, found.title, parts, {}, page.with_suffix(".pdf"))
    return page


def _tell(page: Path, written: Sequence[Path], removed: Sequence[Path] = ()) -> None:
    done = [f"{len(paths)} files {word}" for paths, word in ((written, "written"), (removed, "removed")) if paths]
    print(f"{page}  ({', '.join(done) or 'up to date'})")


def _print(
    options: argparse.Namespace,
    program: str,
    title: str,
    parts: "Sequence[Chapter]",
    pictures: Mapping[str, bytes],
    default: Path,
) -> None:
    """Print parts of a report to a PDF, by a page that is taken away again."""
    from augrnn.report.browser import printed
    from augrnn.report.build import asset_files, write_report
    from augrnn.report.print_page import print_page

    target = default if options.pdf is True else options.pdf
    page = "pages/print.html"
    with _beside(options.out) as folder:
        write_report({page: print_page(title, parts).encode(), **asset_files(), **pictures}, folder)
        content = printed(folder / page, program)
    with replacing(target) as file:
        file.write(content)
    print(target)


@contextlib.contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder for a while in that of the report: a browser in a sandbox, such as Ubuntu's, sees no /tmp."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="print-", dir=out)
    except OSError as error:
        raise UserError(f"cannot write in {out}: {explained(error)}") from error
    with folder as name:
        yield Path(name)
