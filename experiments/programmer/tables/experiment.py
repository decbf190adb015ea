"""The Neural Programmer of 2015 on made-up tables (sections 3 and 4)."""

from functools import partial

from augrnn.lab import made_tables
from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment
from augrnn.lab.made_tables import PROGRAMMER, WRONG, at_the_papers_scale, by_range, each_of
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.results import RunRecord

COLUMNS = {1: "single", 3: "columns-3", 5: "columns-5", 10: "columns-10"}

NAMED = {f"{count} columns" if count > 1 else "1 column": name for count, name in COLUMNS.items()}


def right_of_all(run: RunRecord) -> float:
    """Percent right of questions from all templates, at the wider range of numbers."""
    return by_range(run, "right_of_all")[1]


def lost_when_doubled(run: RunRecord) -> float:
    """Points of accuracy lost where the numbers' range doubles, on questions from all templates."""
    narrow, wide = by_range(run, "right_of_all")
    return narrow - wide


JUDGED = ("small", "paper")
HELD_OUT = {name: variant for name, variant in NAMED.items() if variant != "single"}
"""Those of which some templates are in the test sets alone."""

NEARLY_ALL = {
    "1 column": Typical("at least", 100, partly=98),
    "3 columns": Typical("at least", 98, partly=90),
    "5 columns": Typical("at least", 98, partly=90),
    "10 columns": Typical("at least", 95, partly=80),
}

experiment = Experiment(
    name="programmer/tables",
    title="A Neural Programmer induces programs for questions about tables from their answers",
    paper=made_tables.PAPER,
    variants={name: Variant(PROGRAMMER, made_tables.columns(count)) for count, name in COLUMNS.items()},
    scales={
        "smoke": Scale(seeds=1, minutes=1, variants=("single",), settings=made_tables.SMOKE),
        "small": Scale(seeds=5, minutes=75),
        "paper": Scale(
            seeds=5,
            minutes=4_000,
            settings=made_tables.TABLES_OF_THE_PAPER,
            settings_of={name: at_the_papers_scale(count) for count, name in COLUMNS.items()},
        ),
    },
    curves=(WRONG,),
    exhibits=partial(made_tables.exhibits, programs=("single", "columns-5", "columns-10")),
    claims=(
        Claim(
            name="solves-tables",
            sentence="Neural Programmer attains almost perfect accuracy on tables with several columns.",
            source="section 4, table 3",
            quantity=each_of(NAMED, right_of_all),
            rules=dict.fromkeys(JUDGED, AllOf(NEARLY_ALL)),
            paper="100, 99.02, 99.11 and 99.13 % with 1, 3, 5 and 10 columns",
            public="none",
            unit="% of answers right, all templates asked alike",
        ),
        Claim(
            name="unseen-templates",
            sentence="It answers questions from templates that it was never trained on.",
            source="section 4; the bar is ours",
            quantity=each_of(HELD_OUT),
            rules=dict.fromkeys(JUDGED, AllOf({name: NEARLY_ALL[name] for name in HELD_OUT})),
            paper="no number of its own",
            public="none",
            unit="% of answers right, on held out templates",
        ),
        Claim(
            name="larger-numbers",
            sentence="The accuracy is the same for numbers of twice the range that was trained on.",
            source="section 4; the bar is ours",
            quantity=each_of(NAMED, lost_when_doubled),
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at most", 0.5, partly=2))),
            paper="stated without numbers",
            public="none",
            unit="points of accuracy lost",
        ),
    ),
)
