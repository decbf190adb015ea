"""PonderNet, section 3.1: parity, in the range that was trained and beyond it, with ACT and fixed steps beside it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from augrnn.lab.claims import AllOf, Claim, Mean, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.pondering import repeats
from augrnn.lab.recipes import with_rate
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

WRONG = "val/wrong_bits"
"""The share of validation vectors with a wrong answer: each has one bit."""

SHARE = "share of vectors wrong"

SOLVED = 5.0
"""Percent of vectors with a wrong answer at which parity counts as solved: Graves 2016, section 3.1."""

SMALL_ELEMENTS, SMALL_UPDATES, SMALL_RATE, SMALL_BOUND = 12, 14_000, 3.0e-3, 1.0
"""The small scale: elements of a vector, updates, and act/parity's rate of Adam and most norm of a gradient."""

PRIORS = {f"ponder-net-{prior:g}": prior for prior in (0.1, 0.4, 0.7, 0.9)}
TAUS = {f"act-tau-{tau:g}": tau for tau in (0.0, 0.0002, 0.002, 0.02)}
HALF_TAUS = {f"half-{name}": tau for name, tau in TAUS.items() if tau}
METHODS = {"ACT": tuple(TAUS), "PonderNet": tuple(PRIORS), "fixed steps": ("repeat-3",)}
"""The variants of each method that are trained on all numbers of non-zeros."""

HALF = {"ACT": tuple(HALF_TAUS), "PonderNet": ("half-ponder-net",), "fixed steps": ("half-repeat-3",)}
"""The same for the first half of them, and the test on the second."""


def ranges(run: RunRecord) -> list[str]:
    """The names of a run's ranges of non-zeros, those of training first."""
    return sorted((name for name in run["wrong_sequences"] if "-" in name), key=lambda name: int(name.split("-")[0]))


def counts(run: RunRecord) -> list[str]:
    """The names of a run's single numbers of non-zeros."""
    return [name for name in run["wrong_sequences"] if "-" not in name]


def wrong(run: RunRecord) -> float:
    """Percent of vectors with a wrong answer in the range of training."""
    return 100 * run["wrong_sequences"][ranges(run)[0]]


def right_beyond(run: RunRecord) -> float:
    """Percent of vectors with a right answer beyond the range of training."""
    return 100 - 100 * run["wrong_sequences"][ranges(run)[-1]]


def steps(run: RunRecord) -> float:
    """Inner steps in the range of training."""
    return run["inner_steps"][ranges(run)[0]]


def solved(run: RunRecord) -> bool:
    """Whether parity is solved in the range of training."""
    return wrong(run) <= SOLVED


def beyond_with_act(results: Results) -> dict[str, Observations]:
    """Percent right beyond the range, for each tau; seeds with which PonderNet fails in the range are left out."""
    return {
        f"tau {tau:g}": results.paired(
            (name, "half-ponder-net"),
            lambda run, ponder_net: right_beyond(run),
            where=lambda run, ponder_net: solved(ponder_net),
        )
        for name, tau in HALF_TAUS.items()
    }


def thinking(results: Results) -> dict[str, Observations]:
    """Inner steps of solved seeds in the range, and beyond it as a multiple of those."""

    def longer(run: RunRecord) -> float:
        return run["inner_steps"][ranges(run)[-1]] / steps(run)

    return {
        "in the range": results.each("ponder-net-0.1", steps, where=solved),
        "beyond it": results.each("half-ponder-net", longer, where=solved),
    }


def by_prior(results: Results) -> dict[str, Observations]:
    """Percent wrong, for each lambda_p."""
    return {f"lambda_p {prior:g}": results.each(name, wrong) for name, prior in PRIORS.items()}


def by_tau(results: Results) -> dict[str, Observations]:
    """Percent wrong, for each tau that penalises."""
    return {f"tau {tau:g}": results.each(name, wrong) for name, tau in TAUS.items() if tau}


def taus_that_solve(results: Results) -> Observations:
    """The percentage of the taus with which a seed solves parity; seeds with which PonderNet does not are left out."""
    return results.paired(
        ("ponder-net-0.1", *TAUS),
        lambda ponder_net, *runs: 100 * sum(map(solved, runs)) / len(runs),
        where=lambda ponder_net, *runs: solved(ponder_net),
    )


