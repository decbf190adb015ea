"""The differentiable neural computer on associative recall."""

from typing import TYPE_CHECKING

from augrnn.lab.claims import AllOf, Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.recipes import budget
from augrnn.lab.results import Observations, Results
from augrnn.lab.settings import merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

SOLVED = 0.1
"""Bits a sequence on validation data at which recall counts as learned, as for the Neural Turing Machine."""

COST = "val/cost_bits"

MACHINES = {
    "DNC": "configs/associative-recall/dnc.yaml",
    "NTM, feedforward controller": "configs/associative-recall/ntm-feedforward.yaml",
}
LSTM = "configs/associative-recall/lstm.yaml"
"""Values of `config` in the sweep recall-dnc-ntm."""


def solved(results: Results) -> Observations:
    """Which seeds learned to recall."""
    return results.each("dnc", lambda run: run.below(COST, SOLVED))


def cheaper(results: Results) -> dict[str, Observations]:
    """How many times an LSTM's cost is that of a machine with the same seed, each at its best rate."""

    def times(config: str) -> Observations:
        pair = [results.lowest(COST, {"config": each}) for each in (LSTM, config)]
        return results.paired(pair, lambda lstm, machine: lstm[COST] / max(machine[COST], 1e-6))

    return {name: times(config) for name, config in MACHINES.items()}


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves and costs by number of items."""
    from augrnn.exhibits.curves import BySize, LearningCurves

    label = "cost (bits per sequence)"
    return {
        "learning": LearningCurves(results.curves(COST), label, floor=1e-3, bar=SOLVED),
        "generalisation": BySize(results.measured("cost_bits"), label, "items", small=0.01),
    }


SMOKE = merged(
    budget(300),
    {
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
        "model": {"init_args": {"cell": {"init_args": {"input_size": 5, "output_size": 3}}}},
    },
)

LONGER = budget(8000)
"""After the 5,000 updates of the config none of three seeds was below the bar; the decaying rate had stopped them."""

experiment = Experiment(
    name="dnc/associative-recall",
    title="A differentiable neural computer learns associative recall",
    paper="Graves et al. 2016: Hybrid computing using a neural network with dynamic external memory, Nature 538",
    variants={"dnc": Variant("configs/associative-recall/dnc.yaml")},
    scales={
        "smoke": Scale(seeds=1, minutes=1, settings=SMOKE),
        "small": Scale(seeds=5, minutes=20, settings=LONGER),
    },
    curves=(COST, "val/wrong_bits"),
    exhibits=exhibits,
    sweeps=("recall-dnc-ntm",),
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
        Claim(
            name="memory-beats-lstm",
            sentence="With a memory, recall comes to a near-zero cost long before it does with an LSTM.",
            source="Graves et al. 2014, section 4.3, figure 10, for the Neural Turing Machine; for the DNC it is ours",
            quantity=cheaper,
            rules={"recall-dnc-ntm": AllOf(Typical("at least", 10, partly=2))},
            paper="near zero after some 30,000 sequences; the LSTM not after a million",
            public="none",
            unit="times the machine's cost after 80,000 sequences, each at its best rate",
        ),
    ),
)
