"""The command `bench`."""

import argparse
import json
import math
from collections.abc import Iterator
from typing import Any

from augrnn.counts import count
from augrnn.errors import UserError

TURNS = 5
"""How often both commits are measured where nothing else is asked for."""


def add_parser(subparsers: Any) -> None:
    """Add `bench`; it sets `run`, a function of the parsed options that gives the exit status."""
    about = "throughput of training, beside torch's own layers of the same size and a plain loop, and of beam search"
    parser = subparsers.add_parser("bench", help=about, description=about)
    parser.add_argument("--json", action="store_true", help="print the rows as one JSON list")
    parser.add_argument(
        "--seconds", type=_time, default=4.0, metavar="S", help="how long each figure is measured (default: 4)"
    )
    parser.add_argument("--against", metavar="COMMIT", help="measure an older commit in turns with the code as it is")
    parser.add_argument(
        "--turns", type=count("--turns", 1000), default=TURNS, metavar="N", help=f"with --against (default: {TURNS})"
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
    """Measure throughput, and print a table or JSON."""
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

    for speed in speeds(options.seconds):
        ours = f"{speed.per_second:9,.0f} {speed.unit} a second"
        torchs = "" if speed.reference_per_second is None else f"(torch's layers: {speed.reference_per_second:9,.0f})"
        yield speed._asdict(), f"{_named(speed)}: {ours} {torchs}".rstrip()


def _against(options: argparse.Namespace) -> Iterator[tuple[dict[str, Any], str]]:
    from augrnn.bench.against import ratios

    for row in ratios(options.against, options.seconds, options.turns):
        figures = f"{row.before:9,.0f} -> {row.now:9,.0f} {row.unit} a second"
        yield row._asdict(), f"{_named(row)}: {figures}, {row.ratio:.2f} times [{row.least:.2f}, {row.most:.2f}]"


def _named(row: Any) -> str:
    return f"{row.name:52} {row.device:20} batch {row.batch:3}"
