"""Reversal: what attention does that a fixed context cannot, in the smallest setting."""

from typing import TYPE_CHECKING

from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.recipes import budget
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit


LONGEST = {"smoke": 12, "small": 16}
"""The longest sequences of training, by scale."""


def right(run: RunRecord, length: int) -> float:
    """Percent of symbols right at a length."""
    return 100 * run["symbols_right"][str(length)]


def at_the_longest(results: Results) -> dict[str, Observations]:
    """Attention's symbols right at the longest trained length, and how far RNNenc stays behind with the same seed."""
    length = LONGEST[results.scale]
    return {
        "RNNsearch": results.each("rnnsearch", lambda run: right(run, length)),
        "ahead of RNNenc": results.paired(
            ("rnnsearch", "rnnenc"), lambda search, enc: right(search, length) - right(enc, length)
        ),
    }


def shrinking(results: Results) -> Observations:
    """RNNenc's symbols right at the longest trained length as a percentage of those at length 4."""
    length = LONGEST[results.scale]
    return results.each("rnnenc", lambda run: 100 * right(run, length) / right(run, 4))


def reads_backwards(results: Results) -> Observations:
    """Percent of symbols whose largest weight is on the one to be given."""
    return results.each("rnnsearch", lambda run: 100 * run["backwards"])


def between_kinds(results: Results) -> Observations:
    """Percentage points between the best and the worst kind and size of attention, with the same seed."""

    def spread(*runs: RunRecord) -> float:
        found = [run["val/accuracy"] for run in runs]
        return 100 * (max(found) - min(found))

    return results.paired(tuple(results.points), spread)


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Symbols right by length, learning curves, and one alignment."""
    from augrnn.exhibits.curves import BySize, LearningCurves

    found: dict[str, Exhibit] = {
        "lengths": BySize(results.measured("symbols_right"), "share of symbols right", "length"),
        "learning": LearningCurves(results.curves("val/exact"), "share of sequences wholly right"),
    }
    return found | {name: each for name, each in shown.get(("rnnsearch", 0), {}).items() if name == "alignment"}


experiment = Experiment(
    name="attention/reversal",
    title="Attention reverses sequences that a fixed context cannot hold",
    paper="Bahdanau, Cho, Bengio 2014: Neural Machine Translation by Jointly Learning to Align and Translate",
    variants={
        "rnnsearch": Variant("configs/reversal/rnnsearch.yaml"),
        "rnnenc": Variant("configs/reversal/rnnenc.yaml"),
    },
    scales={
        "smoke": Scale(
            seeds=3,
            minutes=1.5,
            settings=merged(
                budget(600), {"data": {"init_args": {"max_length": LONGEST["smoke"], "test_sequences": 100}}}
            ),
        ),
        "small": Scale(seeds=5, minutes=12),
    },
    curves=("val/exact", "val/symbols_right"),
    exhibits=exhibits,
    sweeps=("attention-type",),
    claims=(
        Claim(
            name="attention-holds-what-a-vector-cannot",
            sentence="A fixed-length vector is a bottleneck; searching the source for each word removes it.",
            source="sections 1 and 3",
            quantity=at_the_longest,
            rules={
                scale: AllOf(
                    {
                        "RNNsearch": Typical("at least", 99, partly=90),
                        "ahead of RNNenc": Typical("at least", 20, partly=5),
                    }
                )
                for scale in ("smoke", "small")
            },
            paper="not in the paper: the smallest setting of its argument",
            public="length 16: 100 % with attention, 59 % without",
            unit={"RNNsearch": "% of symbols right", "ahead of RNNenc": "percentage points"},
        ),
        Claim(
            name="fixed-context-falls-with-length",
            sentence="The performance of RNNenc deteriorates as the length of the sentences increases.",
            source="section 5.1, figure 2",
            quantity=shrinking,
            rules={scale: Typical("at most", 80, partly=95) for scale in ("smoke", "small")},
            paper="figure 2, for translation",
            public="none",
            unit="% as many symbols right at the longest trained length as at length 4",
        ),
        Claim(
            name="reads-backwards",
            sentence="The alignment shows which source positions were important for each target word.",
            source="section 5.2.1, figure 3",
            quantity=reads_backwards,
            rules={scale: Typical("at least", 95, partly=80) for scale in ("smoke", "small")},
            paper="shown for single sentences",
            public="none",
            unit="% of symbols are looked up where they stand",
        ),
        Claim(
            name="kinds-learn-alike",
            sentence="Additive attention of three sizes and general attention learn it equally fast.",
            source="no paper's; Bahdanau et al. 2014 have the one, Luong et al. 2015 the other",
            quantity=between_kinds,
            rules={"attention-type": Typical("at most", 1, partly=5)},
            paper="not in a paper",
            public="none",
            unit="percentage points of symbols right between the best and the worst, after 1,000 updates",
        ),
    ),
)
