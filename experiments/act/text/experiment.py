"""Adaptive computation time, section 3.5: predicting the next character of a text; with fixed steps beside it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from augrnn.lab.claims import AllOf, Claim, Typical
from augrnn.lab.experiment import Experiment, Shown, titled
from augrnn.lab.plan import Scale, Variant
from augrnn.lab.pondering import ponders
from augrnn.lab.recipes import with_rate
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings, merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

BITS = "val/bits_per_character"

TAUS = {"act-tau-0.006": 0.006, "act-tau-0.06": 0.06}
PAPERS = "act-tau-0.006"
"""The variant with the tau of the paper's figures 23 and 24."""

PONDERS = {"smoke": "act-tau-0.06", "small": "act-tau-0.06", "paper": PAPERS}
"""The variant of whose pauses there are claims, by scale.

At the small scale networks with tau .006 take as many steps as they may at every byte, so that there can be no pauses.
"""

PAGES: Settings = {"data": {"class_path": "augrnn.tasks.made_up_pages.MadeUpPages", "init_args": {}}}
"""Made-up pages in XML in place of a text."""


def bits(run: RunRecord) -> float:
    """Bits per character of the test."""
    return run["bits_per_character"]["test"]


def mean(run: RunRecord, kind: str, what: str = "steps") -> float:
    """The mean inner steps, or bits, of a kind of characters."""
    return run["kinds"]["test"][kind][what]


def with_and_without(results: Results) -> dict[str, Observations]:
    """Percent that the bits per character with ACT are away from those of the plain LSTM, for each tau."""

    def away(act: RunRecord, lstm: RunRecord) -> float:
        return 100 * abs(bits(act) / bits(lstm) - 1)

    return {f"tau {tau:g}": results.paired((name, "lstm"), away) for name, tau in TAUS.items()}


def pondering(results: Results, pages: bool = False) -> str:
    """The variant of whose pauses there are claims: on the text, or on made-up pages."""
    return f"{'pages-' * pages}{PONDERS[results.scale]}"


def at_spaces(results: Results) -> Observations:
    """Inner steps at spaces as a multiple of those at letters within words."""
    return results.each(pondering(results), lambda run: mean(run, "space") / mean(run, "letter"))


def at_punctuation(results: Results) -> Observations:
    """Inner steps at marks between clauses and sentences as a multiple of those at spaces."""
    return results.each(pondering(results), lambda run: mean(run, "punctuation") / mean(run, "space"))


def at_tags(results: Results) -> Observations:
    """Inner steps at the brackets that open tags as a multiple of the mean over all characters."""
    return results.each(pondering(results, pages=True), lambda run: mean(run, "opening bracket") / mean(run, "all"))


def at_identifiers(results: Results) -> dict[str, Observations]:
    """Inner steps and bits at random identifiers as multiples of their means over all characters."""

    def multiple(what: str) -> Observations:
        return results.each(
            pondering(results, pages=True), lambda run: mean(run, "identifier", what) / mean(run, "all", what)
        )

    return {"inner steps": multiple("steps"), "bits": multiple("bits")}


def fixed_steps(results: Results) -> Observations:
    """Bits per character with two fixed steps as a percentage of those with ACT."""
    return results.paired(("repeat-2", pondering(results)), lambda repeat, act: 100 * bits(repeat) / bits(act))


def ticks(kinds: Iterable[str]) -> list[str]:
    """Kinds of characters as an axis has room for them: every other one is a line lower."""
    return ["\n" * (number % 2) + kind.replace(" ", "\n") for number, kind in enumerate(kinds)]


def exhibits(results: Results, shown: Shown) -> "dict[str, Exhibit]":
    """Inner steps and bits by the kind of character, texts with the steps at each by tau, and learning curves."""
    from augrnn.exhibits.curves import ByBucket, LearningCurves

    measured = results.measured("kinds")

    def by_kind(what: str, made_up: bool) -> "Exhibit":
        found = {
            name: [
                dict(zip(ticks(run["test"]), (each[f"{what}_interval"] for each in run["test"].values()), strict=True))
                for run in runs
            ]
            for name, runs in measured.items()
            if name.startswith("pages") == made_up and (what == "bits" or "act" in name)
        }
        label = {"steps": "inner steps", "bits": "bits of the next character"}[what]
        return ByBucket(found, label, f"kind of character{' in made-up pages' * made_up}")

    found: dict[str, Exhibit] = {"learning": LearningCurves(results.curves(BITS), "bits per character")}
    for prefix, variant in (("", pondering(results)), ("pages-", pondering(results, pages=True))):
        if variant not in results.planned:
            continue
        found |= {f"{prefix}{what}": by_kind(what, bool(prefix)) for what in ("steps", "bits")}
        for name, tau in TAUS.items():
            if (run := (f"{prefix}{name}", 0)) in shown:
                found[f"{prefix}text@tau-{tau:g}"] = titled(shown, run, "pondering")
    return found


