"""The strongest recurrent translator of Multi30k that is known, trained again."""

from statistics import mean
from typing import TYPE_CHECKING

from augrnn.lab.claims import AllOf, Claim, Mean, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

TEST = "test_2016_flickr"
CONFIG = "configs/translation/conditional.yaml"


def bleu(run: RunRecord) -> float:
    """Test BLEU with the config's beam."""
    return run[f"{TEST}/bleu"]


def french(results: Results) -> Observations:
    """Test BLEU from English to French."""
    return results.each("en-fr", bleu)


def german(results: Results) -> Observations:
    """Test BLEU from English to German."""
    return results.each("en-de", bleu)


def together(results: Results) -> dict[str, Observations]:
    """Test BLEU of the ensemble of all seeds in each direction, and how far it is above the mean of its members."""

    def above(variant: str) -> Observations:
        found = {run.seed: bleu(run) for run in results[variant] if run.status == "finished"}
        sizes = [run["members"] for run in results[f"{variant}-ensemble"] if run.status == "finished"]
        if any(seed not in found for size in sizes for seed in range(size)):
            return Observations((), missing=1)

        def gain(run: RunRecord) -> float:
            return bleu(run) - mean(found[seed] for seed in range(run["members"]))

        return results.each(f"{variant}-ensemble", gain)

    return {
        "French": results.each("en-fr-ensemble", bleu),
        "German": results.each("en-de-ensemble", bleu),
        "French, above its members": above("en-fr"),
        "German, above its members": above("en-de"),
    }


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, and alignments of the first seed in each direction."""
    from augrnn.exhibits.curves import LearningCurves

    curves = {name: runs for name, runs in results.curves("val/bleu").items() if runs}
    found: dict[str, Exhibit] = {"learning": LearningCurves(curves, "validation BLEU (greedy)")}
    for variant in ("en-fr", "en-de"):
        if (variant, 0) in shown:
            found[f"alignments-{variant}"] = shown[variant, 0]["alignments"]
    return found


GERMAN: Settings = {"data": {"init_args": {"target": "de"}}}

EPOCHS, BATCHES, RATE = 18, 453, 0.003

TWO_CORES = {
    "trainer": {"max_epochs": EPOCHS, "gradient_clip_val": 1.0},
    "data": {"init_args": {"batch_size": 64, "vocabulary": 5000}},
    "model": {
        "init_args": {
            "encoder": {"init_args": {"vocabulary": 5000, "embedding_dropout": 0.2, "dropout": 0.3}},
            "decoder": {"init_args": {"vocabulary": 5000, "output_dropout": 0.3}},
            "optimizer": {"init_args": {"lr": RATE}},
            "scheduler": {
                "class_path": "torch.optim.lr_scheduler.OneCycleLR",
                "init_args": {
                    "max_lr": RATE,
                    "total_steps": EPOCHS * BATCHES,
                    "pct_start": 0.05,
                    "cycle_momentum": False,
                },
            },
            "objective": {"init_args": {"label_smoothing": 0.1}},
        }
    },
}
"""Some 25 minutes on one core instead of convergence at a small constant rate: half the subwords, which are quicker to
score, a larger rate that decays to nothing, and less dropout, because the model sees each sentence 18 times."""

experiment = Experiment(
    name="attention/strong-translation",
    title="As good as the best recurrent translator known on Multi30k",
    paper="Caglayan et al. 2017: LIUM-CVC Submissions for WMT17 Multimodal Translation Task (text only)",
    variants={
        "en-fr": Variant(CONFIG),
        "en-de": Variant(CONFIG, GERMAN),
        "en-fr-ensemble": Variant(CONFIG, ensemble_of="en-fr"),
        "en-de-ensemble": Variant(CONFIG, GERMAN, ensemble_of="en-de"),
    },
    scales={
        "small": Scale(seeds=3, minutes=75, settings=TWO_CORES),
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
            rules=dict.fromkeys(("small", "paper"), Mean("at least", 59.02, partly=57)),
            paper="59.02 BLEU on test_2016_flickr",
            public="59.02 (lium-lst/wmt17-mmt); tutorials reach 28 (German to English, greedy)",
            unit="BLEU",
        ),
        Claim(
            name="german",
            sentence="A conditional GRU with attention translates image descriptions into German.",
            source="the authors' repository, monomodal model",
            quantity=german,
            rules=dict.fromkeys(("small", "paper"), Mean("at least", 39.00, partly=37)),
            paper="39.00 BLEU on test_2016_flickr",
            public="39.00 (lium-lst/wmt17-mmt)",
            unit="BLEU",
        ),
        Claim(
            name="ensemble",
            sentence="An ensemble of models translates better than one of them.",
            source="Sutskever, Vinyals and Le 2014, table 1",
            quantity=together,
            rules=dict.fromkeys(
                ("small", "paper"),
                AllOf(
                    {
                        "French": Typical("at least", 59.02, partly=57),
                        "German": Typical("at least", 39.00, partly=37),
                        "French, above its members": Typical("at least", 0.5, partly=0),
                        "German, above its members": Typical("at least", 0.5, partly=0),
                    }
                ),
            ),
            paper="WMT14 en-fr: 34.81 BLEU for five LSTMs, 30.59 for one",
            public="none",
            unit="BLEU",
        ),
    ),
)
