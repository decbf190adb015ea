"""Neural Turing Machines, section 4.3: associative recall."""

from typing import TYPE_CHECKING

from augrnn.lab.claims import AllOf, Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment, Shown, titled
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.recipes import as_graves_trains
from augrnn.lab.results import Observations, Results, RunRecord, part

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

SOLVED = 0.1
"""Bits a sequence on validation data at which recall counts as learned; chance is 18."""

COST = "val/cost_bits"
MACHINES = {"LSTM controller": "ntm-lstm", "feedforward controller": "ntm-feedforward"}
ITEMS = {"10": 0.1, "15": 1.0, "20": 2.0}
"""Lists longer than any trained on, by their number of items, and the bits a sequence allowed."""


def solved(run: RunRecord) -> bool:
    """Whether recall was learned, and still is at the end."""
    return run.below(COST, SOLVED)


def solved_seeds(results: Results) -> dict[str, Observations]:
    """For each machine, which seeds learned to recall."""
    return {name: results.each(variant, solved) for name, variant in MACHINES.items()}


def lstm_cost(results: Results) -> Observations:
    """The LSTM's final cost."""
    return results.each("lstm", lambda run: run.final(COST))


def longer_lists(results: Results) -> dict[str, Observations]:
    """Costs on lists longer than any trained on, all seeds of the controller with the smaller mean over them."""

    def total(variant: str) -> float:
        runs = results.measured("cost_bits").get(variant, [])
        return sum(run[items] for run in runs for items in ITEMS) / len(runs) if runs else float("inf")

    better = min(MACHINES.values(), key=total)
    return {f"{items} items": results.each(better, part("cost_bits", items)) for items in ITEMS}


def lstm_longer_lists(results: Results) -> Observations:
    """The LSTM's cost on the longest lists."""
    return results.each("lstm", part("cost_bits", "20"))


def mechanism(results: Results) -> dict[str, Observations]:
    """Each part of the paper's reading of the heads, for the solved seeds of each machine."""
    names = {
        "look-up finds the query": "lookup_lands",
        "shifts lead to the answer": "shifts_to_answer",
        "the answer is read from its rows": "answer_from_its_rows",
    }
    return {
        f"{machine}: {words}": results.each(variant, part("mechanism", name), where=solved)
        for machine, variant in MACHINES.items()
        for words, name in names.items()
    }


def single_shift(results: Results) -> dict[str, Observations]:
    """The paper's picture to the letter: a look-up at the end of the query, and one shift; for solved seeds."""
    return {
        machine: results.each(variant, part("mechanism", "one_shift_to_answer"), where=solved)
        for machine, variant in MACHINES.items()
    }


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, costs by number of items, and the heads of a solved seed."""
    from augrnn.exhibits.curves import BySize, LearningCurves

    label = "cost (bits per sequence)"
    found: dict[str, Exhibit] = {
        "learning": LearningCurves(results.curves(COST), label, floor=1e-3, bar=SOLVED),
        "generalisation": BySize(results.measured("cost_bits"), label, "items", small=0.01),
    }
    best = [key for key in shown if key[0] in MACHINES.values() and solved(results.runs[key])]
    if best:
        found["heads"] = titled(shown, best[0], "heads")
    return found


FOUR_FIFTHS = SuccessRate(needed=0.8, partly=0.5)
DESCRIBED = Typical("at least", 0.9, partly=0.6)

SMOKE = {
    "data": {
        "init_args": {
            "width": 3,
            "vectors": 2,
            "max_items": 3,
            "test_items": [3, 5],
            "test_sequences": 100,
            "validation_sequences": 160,
            "epoch_batches": 100,
        }
    },
    "model": {"init_args": {"cell": {"init_args": {"input_size": 5, "output_size": 3}}, "scheduler": None}},
    "trainer": {"max_steps": 300},
}
NARROW = {"model": {"init_args": {"cell": {"init_args": {"hidden_size": 128}}}}}
"""The LSTM stack at half of the paper's width: its 1.3 million weights are slow on a processor."""

