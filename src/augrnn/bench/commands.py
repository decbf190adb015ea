"""The command `bench`."""

import argparse
import json
import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

from augrnn.counts import count
from augrnn.errors import UserError

TURNS = 5
"""How often both commits are measured where nothing else is asked for."""


def add_parser(subparsers: Any) -> None:
    """Add `bench`; it sets `run`, a function of the parsed options that gives the exit status."""
    about = (
        "throughput of training, beside torch's own layers of the same size, a plain loop and a busy process, and of "
        "beam search; time to the first update, and memory"
    )
    parser = subparsers.add_parser("bench", help=about, description=about)
    parser.add_argument("--json", action="store_true", help="print the rows as one JSON list")
    parser.add_argument(
        "--seconds", type=_time, default=3.0, metavar="S", help="how long each figure is measured (default: 3)"
    )
    parser.add_argument("--against", metavar="COMMIT", help="measure an older commit in turns with the code as it is")
    parser.add_argument(
        "--turns", type=count("--turns", 1000), default=TURNS, metavar="N", help=f"with --against (default: {TURNS})"
    )
    parser.add_argument(
        "--parts", action="store_true", help="where the time of an update goes, as the table of docs/speed.md"
    )
    parser.set_defaults(run=bench)


def _time(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise UserError(f"each figure is measured for some seconds: a number above 0, not {text!r}")
    return seconds


def bench(options: argparse.Namespace) -> int:
    """Measure, and print a table or JSON."""
    if options.parts and options.against:
        raise UserError("--parts takes the code as it is apart: leave --against out")
    if options.parts:
        from augrnn.bench.parts import parts, tables

        taken = list(parts(options.seconds))
        print(json.dumps([part._asdict() for part in taken], indent=1) if options.json else tables(taken))
        return 0
    found = _against(options) if options.against else _alone(options)
    rows = []
    for row, line in found:
        rows.append(row)
        if not options.json:
            print(line, flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))
    return 0


def _alone(options: argparse.Namespace) -> Iterator[tuple[dict[str, Any], str]]:
    from augrnn.bench import speeds
    from augrnn.bench.conditions import condition_rows

    for row in chain(speeds(options.seconds), condition_rows(options.seconds)):
        beside = ""
        if row.reference is not None:
            beside = f"({_beside(row)}: {_number(row.reference)})"
        yield row._asdict(), f"{_named(row)}: {_number(row.value)} {row.unit} {beside}".rstrip()


def _beside(row: Any) -> str:
    if row.unit == "s":
        return "compiled before"
    if row.unit == "pictures/s":
        return "the network alone"
    if row.unit == "inputs/s":
        if "longer" in row.name:
            return "halted samples stay"
        return "the cell alone" if "Repeat" in row.name else "Repeat"
    if row.unit == "questions/s":
        return "torch's LSTM on the words alone"
    return "idle" if "busy" in row.name else "torch's layers"


def _against(options: argparse.Namespace) -> Iterator[tuple[dict[str, Any], str]]:
    from augrnn.bench.against import ratios

    for row in ratios(options.against, options.seconds, options.turns):
        figures = f"{_number(row.before)} -> {_number(row.now)} {row.unit}"
        yield row._asdict(), f"{_named(row)}: {figures}, {row.ratio:.2f} times [{row.least:.2f}, {row.most:.2f}]"


def _number(value: float) -> str:
    return f"{value:9,.0f}" if value >= 100 else f"{value:9.2f}"


def _named(row: Any) -> str:
    return f"{row.name:64} {row.device:16} batch {row.batch:3}"
