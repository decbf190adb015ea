"""Neural Turing Machines, section 4.1: copy."""

from typing import TYPE_CHECKING

from augrnn.lab.claims import AllOf, Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment, Shown, titled
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.recipes import as_graves_trains, budget, with_memories, with_rate
from augrnn.lab.results import Observations, Results, RunRecord, part
from augrnn.lab.settings import Settings, merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

SOLVED = 0.05
"""Bits a sequence on validation data at which copying counts as learned."""

COST = "val/cost_bits"
MACHINES = {"LSTM controller": "ntm-lstm", "feedforward controller": "ntm-feedforward"}
FOR_LENGTH = {"LSTM controller": "ntm-lstm-long", "feedforward controller": "ntm-feedforward-long"}
"""The same machines, trained so that what they learn of a full memory lasts."""
ABLATIONS = {"without Eq. 7": "no-interpolation", "without Eq. 9": "no-sharpening"}

HEADS, MEMORY = "model.init_args.cell.init_args.heads", "model.init_args.cell.init_args.memory"
"""Parameters of the sweep copy-ntm."""


def solved(run: RunRecord) -> bool:
    """Whether copying was learned, and still is at the end."""
    return run.below(COST, SOLVED)


def longest(run: RunRecord) -> str:
    """The longest test length, as the measures name it."""
    return max(run["wrong_bits"], key=int)


def solved_seeds(results: Results) -> dict[str, Observations]:
    """For each machine, which seeds learned to copy."""
    return {name: results.each(variant, solved) for name, variant in MACHINES.items()}


def sequences_to_solve(results: Results) -> dict[str, Observations]:
    """For each machine, training sequences until the cost was first below SOLVED."""
    return {name: results.each(variant, lambda run: run.reached(COST, SOLVED)) for name, variant in MACHINES.items()}


def cost_ratio(results: Results) -> dict[str, Observations]:
    """The LSTM's final cost as a multiple of the machine's, seed by seed."""
    return {name: results.final_ratio(COST, "lstm", variant) for name, variant in MACHINES.items()}


def faultless_at_longest(results: Results) -> dict[str, Observations]:
    """For each machine that is trained for length, which solved seeds make no error at all at the longest length."""
    return {
        name: results.each(variant, lambda run: run["wrong_bits"][longest(run)] == 0, where=solved)
        for name, variant in FOR_LENGTH.items()
    }


def lstm_prefix(results: Results) -> Observations:
    """The share of the longest sequence that the LSTM gives before its first error, relative to the shortest's."""

    def kept(run: RunRecord) -> float:
        shares = {int(length): prefix / int(length) for length, prefix in run["accurate_prefix"].items()}
        return shares[max(shares)] / max(shares[min(shares)], 1e-9)

    return results.each("lstm", kept)


def mechanism(results: Results) -> dict[str, Observations]:
    """Each part of the paper's reading of the heads, for solved seeds of both machines together."""
    names = {
        "largest weight of the write head": "write_focus",
        "writes that move by one row": "write_step",
        "reads that visit the written rows in order": "same_rows",
        "likeness of what is read and written (cosine)": "reads_are_adds",
    }
    return {
        words: Observations.together(
            results.each(variant, part("mechanism", name), where=solved) for variant in MACHINES.values()
        )
        for words, name in names.items()
    }


def limit(results: Results) -> dict[str, Observations]:
    """For each machine that is trained for length, which solved seeds fail beyond their rows, and with more do not."""

    def fails_and_recovers(run: RunRecord) -> bool:
        at_limit = run["limit"]
        return at_limit["wrong_bits"] > 1 and at_limit["wrong_bits_more_rows"] < 0.1 * at_limit["wrong_bits"]

    return {name: results.each(variant, fails_and_recovers, where=solved) for name, variant in FOR_LENGTH.items()}


def ablated(results: Results) -> dict[str, Observations]:
    """For each ablation, which seeds fail to copy the longest sequences (more than one wrong bit in a sequence)."""
    return {
        name: results.each(variant, lambda run: run["wrong_bits"][longest(run)] > 1)
        for name, variant in ABLATIONS.items()
    }