JUDGED = ("small", "paper")

experiment = Experiment(
    name="ntm/associative-recall",
    title="A Neural Turing Machine recalls what followed, from longer lists than it was trained on",
    paper="Graves, Wayne, Danihelka 2014: Neural Turing Machines, arXiv 1410.5401, section 4.3",
    variants={
        "ntm-lstm": Variant("configs/associative-recall/ntm-lstm.yaml"),
        "ntm-feedforward": Variant("configs/associative-recall/ntm-feedforward.yaml"),
        "lstm": Variant("configs/associative-recall/lstm.yaml"),
    },
    scales={
        "smoke": Scale(seeds=1, minutes=2, settings=SMOKE, settings_of={"lstm": NARROW}),
        "small": Scale(seeds=5, minutes=40, settings_of={"lstm": NARROW}),
        "paper": Scale(seeds=10, minutes=6000, settings=as_graves_trains(1_000_000, rate=1.0e-4)),
    },
    curves=(COST, "val/wrong_bits"),
    exhibits=exhibits,
    claims=(
        Claim(
            name="learns",
            sentence="NTM learns associative recall: its cost comes to almost nothing, and stays there.",
            source="section 4.3, figure 10",
            quantity=solved_seeds,
            rules=dict.fromkeys(JUDGED, AllOf(FOUR_FIFTHS)),
            paper="at zero by about 30k sequences, one run",
            public="3 of 5 seeds; the fastest 37k sequences",
        ),
        Claim(
            name="lstm-does-not",
            sentence="LSTM does not reach zero cost; at the same number of sequences it is far behind.",
            source="section 4.3, figure 10",
            quantity=lstm_cost,
            rules=dict.fromkeys(JUDGED, Typical("at least", 2, partly=0.5)),
            paper="not at zero after a million sequences",
            public="none over seeds",
            unit="bits a sequence",
        ),
        Claim(
            name="longer-lists",
            sentence="NTM recalls from longer lists than it was trained on (the better of the two controllers).",
            source="section 4.3, figure 11",
            quantity=longer_lists,
            rules=dict.fromkeys(
                JUDGED,
                AllOf({f"{items} items": Typical("at most", bits, partly=4 * bits) for items, bits in ITEMS.items()}),
            ),
            paper="10, 15, 20 items: feedforward 0, 1.5, 8 bits; LSTM controller 1.8, 4.8, 7, read off figure 11",
            public="LSTM controller 0, 0, .94 bits",
            unit="bits a sequence",
        ),
        Claim(
            name="lstm-longer-lists",
            sentence="LSTM does not: on lists of 20 items it does no better than chance (18 bits).",
            source="section 4.3, figure 11",
            quantity=lstm_longer_lists,
            rules=dict.fromkeys(JUDGED, Typical("at least", 18, partly=12)),
            paper="38 bits, read off figure 11",
            public="none",
            unit="bits a sequence",
        ),
        Claim(
            name="mechanism",
            sentence="After the query, a look-up by content finds the queried item, and shifts of one row lead from "
            "there to the answer.",
            source="section 4.3, figure 12",
            quantity=mechanism,
            rules=dict.fromkeys(JUDGED, AllOf(DESCRIBED)),
            paper="shown for one sequence of a feedforward controller",
            public="shown for single sequences",
            unit="of all sequences",
        ),
        Claim(
            name="single-shift",
            sentence="The look-up comes at the end of the query, and finds a digest just before the answer: one shift.",
            source="section 4.3, figure 12",
            quantity=single_shift,
            rules=dict.fromkeys(JUDGED, AllOf(DESCRIBED)),
            paper="shown for one sequence of a feedforward controller",
            public="none",
            unit="of all sequences",
        ),
    ),
)
