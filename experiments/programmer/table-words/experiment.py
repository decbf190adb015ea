"""The Neural Programmer of 2015 on questions in many wordings, and on tables with words (section 4)."""

from functools import partial

from augrnn.lab import made_tables
from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment
from augrnn.lab.made_tables import PROGRAMMER, WRONG, at_the_papers_scale, each_of
from augrnn.lab.plan import Scale, Variant

JUDGED = ("small", "paper")

experiment = Experiment(
    name="programmer/table-words",
    title="A Neural Programmer understands many wordings, and finds words of questions in tables",
    paper=made_tables.PAPER,
    variants={
        "words-1": Variant(PROGRAMMER, made_tables.columns(1, many=True)),
        "words-5": Variant(PROGRAMMER, made_tables.columns(5, many=True)),
        "text-2": Variant(PROGRAMMER, made_tables.columns(1, words=1)),
        "text-5": Variant(PROGRAMMER, made_tables.columns(3, words=2)),
    },
    scales={
        "smoke": Scale(seeds=1, minutes=1, variants=("text-2",), settings=made_tables.SMOKE),
        "small": Scale(seeds=3, minutes=45),
        "paper": Scale(
            seeds=5,
            minutes=4_000,
            settings=made_tables.TABLES_OF_THE_PAPER,
            settings_of={
                "words-1": at_the_papers_scale(1),
                "words-5": at_the_papers_scale(5),
                "text-2": at_the_papers_scale(2, words=True),
                "text-5": at_the_papers_scale(5, words=True),
            },
        ),
    },
    curves=(WRONG,),
    exhibits=partial(made_tables.exhibits, programs=("words-5", "text-5")),
    claims=(
        Claim(
            name="many-wordings",
            sentence="A Neural Programmer solves tables when each thing is said in several ways.",
            source="section 4, word variability",
            quantity=each_of({"1 column": "words-1", "5 columns": "words-5"}),
            rules=dict.fromkeys(
                JUDGED,
                AllOf(
                    {"1 column": Typical("at least", 95, partly=85), "5 columns": Typical("at least", 88, partly=75)},
                ),
            ),
            paper="96.49 and 88.99 % with 1 and 5 columns",
            public="none",
            unit="% of answers right, on held out templates",
        ),
        Claim(
            name="matches-text",
            sentence="A Neural Programmer solves tables with columns of words, some of which questions name.",
            source="section 4, text match",
            quantity=each_of({"2 columns": "text-2", "5 columns": "text-5"}),
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at least", 97, partly=90))),
            paper="99.11 and 98.03 % with 2 and 5 columns",
            public="none",
            unit="% of answers right, on held out templates",
        ),
    ),
)
