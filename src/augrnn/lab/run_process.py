"""One training run in a process of its own.

    python -m augrnn.lab.run_process EXPERIMENT SCALE VARIANT SEED --runs DIR ...

It exits with 0 where the run is on record (a model that diverged is a result, and on record as failed), with 2 and one
line where the user has to mend something, with 143 where it was asked to stop, and with 1 where the code is at fault.
After all but 0 the run is broken: calling again resumes it from its last checkpoint.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from augrnn import files
from augrnn.errors import UserError
from augrnn.lab import records
from augrnn.lab.ensembles import assembled
from augrnn.lab.experiment import Measure, load
from augrnn.lab.plan import Run
from augrnn.lab.provenance import Leg
from augrnn.run_folder import EXHIBITS, METRICS, PROVENANCE, SUMMARY
from augrnn.signals import leaving_when_asked
from augrnn.threads import let_idle_threads_sleep

if TYPE_CHECKING:
    from augrnn.training.command import Trained

Train = Callable[..., "Trained"]
"""Trains what settings say in a folder, under tags: `augrnn.training.command.train`."""


class Kept(NamedTuple):
    """What the record of a run keeps.

    Attributes:
      curves: the metrics whose curves are kept.
      measure: what is measured on the trained model; what its task names when None.
    """

    curves: tuple[str, ...]
    measure: Measure | None = None


def work(run: Run, kept: Kept, runs: Path, train: Train, placement: Sequence[str] = ()) -> None:
    """Train, measure and record one run, from where it was left; an ensemble is assembled instead of trained.

    Of several processes of a data-parallel run the first one does so, and the others train with it; an ensemble is the
    first one's work alone.

    Args:
      run: the run.
      kept: what is measured, and which curves are kept.
      runs: the folder of all run records.
      train: trains a model.
      placement: options that say how the run is spread over machines; they are no part of its settings.

    Raises:
      SystemExit: it was asked to stop, and will resume.
      UserError: the user has to mend something (a full disk among others).
    """
    folder = run.folder(runs)
    if int(os.environ.get("SLURM_PROCID") or 0) > 0:
        if run.members:
            return
        with leaving_when_asked(), contextlib.suppress(FloatingPointError):  # the first process records it
            train(run.settings, folder, tags_of(run), placement)
        return
    with files.locked(folder), leaving_when_asked():
        if run.state(runs) == "outdated":  # launchers ask as well, and may have asked long ago
            raise UserError(
                f"{run} cannot be taken up: its settings have changed since it began, or no {PROVENANCE} says what "
                "they were; start it over with --retry"
            )
        identity: dict[str, Any] = {"fingerprint": run.fingerprint}
        if run.members:
            identity["members"] = run.made_of(runs)
            make = partial(assembled, run, runs)
        else:
            make = partial(train, run.settings, folder, tags_of(run), placement=placement)
        leg = Leg(run, folder)
        try:
            trained = record(identity, kept, folder, leg, make)
        except BaseException as error:
            with contextlib.suppress(UserError):  # a full disk must not hide what happened
                leg.close(f"{type(error).__name__}: {error}")
            raise
        leg.close("ended")
        if trained is not None:
            trained.publish(folder, tags_of(run))


def record(
    identity: Mapping[str, Any], kept: Kept, folder: Path, leg: Leg, make: Callable[[], "Trained"]
) -> "Trained | None":
    """Make a model, measure it, and write exhibits and summary; None where training diverged.

    Args:
      identity: what says whose result it is: the run's "fingerprint", and of what an ensemble's "members" are.
      kept: what is measured, and which curves are kept.
      folder: the run's.
      leg: knows how long it took.
      make: trains, or puts an ensemble together.
    """
    from augrnn.exhibits.exhibit import write_exhibits
    from augrnn.measures.measure import measured

    try:
        trained = make()
    except FloatingPointError as error:
        failure = {"status": "failed", "error": str(error) or "the numbers overflowed", "seconds": leg.seconds}
        files.write_json(folder / SUMMARY, {**identity, **failure, **curves(kept, folder)})
        return None
    found = kept.measure(trained) if kept.measure else measured(trained.system, trained.task)
    write_exhibits(folder / EXHIBITS, found.exhibits)
    members = {"members": len(identity["members"])} if "members" in identity else {}
    summary = {
        "status": "finished",
        "measures": found.numbers | members,
        "updates": trained.updates,
        "sequences": trained.sequences,
        "seconds": leg.seconds,
        "parameters": sum(parameter.numel() for parameter in trained.system.parameters()),
    }
    files.write_json(folder / SUMMARY, {**identity, **summary, **curves(kept, folder)})
    return trained


def tags_of(run: Run) -> dict[str, Any]:
    """What a run is called on the dashboard."""
    return {"experiment": run.experiment, "scale": run.scale, "variant": run.variant, "seed": run.seed}


def curves(kept: Kept, folder: Path) -> dict[str, Any]:
    """The curves that are kept, whole, as the summary keeps them."""
    metrics = records.read_curves(folder / METRICS)
    return {"curves": {name: metrics[name] for name in kept.curves if name in metrics}}


def main(argv: Sequence[str] | None = None, train: Train | None = None) -> int:
    """The command line of a run.

    Args:
      argv: the arguments; the process's own when None.
      train: trains a model; Lightning's way when None.
    """
    parser = argparse.ArgumentParser(prog="augrnn.lab.run_process")
    for name in ("experiment", "scale", "variant"):
        parser.add_argument(name)
    parser.add_argument("seed", type=int)
    parser.add_argument("--experiments", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--placement", action="append", default=[])
    options = parser.parse_args(argv)

    def do() -> None:
        experiment = load(options.experiment, options.experiments)
        run = experiment.run(options.scale, options.experiments, options.variant, options.seed)
        kept = Kept(experiment.curves, experiment.measure)
        work(run, kept, options.runs, train or lightning(), options.placement)

    return exit_status(do, options.experiment)


def exit_status(do: Callable[[], None], name: str) -> int:
    """Do the work of a training process; 2 and one line on standard error where the user has to mend something."""
    let_idle_threads_sleep(os.environ)
    try:
        do()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in files.DISK_FULL:
            raise
        print(f"cannot train {name}: {files.explained(error)}", file=sys.stderr)
        return 2
    return 0


def lightning() -> Train:
    """Lightning's way to train, imported when it is needed."""
    from augrnn.training.command import train

    return train


if __name__ == "__main__":
    sys.exit(main())
