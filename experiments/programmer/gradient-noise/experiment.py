"""Gradient noise in training the Neural Programmer of 2015 (section 4; Neelakantan et al. 2015, arXiv 1511.06807)."""

from functools import partial

from augrnn.lab import made_tables
from augrnn.lab.claims import Claim, Typical
from augrnn.lab.experiment import Experiment
from augrnn.lab.made_tables import NETWORK_OF_THE_PAPER, PROGRAMMER, TABLES_OF_THE_PAPER, WRONG, right, unhelped
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.results import Observations, Results
from augrnn.lab.settings import merged


def gained(results: Results) -> Observations:
    """Points of accuracy that gradient noise adds on a single column, seed by seed."""
    return results.paired(("noise", "plain"), lambda noisy, plain: right(noisy) - right(plain))


experiment = Experiment(
    name="programmer/gradient-noise",
    title="Noise on gradients helps to train a Neural Programmer",
    paper=(
        "Neelakantan, Vilnis, Le, Sutskever, Kaiser, Kurach, Martens 2015: Adding Gradient Noise Improves Learning for "
        "Very Deep Networks, arXiv 1511.06807"
    ),
    variants={
        "plain": Variant(PROGRAMMER, unhelped(6_000)),
        "noise": Variant(PROGRAMMER, merged(unhelped(6_000), {"model": {"init_args": {"gradient_noise": 0.01}}})),
    },
    scales={
        "smoke": Scale(seeds=1, minutes=1, variants=("noise",), settings=made_tables.SMOKE),
        "small": Scale(seeds=20, minutes=25),
        "paper": Scale(
            seeds=216,
            minutes=40_000,
            settings=merged(TABLES_OF_THE_PAPER, NETWORK_OF_THE_PAPER, unhelped(96_000)),
        ),
    },
    curves=(WRONG,),
    exhibits=partial(made_tables.exhibits, programs=("noise",)),
    claims=(
        Claim(
            name="gradient-noise",
            sentence="Noise on gradients helps to train a Neural Programmer.",
            source="Neelakantan, Le and Sutskever 2015, section 4; arXiv 1511.06807",
            quantity=gained,
            rules=dict.fromkeys(("small", "paper"), Typical("at least", 0.5)),
            paper="9 of 216 runs solve the single column with it, 1 of 216 without; five columns 98.7 and 95.3 %",
            public="none",
            unit="points of accuracy more with gradient noise, seed by seed",
        ),
    ),
)
