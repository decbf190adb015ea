"""The differentiable neural computer on associative recall."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.lab.claims import Claim, SuccessRate
from augrnn.lab.experiment import Experiment
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.results import Observations, Results

if TYPE_CHECKING:
    from augrnn.training.command import Trained

SOLVED = 0.1
"""Bits a sequence on validation data at which recall counts as learned, as for the Neural Turing Machine."""

COST = "val/cost_bits"


def measure(trained: "Trained") -> tuple[dict[str, Any], dict[str, Any]]:
    """Costs by number of items and by position."""
    from augrnn.measures.associative_recall.measure import measure_recall

    return measure_recall(trained.system, trained.task)  # type: ignore[arg-type]


def solved(results: Results) -> Observations:
    """Which seeds learned to recall."""
    return results.each("dnc", lambda run: run.below(COST, SOLVED))


def figures(results: Results, arrays: Any, folder: Path) -> None:
    """Learning curves and costs by number of items."""
    from augrnn.exhibits.curves import by_size, learning_curves

    learning_curves(results.curves(COST), folder / "learning.png", "cost (bits per sequence)", floor=1e-3, bar=SOLVED)
    cost = results.measured("cost_bits")
    by_size(cost, folder / "generalisation.png", "cost (bits per sequence)", "items", small=0.01)


SMOKE = {
    "data": {
        "init_args": {
            "width": 3,
            "vectors": 2,
            "max_items": 3,
            "test_items": [3, 5],
            "test_sequences": 100,
            "validation_sequences": 160,
            "epoch_batches": 100,
        }
    },
    "model": {
        "init_args": {
            "cell": {"init_args": {"input_size": 5, "output_size": 3}},
            "scheduler": {"init_args": {"T_max": 300}},
        }
    },
    "trainer": {"max_steps": 300},
}

experiment = Experiment(
    name="dnc/associative-recall",
    title="A differentiable neural computer learns associative recall",
    paper="Graves et al. 2016: Hybrid computing using a neural network with dynamic external memory, Nature 538",
    variants={"dnc": Variant("configs/associative-recall/dnc.yaml")},
    scales={
        "smoke": Scale(seeds=1, minutes=1, settings=SMOKE),
        "small": Scale(seeds=3, minutes=8),
    },
    measure=measure,
    curves=(COST, "val/wrong_bits"),
    figures=figures,
    claims=(
        Claim(
            name="learns",
            sentence="DNC learns associative recall: its cost comes to almost nothing, and stays there.",
            source="ours; a task of the Neural Turing Machine paper that the DNC's look-up and links should serve",
            quantity=solved,
            rules={"small": SuccessRate(needed=0.8, partly=0.5)},
            paper="no number",
            public="single seeds",
        ),
    ),
)
