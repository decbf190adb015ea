"""What experiments on adaptive computation time share: settings, quantities and exhibits.

Their measures are those of `augrnn.measures.pondering.measure.PonderingMeasure`: by the evaluation set's name, which is
a number for one difficulty ("5") and a range for the training distribution ("1-10").
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from augrnn.lab.claims import Claim, Typical
from augrnn.lab.plan import Variant
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

WRONG = "val/wrong_sequences"
"""The share of validation sequences with a mistake: what taus and numbers of fixed steps are chosen by."""

SOLVED = 5.0
"""Percent of sequences with a mistake up to which a network counts as a successful one, of which the paper's figures of
pondering are; Graves 2016 says so of parity (section 3.1)."""


def ponders(tau: float) -> Settings:
    """A time penalty, in the paper's convention."""
    return {"model": {"init_args": {"objective": {"init_args": {"tau": tau}}}}}


def repeats(steps: int) -> Settings:
    """A number of fixed steps."""
    return {"model": {"init_args": {"cell": {"init_args": {"steps": steps}}}}}


def variants(task: str, taus: Sequence[float], steps: Sequence[int]) -> dict[str, Variant]:
    """An LSTM alone, with ACT at some taus, and with some numbers of fixed steps, by the configs of a task."""
    return {
        "lstm": Variant(f"configs/{task}/lstm.yaml"),
        **{f"act-tau-{tau:g}": Variant(f"configs/{task}/act.yaml", ponders(tau)) for tau in taus},
        **{f"repeat-{count}": Variant(f"configs/{task}/repeat.yaml", repeats(count)) for count in steps},
    }


def with_act(names: Mapping[str, Any], at_most: float = 1.0) -> list[str]:
    """The variants with ACT whose tau is at most that."""
    return [name for name in names if name.startswith("act-") and float(name.rpartition("-")[2]) <= at_most]


def with_fixed_steps(names: Mapping[str, Any]) -> list[str]:
    """The variants with fixed steps."""
    return [name for name in names if name.startswith("repeat-")]


def cells(names: Mapping[str, Any], **changes: int) -> dict[str, Settings]:
    """For `Scale.settings_of`: changes of the LSTM, which has an input channel more for the flag in all but "lstm"."""
    plain: Settings = {"model": {"init_args": {"cell": {"init_args": changes}}}}
    flagged = changes | ({"input_size": changes["input_size"] + 1} if "input_size" in changes else {})
    inner: Settings = {"model": {"init_args": {"cell": {"init_args": {"cell": {"init_args": flagged}}}}}}
    return {name: plain if name == "lstm" else inner for name in names}


def over_all(run: RunRecord, measure: str) -> float:
    """A measure over the training distribution."""
    return next(value for name, value in run[measure].items() if "-" in name)


def everywhere(run: RunRecord, measure: str = "wrong_sequences") -> float:
    """Percent of sequences, or of what a measure is a share of, that are wrong over the training distribution."""
    return 100 * over_all(run, measure)


def by_difficulty(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """What a measure gives at single difficulties, from the easiest to the hardest."""
    return {name: numbers[name] for name in sorted((name for name in numbers if "-" not in name), key=int)}


def best(results: Results, names: Sequence[str]) -> str:
    """The variant whose typical seed gets the fewest validation sequences wrong at the end; the first of equal ones."""

    def wrong(name: str) -> float:
        finals = [run.final(WRONG) if run.status == "finished" else None for run in results[name]]
        return median([float("inf") if value is None else value for value in finals] or [float("inf")])

    return min(names, key=wrong)


def worse_than_act(results: Results) -> Observations:
    """How much more is wrong with the best number of fixed steps than with ACT at the best tau, in percentage points.

    Both are chosen on validation sequences.
    """
    pair = best(results, with_fixed_steps(results.planned)), best(results, with_act(results.planned))
    return results.paired(pair, lambda repeat, act: everywhere(repeat) - everywhere(act))


def fixed_steps_match(judged: Sequence[str], source: str, paper: str, public: str) -> Claim:
    """The claim of Fojo et al. 2018 against adaptive computation time.

    Args:
      judged: the scales with a verdict.
      source: where it is claimed, and of which tasks.
      paper: what the papers have.
      public: what public code has.
    """
    return Claim(
        name="fixed-steps-match",
        sentence="A fixed number of steps does as well as ACT.",
        source=source,
        quantity=worse_than_act,
        rules=dict.fromkeys(judged, Typical("at most", 1, partly=3)),
        paper=paper,
        public=public,
        unit="percentage points of sequences more than ACT",
    )


def solved(run: RunRecord) -> bool:
    """Whether a network is a successful one."""
    return everywhere(run) <= SOLVED


def shown_by_difficulty(results: Results, measure: str) -> dict[str, list[dict[str, float]]]:
    """What `BySize` shows of a measure."""
    return {variant: list(map(by_difficulty, runs)) for variant, runs in results.measured(measure).items()}


def exhibits(results: Results, difficulty: str) -> "dict[str, Exhibit]":
    """Sequences wrong and inner steps by difficulty and against each other, and learning curves.

    Args:
      results: of an experiment.
      difficulty: what the evaluation sets are named by.
    """
    from augrnn.exhibits.compute import AgainstSteps
    from augrnn.exhibits.curves import BySize, LearningCurves

    methods = {
        "no inner steps": ("lstm",),
        "ACT": with_act(results.planned),
        "fixed steps": with_fixed_steps(results.planned),
    }
    both = results.by_method(methods, lambda run: (over_all(run, "inner_steps"), over_all(run, "wrong_sequences")))
    return {
        "errors": BySize(
            shown_by_difficulty(results, "wrong_sequences"), "share of sequences with a mistake", difficulty
        ),
        "steps": BySize(shown_by_difficulty(results, "inner_steps"), "inner steps", difficulty),
        "compute": AgainstSteps(both, "share of sequences with a mistake"),
        "learning": LearningCurves(
            results.curves(WRONG),
            "share of sequences with a mistake",
            bar=SOLVED / 100,
            bar_name="the share up to which a network counts as successful",
        ),
    }
