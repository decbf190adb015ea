"""The strongest recurrent translator of Multi30k that is known, trained again."""

from typing import TYPE_CHECKING

from augrnn.lab.claims import Claim, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.results import Observations, Results

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

TEST = "test_2016_flickr"
CONFIG = "configs/translation/conditional.yaml"


def french(results: Results) -> Observations:
    """Test BLEU from English to French, with the config's beam."""
    return results.each("en-fr", lambda run: run[f"{TEST}/bleu"])


def german(results: Results) -> Observations:
    """Test BLEU from English to German, with the config's beam."""
    return results.each("en-de", lambda run: run[f"{TEST}/bleu"])


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, and alignments of the first seed in each direction."""
    from augrnn.exhibits.curves import LearningCurves

    found: dict[str, Exhibit] = {"learning": LearningCurves(results.curves("val/bleu"), "validation BLEU (greedy)")}
    for variant in results.planned:
        if (variant, 0) in shown:
            found[f"alignments-{variant}"] = shown[variant, 0]["alignments"]
    return found


EPOCHS, BATCHES = 11, 453

TWO_CORES = {
    "trainer": {"max_epochs": EPOCHS, "gradient_clip_val": 1.0},
    "data": {"init_args": {"batch_size": 64, "vocabulary": 5000}},
    "model": {
        "init_args": {
            "encoder": {"init_args": {"vocabulary": 5000, "embedding_dropout": 0.2, "dropout": 0.3}},
            "decoder": {"init_args": {"vocabulary": 5000, "output_dropout": 0.3}},
            "optimizer": {"init_args": {"lr": 0.002}},
            "scheduler": {
                "class_path": "torch.optim.lr_scheduler.OneCycleLR",
                "init_args": {
                    "max_lr": 0.002,
                    "total_steps": EPOCHS * BATCHES,
                    "pct_start": 0.05,
                    "cycle_momentum": False,
                },
            },
            "objective": {"init_args": {"label_smoothing": 0.1}},
        }
    },
}
"""An hour or so on one core instead of convergence at a small constant rate: half the subwords, which are quicker to
score, a larger rate that decays to nothing, and less dropout, because the model sees each sentence eleven times."""

experiment = Experiment(
    name="attention/strong-translation",
    title="As good as the best recurrent translator known on Multi30k",
    paper="Caglayan et al. 2017: LIUM-CVC Submissions for WMT17 Multimodal Translation Task (text only)",
    variants={
        "en-fr": Variant(CONFIG),
        "en-de": Variant(CONFIG, {"data": {"init_args": {"target": "de"}}}),
    },
    scales={
        "small": Scale(seeds=1, minutes=75, settings=TWO_CORES),
        "paper": Scale(seeds=3, minutes=120),
    },
    curves=("val/bleu", "val/loss"),
    exhibits=exhibits,
    sweeps=("translation-bayes",),
    claims=(
        Claim(
            name="french",
            sentence="A conditional GRU with attention translates image descriptions into French.",
            source="the authors' repository, monomodal model",
            quantity=french,
            rules={"small": Typical("at least", 57, partly=55), "paper": Typical("at least", 59, partly=57)},
            paper="59.02 BLEU on test_2016_flickr",
            public="59.02 (lium-lst/wmt17-mmt); tutorials reach 28 (German to English, greedy)",
            unit="BLEU",
        ),
        Claim(
            name="german",
            sentence="A conditional GRU with attention translates image descriptions into German.",
            source="the authors' repository, monomodal model",
            quantity=german,
            rules={"small": Typical("at least", 37, partly=35), "paper": Typical("at least", 39, partly=37)},
            paper="39.00 BLEU on test_2016_flickr",
            public="39.00 (lium-lst/wmt17-mmt)",
            unit="BLEU",
        ),
    ),
)
