"""Models that read tables as text and write answers, the baselines of the Neural Programmer of 2015 (section 3.3)."""

from typing import TYPE_CHECKING

from augrnn.lab import made_tables
from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.made_tables import by_range, each_of
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.results import Results, RunRecord
from augrnn.lab.settings import merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

RIGHT = "val/right"
"""The share of validation questions with a right answer."""

READERS = {"without attention": "rnnenc", "with attention": "rnnsearch"}


def in_range(run: RunRecord) -> float:
    """Percent right on questions about numbers of the range of training."""
    return by_range(run)[0]


def kept(run: RunRecord) -> float:
    """The share of the accuracy that is left where the numbers' range doubles."""
    narrow, wide = by_range(run)
    return wide / max(narrow, 0.1)


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves."""
    from augrnn.exhibits.curves import LearningCurves

    return {"learning": LearningCurves(results.curves(RIGHT), "share of answers right")}


JUDGED = ("small", "paper")

experiment = Experiment(
    name="programmer/table-texts",
    title="Models that read tables as text answer fewer questions, and fewer still about larger numbers",
    paper=made_tables.PAPER,
    variants={name: Variant(f"configs/tables/{name}.yaml") for name in READERS.values()},
    scales={
        "smoke": Scale(seeds=1, minutes=1, variants=("rnnsearch",), settings=made_tables.SMOKE),
        "small": Scale(seeds=3, minutes=20),
        "paper": Scale(
            seeds=5,
            minutes=2_000,
            settings=merged(
                made_tables.TABLES_OF_THE_PAPER,
                {"data": {"init_args": {"test_rows": 100}}, "trainer": {"max_steps": 100_000}},
            ),
        ),
    },
    curves=(RIGHT,),
    exhibits=exhibits,
    claims=(
        Claim(
            name="baselines-are-worse",
            sentence="A model that reads tables as text and writes answers learns to answer fewer of these questions.",
            source="section 3.3",
            quantity=each_of(READERS, in_range),
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at most", 90))),
            paper="about 80 % on a single column",
            public="none",
            unit="% of answers right",
        ),
        Claim(
            name="baselines-fall",
            sentence="The accuracy of a model that reads tables as text falls where the range of the numbers grows.",
            source="section 3.3",
            quantity=each_of(READERS, kept),
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at most", 0.6, partly=0.8))),
            paper="from about 80 to about 30 %: .38",
            public="none",
            unit="times the accuracy at the range of training",
        ),
    ),
)
