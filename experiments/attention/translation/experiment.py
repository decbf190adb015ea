"""Neural machine translation by jointly learning to align and translate, on Multi30k."""

from typing import TYPE_CHECKING, Any

from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment, Shown
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.recipes import budget
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings, merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

TEST = "test_2016_flickr"


def bleu(run: RunRecord) -> float:
    """Test BLEU with beam search."""
    return run[f"{TEST}/bleu"]


def gain(results: Results) -> dict[str, Observations]:
    """RNNsearch's test BLEU, and how far it is above RNNenc's with the same seed."""
    return {
        "RNNsearch": results.each("rnnsearch", bleu),
        "ahead of RNNenc": results.paired(("rnnsearch", "rnnenc"), lambda search, enc: bleu(search) - bleu(enc)),
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

    names = {"nouns found": "noun_hits", "colours found": "colour_hits", "pairs that cross": "crossings"}
    return {words: percent(name) for words, name in names.items()}


def short_training(results: Results) -> Observations:
    """Test BLEU of attention trained on short sentences above that of the fixed context trained on long ones."""
    return results.paired(("rnnsearch-12", "rnnenc"), lambda search, enc: bleu(search) - bleu(enc))


def ends(run: RunRecord) -> tuple[float, float]:
    """Greedy test BLEU on single sentences and on four joined, about 13 and 52 words."""
    found = run[f"{TEST}/bleu_joined"]
    return found[min(found, key=int)], found[max(found, key=int)]


def lost_with_attention(results: Results) -> Observations:
    """BLEU that RNNsearch loses from single sentences to four joined."""
    return results.each("rnnsearch", lambda run: ends(run)[0] - ends(run)[1])


def lost_without(results: Results) -> Observations:
    """Percent of its BLEU that RNNenc loses from single sentences to four joined."""
    return results.each("rnnenc", lambda run: 100 * (1 - ends(run)[1] / ends(run)[0]))


def growing_advantage(results: Results) -> Observations:
    """How much larger attention's advantage is on sentences of 20 words and more than on those of at most 9.

    The value of a seed is the lower end of the 95 % interval of a paired bootstrap over sentences (Koehn 2004).
    """

    def lower_end(search: RunRecord, enc: RunRecord) -> float:
        measure = f"{TEST}/bleu_resampled"
        ours, theirs = ([run[measure][bucket] for bucket in ("1-9", "20+")] for run in (search, enc))
        rows = zip(*ours, *theirs, strict=True)
        growth = sorted((long - enc_long) - (short - enc_short) for short, long, enc_short, enc_long in rows)
        return growth[round(0.025 * len(growth))]

    return results.paired(("rnnsearch", "rnnenc"), lower_end)


def aligned(results: Results) -> dict[str, Observations]:
    """Alignment error of attention in percent, and how far it is below that of the controls."""

    def error(run: RunRecord, shift: str = "0") -> float:
        return 100 * run[f"{TEST}/alignment_error"][shift]

    def below_diagonal(run: RunRecord) -> float:
        return 100 * run[f"{TEST}/alignment_error_diagonal"] - error(run)

    def below_shifted(run: RunRecord) -> float:
        return min(error(run, "-1"), error(run, "1")) - error(run)

    return {
        "attention": results.each("rnnsearch", error),
        "better than the diagonal": results.each("rnnsearch", below_diagonal),
        "better than itself shifted by a word": results.each("rnnsearch", below_shifted),
    }


def article(results: Results) -> dict[str, Observations]:
    """Where attention looks as it writes l': at "the" and at the word after it, against numerals as a control."""

    def weight(kind: str, name: str) -> Any:
        return lambda run: 100 * run[f"{TEST}/articles"][kind][name]

    def more_noun(run: RunRecord) -> float:
        return weight("elided", "noun")(run) - weight("numeral", "noun")(run)

    return {
        "weight on the noun": results.each("rnnsearch", weight("elided", "noun")),
        "more than a numeral's": results.each("rnnsearch", more_noun),
    }


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Learning curves, BLEU by length in two ways, and alignments of the first seed."""
    from augrnn.exhibits.curves import ByBucket, BySize, LearningCurves, intervals

    resampled = intervals(results.measured(f"{TEST}/bleu_resampled"))
    found: dict[str, Exhibit] = {
        "learning": LearningCurves(results.curves("val/bleu"), "validation BLEU (greedy)"),
        "joined": BySize(results.measured(f"{TEST}/bleu_joined"), "BLEU (greedy)", "words of the source"),
        "lengths": ByBucket(resampled, "BLEU", "words of the source"),
    }
    if ("rnnsearch", 0) in shown:
        found["alignments"] = shown["rnnsearch", 0]["alignments"]
    return found


SMOKE = merged(
    budget(120),
    {
        "trainer": {"max_epochs": -1, "val_check_interval": 120, "limit_val_batches": 2},
        "model": {
            "init_args": {
                "encoder": {"init_args": {"hidden_size": 64}},
                "decoder": {
                    "init_args": {
                        "hidden_size": 64,
                        "start_size": 64,
                        "attention": {"init_args": {"query_size": 64, "annotation_size": 128}},
                    }
                },
                "beam_size": 1,
            }
        },
    },
)

LONG = {"data": {"init_args": {"join": 4, "batch_size": 32}}}
"""Train on one to four sentences in a row, so that examples have 5 to 60 words as in the paper's corpus."""

SHORT = {"data": {"init_args": {"max_words": 12}}}
"""Train on the two fifths of the pairs that have at most 12 words."""


def training(updates: int) -> Settings:
    """Train for a number of updates, validate after each quarter of them."""
    quarters = {"max_epochs": -1, "check_val_every_n_epoch": None, "val_check_interval": updates // 4}
    return merged(budget(updates), {"trainer": quarters})


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
            settings=SMOKE,
            settings_of={
                "rnnsearch": {
                    "model": {"init_args": {"decoder": {"init_args": {"attention": {"init_args": {"size": 64}}}}}}
                },
                "rnnsearch-12": {
                    "model": {"init_args": {"decoder": {"init_args": {"attention": {"init_args": {"size": 64}}}}}}
                },
                "rnnenc": {
                    "model": {
                        "init_args": {"decoder": {"init_args": {"attention": {"init_args": {"summary_size": 64}}}}}
                    }
                },
            },
        ),
        "small": Scale(
            seeds=5,
            minutes=60,
            settings_of={
                "rnnsearch": training(updates=3768),  # eight epochs
                "rnnenc": training(updates=3768),
                "rnnsearch-12": training(updates=1884),  # eleven epochs, half the pairs that the others see
            },
        ),
    },
    curves=("val/bleu", "val/loss"),
    exhibits=exhibits,
    claims=(
        Claim(
            name="attention-beats-fixed-context",
            sentence="RNNsearch outperforms the conventional RNNencdec.",
            source="section 5.1, table 1",
            quantity=gain,
            rules={
                "small": AllOf(
                    {
                        "RNNsearch": Typical("at least", 45, partly=40),
                        "ahead of RNNenc": Typical("at least", 8, partly=3),
                    }
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
            unit={"steps that do not go back": "of all steps", "Kendall's tau": "(1 is the same order)"},
        ),
        Claim(
            name="crosses-at-colour-and-noun",
            sentence="Adjectives and nouns are typically ordered differently, and RNNsearch aligns them correctly.",
            source="section 5.2.1, figure 3 a",
            quantity=crossing,
            rules={
                "small": AllOf(
                    {
                        "nouns found": Typical("at least", 85, partly=70),
                        "colours found": Typical("at least", 85, partly=70),
                        "pairs that cross": Typical("at least", 90, partly=75),
                    }
                )
            },
            paper="shown for single sentences (zone economique europeenne)",
            public="none",
            unit="% of pairs",
        ),
        Claim(
            name="short-training-beats-none",
            sentence="Attention trained on short sentences outperforms no attention trained on long ones.",
            source="section 5.1, table 1",
            quantity=short_training,
            rules={"small": Typical("at least", 3, partly=0)},
            paper="RNNsearch-30 21.50, RNNenc-50 17.82 BLEU (3.68 more)",
            public="none",
            unit="BLEU more than no attention",
        ),
        Claim(
            name="attention-holds-at-length",
            sentence="RNNsearch shows no deterioration even with sentences of 50 words and more.",
            source="section 5.1, figure 2",
            quantity=lost_with_attention,
            rules={"small": Typical("at most", 1, partly=5)},
            paper="figure 2: none from 15 to 60 words",
            public="none",
            unit="BLEU lost from 13 to 52 words (below 0: gained)",
        ),
        Claim(
            name="fixed-context-falls-at-length",
            sentence="The performance of RNNenc drops rapidly as the length of sentences increases.",
            source="section 5.1, figure 2",
            quantity=lost_without,
            rules={"small": Typical("at least", 40, partly=20)},
            paper="figure 2: more than half from 15 to 50 words",
            public="none",
            unit="% of its BLEU lost from 13 to 52 words",
        ),
        Claim(
            name="advantage-grows-with-length",
            sentence="RNNsearch is more robust to the length of the sentences.",
            source="section 5.1, figure 2",
            quantity=growing_advantage,
            rules={"small": Typical("at least", 0)},
            paper="figure 2",
            public="none",
            unit="BLEU that its lead grows by, from at most 9 words to at least 20 (lower end, paired bootstrap)",
        ),
        Claim(
            name="aligns-words",
            sentence="RNNsearch finds a linguistically plausible alignment between the words.",
            source="sections 5.2.1 and 6.1, figure 3",
            quantity=aligned,
            rules={
                "small": AllOf(
                    {
                        "attention": Typical("at most", 40, partly=50),
                        "better than the diagonal": Typical("at least", 10, partly=0),
                        "better than itself shifted by a word": Typical("at least", 10, partly=0),
                    }
                )
            },
            paper="shown for single sentences",
            public="34 to 39 % against hand-made links, English to German (Luong et al. 2015, table 6)",
            unit={
                "attention": "% alignment error",
                "better than the diagonal": "points of alignment error",
                "better than itself shifted by a word": "points of alignment error",
            },
        ),
        Claim(
            name="article-looks-at-its-noun",
            sentence="Soft alignment lets [the] be translated into [l'] by looking at the word after it as well.",
            source="section 5.2.1, figure 3 d",
            quantity=article,
            rules={
                "small": AllOf(
                    {
                        "weight on the noun": Typical("at least", 20, partly=10),
                        "more than a numeral's": Typical("at least", 5, partly=0),
                    }
                )
            },
            paper="shown for one sentence",
            public="none",
            unit={"weight on the noun": "% of the attention of l'", "more than a numeral's": "percentage points"},
        ),
    ),
)
