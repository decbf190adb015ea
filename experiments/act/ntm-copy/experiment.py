"""Adaptive computation time around a Neural Turing Machine, on the copy task: no paper has this."""

from statistics import fmean
from typing import TYPE_CHECKING

from augrnn.lab.claims import AllOf, Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.pondering import ponders
from augrnn.lab.recipes import budget
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings, merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

COST = "val/cost_bits"

SOLVED = 0.05
"""Bits a sequence on validation data at which copying counts as learned, as in ntm/copy."""

TAUS = {f"act-tau-{tau:g}": tau for tau in (0.1, 0.01, 0.001)}


def solved(run: RunRecord) -> bool:
    """Whether copying was learned, and still is at the end."""
    return run.below(COST, SOLVED)


def longest(run: RunRecord) -> float:
    """Wrong bits in a sequence of the longest test length."""
    return run["wrong_bits"][max(run["wrong_bits"], key=int)]


def learning(results: Results) -> dict[str, Observations]:
    """For each tau, which seeds learned to copy."""
    return {f"tau {tau:g}": results.each(name, solved) for name, tau in TAUS.items()}


def slower(results: Results) -> dict[str, Observations]:
    """For each tau, training sequences until copying was learned, as a multiple of the NTM's alone with that seed."""

    def ratio(act: RunRecord, ntm: RunRecord) -> float | None:
        ours, alone = act.reached(COST, SOLVED), ntm.reached(COST, SOLVED)
        return None if ours is None or alone is None else ours / alone

    return {f"tau {tau:g}": results.paired((name, "ntm"), ratio) for name, tau in TAUS.items()}


def steps(results: Results) -> dict[str, Observations]:
    """For each tau, inner steps of a step in time, for solved seeds."""
    return {
        f"tau {tau:g}": results.each(name, lambda run: fmean(run["inner_steps"]), where=solved)
        for name, tau in TAUS.items()
    }


def phases(run: RunRecord) -> list[float]:
    """Mean inner steps at the vectors, at the delimiter, and at the copy."""
    middle = len(run["inner_steps"]) // 2
    return [
        fmean(run["inner_steps"][:middle]),
        run["inner_steps"][middle],
        fmean(run["inner_steps"][middle + 1 :]),
    ]


def unevenness(results: Results) -> dict[str, Observations]:
    """For each tau, inner steps in the phase with most as a multiple of the phase with fewest, for solved seeds."""
    return {
        f"tau {tau:g}": results.each(name, lambda run: max(phases(run)) / min(phases(run)), where=solved)
        for name, tau in TAUS.items()
    }


def generalising(results: Results) -> dict[str, Observations]:
    """For each tau, wrong bits at the longest length beyond those of the NTM alone, where both are solved."""
    return {
        f"tau {tau:g}": results.paired(
            (name, "ntm"),
            lambda act, ntm: longest(act) - longest(ntm),
            where=lambda act, ntm: solved(act) and solved(ntm),
        )
        for name, tau in TAUS.items()
    }


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, inner steps along a sequence, and errors by length."""
    from augrnn.exhibits.compute import StepsOverTime
    from augrnn.exhibits.curves import BySize, LearningCurves

    along = {name: runs for name, runs in results.measured("inner_steps").items() if name in TAUS}
    times = [len(run) for runs in along.values() for run in runs]
    marks = {"delimiter": times[0] // 2} if times else {}
    wrong = results.measured("wrong_bits")
    return {
        "learning": LearningCurves(results.curves(COST), "cost (bits per sequence)", floor=1e-3, bar=SOLVED),
        "pondering": StepsOverTime(along, marks),
        "lengths": BySize(wrong, "wrong bits per sequence", "length", small=0.01),
    }


def sizes(updates: int, length: int, tested: list[int]) -> Settings:
    """Sequences of at most so many vectors, in so many updates."""
    data = {"max_length": length, "test_lengths": tested, "epoch_batches": min(250, updates // 2)}
    return merged(budget(updates), {"data": {"init_args": data}})


def rows(count: int) -> dict[str, Settings]:
    """The rows of each variant's memory."""
    alone: Settings = {"model": {"init_args": {"cell": {"init_args": {"rows": count}}}}}
    inside: Settings = {"model": {"init_args": {"cell": {"init_args": {"cell": {"init_args": {"rows": count}}}}}}}
    return {name: alone if name == "ntm" else inside for name in VARIANTS}


