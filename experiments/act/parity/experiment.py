"""Adaptive computation time, section 3.1: parity; with the rivals of 2018 and 2021."""

from typing import TYPE_CHECKING, Any

from augrnn.lab.claims import AllOf, Claim, Mean, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.pondering import everywhere, over_all, ponders, repeats, shown_by_difficulty
from augrnn.lab.recipes import with_rate
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

WRONG = "val/wrong_bits"
"""The share of validation vectors with a wrong answer: each has one bit."""

TAUS = {"act-tau-0.1": 0.1, "act-tau-0.03": 0.03, "act-tau-0.01": 0.01, "act-tau-0.001": 0.001}
SMALL_TAUS = tuple(name for name, tau in TAUS.items() if tau <= 0.03)
METHODS = {
    "no inner steps": ("rnn",),
    "ACT": tuple(TAUS),
    "fixed steps": ("repeat-2", "repeat-3"),
    "PonderNet": ("ponder-net",),
}
"""The variants of each method on scattered non-zeros."""

PREFIX: Settings = {"data": {"init_args": {"places": "prefix"}}}


def hardest(run: RunRecord, measure: str = "wrong_sequences") -> Any:
    """A measure at the most non-zeros."""
    return run[measure][max(_counts(run), key=int)]


def _counts(run: RunRecord) -> list[str]:
    return [name for name in run["wrong_sequences"] if "-" not in name]


def without_pondering(results: Results) -> Observations:
    """Percent wrong of the plain layer at the most non-zeros."""
    return results.each("rnn", lambda run: 100 * hardest(run))


def with_small_taus(results: Results) -> dict[str, Observations]:
    """Percent wrong, for each tau up to .03."""
    return {f"tau {TAUS[name]:g}": results.each(name, everywhere) for name in SMALL_TAUS}


def rising(results: Results) -> Observations:
    """Inner steps at the most non-zeros as a multiple of those at the fewest, with tau .001.

    Seeds with more than 5 % wrong are left out: the paper says it of successful networks.
    """

    def ratio(run: RunRecord) -> float:
        return hardest(run, "inner_steps") / run["inner_steps"][min(_counts(run), key=int)]

    return results.each("act-tau-0.001", ratio, where=lambda run: everywhere(run) <= 5)


def fixed_steps(results: Results) -> dict[str, Observations]:
    """Percent wrong, for each number of fixed steps."""
    return {name: results.each(name, everywhere) for name in ("repeat-2", "repeat-3")}


def sooner(results: Results) -> Observations:
    """Training vectors that ACT needs for 98 % right on the prefix task, as a multiple of Repeat's.

    Where ACT never gets there, all its training counts, which it needs at least; where Repeat does not, the seed counts
    against the claim.
    """

    def ratio(act: RunRecord, repeat: RunRecord) -> float | None:
        slow, fast = act.reached(WRONG, 0.02) or act.sequences, repeat.reached(WRONG, 0.02)
        return None if slow is None or fast is None else slow / fast

    return results.paired(("prefix-act", "prefix-repeat-2"), ratio)


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Errors and inner steps by the number of non-zeros, one against the other, and learning curves."""
    from augrnn.exhibits.compute import AgainstSteps
    from augrnn.exhibits.curves import BySize, LearningCurves

    both = results.by_method(METHODS, lambda run: (over_all(run, "inner_steps"), over_all(run, "wrong_sequences")))
    return {
        "errors": BySize(
            shown_by_difficulty(results, "wrong_sequences"), "share of vectors wrong", "non-zero elements"
        ),
        "steps": BySize(shown_by_difficulty(results, "inner_steps"), "inner steps", "non-zero elements"),
        "compute": AgainstSteps(both, "share of vectors wrong", {"a guess": 0.5}),
        "learning": LearningCurves(results.curves(WRONG), "share of vectors wrong", bar=0.02),
    }


def sizes(elements: int, updates: int, counts: list[int]) -> Settings:
    """Vectors of so many elements, any number of them not zero, in so many updates of a size that suits few of them.

    The rate was chosen on validation vectors of 16 elements: with ACT and tau .001 it takes a third of the updates that
    1e-3 takes. Without the bound on the gradient such a network forgot all after 12,000 updates, and pondered 70 steps.
    """
    return {
        **with_rate(3e-3),
        "data": {
            "init_args": {
                "elements": elements,
                "max_nonzeros": elements,
                "test_nonzeros": counts,
                "test_ranges": [[1, elements]],
                "epoch_batches": min(1000, updates // 2),
            }
        },
        "trainer": {"max_steps": updates, "gradient_clip_val": 1.0},
    }


def inputs(elements: int) -> dict[str, Settings]:
    """The inner cells' input sizes for so many elements, and the flag."""
    flagged = {"model": {"init_args": {"cell": {"init_args": {"cell": {"init_args": {"input_size": elements + 1}}}}}}}
    plain = {"model": {"init_args": {"cell": {"init_args": {"input_size": elements}}}}}
    return {name: plain if name == "rnn" else flagged for name in VARIANTS}


