"""Adaptive computation time, section 3.4: sort."""

import math
from typing import TYPE_CHECKING

from augrnn.lab import pondering
from augrnn.lab.claims import AllOf, Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale
from augrnn.lab.pondering import best, by_difficulty, cells, everywhere, with_act
from augrnn.lab.recipes import with_rate
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

TAUS = (0.01, 0.003, 0.001)
SMALL_UPDATES = 5_000


def chosen(results: Results) -> str:
    """ACT at the best tau, by validation sequences."""
    return best(results, with_act(results.planned))


def paired(results: Results) -> Observations:
    """Whether ACT gets fewer sequences wrong than the plain LSTM of the same seed."""
    return results.paired(("lstm", chosen(results)), lambda plain, act: everywhere(act) < everywhere(plain))


def share_of_the_error(results: Results) -> Observations:
    """What ACT gets wrong as a share of what the plain LSTM of the same seed does."""

    def ratio(plain: RunRecord, act: RunRecord) -> float | None:
        return everywhere(act) / everywhere(plain) if everywhere(plain) else None

    return results.paired(("lstm", chosen(results)), ratio)


def longest(run: RunRecord) -> list[float]:
    """Inner steps at each step in time of the longest sequences: their numbers, then as many answers."""
    steps: list[float] = list(by_difficulty(run["steps_by_position"]).values())[-1]
    return steps


def spike(results: Results) -> dict[str, Observations]:
    """Where the longest sequences take the most inner steps.

    "distance": steps in time from the last number to the most inner steps, before or after it; "height": those as a
    multiple of the mean over the sequence.
    """

    def distance(run: RunRecord) -> float:
        steps = longest(run)
        return abs(steps.index(max(steps)) - (len(steps) // 2 - 1))

    def height(run: RunRecord) -> float:
        steps = longest(run)
        return max(steps) / (sum(steps) / len(steps))

    name = chosen(results)
    return {"distance": results.each(name, distance), "height": results.each(name, height)}


def growth(results: Results) -> dict[str, Observations]:
    """How inner steps of a step in time grow from the shortest to the longest sequences.

    "rise": as a multiple; "power": of the number of elements that would give it, 1 for a linear growth.
    """

    def rise(run: RunRecord) -> float:
        steps = list(by_difficulty(run["inner_steps"]).values())
        return steps[-1] / steps[0]

    def power(run: RunRecord) -> float:
        counts = list(map(int, by_difficulty(run["inner_steps"])))
        return math.log(rise(run)) / math.log(counts[-1] / counts[0])

    name = chosen(results)
    return {"rise": results.each(name, rise), "power": results.each(name, power)}


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Errors and inner steps by the number of elements, inner steps through the longest sequences, learning curves."""
    from augrnn.exhibits.curves import BySize

    positions = {
        variant: [
            {str(place): steps for place, steps in enumerate(list(by_difficulty(run).values())[-1], 1)} for run in runs
        ]
        for variant, runs in results.measured("steps_by_position").items()
    }
    place = "step in time of the longest sequences; the first half are their numbers"
    return pondering.exhibits(results, "numbers to sort") | {"positions": BySize(positions, "inner steps", place)}


def sizes(most: int, updates: int) -> Settings:
    """Up to so many numbers, in so many updates of a size that suits few of them.

    Rate and bound on the gradient are act/parity's; in one trial with 6 numbers and tau .003 validation sequences were
    wrong in 19 % by then, and in 71 % after a tenth of it.
    """
    return {
        **with_rate(3e-3),
        "data": {"init_args": {"max_count": most, "epoch_batches": min(1000, updates // 2)}},
        "trainer": {"max_steps": updates, "gradient_clip_val": 1.0},
    }


VARIANTS = pondering.variants("sort", TAUS, steps=(2, 3))
JUDGED = ("small", "paper")

experiment = Experiment(
    name="act/sort",
    title="Several inner steps sort somewhat better, and are taken when the last numbers are in",
    paper="Graves 2016: Adaptive Computation Time for Recurrent Neural Networks, arXiv 1603.08983, section 3.4",
    variants=VARIANTS,
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=1,
            settings=sizes(3, 300),
            settings_of=cells(VARIANTS, hidden_size=64, output_size=3),
            variants=("lstm", "act-tau-0.01", "repeat-2"),
        ),
        "small": Scale(
            seeds=5,
            minutes=30,
            settings=sizes(6, SMALL_UPDATES),
            settings_of=cells(VARIANTS, hidden_size=128, output_size=6),
        ),
        "paper": Scale(seeds=20, minutes=40000),
    },
    curves=(pondering.WRONG,),
    exhibits=exhibits,
    claims=(
        Claim(
            name="below-the-lstm",
            sentence="With ACT fewer sequences are wrong than without.",
            source="section 3.4, figure 17",
            quantity=paired,
            rules=dict.fromkeys(JUDGED, SuccessRate(needed=0.8, partly=0.5)),
            paper="about 6 % beside 12 %",
            public="none",
        ),
        Claim(
            name="half-the-error",
            sentence="ACT halves the error.",
            source="section 3.4, figure 17",
            quantity=share_of_the_error,
            rules=dict.fromkeys(JUDGED, Typical("at most", 0.5, partly=0.75)),
            paper="from around 12 % to around 6 %",
            public="none",
            unit="times the error without ACT",
        ),
        Claim(
            name="spike-at-the-end-of-the-input",
            sentence="There is a large spike in ponder time near, though not precisely at, the end of the input.",
            source="section 3.4, figure 20",
            quantity=spike,
            rules=dict.fromkeys(
                JUDGED,
                AllOf({"distance": Typical("at most", 2, partly=3), "height": Typical("at least", 2, partly=1.5)}),
            ),
            paper="shown for three sequences of one network",
            public="none",
            unit={"distance": "steps in time from the last number", "height": "times the mean inner steps"},
        ),
        Claim(
            name="sublinear-growth",
            sentence="Computations per input step grow with the length of the sequence, less than linearly.",
            source="section 3.4, figure 19",
            quantity=growth,
            rules=dict.fromkeys(
                JUDGED,
                AllOf({"rise": Typical("at least", 1.2, partly=1.05), "power": Typical("at most", 0.9, partly=1.0)}),
            ),
            paper="for the better networks",
            public="none",
            unit={"rise": "times the inner steps of the shortest", "power": "as a power of the length"},
        ),
        pondering.fixed_steps_match(
            JUDGED,
            source="Fojo, Campos, Giro-i-Nieto 2018, of parity and addition",
            paper="not on this task",
            public="none",
        ),
    ),
)
