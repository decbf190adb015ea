"""Neural Turing Machines, section 4.2: repeat copy."""

from typing import TYPE_CHECKING

from augrnn.lab.claims import AllOf, Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment, Shown, titled
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.recipes import as_graves_trains, budget, with_memories, with_rate
from augrnn.lab.results import Observations, Results, RunRecord, part
from augrnn.lab.settings import merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

SOLVED = 1.0
"""Bits a sequence on validation data at which the task counts as learned; chance is 218.75."""

COST = "val/cost_bits"
MACHINES = {"LSTM controller": "ntm-lstm", "feedforward controller": "ntm-feedforward"}
FOR_LENGTH = {"LSTM controller": "ntm-lstm-long", "feedforward controller": "ntm-feedforward-long"}
"""The same machines, trained for longer sequences."""
WIDTH, TRAINED_REPEATS = 6, 10


def solved(run: RunRecord) -> bool:
    """Whether the task was learned, and still is at the end."""
    return run.below(COST, SOLVED)


def solved_seeds(results: Results) -> dict[str, Observations]:
    """For each machine, which seeds learned to repeat."""
    return {name: results.each(variant, solved) for name, variant in MACHINES.items()}


def cost_ratio(results: Results) -> dict[str, Observations]:
    """The LSTM's final cost as a multiple of the machine's, seed by seed."""
    return {name: results.final_ratio(COST, "lstm", variant) for name, variant in MACHINES.items()}


def wrong_share(run: RunRecord, size: str) -> float:
    """The share of data bits that are wrong at a size named "vectors x repeats"."""
    length, repeats = map(int, size.split("x"))
    return run["wrong_bits"][size] / (length * repeats * WIDTH)


def longer(results: Results) -> dict[str, Observations]:
    """Wrong data bits at twice the trained length: of solved seeds that are trained for length, and of the LSTM."""
    of_machines = {
        name: results.each(variant, lambda run: wrong_share(run, "20x10"), where=solved)
        for name, variant in FOR_LENGTH.items()
    }
    return of_machines | {"LSTM": results.each("lstm", lambda run: wrong_share(run, "20x10"))}


def more_repeats(results: Results) -> dict[str, Observations]:
    """Of the solved seeds at twice the trained repeats: wrong data bits, and end markers beyond the trained number."""

    def markers(run: RunRecord) -> float:
        early = run["early_end_by_repeat"]["10x20"][TRAINED_REPEATS:]
        return sum(early) / len(early)

    found = {}
    for name, variant in MACHINES.items():
        found[f"{name}, errors"] = results.each(variant, lambda run: wrong_share(run, "10x20"), where=solved)
        found[f"{name}, end markers"] = results.each(variant, markers, where=solved)
    return found


def mechanism(results: Results) -> dict[str, Observations]:
    """Each part of the paper's reading of the heads, for the solved seeds of both machines together."""
    names = {
        "every repetition reads the same rows": "loops",
        "they are the rows written": "same_rows_as_written",
        "a jump back between repetitions": "jump_back",
    }
    return {
        words: Observations.together(
            results.each(variant, part("mechanism", name), where=solved) for variant in MACHINES.values()
        )
        for words, name in names.items()
    }


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, end markers by repetition, and the heads of a solved seed."""
    from augrnn.exhibits.curves import LearningCurves
    from augrnn.measures.repeat_copy.figure import EarlyEnds

    early = {
        variant: [list(found.values())[-1] for found in runs]
        for variant, runs in results.measured("early_end_by_repeat").items()
        if variant in MACHINES.values()
    }
    found: dict[str, Exhibit] = {
        "learning": LearningCurves(results.curves(COST), "cost (bits per sequence)", floor=1e-2, bar=SOLVED),
        "early_ends": EarlyEnds(early),
    }
    best = [key for key in shown if key[0] in MACHINES.values() and solved(results.runs[key])]
    if best:
        found["heads"] = titled(shown, best[0], "heads")
    return found


FOUR_FIFTHS = SuccessRate(needed=0.8, partly=0.5)
FEW_WRONG = Typical("at most", 0.05, partly=0.2)
MARKED = Typical("at least", 0.9, partly=0.5)

SMOKE = merged(
    budget(300),
    {
        "data": {
            "init_args": {
                "width": 3,
                "max_length": 3,
                "max_repeats": 3,
                "test_sizes": [[3, 3], [6, 3], [3, 6]],
                "test_sequences": 100,
                "validation_sequences": 160,
                "epoch_batches": 100,
            }
        },
        "model": {"init_args": {"cell": {"init_args": {"input_size": 5, "output_size": 4}}}},
    },
)
LONG = with_memories((14, 128), updates=10_000, rate=2.0e-3)
"""In turn a memory that a training sequence nearly fills and the whole one."""

NARROW = {"model": {"init_args": {"cell": {"init_args": {"hidden_size": 128}}}}}
"""The LSTM stack at a quarter of the paper's width: its 5 million weights are slow on a processor."""

