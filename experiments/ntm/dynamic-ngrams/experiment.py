"""Neural Turing Machines, section 4.4: dynamic N-grams."""

from typing import TYPE_CHECKING

from augrnn.lab.claims import AllOf, Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment, Shown, titled
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.recipes import as_graves_trains, budget, with_rate
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

COST = "val/cost_bits"
MACHINES = {"LSTM controller": "ntm-lstm", "feedforward controller": "ntm-feedforward"}
EXCESS = "excess_bits"
SOURCES = {"smoke": (2, 20, 160), "small": (5, 200, 320)}
"""For each scale the order and length of the sources, and the validation sequences; from `small` on the paper's."""


def machines(results: Results) -> dict[str, str]:
    """The machines that a scale trains: at the small scale not the one with a feedforward controller."""
    return {name: variant for name, variant in MACHINES.items() if results.planned.get(variant)}


def excess(results: Results) -> Observations:
    """Bits a sequence above the optimal estimator, of the controller with the smaller mean over its seeds."""

    def typical(variant: str) -> float:
        found = results.measured(EXCESS)[variant]
        return sum(found) / len(found) if found else float("inf")

    return results.each(min(machines(results).values(), key=typical, default="ntm-lstm"), lambda run: run[EXCESS])


def below_lstm(results: Results) -> dict[str, Observations]:
    """For each machine, which seeds end below the LSTM's with the same number."""

    def below(machine: RunRecord, lstm: RunRecord) -> bool:
        return machine[EXCESS] < lstm[EXCESS]

    return {name: results.paired((variant, "lstm"), below) for name, variant in machines(results).items()}


def above_optimum(results: Results) -> dict[str, Observations]:
    """For each machine, which seeds stay above the optimum by more than two standard errors."""

    def above(run: RunRecord) -> bool:
        return run[EXCESS] > 2 * run["excess_standard_error"]

    return {name: results.each(variant, above) for name, variant in machines(results).items()}


def mechanism(results: Results) -> dict[str, Observations]:
    """How much more often a head visits the same row in the same context than in another one."""

    def more_often(kind: str, run: RunRecord) -> float | None:
        of = run["mechanism"]
        return of[f"{kind}_same"] - of[f"{kind}_different"]

    return {
        f"{name}, {kind}s": results.each(variant, lambda run, kind=kind: more_often(kind, run))  # type: ignore[misc]
        for name, variant in machines(results).items()
        for kind in ("read", "write")
    }


def validation_optimum(order: int, length: int, sequences: int) -> float:
    """What the optimal estimator costs on the validation sequences that the learning curves are of."""
    from augrnn.tasks.dynamic_ngrams import DynamicNGrams, estimated_bits

    batches = list(DynamicNGrams(order, length, validation_sequences=sequences).val_dataloader())
    return sum(float(estimated_bits(batch.targets_TBO[..., 0], order).sum(0).mean()) for batch in batches) / len(
        batches
    )


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, the excess by position, predictions and heads, and rows by context."""
    from augrnn.exhibits.curves import LearningCurves
    from augrnn.measures.dynamic_ngrams.figure import ExcessByPosition

    bar = validation_optimum(*SOURCES.get(results.scale, SOURCES["small"]))
    found: dict[str, Exhibit] = {
        "learning": LearningCurves(
            results.curves(COST), "cost (bits per sequence)", bar=bar, bar_name="the optimal estimator's cost"
        ),
        "excess": ExcessByPosition(results.measured("excess_by_position")),
    }
    machines = [key for key in shown if key[0] in MACHINES.values()]
    if machines:
        best = min(machines, key=lambda key: results.runs[key][EXCESS])
        found |= {name: titled(shown, best, name) for name in ("heads", "contexts")}
    return found


FOUR_FIFTHS = SuccessRate(needed=0.8, partly=0.5)

SMOKE = merged(
    budget(300, "total_steps"),
    {
        "data": {
            "init_args": {
                "order": 2,
                "length": 20,
                "test_sequences": 200,
                "validation_sequences": 160,
                "epoch_batches": 100,
            }
        },
    },
)
NARROW = {"model": {"init_args": {"cell": {"init_args": {"hidden_size": 64}}}}}
"""The LSTM stack at half of the paper's width, which 200 steps make slow on a processor."""

JUDGED = ("small", "paper")

experiment = Experiment(
    name="ntm/dynamic-ngrams",
    title="A Neural Turing Machine counts: it predicts a source that is new in every sequence nearly as well as can be",
    paper="Graves, Wayne, Danihelka 2014: Neural Turing Machines, arXiv 1410.5401, section 4.4",
    variants={
        "ntm-lstm": Variant("configs/dynamic-ngrams/ntm-lstm.yaml"),
        "ntm-feedforward": Variant("configs/dynamic-ngrams/ntm-feedforward.yaml"),
        "lstm": Variant("configs/dynamic-ngrams/lstm.yaml"),
    },
    scales={
        "smoke": Scale(seeds=1, minutes=2, settings=SMOKE),
        "small": Scale(
            seeds=5,
            minutes=50,
            variants=("ntm-lstm", "lstm"),
            settings_of={"lstm": NARROW},
        ),
        "paper": Scale(
            seeds=10,
            minutes=20000,
            settings=as_graves_trains(1_000_000, rate=3.0e-5),
            settings_of={"lstm": with_rate(1.0e-4)},
        ),
    },
    curves=(COST, "val/wrong_bits"),
    exhibits=exhibits,
    claims=(
        Claim(
            name="near-optimal",
            sentence="NTM comes close to the optimal estimator (the better of the two controllers).",
            source="section 4.4, figure 13",
            quantity=excess,
            rules=dict.fromkeys(JUDGED, Typical("at most", 1, partly=3)),
            paper="about 0.5 to 1 bit above the optimum, read off figure 13",
            public="none",
            unit="bits a sequence above the optimum",
        ),
        Claim(
            name="below-lstm",
            sentence="NTM achieves a small, but significant performance advantage over LSTM.",
            source="section 4.4, figure 13",
            quantity=below_lstm,
            rules=dict.fromkeys(JUDGED, AllOf(FOUR_FIFTHS)),
            paper="LSTM about 3 bits above the optimum, read off figure 13",
            public="none",
        ),
        Claim(
            name="never-optimal",
            sentence="NTM never quite reaches the optimum cost.",
            source="section 4.4, figure 13",
            quantity=above_optimum,
            rules=dict.fromkeys(JUDGED, AllOf(FOUR_FIFTHS)),
            paper="one run each",
            public="none",
        ),
        Claim(
            name="mechanism",
            sentence=(
                "The controller uses the memory to count how often ones and zeros followed each context: the heads "
                "come back to the same row in the same context."
            ),
            source="section 4.4, figure 14",
            quantity=mechanism,
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at least", 0.5, partly=0.2))),
            paper="shown for one sequence",
            public="none",
            unit="of the visits more than in another context",
        ),
    ),
)
