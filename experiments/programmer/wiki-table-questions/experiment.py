"""The Neural Programmer of 2016 on WikiTableQuestions, sections 2 and 3; attacks on it by Mudrakarta et al. 2018."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.recipes import budget
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings, merged
from augrnn.lab.statistics import wilson

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

DEV, QUESTIONS = "random-split-1-dev", 2831
RIGHT = "val/right"
"""The share of right answers among questions on tables within the limits, by the cells alone."""

CONFIG = "configs/wiki-table-questions/neural-programmer.yaml"
UPDATES, MEMBERS = 25_000, 5
"""Updates of a programmer at the small scale, and how many programmers an ensemble has there."""

JUDGED = ("small", "paper")


def percent(measure: str) -> Any:
    """A quantity: a measure of the first development split, in percent."""

    def quantity(run: RunRecord) -> float:
        return 100 * run[measure][DEV]

    return quantity


right = percent("right")


def under(run: RunRecord, perturbation: str) -> float:
    """Percent right under a perturbation."""
    return 100 * run["perturbed"][DEV][perturbation]


def lost(run: RunRecord, perturbation: str) -> float:
    """Points of accuracy that a perturbation takes away."""
    return right(run) - under(run, perturbation)


def ahead(variant: str) -> Any:
    """A quantity: points by which the programmer is better than a variant of it, seed by seed."""
    return lambda results: results.paired(("programmer", variant), lambda ours, theirs: right(ours) - right(theirs))


def against_fixed(results: Results) -> Observations:
    """Points by which the programmer is better than the best program that does not look at the question."""
    return results.each("programmer", lambda run: right(run) - 100 * max(run["fixed"][DEV].values()))


def gained_together(results: Results) -> Observations:
    """Points by which an ensemble is better than the programmer of the same seed."""
    return results.paired(("ensemble", "programmer"), lambda ours, theirs: right(ours) - right(theirs))


def attacked(results: Results) -> dict[str, Observations]:
    """What phrases that say nothing do to the accuracy."""
    return {
        "right whatever the attack": results.each("programmer", lambda run: under(run, "attacking phrases")),
        "lost to polite phrases": results.each("programmer", lambda run: lost(run, "polite phrases")),
    }


def of_programmer(perturbation: str) -> Any:
    """A quantity: points that the programmer loses to a perturbation."""
    return lambda results: results.each("programmer", lambda run: lost(run, perturbation))


def intervals(shares: Mapping[str, float], counts: Mapping[str, int]) -> dict[str, list[float]]:
    """Shares of questions in percent by name, each between the ends of its 95 % interval (Wilson's)."""
    found = {}
    for name, share in shares.items():
        low, high = wilson(round(share * counts[name]), counts[name])
        found[name.replace(" ", "\n")] = [100 * (low or 0.0), 100 * share, 100 * (high or 0.0)]
    return found


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, and accuracy by the kind of answer, under perturbations, and of fixed programs."""
    from augrnn.exhibits.curves import ByBucket, LearningCurves

    def of_all(measure: str, runs: list[RunRecord]) -> list[dict[str, list[float]]]:
        return [intervals(run[measure][DEV], dict.fromkeys(run[measure][DEV], QUESTIONS)) for run in runs]

    ended = {name: [run for run in results[name] if run.status == "finished"] for name in results.planned}
    kinds = {
        name: [intervals(run["right_by_kind"][DEV], run["kinds"][DEV]) for run in runs] for name, runs in ended.items()
    }
    perturbed = {name: of_all("perturbed", runs) for name, runs in ended.items()}
    fixed = {"whatever is asked": of_all("fixed", ended["programmer"][:1])}
    return {
        "learning": LearningCurves(results.curves(RIGHT), "share of right answers"),
        "kinds": ByBucket(kinds, "% of answers right", "kind of answer"),
        "perturbed": ByBucket(perturbed, "% of answers right", "what was changed"),
        "fixed": ByBucket(fixed, "% of answers right", "fixed program"),
    }


def updates(count: int) -> Settings:
    """Train for a number of updates, at whose end the rate has come down to nothing."""
    return merged(budget(count), {"trainer": {"val_check_interval": min(count, 1000)}})


def as_the_paper(count: int) -> Settings:
    """Train at one rate for a number of updates, and keep the weights that are best in validation."""
    best = {
        "monitor": RIGHT,
        "mode": "max",
        "save_top_k": 1,
        "filename": "best-{step}",
        "auto_insert_metric_name": False,
    }
    callbacks = [{"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": best}]
    return {"model": {"init_args": {"scheduler": None}}, "trainer": {"max_steps": count, "callbacks": callbacks}}


def cell(**arguments: Any) -> Settings:
    """Arguments of the programmer."""
    return {"model": {"init_args": {"cell": {"init_args": arguments}}}}


def loss(**arguments: Any) -> Settings:
    """Arguments of the loss."""
    return {"model": {"init_args": {"objective": {"init_args": arguments}}}}


UNREGULARISED = merged(
    cell(dropout=0.0, recurrent_dropout=0.0),
    {"model": {"init_args": {"l2": 0.0}}, "data": {"init_args": {"word_dropout": 0.0}}},
)


def ensemble(members: int, backwards: int) -> Settings:
    """So many members in the place of one programmer."""
    arguments = {"vocabulary_size": 2500, "size": 256, "dropout": 0.2, "recurrent_dropout": 0.1}
    made = {
        "class_path": "augrnn.programs.ensemble.ProgrammerEnsemble",
        "init_args": {**arguments, "members": members, "backwards": backwards},
    }
    return {"model": {"init_args": {"cell": made}}}


REFERENCE = "Mudrakarta et al. 2018, arXiv 1805.05492"

experiment = Experiment(
    name="programmer/wiki-table-questions",
    title="A Neural Programmer answers questions about Wikipedia's tables with programs learned from answers",
    paper=(
        "Neelakantan, Le, Abadi, McCallum, Amodei 2016: Learning a Natural Language Interface with Neural Programmer, "
        "arXiv 1611.08945"
    ),
    variants={
        "programmer": Variant(CONFIG),
        "unregularised": Variant(CONFIG, UNREGULARISED),
        "plain-minimum": Variant(CONFIG, loss(sharpness=math.inf)),
        "paper-negatives": Variant(CONFIG, loss(negatives="paper")),
        "ensemble": Variant(CONFIG, ensemble(members=MEMBERS, backwards=2)),
    },
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=3,
            variants=("programmer",),
            settings=merged(updates(100), cell(size=32)),
        ),
        "small": Scale(
            seeds=3,
            minutes=180,
            settings=updates(UPDATES),
            settings_of={"ensemble": updates(MEMBERS * UPDATES)},
            seeds_of={"ensemble": 1},
        ),
        "paper": Scale(
            seeds=3,
            minutes=20_000,
            settings=as_the_paper(100_001),
            settings_of={"ensemble": merged(ensemble(members=15, backwards=5), as_the_paper(15 * 100_001))},
            seeds_of={"ensemble": 1},
        ),
    },
    curves=(RIGHT,),
    exhibits=exhibits,
    claims=(
        Claim(
            name="answers-questions",
            sentence="Neural Programmer is the first weakly supervised neural network that works on this data set.",
            source="sections 1 and 3.2, table 2",
            quantity=lambda results: results.each("programmer", right),
            rules=dict.fromkeys(JUDGED, Typical("at least", 30, partly=23.6)),
            paper="34.2 %; the simplest log-linear parser 23.6 %",
            public="33.5 % (the original code, run again)",
            unit="% of all 2,831 questions right",
        ),
        Claim(
            name="looks-at-the-question",
            sentence="Its answers are far better than those of any program that does the same whatever is asked.",
            source="not in the paper; the bar is ours",
            quantity=against_fixed,
            rules=dict.fromkeys(JUDGED, Typical("at least", 15, partly=10)),
            paper="not in the paper",
            public="none",
            unit="points of accuracy more",
        ),
        Claim(
            name="regularisation-matters",
            sentence="Dropout and weight decay have a large effect on the accuracy.",
            source="section 3.3, table 3",
            quantity=ahead("unregularised"),
            rules=dict.fromkeys(JUDGED, Typical("at least", 2, partly=0)),
            paper="34.2 % with them, 30.3 % without",
            public="none",
            unit="points of accuracy more with dropout and weight decay, seed by seed",
        ),
        Claim(
            name="soft-minimum",
            sentence="Where an answer may be counted or printed, the soft minimum of both losses trains better.",
            source="section 2.5; the bar is ours",
            quantity=ahead("plain-minimum"),
            rules=dict.fromkeys(JUDGED, Typical("at least", 0, partly=-1)),
            paper="stated without numbers",
            public="none",
            unit="points of accuracy more with the soft minimum, seed by seed",
        ),
        Claim(
            name="negatives",
            sentence="The losses of code and paper, which weigh wrong cells differently, learn as much.",
            source="Eq. 8 and the published code; the bar is ours",
            quantity=lambda results: results.paired(
                ("programmer", "paper-negatives"), lambda ours, theirs: abs(right(ours) - right(theirs))
            ),
            rules=dict.fromkeys(JUDGED, Typical("at most", 2, partly=4)),
            paper="not in the paper",
            public="none",
            unit="points of accuracy apart, seed by seed",
        ),
        Claim(
            name="ensembles-help",
            sentence="Averaging the probabilities of several models at every step improves the accuracy.",
            source="section 3.2, table 2",
            quantity=gained_together,
            rules=dict.fromkeys(JUDGED, Typical("at least", 1.5, partly=0)),
            paper="37.2 % of 15 models, 34.2 % of one",
            public="none",
            unit="points of accuracy more than a single model",
        ),
        Claim(
            name="phrases-that-say-nothing",
            sentence="Phrases that say nothing leave few answers right; polite ones leave most.",
            source=f"{REFERENCE}; the bars are ours",
            quantity=attacked,
            rules=dict.fromkeys(
                JUDGED,
                AllOf(
                    {
                        "right whatever the attack": Typical("at most", 10, partly=20),
                        "lost to polite phrases": Typical("at most", 10, partly=15),
                    }
                ),
            ),
            paper="33.5 % fall to 3.3 %; to 27.1 % with phrases of other words",
            public="the same: it is about the published code",
            unit={"right whatever the attack": "% of questions", "lost to polite phrases": "points of accuracy"},
        ),
        Claim(
            name="stop-words",
            sentence="It depends on words that mean nothing: without stop words its accuracy falls.",
            source=f"{REFERENCE}; the bar is ours",
            quantity=of_programmer("no stop words"),
            rules=dict.fromkeys(JUDGED, Typical("at least", 2, partly=0)),
            paper="33.5 % fall to 28.5 %",
            public="the same: it is about the published code",
            unit="points of accuracy lost",
        ),
        Claim(
            name="order-of-rows",
            sentence="It depends on the order of rows: where they are shuffled its accuracy falls.",
            source=f"{REFERENCE}; the bar is ours",
            quantity=of_programmer("shuffled rows"),
            rules=dict.fromkeys(JUDGED, Typical("at least", 5, partly=2)),
            paper="33.5 % fall to 23 %",
            public="the same: it is about the published code",
            unit="points of accuracy lost",
        ),
        Claim(
            name="right-for-wrong-reasons",
            sentence="Right answers to questions that do not ask for order rest on the order of rows.",
            source=f"{REFERENCE}; the bar is ours",
            quantity=lambda results: results.each("programmer", percent("order_alone")),
            rules=dict.fromkeys(JUDGED, Typical("at least", 10, partly=3)),
            paper="shown for single questions",
            public="none",
            unit="% of such right answers that are wrong where rows are shuffled",
        ),
    ),
)
