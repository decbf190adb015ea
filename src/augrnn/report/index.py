"""The first page: how many claims have which verdict, and every claim."""

from collections.abc import Sequence
from urllib.parse import quote

from augrnn.lab.claims import STATES
from augrnn.lab.claims_tables import of_them
from augrnn.report.contents import ClaimEntry, Shown, ShownSweep, short_citation
from augrnn.report.explore import figures_of
from augrnn.report.frame import duration, lines, page, seeds, table, verdict
from augrnn.report.html import Html, element, together
from augrnn.report.sweeps import sweep_link

TITLE = "Attention and augmented recurrent networks: what reproduces"

HEAD = ("claim", "verdict", "here", "in the paper", "best public", "scale", "cost")


def index(experiments: Sequence[Shown], others: Sequence[ShownSweep] = ()) -> str:
    """The page.

    Args:
      experiments: what the report shows.
      others: the user's own sweeps that belong to none of them.
    """
    return page(TITLE, "", index_body(experiments, others), ["report.js", "index.js"])


def index_body(experiments: Sequence[Shown], others: Sequence[ShownSweep] = ()) -> list[Html]:
    """What is on it; see `index`."""
    claims = [entry for each in experiments for entry in each.claims]
    about = element(
        "p",
        "Findings behind ",
        element(
            "a", "Attention and Augmented Recurrent Neural Networks", href="https://distill.pub/2016/augmented-rnns/"
        ),
        " (Olah and Carter 2016), trained again over several seeds. Each claim was written down with its bar before "
        "the runs, and a machine gives the verdict. All data: ",
        element("a", "claims.json", href="claims.json"),
        " (",
        element("a", "its layout", href="claims.schema.json"),
        ").",
    )
    names = [each.experiment.name for each in experiments]
    figures = [element("li", figure.link("")) for figure in figures_of(names)]
    tried = element("section", element("h2", "Try it"), element("ul", *figures), class_="screen")
    return [
        element("h1", TITLE),
        _headline(claims),
        about,
        *([tried] if figures else []),
        element("h2", "Every claim"),
        _filter(claims),
        _claims(experiments),
        *([element("h2", "Sweeps of your own"), element("ul", *map(sweep_link, others))] if others else []),
    ]


def _headline(claims: Sequence[ClaimEntry]) -> Html:
    papers = list(dict.fromkeys(short_citation(entry.citation) for entry in claims))
    rows = [_bar("All papers", claims)]
    rows += [_bar(paper, [entry for entry in claims if short_citation(entry.citation) == paper]) for paper in papers]
    words = (
        "Each bar is all claims of a paper, one part for each verdict, as wide as the number of its claims. Hatched: "
        "thin, which means that fewer than five seeds decided or that the interval reaches the bar."
    )
    bars = element("div", *rows, class_="bars")
    return element("figure", _legend(claims), bars, element("figcaption", words), class_="headline")


def _legend(claims: Sequence[ClaimEntry]) -> Html:
    states = [state for state in reversed(STATES) if any(entry.verdict == state for entry in claims)]
    parts = [
        element("span", element("span", class_=f"swatch {state.replace(' ', '-')}"), Html(" "), state)
        for state in states
    ]
    return element("p", *parts, class_="legend")


def _bar(paper: str, claims: Sequence[ClaimEntry]) -> Html:
    parts, words = [], []
    for state in reversed(STATES):
        found = [entry for entry in claims if entry.verdict == state]
        for thin in (False, True):
            count = sum(entry.thin is thin for entry in found)
            if count:
                kind = f"part {state.replace(' ', '-')}{' thin' if thin else ''}"
                parts.append(element("span", class_=kind, style=f"flex-grow:{count}"))
        if found:
            thin_ones = sum(entry.thin for entry in found)
            words.append(f"{len(found)} {state}{of_them(thin_ones)}")
    bar = element("div", *parts, class_="bar", aria_hidden="true")
    return element(
        "div",
        element("div", paper, class_="name"),
        bar,
        element("div", f"{', '.join(words)}.", class_="counts"),
        class_="row",
    )


def _filter(claims: Sequence[ClaimEntry]) -> Html:
    papers = list(dict.fromkeys(short_citation(entry.citation) for entry in claims))
    states = [state for state in reversed(STATES) if any(entry.verdict == state for entry in claims)]
    choices = [element("option", "all papers", value=""), *(element("option", each, value=each) for each in papers)]
    verdicts = [element("option", "any verdict", value=""), *(element("option", each, value=each) for each in states)]
    return element(
        "form",
        element("label", "Paper ", element("select", *choices, name="paper")),
        element("label", "Verdict ", element("select", *verdicts, name="verdict")),
        element("label", "Words ", element("input", type="search", name="words")),
        element("output", f"{len(claims)} claims", name="count", aria_live="polite"),
        id="filter",
        hidden=True,
    )


def _claims(experiments: Sequence[Shown]) -> Html:
    rows = [_row(each, entry) for each in experiments for entry in each.claims]
    return element("div", table(HEAD, rows), id="claims")


def _row(shown: Shown, entry: ClaimEntry) -> list[Html]:
    link = element("a", entry.experiment, href=f"{quote(shown.page)}#{quote(entry.claim)}")
    paper = short_citation(entry.citation)
    source = element("span", f"{paper}, {entry.source}. ", link, class_="source", data_paper=paper)
    sentence = element("span", entry.sentence, class_="sentence")
    return [
        together([sentence, Html(" "), source]),
        element("span", verdict(entry), data_verdict=entry.verdict),
        lines(entry.here),
        together([entry.paper]),
        together([entry.public]),
        together([f"{entry.scale}, {seeds(entry.seeds)}" if entry.seeds else entry.scale]),
        _cost(entry),
    ]


def _cost(entry: ClaimEntry) -> Html:
    if entry.cost is None:
        return Html("")
    machines = ", ".join(entry.cost.hardware)
    return together(
        [f"{duration(entry.cost.seconds)}, {entry.cost.runs} runs", element("span", machines, class_="line")]
    )