MACHINE = {
    "class_path": "augrnn.cells.ntm.NTM",
    "init_args": {
        "input_size": 10,
        "output_size": 8,
        "controller": {"class_path": "augrnn.cells.feedforward.Feedforward", "init_args": {"hidden_size": 100}},
        "heads": 1,
        "rows": 128,
        "width": 20,
        "shift_range": 1,
    },
}
REPEAT = {"class_path": "augrnn.cells.repeat.Repeat", "init_args": {"steps": 2, "cell": MACHINE}}

VARIANTS = {
    "ntm": Variant("configs/copy/ntm-feedforward.yaml"),
    **{name: Variant("configs/copy/act-ntm.yaml", ponders(tau)) for name, tau in TAUS.items()},
    "repeat-2": Variant("configs/copy/act-ntm.yaml", {"model": {"init_args": {"cell": REPEAT, "objective": None}}}),
}

JUDGED = ("small", "paper")
FOUR_FIFTHS = SuccessRate(needed=0.8, partly=0.5)

experiment = Experiment(
    name="act/ntm-copy",
    title="An NTM inside adaptive computation time learns to copy as one alone does",
    paper="none: Graves 2016 (arXiv 1603.08983) around Graves, Wayne, Danihelka 2014 (arXiv 1410.5401)",
    variants=VARIANTS,
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=1,
            settings=sizes(100, 4, [2, 4]),
            settings_of=rows(16),
            variants=("ntm", "act-tau-0.01", "repeat-2"),
        ),
        "small": Scale(seeds=5, minutes=40, settings=sizes(2000, 10, [5, 10, 20]), settings_of=rows(64)),
        "paper": Scale(seeds=10, minutes=300, settings=sizes(4000, 20, [10, 20, 50])),
    },
    curves=(COST,),
    exhibits=exhibits,
    claims=(
        Claim(
            name="learns",
            sentence="An NTM inside ACT learns to copy.",
            source="a question of our own",
            quantity=learning,
            rules=dict.fromkeys(JUDGED, AllOf(FOUR_FIFTHS)),
            paper="none",
            public="none",
        ),
        Claim(
            name="learns-as-soon",
            sentence="It needs at most half as many sequences again as the NTM alone.",
            source="a question of our own",
            quantity=slower,
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at most", 1.5, partly=3))),
            paper="none",
            public="none",
            unit="times the training sequences of the NTM alone until it is solved",
        ),
        Claim(
            name="one-step-is-enough",
            sentence="ACT finds out that an NTM needs one inner step for each vector.",
            source="a question of our own",
            quantity=steps,
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at most", 1.1, partly=1.5))),
            paper="none; the NTM alone copies with one",
            public="none",
            unit="inner steps of a step in time",
        ),
        Claim(
            name="ponders-in-one-place",
            sentence="It ponders longer in one part of the sequence (vectors, delimiter, copy) than in another.",
            source="a question of our own",
            quantity=unevenness,
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at least", 1.2, partly=1.05))),
            paper="none; in Graves 2016 sort ponders most where the input ends",
            public="none",
            unit="times the inner steps of the part with fewest",
        ),
        Claim(
            name="generalises-as-well",
            sentence="It copies sequences that are longer than in training as well as the NTM alone.",
            source="a question of our own",
            quantity=generalising,
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at most", 1, partly=8))),
            paper="none",
            public="none",
            unit="wrong bits a sequence more than the NTM alone, at the longest test length",
        ),
        Claim(
            name="fixed-steps-match",
            sentence="With two fixed steps for each vector it learns as well.",
            source="a question of our own: the rival of Fojo, Campos, Giro-i-Nieto 2018",
            quantity=lambda results: results.each("repeat-2", solved),
            rules=dict.fromkeys(JUDGED, FOUR_FIFTHS),
            paper="none",
            public="none",
        ),
    ),
)
