"""The differentiable neural computer on the copy task."""

from typing import TYPE_CHECKING

from augrnn.lab.claims import Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.recipes import budget
from augrnn.lab.results import Observations, Results
from augrnn.lab.settings import merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

SOLVED = 0.05
"""Bits a sequence on validation data at which copying counts as learned, as for the Neural Turing Machine."""

COST = "val/cost_bits"


def solved(results: Results) -> Observations:
    """Which seeds learned to copy."""
    return results.each("dnc", lambda run: run.below(COST, SOLVED))


def longer(results: Results) -> Observations:
    """Wrong bits a sequence at one and a half times the trained length, where the memory is nearly full."""
    return results.each(
        "dnc",
        lambda run: run["wrong_bits"][max(run["wrong_bits"], key=int)],
        where=lambda run: run.below(COST, SOLVED),
    )


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves and errors by length."""
    from augrnn.exhibits.curves import BySize, LearningCurves

    wrong = results.measured("wrong_bits")
    return {
        "learning": LearningCurves(results.curves(COST), "cost (bits per sequence)", floor=1e-3, bar=SOLVED),
        "generalisation": BySize(wrong, "wrong bits per sequence", "length", small=0.01),
    }


SMOKE = merged(
    budget(300),
    {
        "data": {
            "init_args": {
                "width": 3,
                "max_length": 4,
                "test_lengths": [4, 6],
                "test_sequences": 100,
                "validation_sequences": 160,
                "epoch_batches": 100,
            }
        },
        "model": {"init_args": {"cell": {"init_args": {"input_size": 4, "output_size": 3, "rows": 8}}}},
    },
)

experiment = Experiment(
    name="dnc/copy",
    title="A differentiable neural computer learns to copy",
    paper="Graves et al. 2016: Hybrid computing using a neural network with dynamic external memory, Nature 538",
    variants={"dnc": Variant("configs/copy/dnc.yaml")},
    scales={
        "smoke": Scale(seeds=1, minutes=1, settings=SMOKE),
        "small": Scale(seeds=16, minutes=10),
    },
    curves=(COST, "val/wrong_bits"),
    exhibits=exhibits,
    claims=(
        Claim(
            name="learns",
            sentence="DNC learns to copy: it solves the task of the Neural Turing Machine, and stays there.",
            source="Methods, where copying shows how memory is allocated and freed",
            quantity=solved,
            rules={"small": SuccessRate(needed=0.8, partly=0.5)},
            paper="no number",
            public="single seeds",
        ),
        Claim(
            name="longer-sequences",
            sentence="Allocation and temporal links carry on beyond the trained lengths, until the memory is full.",
            source="ours; the paper shows it for no length",
            quantity=longer,
            rules={"small": Typical("at most", 1, partly=10)},
            paper="no number",
            public="none",
            unit="wrong bits a sequence",
        ),
    ),
)