VARIANTS = {
    "rnn": Variant("configs/parity/rnn.yaml"),
    **{name: Variant("configs/parity/act.yaml", ponders(tau)) for name, tau in TAUS.items()},
    "repeat-2": Variant("configs/parity/repeat.yaml"),
    "repeat-3": Variant("configs/parity/repeat.yaml", repeats(3)),
    "ponder-net": Variant("configs/parity/ponder-net.yaml"),
    "prefix-act": Variant("configs/parity/act.yaml", {**PREFIX, **ponders(0.01)}),
    "prefix-repeat-2": Variant("configs/parity/repeat.yaml", PREFIX),
}

JUDGED = ("small", "paper")

experiment = Experiment(
    name="act/parity",
    title="Several inner steps solve parity where a single one guesses",
    paper="Graves 2016: Adaptive Computation Time for Recurrent Neural Networks, arXiv 1603.08983, section 3.1",
    variants=VARIANTS,
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=1,
            settings=sizes(8, 500, [1, 4, 8]),
            settings_of=inputs(8),
            variants=("rnn", "act-tau-0.001", "repeat-2", "ponder-net"),
        ),
        "small": Scale(seeds=5, minutes=60, settings=sizes(16, 20_000, [1, 4, 8, 12, 16]), settings_of=inputs(16)),
        "paper": Scale(seeds=20, minutes=6000),
    },
    curves=(WRONG,),
    exhibits=exhibits,
    sweeps=("parity-tau",),
    claims=(
        Claim(
            name="at-once-it-guesses",
            sentence="Without ACT the network guesses at the hardest vectors.",
            source="section 3.1, figure 6",
            quantity=without_pondering,
            rules=dict.fromkeys(JUDGED, Mean("at least", 45, partly=40)),
            paper="almost 40 % wrong over all vectors (50 is a guess), rising sharply with difficulty",
            public="none over seeds",
            unit="% of vectors wrong at the most non-zeros",
        ),
        Claim(
            name="small-taus-solve",
            sentence="With a time penalty of .03 or less the mean error is below 5 %.",
            source="section 3.1, figure 4",
            quantity=with_small_taus,
            rules=dict.fromkeys(JUDGED, AllOf(Mean("at most", 5, partly=15))),
            paper="a mean over 20 seeds below 5 % for each tau <= .03",
            public="95.5 to 95.8 % right (2,000 units, curriculum, other tau); PonderNet's authors: only few tau work",
            unit="% of vectors wrong",
            contested="Banino et al. 2021",
        ),
        Claim(
            name="harder-vectors-take-longer",
            sentence="A network that solves the task ponders longer on the hardest vectors than on the easiest.",
            source="section 3.1, figure 6",
            quantity=rising,
            rules=dict.fromkeys(JUDGED, Typical("at least", 1.2, partly=1.05)),
            paper="grows linearly with difficulty for intermediate taus",
            public="none over seeds",
            unit="times the inner steps of the fewest non-zeros",
        ),
        Claim(
            name="fixed-steps-match",
            sentence="Two or three fixed steps solve the task as well.",
            source="Fojo, Campos, Giro-i-Nieto 2018",
            quantity=fixed_steps,
            rules=dict.fromkeys(JUDGED, AllOf(Mean("at most", 5, partly=15))),
            paper="solved with 2 steps",
            public="the same authors' code",
            unit="% of vectors wrong",
        ),
        Claim(
            name="fixed-steps-learn-sooner",
            sentence="Repeating inputs learns in fewer updates than ACT.",
            source="Fojo, Campos, Giro-i-Nieto 2018",
            quantity=sooner,
            rules=dict.fromkeys(JUDGED, Typical("at least", 1.5, partly=1.1)),
            paper="53k updates with ACT (tau .01), 22k with 2 fixed steps: 2.4 times",
            public="the same",
            unit="times the training vectors of Repeat until 98 % are right",
        ),
        Claim(
            name="ponder-net-solves",
            sentence="PonderNet solves the task in the range it was trained on.",
            source="Banino, Balaguer, Blundell 2021, section 3.1",
            quantity=lambda results: results.each("ponder-net", everywhere),
            rules=dict.fromkeys(JUDGED, Mean("at most", 5, partly=15)),
            paper="near perfect, figures only",
            public="none",
            unit="% of vectors wrong",
        ),
    ),
)
