"""Adaptive computation time, section 3.2: logic."""

from typing import TYPE_CHECKING

from augrnn.lab import pondering
from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale
from augrnn.lab.pondering import best, by_difficulty, cells, everywhere, solved, with_act
from augrnn.lab.recipes import with_rate
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

TAUS = (0.1, 0.01, 0.003, 0.001)
SMALL_TAU = 0.01
"""Up to which the paper has virtually no errors."""

SMALL_UPDATES = 10_000

LENGTH = 5
"""Vectors of a sequence in the evaluation sets of one number of gates, as in the paper's figure 10."""

DIFFICULTY = f"gates a vector, {LENGTH} vectors a sequence"

KEPT = (0, 1, 2, 3, 5)
"""For the lines of nets that apply only the last gates; with none it is a blind guess."""


def chosen(results: Results) -> str:
    """ACT at the best tau of those that are small, by validation sequences."""
    return best(results, with_act(results.planned, SMALL_TAU))


def at_the_best_tau(results: Results) -> dict[str, Observations]:
    """Percent of sequences with a mistake, and percent of steps."""
    name = chosen(results)
    return {
        "sequences": results.each(name, everywhere),
        "steps": results.each(name, lambda run: everywhere(run, "wrong_steps")),
    }


def at_each_small_tau(results: Results) -> dict[str, Observations]:
    """Percent of sequences with a mistake, for each tau up to .01."""
    return {name: results.each(name, everywhere) for name in with_act(results.planned, SMALL_TAU)}


def without_pondering(results: Results) -> dict[str, Observations]:
    """What the plain LSTM gets wrong, as a multiple of what ACT does; one mistake is taken to be the least."""

    def ratio(measure: str, least: float) -> Observations:
        def of(plain: RunRecord, act: RunRecord) -> float:
            return everywhere(plain, measure) / max(everywhere(act, measure), least)

        return results.paired(("lstm", chosen(results)), of)

    return {"sequences": ratio("wrong_sequences", 0.1), "steps": ratio("wrong_steps", 0.02)}


def rising(results: Results) -> Observations:
    """Inner steps at the most gates as a multiple of those at half as many, in networks that solve the task.

    The paper's figure 10 rises from 5 to 10 gates, and is surprisingly high at the fewest.
    """

    def ratio(run: RunRecord) -> float:
        steps = list(by_difficulty(run["inner_steps"]).values())
        return steps[-1] / steps[(len(steps) + 1) // 2 - 1]

    return results.each(chosen(results), ratio, where=solved)


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Errors of sequences and of steps beside those of nets that guess, inner steps, and learning curves."""
    from augrnn.measures.logic.figure import BesideGuesses
    from augrnn.measures.logic.guesses import wrong_sequences, wrong_steps

    steps = pondering.shown_by_difficulty(results, "wrong_steps")
    gates = sorted({int(count) for runs in steps.values() for run in runs for count in run})

    def guesses(sequences: bool) -> dict[str, dict[str, float]]:
        def wrong(kept: int, count: int) -> float:
            step = wrong_steps(kept, count)
            return wrong_sequences(step, range(LENGTH, LENGTH + 1)) if sequences else step

        names = {kept: "the last gate alone" if kept == 1 else f"the last {kept} gates" for kept in KEPT}
        names[0] = "a blind guess"
        return {names[kept]: {str(count): wrong(kept, count) for count in gates} for kept in KEPT}

    sequences = pondering.shown_by_difficulty(results, "wrong_sequences")
    found: dict[str, Exhibit] = {
        "errors": BesideGuesses(
            sequences, "share of sequences with a mistake", DIFFICULTY, guesses=guesses(sequences=True)
        ),
        "step_errors": BesideGuesses(steps, "share of steps wrong", DIFFICULTY, guesses=guesses(sequences=False)),
    }
    return pondering.exhibits(results, DIFFICULTY) | found


def sizes(gates: int, length: int, updates: int) -> Settings:
    """Up to so many gates a vector and vectors a sequence, in so many updates of a size that suits few of them.

    Rate and bound on the gradient are act/parity's; with 5 gates and tau .003 one trial was at .3 % of validation
    sequences by then.
    """
    return {
        **with_rate(3e-3),
        "data": {
            "init_args": {
                "max_gates": gates,
                "max_length": length,
                "test_length": LENGTH,
                "epoch_batches": min(1000, updates // 2),
            }
        },
        "trainer": {"max_steps": updates, "gradient_clip_val": 1.0},
    }


VARIANTS = pondering.variants("logic", TAUS, steps=(2, 3))
JUDGED = ("small", "paper")

experiment = Experiment(
    name="act/logic",
    title="Several inner steps apply one gate after the other, where a single one gets lost",
    paper="Graves 2016: Adaptive Computation Time for Recurrent Neural Networks, arXiv 1603.08983, section 3.2",
    variants=VARIANTS,
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=1,
            settings=sizes(2, 3, 300),
            settings_of=cells(VARIANTS, input_size=22, hidden_size=64),
            variants=("lstm", "act-tau-0.1", "repeat-2"),
        ),
        "small": Scale(
            seeds=5, minutes=60, settings=sizes(5, 5, SMALL_UPDATES), settings_of=cells(VARIANTS, input_size=52)
        ),
        "paper": Scale(seeds=20, minutes=20000),
    },
    curves=(pondering.WRONG,),
    exhibits=exhibits,
    claims=(
        Claim(
            name="act-solves",
            sentence="ACT has virtually no errors at some time penalty of .01 or less.",
            source="section 3.2, figure 8",
            quantity=at_the_best_tau,
            rules=dict.fromkeys(
                JUDGED,
                AllOf({"sequences": Typical("at most", 2, partly=4), "steps": Typical("at most", 1, partly=2)}),
            ),
            paper="virtually zero for all taus up to .01",
            public="4 % of sequences and 1 % of steps (one run, 300 units, curriculum, another rule and tau)",
            unit={"sequences": "% of sequences with a mistake", "steps": "% of steps wrong"},
        ),
        Claim(
            name="every-small-tau-solves",
            sentence="The error is virtually zero for all time penalties of .01 or less.",
            source="section 3.2, figure 8",
            quantity=at_each_small_tau,
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at most", 2, partly=4))),
            paper="virtually zero",
            public="none over taus",
            unit="% of sequences with a mistake",
        ),
        Claim(
            name="a-single-step-does-not",
            sentence="Without ACT the network keeps an error that is many times as large.",
            source="section 3.2, figure 8",
            quantity=without_pondering,
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at least", 5, partly=2))),
            paper="about .2 (of sequences by its definition; its .5 for a guess is of steps) beside virtually zero",
            public="none",
            unit="times the error of ACT",
        ),
        Claim(
            name="more-gates-take-longer",
            sentence="In the upper half of the difficulties ponder increases with the number of gates.",
            source="section 3.2, figure 10",
            quantity=rising,
            rules=dict.fromkeys(JUDGED, Typical("at least", 1.2, partly=1.05)),
            paper="rises gradually from 5 to 10 gates",
            public="none over seeds",
            unit="times the inner steps of half as many gates",
        ),
        pondering.fixed_steps_match(
            JUDGED,
            source="Fojo, Campos, Giro-i-Nieto 2018, of parity and addition",
            paper="not on this task",
            public="none",
        ),
    ),
)
