"""One update and one validation of a sweep's first point, to find mistakes before hours are spent on them.

The names of what a run logs are known to its objective, its system and its callbacks alone, some of them the user's
own; so a run is begun as all runs are, only on the CPU and without a record.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from augrnn.known_names import known
from augrnn.lab import records
from augrnn.lab.plan import Run
from augrnn.lab.run_process import lightning, tags_of
from augrnn.lab.settings import merged, nested
from augrnn.run_folder import METRICS
from augrnn.sweeps.points import Point, draw, point, points, run_of
from augrnn.sweeps.sweep_file import Sweep

SECONDS = 120
"""How long it may take."""

SHORT = {
    "max_steps": 1,
    "max_time": None,
    "accumulate_grad_batches": 1,
    "limit_val_batches": 1,
    "val_check_interval": 1,
    "check_val_every_n_epoch": 1,
    "log_every_n_steps": 1,
    "accelerator": "cpu",
    "devices": 1,
    "num_nodes": 1,
    "strategy": "auto",
    "precision": "32-true",
}
"""The Trainer's options of a rehearsal."""


def rehearse(sweep: Sweep) -> None:
    """Train one update of the first point, of every config that is a value of the sweep, and look for the metric.

    Raises:
      UserError: the metric is not logged, or the user has to mend something else.
    """
    for run in _first_runs(sweep):
        with tempfile.TemporaryDirectory() as folder:
            settings = merged(run.settings, nested({f"trainer.{name}": value for name, value in SHORT.items()}))
            lightning()(settings, Path(folder), tags_of(run))
            logged = records.read_curves(Path(folder) / METRICS)
        known(sweep.file.metric.name, logged, "logged metric")


def _first_runs(sweep: Sweep) -> Iterator[Run]:
    seen = set()
    for each in _examples(sweep):
        config = each.values.get("config")
        if config not in seen:
            seen.add(config)
            yield run_of(sweep, each, sweep.seeds[0])


def _examples(sweep: Sweep) -> Iterator[Point]:
    if sweep.file.method != "bayes":
        yield from points(sweep)
        return
    drawn = {name: draw(axis, np.random.default_rng(0)) for name, axis in sweep.axes.items()}
    configs = sweep.axes["config"].listed or () if "config" in drawn else ()
    yield from (point({**drawn, "config": config}) for config in configs) if configs else (point(drawn),)


def rehearsed(command: Sequence[str]) -> tuple[int, str]:
    """Run the process of a rehearsal; gives its exit status and the last line that it wrote, as logs have it."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    environment = {**ours, "WANDB_MODE": "disabled", "AUGRNN_COMPILE": "0", "CUDA_VISIBLE_DEVICES": ""}
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        try:
            status = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                timeout=SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return 1, f"not done after {SECONDS} seconds"
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        log.seek(0)
        lines = [line.strip() for line in log if line.strip()]
    return status, lines[-1] if lines else f"exit status {status}"
