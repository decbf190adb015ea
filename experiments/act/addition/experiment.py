"""Adaptive computation time, section 3.3: addition."""

from statistics import correlation
from typing import TYPE_CHECKING

from augrnn.lab import pondering
from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale
from augrnn.lab.pondering import best, by_difficulty, cells, everywhere, solved, with_act
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings, merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

TAUS = (0.1, 0.01, 0.001)
SMALL_UPDATES = 30_000


def chosen(results: Results) -> str:
    """ACT at the best tau, by validation sequences."""
    return best(results, with_act(results.planned))


def at_each_tau(results: Results) -> dict[str, Observations]:
    """Percent of sequences with a mistake, for each tau."""
    return {name: results.each(name, everywhere) for name in with_act(results.planned)}


def growth(results: Results) -> dict[str, Observations]:
    """How inner steps grow with the digits, in networks that solve the task.

    "rise": those at the most digits as a multiple of those at one; "line": their correlation with the number of digits,
    where there are more than two, as any two points are on a line.
    """

    def rise(run: RunRecord) -> float:
        steps = list(by_difficulty(run["inner_steps"]).values())
        return steps[-1] / steps[0]

    def line(run: RunRecord) -> float | None:
        steps = by_difficulty(run["inner_steps"])
        return correlation(list(map(float, steps)), list(steps.values())) if len(set(steps.values())) > 1 else None

    name = chosen(results)
    found = {"rise": results.each(name, rise, where=solved)}
    return found if results.scale == "small" else found | {"line": results.each(name, line, where=solved)}


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Errors and inner steps by the number of digits, and learning curves."""
    return pondering.exhibits(results, "digits a number, 3 numbers a sequence")


def sizes(digits: int, numbers: int, updates: int, least: int) -> Settings:
    """Up to so many digits a number, at least and at most so many numbers a sequence, in so many updates."""
    counts = {"max_digits": digits, "min_numbers": least, "max_numbers": numbers}
    return {
        "data": {"init_args": {**counts, "epoch_batches": min(1000, updates // 2)}},
        "trainer": {"max_steps": updates},
    }


def fading(updates: int) -> Settings:
    """act/parity's rate and bound on the gradient, with the rate falling to zero along half a cosine.

    In one trial with two digits, tau .01 and no fall 2.6 to 8 % of validation sequences were wrong from half the
    updates on, now more, now fewer.
    """
    cosine = "torch.optim.lr_scheduler.CosineAnnealingLR"
    return {
        "model": {
            "init_args": {
                "optimizer": {"init_args": {"lr": 3e-3}},
                "scheduler": {"class_path": cosine, "init_args": {"T_max": updates}},
            }
        },
        "trainer": {"gradient_clip_val": 1.0},
    }


VARIANTS = pondering.variants("addition", TAUS, steps=(2, 3))
JUDGED = ("small", "paper")
RISE = Typical("at least", 1.2, partly=1.05)

experiment = Experiment(
    name="act/addition",
    title="Several inner steps add numbers digit by digit, where a single one cannot carry",
    paper="Graves 2016: Adaptive Computation Time for Recurrent Neural Networks, arXiv 1603.08983, section 3.3",
    variants=VARIANTS,
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=1,
            settings=sizes(1, 3, 300, least=2),
            settings_of=cells(VARIANTS, input_size=10, hidden_size=64, output_size=22),
            variants=("lstm", "act-tau-0.1", "repeat-2"),
        ),
        "small": Scale(
            seeds=5,
            minutes=60,
            settings=merged(sizes(2, 3, SMALL_UPDATES, least=2), fading(SMALL_UPDATES)),
            settings_of=cells(VARIANTS, input_size=20, hidden_size=128, output_size=33),
        ),
        "paper": Scale(seeds=20, minutes=20000),
    },
    curves=(pondering.WRONG,),
    exhibits=exhibits,
    claims=(
        Claim(
            name="act-solves",
            sentence="ACT solves the task at some time penalty.",
            source="section 3.3, figure 12",
            quantity=lambda results: results.each(chosen(results), everywhere),
            rules=dict.fromkeys(JUDGED, Typical("at most", 2, partly=5.6)),
            paper="perfectly solved",
            public="5.6 % of sequences (1,024 units, lengths from 2); Fojo et al. 2018: 2 %, always 5 numbers",
            unit="% of sequences with a mistake",
        ),
        Claim(
            name="every-tau-solves",
            sentence="The task is perfectly solved for all values of tau.",
            source="section 3.3, figure 12",
            quantity=at_each_tau,
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at most", 2, partly=5.6))),
            paper="for all taus from 1e-4 to 1",
            public="none over taus",
            unit="% of sequences with a mistake",
        ),
        Claim(
            name="a-single-step-does-not",
            sentence="The LSTM alone does not solve it.",
            source="section 3.3, figure 12",
            quantity=lambda results: results.each("lstm", everywhere),
            rules=dict.fromkeys(JUDGED, Typical("at least", 2)),
            paper="the bar of figure 12 beside none for ACT",
            public="Fojo et al. 2018: about 40 % wrong, always 5 numbers",
            unit="% of sequences with a mistake",
        ),
        Claim(
            name="steps-grow-with-digits",
            sentence="Ponder time is approximately linear in the number of digits.",
            source="section 3.3, figure 14",
            quantity=growth,
            rules={
                "small": AllOf({"rise": RISE}),
                "paper": AllOf({"rise": RISE, "line": Typical("at least", 0.9, partly=0.7)}),
            },
            paper="linear for most networks, with a slope near 1 at the highest taus",
            public="none over seeds",
            unit={"rise": "times the inner steps of one digit", "line": "correlation with the digits"},
        ),
        pondering.fixed_steps_match(
            JUDGED,
            source="Fojo, Campos, Giro-i-Nieto 2018",
            paper="98 % of sequences right in 514,000 updates with 5 steps, in 899,000 with ACT",
            public="the same authors' code",
        ),
    ),
)