def constant_memory_wins(results: Results) -> dict[str, Observations]:
    """With so many heads, in which seeds a first memory that is constant ends at a lower cost than a learned one.

    Each memory has the learning rate of which the median cost is lowest.
    """

    def lower(heads: int) -> Observations:
        pair = [results.lowest(COST, {HEADS: heads, MEMORY: memory}) for memory in ("blank", "random")]
        return results.paired(pair, lambda constant, learned: constant[COST] < learned[COST])

    return {"1 head": lower(1), "2 heads": lower(2)}


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, errors by length, and the heads of a solved seed."""
    from augrnn.exhibits.curves import BySize, LearningCurves

    wrong = results.measured("wrong_bits")
    found: dict[str, Exhibit] = {
        "learning": LearningCurves(results.curves(COST), "cost (bits per sequence)", floor=1e-3, bar=SOLVED),
        "generalisation": BySize(wrong, "wrong bits per sequence", "length", small=0.01),
    }
    best = [key for key in shown if key[0] in MACHINES.values() and solved(results.runs[key])]
    if best:
        found["heads"] = titled(shown, best[0], "heads")
    return found


JUDGED = ("small", "paper")
MOST = SuccessRate(needed=0.9, partly=0.5)
FOUR_FIFTHS = SuccessRate(needed=0.8, partly=0.5)

SMOKE = merged(
    budget(1000),
    with_rate(8.0e-3),
    {
        "data": {
            "init_args": {
                "max_length": 10,
                "batch_size": 32,
                "test_lengths": [10, 20],
                "test_sequences": 200,
                "epoch_batches": 200,
            }
        },
    },
)


def for_length(rate: float) -> Settings:
    """In turn a memory that a training sequence nearly fills and the whole one; erase gates that start closed."""
    closed = {"model": {"init_args": {"cell": {"init_args": {"erase_bias": -5.0}}}}}
    return merged(with_memories((24, 128), updates=6_000, rate=rate), closed)


SMOKE_MEMORY = {"model": {"init_args": {"cell": {"init_args": {"rows": 64}}}}}
SMOKE_LSTM = {"model": {"init_args": {"cell": {"init_args": {"layers": 1}}}}}

experiment = Experiment(
    name="ntm/copy",
    title="A Neural Turing Machine learns to copy, and copies what is longer than anything it was trained on",
    paper="Graves, Wayne, Danihelka 2014: Neural Turing Machines, arXiv 1410.5401, section 4.1",
    variants={
        "ntm-lstm": Variant("configs/copy/ntm-lstm.yaml"),
        "ntm-feedforward": Variant("configs/copy/ntm-feedforward.yaml"),
        "ntm-lstm-long": Variant("configs/copy/ntm-lstm.yaml", for_length(1.0e-2)),
        "ntm-feedforward-long": Variant("configs/copy/ntm-feedforward.yaml", for_length(5.0e-3)),
        "lstm": Variant("configs/copy/lstm.yaml"),
        "no-interpolation": Variant(
            "configs/copy/ntm-feedforward.yaml",
            {"model": {"init_args": {"cell": {"init_args": {"interpolation": False}}}}},
        ),
        "no-sharpening": Variant(
            "configs/copy/ntm-feedforward.yaml",
            {"model": {"init_args": {"cell": {"init_args": {"sharpening": False}}}}},
        ),
    },
    scales={
        "smoke": Scale(
            seeds=3,
            minutes=2,
            variants=(*MACHINES.values(), "lstm"),
            settings=SMOKE,
            settings_of={**dict.fromkeys(MACHINES.values(), SMOKE_MEMORY), "lstm": SMOKE_LSTM},
        ),
        "small": Scale(
            seeds=10,
            minutes=45,
            seeds_of={**dict.fromkeys((*FOR_LENGTH.values(), *ABLATIONS.values()), 16), "lstm": 5},
            settings_of={"ntm-lstm": with_rate(1.0e-2)},
        ),
        "paper": Scale(
            seeds=10,
            minutes=6000,
            settings=as_graves_trains(1_000_000, rate=1.0e-4),
            settings_of={"lstm": with_rate(3.0e-5)},
        ),
    },
    curves=(COST, "val/wrong_bits"),
    exhibits=exhibits,
    sweeps=("copy-ntm", "copy-lstm"),
    claims=(
        Claim(
            name="learns",
            sentence="NTM learns to copy: it solves the task, and stays there.",
            source="section 4.1, figure 3",
            quantity=solved_seeds,
            rules=dict.fromkeys(("smoke", *JUDGED), AllOf(MOST)),
            paper="cost near 0 by 100k sequences, one run",
            public="4 of 4 seeds",
        ),
        Claim(
            name="learns-fast",
            sentence="NTM (with either a feedforward or LSTM controller) learned much faster than LSTM alone.",
            source="section 4.1, figure 3",
            quantity=sequences_to_solve,
            rules={
                "small": AllOf(Typical("at most", 60_000, partly=64_000)),
                "paper": AllOf(Typical("at most", 100_000, partly=200_000)),
            },
            paper="< 0.2 bits by 100k sequences, read off figure 3",
            public="5k to 10k sequences at batch 1, single seeds",
            unit="training sequences until it is solved",
        ),
        Claim(
            name="beats-lstm",
            sentence="NTM (with either a feedforward or LSTM controller) ... converged to a lower cost.",
            source="section 4.1, figure 3",
            quantity=cost_ratio,
            rules={
                "smoke": AllOf(Typical("at least", 2)),
                **dict.fromkeys(JUDGED, AllOf(Typical("at least", 10, partly=2))),
            },
            paper="LSTM about 4.8 bits at 100k sequences, read off figure 3",
            public="none over seeds",
            unit="times lower cost than the LSTM's",
        ),
        Claim(
            name="generalises",
            sentence="NTM continues to copy as the length increases, far beyond the lengths it was trained on.",
            source="section 4.1, figure 4",
            quantity=faultless_at_longest,
            rules=dict.fromkeys(JUDGED, AllOf(FOUR_FIFTHS)),
            paper="at 120 a few errors and one duplicated vector",
            public="0.0 % wrong at 120",
        ),
        Claim(
            name="lstm-degrades",
            sentence="LSTM rapidly degrades beyond length 20.",
            source="section 4.1, figure 5",
            quantity=lstm_prefix,
            rules=dict.fromkeys(JUDGED, Typical("at most", 0.25, partly=0.5)),
            paper="the accurate prefix shrinks as the length grows",
            public="none",
            unit="times as much of a sequence right before the first error as at the shortest length",
        ),
        Claim(
            name="mechanism",
            sentence=(
                "The write head moves one row a step, sharply focused; the reads visit the same rows in order, "
                "and the read vectors are the add vectors."
            ),
            source="section 4.1, figure 6",
            quantity=mechanism,
            rules=dict.fromkeys(("smoke", *JUDGED), AllOf(Typical("at least", 0.9, partly=0.6))),
            paper="shown for one sequence",
            public="shown for single sequences",
        ),
        Claim(
            name="memory-limit",
            sentence="The failure beyond the number of rows is one of capacity: more rows lift it without training.",
            source="section 4.1",
            quantity=limit,
            rules=dict.fromkeys(JUDGED, AllOf(FOUR_FIFTHS)),
            paper="stated for lengths above 128",
            public="none",
        ),
        Claim(
            name="ablations",
            sentence="Without the previous weighting, or without sharpening, it does not generalise to longer inputs.",
            source="section 3.3.2",
            quantity=ablated,
            rules=dict.fromkeys(JUDGED, AllOf(FOUR_FIFTHS)),
            paper="asserted, not shown",
            public="none",
        ),
        Claim(
            name="constant-memory",
            sentence=(
                "After 32,000 sequences, each at its best rate, a memory that is a small constant at first has a lower "
                "cost than one whose start is learned."
            ),
            source="Collier and Beel 2018, arXiv 1807.08518; they compare the time to converge",
            quantity=constant_memory_wins,
            rules={"copy-ntm": AllOf(FOUR_FIFTHS)},
            paper="converges on average 2 times faster than the next best, over three tasks",
            public="none",
        ),
    ),
)