def ahead_of_act(results: Results) -> Observations:
    """Percentage points that ACT has more wrong, seed by seed, with the tau that is best on validation data."""

    def final(name: str) -> float:
        values = [run.final(WRONG) if run.status == "finished" else None for run in results[name]]
        return sum(1.0 if value is None else value for value in values) / max(len(values), 1)

    best = min(TAUS, key=final)
    return results.paired((best, "ponder-net-0.1"), lambda act, ponder_net: wrong(act) - wrong(ponder_net))


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Errors and inner steps by non-zeros, tau and lambda_p, one against the other, and learning curves."""
    from augrnn.exhibits.compute import AgainstSteps
    from augrnn.exhibits.curves import BySize, LearningCurves

    def by_count(measure: str) -> dict[str, list[dict[str, float]]]:
        variants = {name: (name,) for names in HALF.values() for name in names}
        return results.by_method(variants, lambda run: {name: run[measure][name] for name in counts(run)})

    def by_value(values: Mapping[str, float], measure: str) -> list[dict[str, float]]:
        seeds = range(max((results.planned.get(name, 0) for name in values), default=0))
        found = [
            {
                f"{value:g}": run[measure][ranges(run)[0]]
                for name, value in values.items()
                if (run := results.runs.get((name, seed))) is not None and run.status == "finished"
            }
            for seed in seeds
        ]
        return [each for each in found if each]

    def against(methods: Mapping[str, tuple[str, ...]], place: int) -> "Exhibit":
        def both(run: RunRecord) -> tuple[float, float]:
            name = ranges(run)[place]
            return run["inner_steps"][name], run["wrong_sequences"][name]

        return AgainstSteps(results.by_method(methods, both), SHARE, {"a guess": 0.5})

    trained = next((ranges(run)[0] for (name, _), run in results.runs.items() if in_half(name, run)), "the first half")
    x = f"non-zero elements (trained on {trained})"
    return {
        "errors": BySize(by_count("wrong_sequences"), SHARE, x),
        "steps": BySize(by_count("inner_steps"), "inner steps", x),
        "taus": BySize({"ACT": by_value(TAUS, "wrong_sequences")}, SHARE, "tau", even=True),
        "tau_steps": BySize({"ACT": by_value(TAUS, "inner_steps")}, "inner steps", "tau", even=True),
        "priors": BySize({"PonderNet": by_value(PRIORS, "wrong_sequences")}, SHARE, "lambda_p", even=True),
        "prior_steps": BySize({"PonderNet": by_value(PRIORS, "inner_steps")}, "inner steps", "lambda_p", even=True),
        "compute": against(METHODS, 0),
        "compute_beyond": against(HALF, -1),
        "learning": LearningCurves(results.curves(WRONG), SHARE, bar=SOLVED / 100),
    }


def in_half(name: str, run: RunRecord) -> bool:
    """Whether a run is one of those trained on the first half of the non-zeros, and has been measured."""
    return name.startswith("half-") and run.status == "finished"


def training(updates: int, rate: float, bound: float | None = None) -> Settings:
    """So many updates of Adam at one rate for all methods, with a bound on the gradient's norm or none."""
    return {
        **with_rate(rate),
        "data": {"init_args": {"epoch_batches": min(1000, updates // 2)}},
        "trainer": {"max_steps": updates, "gradient_clip_val": bound},
    }


def vectors(elements: int, most: int) -> Settings:
    """Vectors of so many elements, of which at most so many are not zero in training."""
    counts = sorted({1, most, elements, *(elements * eighth // 8 for eighth in range(1, 9))})
    tested = [[1, most]] + ([[most + 1, elements]] if most < elements else [])
    data = {"elements": elements, "max_nonzeros": most, "test_nonzeros": counts, "test_ranges": tested}
    cell = {"init_args": {"cell": {"init_args": {"input_size": elements + 1}}}}
    return {"data": {"init_args": data}, "model": {"init_args": {"cell": cell}}}


def sizes(elements: int, beyond: int) -> dict[str, Settings]:
    """For each variant its vectors: of `elements`, or of `beyond` where half of the range is left for the test."""
    return {
        name: vectors(beyond, beyond // 2) if name.startswith("half-") else vectors(elements, elements)
        for name in VARIANTS
    }


def act(tau: float) -> Variant:
    """ACT with a time penalty, in the paper's convention, and PonderNet's cap."""
    changes: dict[str, Any] = {"cell": {"init_args": {"cap": 20}}, "objective": {"init_args": {"tau": tau}}}
    return Variant("configs/parity/act.yaml", {"model": {"init_args": changes}})


def ponder_net(prior: float) -> Variant:
    """PonderNet with a lambda_p."""
    changes = {"objective": {"init_args": {"prior": prior}}}
    return Variant("configs/parity/ponder-net.yaml", {"model": {"init_args": changes}})


REPEAT = Variant("configs/parity/repeat.yaml", repeats(3))

VARIANTS = {
    **{name: ponder_net(prior) for name, prior in PRIORS.items()},
    **{name: act(tau) for name, tau in TAUS.items()},
    "repeat-3": REPEAT,
    "half-ponder-net": ponder_net(0.1),
    **{name: act(tau) for name, tau in HALF_TAUS.items()},
    "half-repeat-3": REPEAT,
}

JUDGED = ("small", "paper")
SOLVES = Mean("at most", SOLVED, partly=15)
GENERALISES = Mean("at least", 95, partly=75)
SOURCE = "section 3.1"

experiment = Experiment(
    name="act/ponder",
    title="PonderNet solves parity beyond the range that it was trained on, where ACT guesses",
    paper="Banino, Balaguer, Blundell 2021: PonderNet: Learning to Ponder, arXiv 2107.05407, section 3.1",
    variants=VARIANTS,
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=1,
            settings=training(400, SMALL_RATE, SMALL_BOUND),
            settings_of=sizes(8, 8),
            variants=("ponder-net-0.1", "act-tau-0.002", "half-ponder-net", "half-act-tau-0.002"),
        ),
        "small": Scale(
            seeds=5,
            minutes=45,
            settings=training(SMALL_UPDATES, SMALL_RATE, SMALL_BOUND),
            settings_of=sizes(SMALL_ELEMENTS, SMALL_ELEMENTS),
        ),
        "paper": Scale(seeds=10, minutes=6000, settings=training(500_000, 3.0e-4), settings_of=sizes(64, 96)),
    },
    curves=(WRONG,),
    exhibits=exhibits,
    claims=(
        Claim(
            name="extrapolates",
            sentence="PonderNet achieves almost perfect accuracy on more non-zeros than it was trained on.",
            source=f"{SOURCE}, figure 1b",
            quantity=lambda results: results.each("half-ponder-net", right_beyond),
            rules=dict.fromkeys(JUDGED, GENERALISES),
            paper="almost perfect, in a figure only",
            public="none",
            unit="% of vectors right beyond the range",
        ),
        Claim(
            name="act-does-not",
            sentence="ACT remains at chance level there.",
            source=f"{SOURCE}, figure 1b",
            quantity=beyond_with_act,
            rules=dict.fromkeys(JUDGED, AllOf(Mean("at most", 55, partly=75))),
            paper="about 50 %, in a figure only; the tau is not told",
            public="none",
            unit="% of vectors right beyond the range",
        ),
        Claim(
            name="thinks-longer-beyond",
            sentence="PonderNet settles to about 3 steps in the range, and takes almost twice as many beyond it.",
            source=f"{SOURCE}, figures 1 and 2c",
            quantity=thinking,
            rules=dict.fromkeys(
                JUDGED,
                AllOf(
                    {
                        "in the range": Typical("at most", 4, partly=6),
                        "beyond it": Typical("at least", 1.5, partly=1.2),
                    }
                ),
            ),
            paper="roughly 3 where the prior has 10; 5 beyond the range",
            public="none",
            unit={"in the range": "inner steps", "beyond it": "times the inner steps in the range"},
        ),
        Claim(
            name="any-prior-but-one-step",
            sentence="The only prior with which PonderNet cannot solve the task is .9, about one step.",
            source=f"{SOURCE}, figure 2b",
            quantity=by_prior,
            rules=dict.fromkeys(
                JUDGED,
                AllOf(
                    {
                        f"lambda_p {prior:g}": SOLVES if prior < 0.9 else Mean("at least", 15, partly=SOLVED)
                        for prior in PRIORS.values()
                    }
                ),
            ),
            paper="10 values of lambda_p, box plots over 10 seeds",
            public="none",
            unit="% of vectors wrong",
        ),
        Claim(
            name="better-than-act",
            sentence="PonderNet achieves better accuracy than ACT on the range that it was trained on.",
            source=f"{SOURCE}, figure 1a",
            quantity=ahead_of_act,
            rules=dict.fromkeys(JUDGED, Mean("at least", 1)),
            paper="in a figure only",
            public="none",
            unit="percentage points more wrong with ACT, at the tau that is best on validation data",
        ),
        Claim(
            name="few-taus-solve",
            sentence="Only for few configurations of tau is ACT able to solve the task.",
            source=f"{SOURCE}, figure 2a",
            quantity=taus_that_solve,
            rules=dict.fromkeys(JUDGED, Mean("at most", 50)),
            paper="20 taus from 0 to .02, box plots over 10 seeds; Graves 2016 says the opposite: see the next claim",
            public="none over seeds",
            unit=f"% of {len(TAUS)} taus with which a seed solves the task",
            contested="Graves 2016",
        ),
        Claim(
            name="small-taus-solve",
            sentence="With ACT and a time penalty of .03 or less the mean error is below 5 %.",
            source="Graves 2016, section 3.1, figure 4",
            quantity=by_tau,
            rules=dict.fromkeys(JUDGED, AllOf(SOLVES)),
            paper="a mean over 20 seeds below 5 % for each tau <= .03; Banino et al. 2021 say the opposite",
            public="95.5 to 95.8 % right (2,000 units, curriculum, other tau)",
            unit="% of vectors wrong",
            contested="Banino et al. 2021",
        ),
        Claim(
            name="fixed-steps-extrapolate",
            sentence="Three fixed steps do as well as PonderNet beyond the range.",
            source="not in the paper: the rival of Fojo, Campos, Giro-i-Nieto 2018",
            quantity=lambda results: results.each("half-repeat-3", right_beyond),
            rules=dict.fromkeys(JUDGED, GENERALISES),
            paper="not in the paper",
            public="none",
            unit="% of vectors right beyond the range",
        ),
    ),
)
