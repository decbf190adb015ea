"""Neural machine translation by jointly learning to align and translate, on Multi30k."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn.lab.claims import AllOf, Claim, Observations, Typical
from augrnn.lab.experiment import Experiment, Scale, Variant
from augrnn.lab.records import Results, RunRecord

if TYPE_CHECKING:
    from augrnn.training import Trained

TEST = "test_2016_flickr"


def measure(trained: "Trained") -> tuple[dict[str, Any], dict[str, Any]]:
    """BLEU on validation and test data, and what the alignments are like."""
    from augrnn.measures.translation import measure_translation

    return measure_translation(trained.system, trained.task)  # type: ignore[arg-type]


def bleu(run: RunRecord) -> float:
    """Test BLEU with beam search."""
    return run[f"{TEST}/bleu"]


def gain(results: Results) -> dict[str, Observations]:
    """RNNsearch's test BLEU, and how far it is above RNNenc's with the same seed."""
    return {
        "RNNsearch": results.each("rnnsearch", bleu),
        "above RNNenc": results.paired(("rnnsearch", "rnnenc"), lambda search, enc: bleu(search) - bleu(enc)),
    }


def monotone(results: Results) -> dict[str, Observations]:
    """The shape of the alignments of the reference translations of the test set."""
    return {
        "steps that do not go back": results.each("rnnsearch", lambda run: run[f"{TEST}/alignment"]["monotone_steps"]),
        "Kendall's tau": results.each("rnnsearch", lambda run: run[f"{TEST}/alignment"]["kendall_tau"]),
    }


def crossing(results: Results) -> dict[str, Observations]:
    """Where the French noun and its colour look, for every such pair of the test set."""

    def percent(name: str) -> Observations:
        return results.each("rnnsearch", lambda run: 100 * run[f"{TEST}/{name}"]["0"])

    return {name: percent(name) for name in ("noun_hits", "colour_hits", "crossings")}


def figures(results: Results, arrays: Any, folder: Path) -> None:
    """Learning curves, BLEU by the number of sentences joined, and alignments of the first seed."""
    from augrnn.figures.alignment import alignments
    from augrnn.figures.curves import by_size, learning_curves

    learning_curves(results.curves("val/bleu"), folder / "learning.png", "validation BLEU (greedy)")
    by_size(results.measured(f"{TEST}/bleu_joined"), folder / "joined.png", "BLEU (greedy)", "sentences joined")
    if ("rnnsearch", 0) in arrays:
        examples = results.runs["rnnsearch", 0]["examples"]
        alignments(arrays["rnnsearch", 0], examples, folder / "alignments.png")


SMOKE = (
    "--trainer.max_epochs=-1",
    "--trainer.max_steps=120",
    "--trainer.val_check_interval=120",
    "--trainer.limit_val_batches=2",
    "--model.init_args.encoder.init_args.hidden_size=64",
    "--model.init_args.decoder.init_args.hidden_size=64",
    "--model.init_args.decoder.init_args.start_size=64",
    "--model.init_args.decoder.init_args.attention.init_args.query_size=64",
    "--model.init_args.decoder.init_args.attention.init_args.annotation_size=128",
    "--model.init_args.beam_size=1",
    "--model.init_args.scheduler.init_args.T_max=120",
)

LONG = ("--data.init_args.join=4", "--data.init_args.batch_size=32")
"""Train on one to four sentences in a row, so that examples have 5 to 60 words as in the paper's corpus."""

SHORT = ("--data.init_args.max_words=12",)
"""Train on the two fifths of the pairs that have at most 12 words."""

UPDATES = 1884
"""Of training at the small scale: four epochs of the long examples, eleven of the short ones."""

experiment = Experiment(
    name="attention/translation",
    title="Attention translates better than a fixed context, and learns to align words without being told",
    paper="Bahdanau, Cho, Bengio 2014: Neural Machine Translation by Jointly Learning to Align and Translate",
    variants={
        "rnnsearch": Variant("configs/translation/rnnsearch.yaml", LONG),
        "rnnenc": Variant("configs/translation/rnnenc.yaml", LONG),
        "rnnsearch-12": Variant("configs/translation/rnnsearch.yaml", SHORT),
    },
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=3,
            overrides=SMOKE,
            overrides_of={
                "rnnsearch": ("--model.init_args.decoder.init_args.attention.init_args.size=64",),
                "rnnsearch-12": ("--model.init_args.decoder.init_args.attention.init_args.size=64",),
                "rnnenc": ("--model.init_args.decoder.init_args.attention.init_args.summary_size=64",),
            },
        ),
        "small": Scale(
            seeds=3,
            minutes=60,
            overrides=(
                "--trainer.max_epochs=-1",
                f"--trainer.max_steps={UPDATES}",
                "--trainer.check_val_every_n_epoch=null",
                f"--trainer.val_check_interval={UPDATES // 4}",
                f"--model.init_args.scheduler.init_args.T_max={UPDATES}",
            ),
        ),
    },
    measure=measure,
    curves=("val/bleu", "val/loss"),
    figures=figures,
    claims=(
        Claim(
            name="attention-beats-fixed-context",
            sentence="RNNsearch outperforms the conventional RNNencdec.",
            source="section 5.1, table 1",
            quantity=gain,
            rules={
                "small": AllOf(
                    {"RNNsearch": Typical("at least", 45, partly=40), "above RNNenc": Typical("at least", 8, partly=3)}
                )
            },
            paper="WMT14 en-fr, RNNsearch-30 against RNNenc-30: 21.50 and 13.93 BLEU (7.57 more)",
            public="Multi30k en-fr, conditional GRU with attention: 59.02 BLEU",
            unit="BLEU",
        ),
        Claim(
            name="mostly-monotone",
            sentence="The alignment of words between English and French is largely monotonic.",
            source="section 5.2.1, figure 3",
            quantity=monotone,
            rules={
                "small": AllOf(
                    {
                        "steps that do not go back": Typical("at least", 0.8, partly=0.7),
                        "Kendall's tau": Typical("at least", 0.8, partly=0.6),
                    }
                )
            },
            paper="0.86 of steps do not go back, tau 0.93, in the article's one translation figure",
            public="none",
        ),
        Claim(
            name="crosses-at-colour-and-noun",
            sentence="Adjectives and nouns are typically ordered differently, and RNNsearch aligns them correctly.",
            source="section 5.2.1, figure 3 a",
            quantity=crossing,
            rules={
                "small": AllOf(
                    {
                        "noun_hits": Typical("at least", 85, partly=70),
                        "colour_hits": Typical("at least", 85, partly=70),
                        "crossings": Typical("at least", 90, partly=75),
                    }
                )
            },
            paper="shown for single sentences (zone economique europeenne)",
            public="none",
            unit="% of pairs",
        ),
    ),
)
