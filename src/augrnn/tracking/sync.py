"""Sending offline runs to W&B's server: those that have ended, and not those at work.

`wandb sync` sends what a run at work has written so far, closes it as crashed on the server, and when it is called
again appends the whole of it once more.
"""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from augrnn.errors import UserError
from augrnn.files import held
from augrnn.tracking.wandb_server import signed_in

AT_ONCE = 500
"""Legs that one call of `wandb sync` is given."""


def add_parser(subparsers: Any) -> None:
    """Add `sync`; it sets `run`, a function of the parsed options that gives the exit status."""
    about = "send offline runs that have ended to W&B"
    parser = subparsers.add_parser("sync", help=about, description=about)
    words = "folders of runs, or folders with such folders in them (default: runs)"
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUNS", help=words)
    parser.set_defaults(run=sync)


def sync(options: argparse.Namespace) -> int:
    """Send what has ended and was not sent yet, and name what is at work; 1 where something could not be sent whole.

    Raises:
      UserError: a folder is missing, or there is no server, or no key that it takes.
    """
    legs = unsent(options.runs or [Path("runs")])
    opened = set(_open_files())
    live = {run_of(leg) for leg in legs if held(run_of(leg)) or opened.intersection(map(os.path.realpath, _logs(leg)))}
    partly = [leg for leg in legs if run_of(leg) not in live and _begun(leg)]
    ended = [leg for leg in legs if run_of(leg) not in live and leg not in partly]
    if ended:
        signed_in()
    for start in range(0, len(ended), AT_ONCE):
        _send(ended[start : start + AT_ONCE])
    left = [leg for leg in ended if not _sent(leg)]
    for run in sorted(live):
        print(f"{run} is still at work: not sent; say it again when it has ended")
    for leg in partly:
        print(f"{leg} was sent in part before; sent again, its rows would be there twice")
    for leg in left:
        told = "sent as far as its log is whole" if _begun(leg) else "not sent, as W&B says above"
        print(f"{leg}: {told}", file=sys.stderr)
    print(f"{len(ended) - len(left)} of {len(legs)} offline runs sent")
    return 1 if left else 0


def unsent(places: Sequence[Path]) -> list[Path]:
    """W&B's folders of the offline runs in some places that were not sent yet, one for each leg, in order of time."""
    for place in places:
        if not place.is_dir():
            raise UserError(f"there is no folder {place}")
    found = {leg.resolve(): leg for place in places for leg in place.rglob("offline-run-*") if leg.is_dir()}
    return sorted((leg for leg in found.values() if _logs(leg) and not _sent(leg)), key=lambda leg: leg.name)


def run_of(leg: Path) -> Path:
    """The folder of the run that a leg is of."""
    return leg.parents[1]


def _logs(leg: Path) -> list[Path]:
    return list(leg.glob("run-*.wandb"))


def _sent(leg: Path) -> bool:
    return all(log.with_suffix(".wandb.synced").exists() for log in _logs(leg))


def _begun(leg: Path) -> bool:
    """Whether W&B has begun to send a leg, and not ended."""
    return not _sent(leg) and any(log.with_suffix(".wandb.syncstate").exists() for log in _logs(leg))


def _open_files() -> Iterator[str]:
    """The files that processes of this machine have open, as far as we may know."""
    for process in Path("/proc").glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):
            for link in os.scandir(process):
                with contextlib.suppress(OSError):
                    yield os.readlink(link)


def _send(legs: Sequence[Path]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "WANDB_MODE"}
    command = [sys.executable, "-m", "wandb", "sync", *(str(leg.resolve()) for leg in legs)]
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
