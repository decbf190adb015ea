"""One training run in a process of its own: `python -m augrnn.lab.worker EXPERIMENT SCALE VARIANT SEED --runs DIR ...`.

It exits with 0 where the run is on record (a model that diverged is a result, and on record as failed), with 2 and one
line where the user has to mend something, with 143 where it was asked to stop, and with 1 where the code is at fault.
After all but 0 the run is broken: calling again resumes it from its last checkpoint.
"""

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from augrnn import files
from augrnn.errors import UserError
from augrnn.lab import records
from augrnn.lab.experiment import Experiment, Run, load
from augrnn.lab.provenance import Leg

if TYPE_CHECKING:
    from augrnn.training import Trained

Train = Callable[[list[str], Path, dict[str, Any]], "Trained"]

STOPPED = 143
"""Exit status after a request to stop: 128 + SIGTERM, as shells have it."""


def work(run: Run, experiment: Experiment, runs: Path, train: Train) -> None:
    """Train, measure and record one run, from where it was left.

    Raises:
      SystemExit: it was asked to stop, and will resume.
      UserError: the user has to mend something (a full disk among others).
    """
    folder = run.folder(runs)
    with files.locked(folder):
        leg = Leg(run, folder)
        try:
            record(run, experiment, folder, leg, train)
        except BaseException as error:
            with contextlib.suppress(UserError):  # a full disk must not hide what happened
                leg.close(f"{type(error).__name__}: {error}")
            raise
        leg.close("ended")


def record(run: Run, experiment: Experiment, folder: Path, leg: Leg, train: Train) -> None:
    """Train and measure, and write arrays and summary."""
    tags = {"experiment": run.experiment, "scale": run.scale, "variant": run.variant, "seed": run.seed}
    identity = {"fingerprint": run.fingerprint}
    try:
        with stop_noted() as stopped:
            trained = train(list(run.argv), folder, tags)
        if stopped:
            raise SystemExit(STOPPED)
    except FloatingPointError as error:
        failure = {"status": "failed", "error": str(error) or "the numbers overflowed", "seconds": leg.seconds}
        files.write_json(folder / "summary.json", {**identity, **failure, **curves(experiment, folder)})
        return
    measures, arrays = experiment.measure(trained)
    write_arrays(folder / "arrays.npz", arrays)
    summary = {
        "status": "finished",
        "measures": measures,
        "updates": trained.updates,
        "sequences": trained.sequences,
        "seconds": leg.seconds,
        "parameters": sum(parameter.numel() for parameter in trained.system.parameters()),
    }
    files.write_json(folder / "summary.json", {**identity, **summary, **curves(experiment, folder)})


def curves(experiment: Experiment, folder: Path) -> dict[str, Any]:
    """The experiment's curves, whole, as the summary keeps them."""
    metrics = records.read_curves(folder / "metrics.csv")
    return {"curves": {name: metrics[name] for name in experiment.curves if name in metrics}}


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write an .npz file, whole or not at all."""
    import numpy as np

    with files.replacing(path) as file:
        np.savez_compressed(file, **arrays)


@contextlib.contextmanager
def stop_noted() -> Iterator[list[int]]:
    """Note SIGTERM instead of dying of it.

    Lightning calls the handler that it finds beside its own, stops at the next batch boundary, and exits as if it had
    finished; what is noted here tells such a run from a finished one.
    """
    noted: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        noted.append(number)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield noted
    except SystemExit as error:
        raise (SystemExit(STOPPED) if noted else error) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def main(argv: Sequence[str] | None = None, train: Train | None = None) -> int:
    """The command line of a run.

    Args:
      argv: the arguments; the process's own when None.
      train: trains a model; Lightning's way when None.
    """
    parser = argparse.ArgumentParser(prog="augrnn.lab.worker")
    for name in ("experiment", "scale", "variant"):
        parser.add_argument(name)
    parser.add_argument("seed", type=int)
    parser.add_argument("--experiments", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    options = parser.parse_args(argv)
    try:
        experiment = load(options.experiment, options.experiments)
        plan = experiment.plan(options.scale, options.experiments, options.seed + 1, [options.variant])
        work(plan[options.seed], experiment, options.runs, train or _lightning())
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in files.DISK_FULL:
            raise
        print(f"cannot train {options.experiment}: {files.explained(error)}", file=sys.stderr)
        return 2
    return 0


def _lightning() -> Train:
    from augrnn.training import train

    return train


if __name__ == "__main__":
    sys.exit(main())
