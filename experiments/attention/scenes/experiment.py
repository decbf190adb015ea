"""Show, attend and tell on drawn scenes, where what a word names is known and where a model looks can be counted."""

from typing import TYPE_CHECKING, Any

from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

KNOWN, OWN = "at the reference's nouns", "at the model's own nouns"
KINDS = {KNOWN: "known", OWN: "written"}
"""Nouns of given captions before which the words leave no other object, and those of the model's own captions."""

SHOWN = "overlay-0"
"""The validation scene in which it is shown where soft and hard attention look."""

CONTROLS = ("untrained", "shuffled", "uniform", "centre")
"""Maps of the same model before training, of another image, of one that sees nothing, and of one that looks ahead."""


def hits(run: RunRecord, kind: str) -> float:
    """Percent of maps whose winning cell has its centre in the box of what the word names."""
    return 100 * run["test/pointing"][kind]["hit"]


def pointing(results: Results, variant: str) -> dict[str, Observations]:
    """How often a model points at what it names."""

    def found(kind: str) -> Observations:
        return results.each(variant, lambda run: hits(run, kind))

    return {words: found(kind) for words, kind in KINDS.items()}


def points(results: Results) -> dict[str, Observations]:
    """The same of soft attention."""
    return pointing(results, "soft")


def hard_points(results: Results) -> dict[str, Observations]:
    """The same of hard attention; the place that it finds likeliest is its winning cell."""
    return pointing(results, "hard")


def above_controls(results: Results) -> Observations:
    """Soft attention's hits at all of the reference's nouns above those of the best control."""
    return results.each("soft", lambda run: hits(run, "given") - max(hits(run, control) for control in CONTROLS))


def last_word(results: Results) -> dict[str, Observations]:
    """What a query without the last word before a noun can hit, and what one with it hits more, at all given nouns."""

    def of_bound(run: RunRecord) -> float:
        return hits(run, "given") - 100 * run["test/hits_bound"]["state"]

    return {
        "the paper's query over its bound": results.each("soft-state", of_bound),
        "more with the word": results.paired(
            ("soft", "soft-state"), lambda word, state: hits(word, "given") - hits(state, "given")
        ),
    }


def mass(results: Results) -> dict[str, Observations]:
    """The share of soft attention's weights in the box, over the box's share of the picture."""

    def ratio(kind: str) -> Observations:
        return results.each("soft", lambda run: run["test/pointing"][kind]["mass_ratio"])

    return {words: ratio(kind) for words, kind in KINDS.items()}


def movement(results: Results) -> dict[str, Observations]:
    """How much soft attention's maps change from word to word, and whether they are those that made the words."""
    return {
        "more than untrained": results.each(
            "soft", lambda run: run["test/variation"] - run["test/untrained_variation"]
        ),
        "off when the maps are forced": results.each("soft", lambda run: run["test/forced_gap"]),
    }


def beta(results: Results) -> Observations:
    """How much more soft attention lets in at shapes' names than at function words: the interval's lower end."""
    return results.each("soft", lambda run: run["test/beta"]["low"])


def penalty(results: Results) -> dict[str, Observations]:
    """What the doubly stochastic penalty is worth."""
    return {
        "BLEU-4": results.paired_lower_end("soft-penalty", "soft", "test/bleu4_resampled"),
        "CIDEr-D": results.paired_lower_end("soft-penalty", "soft", "test/cider_d_resampled"),
    }


