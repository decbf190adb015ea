"""What the record of a sweep's run keeps: the curve of the sweep's metric, and whether training was ended early."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.errors import UserError
from augrnn.lab import records
from augrnn.lab.run_process import Kept
from augrnn.run_folder import METRICS
from augrnn.sweeps.sweep_file import Sweep

if TYPE_CHECKING:
    from augrnn.measures.measure import Measured
    from augrnn.training.command import Trained

ENDED_EARLY = "ended_early"
"""The measure of a run whose training was ended early, by a pruner or by W&B's server."""


def kept(sweep: Sweep, ended_early: Callable[[], bool] = lambda: False) -> Kept:
    """What is kept of a run of a sweep.

    Args:
      sweep: names the metric.
      ended_early: whether training was ended early; asked when it has ended.
    """
    metric = sweep.file.metric.name

    def measure(trained: "Trained") -> "Measured":
        from augrnn.measures.measure import Measured

        assert trained.trainer is not None  # a point of a sweep is trained
        logged = records.read_curves(Path(trained.trainer.default_root_dir) / METRICS)
        if metric not in logged:
            raise UserError(f"the metric of {sweep.name}, {metric}, was not logged; there are: {', '.join(logged)}")
        return Measured({ENDED_EARLY: ended_early()}, {})

    return Kept((metric,), measure)