def trained(sequence: int, batch: int, updates: int, rate: float) -> Settings:
    """So many updates on batches of sequences of so many bytes, at a constant rate.

    In a trial the gradient's norm rose from 15 to 250 while ACT went over to ever more steps: hence its bound.
    """
    return {
        "data": {"init_args": {"sequence": sequence, "batch_size": batch, "epoch_batches": min(100, updates // 2)}},
        "trainer": {"max_steps": updates, "gradient_clip_val": 20.0},
        **with_rate(rate),
    }


def hidden(units: int) -> dict[str, Settings]:
    """The size of the LSTM, which is inside another cell or alone."""
    alone = {"model": {"init_args": {"cell": {"init_args": {"hidden_size": units}}}}}
    inside = {"model": {"init_args": {"cell": {"init_args": {"cell": {"init_args": {"hidden_size": units}}}}}}}
    return {name: alone if "lstm" in name else inside for name in VARIANTS}


VARIANTS = {
    "lstm": Variant("configs/text/lstm.yaml"),
    **{name: Variant("configs/text/act.yaml", ponders(tau)) for name, tau in TAUS.items()},
    "repeat-2": Variant("configs/text/repeat.yaml"),
    "pages-lstm": Variant("configs/text/lstm.yaml", PAGES),
    **{f"pages-{name}": Variant("configs/text/act.yaml", merged(ponders(tau), PAGES)) for name, tau in TAUS.items()},
    "pages-repeat-2": Variant("configs/text/repeat.yaml", PAGES),
}

JUDGED = ("small", "paper")


def larger(scale: str) -> tuple[str, ...]:
    """The variants of a scale with claims: all on the text, and on made-up pages the one of which there are claims."""
    return (*(name for name in VARIANTS if not name.startswith("pages")), f"pages-{PONDERS[scale]}")


experiment = Experiment(
    name="act/text",
    title="Adaptive computation pauses between the words of a text",
    paper="Graves 2016: Adaptive Computation Time for Recurrent Neural Networks, arXiv 1603.08983, section 3.5",
    variants=VARIANTS,
    scales={
        "smoke": Scale(
            seeds=1,
            minutes=1,
            settings=merged(
                trained(50, 16, 200, 1e-2), {"data": {"init_args": {"validation_sequences": 50, "test_sequences": 100}}}
            ),
            settings_of=hidden(32),
            variants=("pages-lstm", "pages-act-tau-0.06", "pages-repeat-2"),
        ),
        "small": Scale(
            seeds=5,
            minutes=100,
            settings=trained(100, 64, 2000, 3e-3),
            settings_of=hidden(128),
            variants=larger("small"),
        ),
        "paper": Scale(
            seeds=5,
            minutes=30000,
            settings=trained(500, 64, 100_000, 1e-3),
            settings_of=hidden(1500),
            variants=larger("paper"),
        ),
    },
    curves=(BITS,),
    exhibits=exhibits,
    claims=(
        Claim(
            name="as-many-bits-with-and-without",
            sentence="Error rates are fairly similar with and without ACT, and across time penalties.",
            source="section 3.5, figures 21 and 22",
            quantity=with_and_without,
            rules=dict.fromkeys(JUDGED, AllOf(Typical("at most", 3, partly=6))),
            paper="fairly similar, on training data; figures only",
            public="none",
            unit="% between the bits per character with and without",
        ),
        Claim(
            name="pauses-at-spaces",
            sentence="Networks with ACT pause at the spaces between words.",
            source="section 3.5, figure 23",
            quantity=at_spaces,
            rules=dict.fromkeys(JUDGED, Typical("at least", 1.1, partly=1.02)),
            paper="consistently, at tau .006; a figure of one text",
            public="none",
            unit="times the inner steps at letters within words",
        ),
        Claim(
            name="pauses-longer-at-punctuation",
            sentence="They pause for longer at boundaries such as commas and full stops.",
            source="section 3.5, figure 23",
            quantity=at_punctuation,
            rules=dict.fromkeys(JUDGED, Typical("at least", 1.05, partly=1)),
            paper="longer than at spaces; a figure of one text",
            public="none",
            unit="times the inner steps at spaces",
        ),
        Claim(
            name="finds-tags",
            sentence="ACT detects the opening brackets of XML tags.",
            source="section 3.5, figure 24",
            quantity=at_tags,
            rules=dict.fromkeys(JUDGED, Typical("at least", 1.1, partly=1.02)),
            paper="a figure of one text",
            public="none",
            unit="times the mean inner steps, in made-up pages",
        ),
        Claim(
            name="not-at-random-identifiers",
            sentence="ACT does not compute for longer in random identifiers, where the loss is high.",
            source="section 3.5, figure 24",
            quantity=at_identifiers,
            rules=dict.fromkeys(
                JUDGED,
                AllOf(
                    {"inner steps": Typical("at most", 1, partly=1.05), "bits": Typical("at least", 1.5, partly=1.2)}
                ),
            ),
            paper="two identifiers of one text",
            public="none",
            unit={"inner steps": "times the mean, in made-up pages", "bits": "times the mean"},
        ),
        Claim(
            name="fixed-steps-match",
            sentence="Two fixed steps cost as few bits as ACT.",
            source="Fojo, Campos, Giro-i-Nieto 2018, who did not try text",
            quantity=fixed_steps,
            rules=dict.fromkeys(JUDGED, Typical("at most", 101, partly=103)),
            paper="not tried; on parity and addition fixed steps learn sooner",
            public="none",
            unit="% of the bits per character of ACT",
        ),
    ),
)
