"""The simple Neural Programmer of "Attention and Augmented Recurrent Neural Networks": expressions of arithmetic."""

from typing import TYPE_CHECKING

from augrnn.lab.claims import Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.results import Observations, Results, RunRecord

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

WRONG = "val/wrong"
"""The share of validation expressions with a wrong answer."""

SOLVED = 0.99
"""The share of right answers, at each number of numbers, from which on a seed counts as solved (set before any run)."""


def solved(run: RunRecord) -> bool:
    """Whether almost all held-out expressions are right, those longer than in training among them."""
    return min(run["right"].values()) >= SOLVED


def longest(run: RunRecord) -> float:
    """Percent right of the longest expressions."""
    return 100 * run["right"][max(run["right"], key=int)]


def hardened(results: Results) -> Observations:
    """Percent of the longest expressions that the likeliest program has right and the weighted one has not."""

    def gained(run: RunRecord) -> float:
        name = max(run["right"], key=int)
        return 100 * (run["right"][name] - run["right_soft"][name])

    return results.each("program", gained, where=solved)


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, right answers by the number of numbers, and the program of a solved seed."""
    from augrnn.exhibits.curves import BySize, LearningCurves

    found: dict[str, Exhibit] = {
        "learning": LearningCurves(results.curves(WRONG), "share of answers wrong", bar=1 - SOLVED),
        "lengths": BySize(results.measured("right"), "share of answers right", "numbers in an expression"),
    }
    programs = [key for key in shown if key[0] == "program" and solved(results.runs[key])]
    if programs:
        found["program"] = shown[programs[0]]["program"]
    return found


JUDGED = ("small",)

experiment = Experiment(
    name="programmer/arithmetic",
    title="A program for arithmetic is learned from answers alone",
    paper="Olah and Carter 2016: Attention and Augmented Recurrent Neural Networks, section Neural Programmer",
    variants={
        "program": Variant("configs/expressions/program.yaml"),
        "lstm": Variant("configs/expressions/lstm.yaml"),
    },
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=1,
            settings={"trainer": {"max_steps": 500}, "data": {"init_args": {"epoch_batches": 250, "max_numbers": 2}}},
        ),
        "small": Scale(seeds=10, minutes=30),
    },
    curves=(WRONG,),
    exhibits=exhibits,
    claims=(
        Claim(
            name="learns-programs",
            sentence=(
                "The Neural Programmer learns to produce programs without examples of correct programs: the answer is "
                "the only supervision."
            ),
            source="section Neural Programmer",
            quantity=lambda results: results.each("program", solved),
            rules=dict.fromkeys(JUDGED, SuccessRate(needed=0.8, partly=0.4)),
            paper="no number; the article shows a program",
            public="none",
        ),
        Claim(
            name="generalises",
            sentence="The likeliest program is right for expressions four times as long as any in training.",
            source="section Neural Programmer; the bar is ours",
            quantity=lambda results: results.each("program", longest),
            rules=dict.fromkeys(JUDGED, Typical("at least", 99, partly=90)),
            paper="none",
            public="none",
            unit="% of answers right",
        ),
        Claim(
            name="one-program",
            sentence="Weighted choices learn one program: the likeliest choices give the same answers.",
            source="section Neural Programmer; Neelakantan et al. 2015 take the likeliest choices at test",
            quantity=hardened,
            rules=dict.fromkeys(JUDGED, Typical("at most", 1, partly=10)),
            paper="none",
            public="none",
            unit="% of answers right with the likeliest choices and wrong with weighted ones",
        ),
        Claim(
            name="lstm-does-not",
            sentence="An LSTM that gives answers itself is wrong where expressions are longer than in training.",
            source="the baseline of Neelakantan et al. 2015, section 3.3",
            quantity=lambda results: results.each("lstm", longest),
            rules=dict.fromkeys(JUDGED, Typical("at most", 10, partly=50)),
            paper="none on arithmetic; on tables an LSTM falls from about 80 % to about 30 % with larger numbers",
            public="none",
            unit="% of answers right",
        ),
    ),
)
