"""The command `dashboard`."""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.errors import UserError

if TYPE_CHECKING:
    from augrnn.dashboard.shown import Shown, SweepPanel


def add_parser(subparsers: Any, sweeps: Callable[[], Sequence["SweepPanel"]] = tuple) -> None:
    """Add the command; it sets `run`, a function of the parsed options that gives the exit status.

    Args:
      subparsers: where to add it.
      sweeps: gives the sweeps that the dashboard shows; asked only when the command runs.
    """
    about = "build the W&B workspace and report from the experiments and their records"
    parser = subparsers.add_parser("dashboard", help=about, description=about)
    add = parser.add_argument
    add("--entity", metavar="E", help="whose project it is (default: as W&B is set up)")
    add("--project", default="augrnn", metavar="P", help="the W&B project (default: augrnn)")
    add("--scale", metavar="S", help="show the runs of this scale (default: the largest one that is on record)")
    add("--cards", metavar="URL", help="the address of the folder `experiments` on the web, for links to the cards")
    out = "where workspace.json and report.json are written (default: runs/dashboard)"
    add("--out", type=Path, default=Path("runs/dashboard"), metavar="DIR", help=out)
    add("--save", action="store_true", help="write no files, but save both on the W&B server")
    parser.set_defaults(run=partial(dashboard, sweeps=sweeps))


def dashboard(options: argparse.Namespace, sweeps: Callable[[], Sequence["SweepPanel"]] = tuple) -> int:
    """Write the compiled views, or save them on the server and print their addresses.

    Raises:
      UserError: the user has to mend something, on this side or on the server.
    """
    from augrnn.dashboard.shown import experiments_shown
    from augrnn.lab.places import places

    shown = experiments_shown(places()[0], options.scale, options.cards)
    act = _save if options.save else _write
    print("\n".join(act(options, shown, sweeps())))
    return 0


def _write(options: argparse.Namespace, shown: Sequence["Shown"], sweeps: Sequence["SweepPanel"]) -> list[str]:
    from augrnn.dashboard.report import report
    from augrnn.dashboard.shown import compiled
    from augrnn.dashboard.workspace import views
    from augrnn.files import write_json

    entity = options.entity or ""
    made = {name: compiled(view._to_model()) for name, view in views(shown, sweeps, entity, options.project).items()}
    paths = options.out / "workspace.json", options.out / "report.json"
    write_json(paths[0], {"views": made})
    write_json(paths[1], compiled(report(shown, sweeps, entity, options.project)._to_model()))
    return [f"wrote {path}" for path in paths]


def _save(options: argparse.Namespace, shown: Sequence["Shown"], sweeps: Sequence["SweepPanel"]) -> list[str]:
    from augrnn.dashboard import report, saving
    from augrnn.dashboard.workspace import views
    from augrnn.tracking.wandb_server import signed_in

    default = signed_in()
    entity, project = options.entity or default, options.project
    if not entity:
        raise UserError("the owner of the API key has no entity of their own: name one with --entity")
    addresses = saving.save(
        views(shown, sweeps, entity, project),
        lambda: report.report(shown, sweeps, entity, project, runs_of=(entity, project)),
        entity,
        project,
        report.TITLE,
    )
    return [f"{name}: {address}" for name, address in addresses.items()]