experiment = Experiment(
    name="ntm/repeat-copy",
    title="A Neural Turing Machine learns a nested loop, and cannot count beyond the loops it was trained on",
    paper="Graves, Wayne, Danihelka 2014: Neural Turing Machines, arXiv 1410.5401, section 4.2",
    variants={
        "ntm-lstm": Variant("configs/repeat-copy/ntm-lstm.yaml"),
        "ntm-feedforward": Variant("configs/repeat-copy/ntm-feedforward.yaml"),
        "ntm-lstm-long": Variant("configs/repeat-copy/ntm-lstm.yaml", LONG),
        "ntm-feedforward-long": Variant("configs/repeat-copy/ntm-feedforward.yaml", LONG),
        "lstm": Variant("configs/repeat-copy/lstm.yaml"),
    },
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=2,
            variants=(*MACHINES.values(), "lstm"),
            settings=SMOKE,
            settings_of={"lstm": NARROW},
        ),
        "small": Scale(seeds=5, minutes=30, settings_of={"lstm": NARROW}),
        "paper": Scale(
            seeds=10,
            minutes=6000,
            settings=as_graves_trains(500_000, rate=1.0e-4),
            settings_of={"lstm": with_rate(3.0e-5)},
        ),
    },
    curves=(COST, "val/wrong_bits"),
    exhibits=exhibits,
    claims=(
        Claim(
            name="learns",
            sentence="NTM learns the task: copies the vectors as often as asked, and marks the end.",
            source="section 4.2, figure 7",
            quantity=solved_seeds,
            rules=dict.fromkeys(("small", "paper"), AllOf(FOUR_FIFTHS)),
            paper="cost near 0, one run",
            public="single seeds",
        ),
        Claim(
            name="learns-faster",
            sentence="NTM learns the task much faster than LSTM: at the same number of sequences its cost is lower.",
            source="section 4.2, figure 7",
            quantity=cost_ratio,
            rules=dict.fromkeys(("small", "paper"), AllOf(Typical("at least", 10, partly=2))),
            paper="both learn it, NTM much sooner",
            public="none over seeds",
            unit="times lower cost than the LSTM's",
        ),
        Claim(
            name="longer-sequences",
            sentence="NTM repeats sequences of twice the trained length with few errors, and LSTM does not.",
            source="section 4.2, figure 8",
            quantity=longer,
            rules=dict.fromkeys(
                ("small", "paper"),
                AllOf(
                    {
                        **dict.fromkeys(MACHINES, Typical("at most", 0.01, partly=0.05)),
                        "LSTM": Typical("at least", 0.1, partly=0.05),
                    }
                ),
            ),
            paper="20 vectors 10 times: NTM nearly perfect, LSTM fails after the first",
            public="none over seeds",
            unit="of all data bits wrong",
        ),
        Claim(
            name="more-repeats",
            sentence=(
                "Asked for twice the trained repeats, NTM keeps copying, but cannot count: it puts the end marker "
                "after every repetition beyond the 11th."
            ),
            source="section 4.2, figure 8",
            quantity=more_repeats,
            rules=dict.fromkeys(
                ("small", "paper"),
                AllOf(
                    {
                        **{f"{name}, errors": FEW_WRONG for name in MACHINES},
                        **{f"{name}, end markers": MARKED for name in MACHINES},
                    }
                ),
            ),
            paper="10 vectors 20 times: shown for one sequence",
            public="none",
            unit={
                **{f"{name}, errors": "of all data bits wrong" for name in MACHINES},
                **{
                    f"{name}, end markers": "of the repetitions from the 11th to the 19th end with a marker"
                    for name in MACHINES
                },
            },
        ),
        Claim(
            name="mechanism",
            sentence="It writes the sequence once, then reads the same rows in every repetition, with a jump back.",
            source="section 4.2, figure 9",
            quantity=mechanism,
            rules=dict.fromkeys(
                ("small", "paper"),
                AllOf(
                    {
                        "every repetition reads the same rows": Typical("at least", 0.9, partly=0.6),
                        "they are the rows written": Typical("at least", 0.9, partly=0.6),
                        "a jump back between repetitions": Typical("at least", 0.9, partly=0.6),
                    }
                ),
            ),
            paper="shown for one sequence",
            public="shown for single sequences",
            unit="of all sequences",
        ),
    ),
)