def attention(results: Results) -> dict[str, Observations]:
    """What attention is worth."""

    def fewer(soft: RunRecord, mean: RunRecord) -> float:
        return 100 * (mean["test/unfounded"] - soft["test/unfounded"])

    return {
        "CIDEr-D": results.paired_lower_end("soft", "mean", "test/cider_d_resampled"),
        "fewer names without an object": results.paired(("soft", "mean"), fewer),
    }


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, BLEU-4 by beam, and where the first seeds of soft and of hard attention look in a scene."""
    from augrnn.exhibits.curves import BySize, LearningCurves

    by_beam = {
        variant: [{beam: table["bleu4"] for beam, table in scores["expectation"].items()} for scores in runs]
        for variant, runs in results.measured("test/scores").items()
    }
    found: dict[str, Exhibit] = {
        "learning": LearningCurves(results.curves("val/cider_d"), "validation CIDEr-D (greedy)"),
        "beams": BySize(by_beam, "BLEU-4", "beam"),
    }
    for variant in ("soft", "hard"):
        if SHOWN in (overlays := shown.get((variant, 0), {})):
            found[f"{SHOWN}@{variant}"] = overlays[SHOWN]
    return found


def attending(attention: Settings) -> dict[str, Any]:
    """Settings with another attention."""
    return {"model": {"init_args": {"decoder": {"init_args": {"attention": attention}}}}}


ADDITIVE = {
    "class_path": "augrnn.attention.additive.AdditiveAttention",
    "init_args": {"query_size": 128, "annotation_size": 32, "size": 64},
}

HARD = attending({"class_path": "augrnn.attention.hard.HardAttention", "init_args": {"attention": ADDITIVE}})
HARD["model"]["init_args"]["objective"] = {
    "class_path": "augrnn.objectives.reinforce.Reinforce",
    "init_args": {"entropy": 0.01},
}

MEAN = attending(
    {
        "class_path": "augrnn.attention.fixed_context.FixedContext",
        "init_args": {"query_size": 128, "annotation_size": 32, "summary_size": 32},
    }
)

SMOKE = {
    "trainer": {"max_epochs": 2},
    "data": {
        "init_args": {
            "backbone": {"init_args": {"weights": None}},
            "scenes": 128,
            "validation_scenes": 32,
            "test_scenes": 32,
            "batch_size": 32,
        }
    },
}

experiment = Experiment(
    name="attention/scenes",
    title="Attention looks at what it names, in scenes where that can be counted",
    paper="Xu et al. 2015: Show, Attend and Tell: Neural Image Caption Generation with Visual Attention",
    variants={
        "soft": Variant("configs/captioning/scenes-soft.yaml"),
        "soft-penalty": Variant(
            "configs/captioning/scenes-soft.yaml",
            {"model": {"init_args": {"objective": {"init_args": {"weight": 0.33}}}}},
        ),
        "soft-state": Variant(
            "configs/captioning/scenes-soft.yaml",
            {"model": {"init_args": {"decoder": {"init_args": {"word_in_query": False}}}}},
        ),
        "hard": Variant("configs/captioning/scenes-soft.yaml", HARD),
        "mean": Variant("configs/captioning/scenes-soft.yaml", MEAN),
    },
    scales={
        "smoke": Scale(seeds=1, minutes=3, settings=SMOKE),
        "small": Scale(seeds=5, minutes=80),
    },
    curves=("val/cider_d", "val/bleu4", "val/loss"),
    exhibits=exhibits,
    claims=(
        Claim(
            name="looks-at-what-it-names",
            sentence="The model learns alignments that correspond very strongly with human intuition.",
            source="section 5.4, figure 5",
            quantity=points,
            rules={"small": AllOf(Typical("at least", 90, partly=70))},
            paper="shown for single pictures",
            public="none",
            unit="% of winning cells in the box of what is named",
        ),
        Claim(
            name="better-than-looking-anywhere",
            sentence="The attended region is that of the word: maps that do not see the picture do not have it.",
            source="section 5.4, figures 3 and 5",
            quantity=above_controls,
            rules={"small": Typical("at least", 40, partly=20)},
            paper="not in the paper",
            public="none",
            unit="percentage points above the best of an untrained model, a wrong image, chance and the centre",
        ),
        Claim(
            name="a-query-before-the-word-cannot-know",
            sentence="The weights of a word are computed from the state before, which does not know the last word yet.",
            source="section 3.1.2, Eqs. 4 and 5; not told as a limit",
            quantity=last_word,
            rules={
                "small": AllOf(
                    {
                        "the paper's query over its bound": Typical("at most", 5, partly=10),
                        "more with the word": Typical("at least", 10, partly=5),
                    }
                )
            },
            paper="not in the paper",
            public="none",
            unit="percentage points of hits at the reference's nouns",
        ),
        Claim(
            name="weight-is-on-what-it-names",
            sentence="The model is able to attend to salient objects as it gives their names.",
            source="section 5.4, figures 2 and 3",
            quantity=mass,
            rules={"small": AllOf(Typical("at least", 3, partly=1.5))},
            paper="shown for single pictures",
            public="Flickr30k: .384 of the weight against .321 if uniform, 1.2 times (Liu et al. 2017)",
            unit="times the weight that a uniform map has in the box",
        ),
        Claim(
            name="maps-follow-the-words",
            sentence="As the model gives each word, its attention changes to reflect the relevant parts of the image.",
            source="figure 2",
            quantity=movement,
            rules={
                "small": AllOf(
                    {
                        "more than untrained": Typical("at least", 0.1, partly=0.02),
                        "off when the maps are forced": Typical("at most", 0.001),
                    }
                )
            },
            paper="shown for single pictures",
            public="a published fault: the same map for every word (DeepRNN/image_captioning, issues 3 and 32)",
            unit={
                "more than untrained": "of total variation between the maps of neighbouring words (median)",
                "off when the maps are forced": "nats of a caption's log probability",
            },
        ),
        Claim(
            name="gate-opens-for-objects",
            sentence="The gating scalar makes the attention weights put more emphasis on the objects in the images.",
            source="section 4.2.1",
            quantity=beta,
            rules={"small": Typical("at least", 0)},
            paper="told without a number",
            public="none",
            unit="more of the context let in at shapes' names than at function words (lower end over images)",
        ),
        Claim(
            name="penalty-helps",
            sentence="The penalty was important to improving overall BLEU, and leads to richer descriptions.",
            source="section 4.2.1",
            quantity=penalty,
            rules={"small": AllOf({"BLEU-4": Typical("at least", 0), "CIDEr-D": Typical("at least", 0)})},
            paper="told without a number",
            public="none",
            unit={
                "BLEU-4": "points more with the penalty (lower end, paired bootstrap)",
                "CIDEr-D": "more with the penalty (lower end, paired bootstrap)",
            },
        ),
        Claim(
            name="attention-beats-the-mean-feature",
            sentence="A model that attends describes images better than one with a single vector of the whole image.",
            source="sections 1 and 5.3, table 1",
            quantity=attention,
            rules={
                "small": AllOf(
                    {
                        "CIDEr-D": Typical("at least", 0.1, partly=0),
                        "fewer names without an object": Typical("at least", 5, partly=0),
                    }
                )
            },
            paper="Flickr8k BLEU-4: soft 19.5, hard 21.3, no attention not given",
            public="Flickr8k CIDEr .497 with attention, .478 without (VGG16)",
            unit={
                "CIDEr-D": "more than the mean feature (lower end, paired bootstrap)",
                "fewer names without an object": "percentage points",
            },
        ),
        Claim(
            name="hard-attention-looks-too",
            sentence="Hard attention, trained by REINFORCE, attends to what it describes as soft attention does.",
            source="sections 4.1 and 5.4, figures 2 and 3",
            quantity=hard_points,
            rules={"small": AllOf(Typical("at least", 90, partly=50))},
            paper="shown for single pictures",
            public="none",
            unit="% of winning cells in the box of what is named",
        ),
    ),
)
