"""What all pages of a report have in common."""

from collections.abc import Sequence

from augrnn.lab.claims_tables import Judged
from augrnn.report.contents import ClaimEntry
from augrnn.report.html import Html, element, together

GUARD = (
    "default-src 'none'; script-src file: http: https:; style-src 'unsafe-inline' file: http: https:; "
    "img-src data: file: http: https:"
)
"""What a browser may load: files beside the page. No script inside a page ever runs."""

LIBRARY = ("vendor/d3.min.js", "vendor/plot.umd.min.js")
"""The library of charts."""

SIGNS = {"reproduced": "✓", "partly": "◐", "not reproduced": "✗", "unsolved": "∅", "not run": "–", "unjudged": "·"}
"""What tells verdicts apart where there is no colour."""


def page(
    title: str,
    up: str,
    body: Sequence[Html],
    scripts: Sequence[str] = (),
    data: Sequence[Html] = (),
    alone: bool = False,
) -> str:
    """A whole page.

    Args:
      title: its title.
      up: the way from its folder to the report's, "" or "../".
      body: what is on it.
      scripts: files in the folder of assets, in the order in which they run.
      data: blocks of data for them.
      alone: whether there is no first page that it could lead to.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{GUARD}">'),
        element("title", title),
        element("link", rel="stylesheet", href=f"{up}assets/report.css"),
    )
    first = element("nav", element("a", "All claims", href=f"{up}index.html"), aria_label="Report")
    files = [Html(f'<script src="{up}assets/{each}"></script>') for each in scripts]
    inside = [
        element("a", "To the content", class_="skip", href="#content"),
        *([] if alone else [element("header", first)]),
        element("main", *body, id="content"),
        *data,
        *files,
    ]
    return f'<!doctype html>\n<html lang="en">{head}\n<body>\n{together(inside)}\n</body></html>\n'


def verdict(entry: ClaimEntry) -> Html:
    """A verdict with what has to be known of it: a reduced scale, thin evidence, papers that contradict each other."""
    return worded(entry.verdict, qualifiers(entry))


def worded(state: str, notes: Sequence[str] = ()) -> Html:
    """A verdict with its sign, and notes on it."""
    sign = element("span", SIGNS[state], class_="sign", aria_hidden="true")
    below = [element("span", words, class_="note") for words in notes]
    return element("span", sign, Html(" "), state, *below, class_=f"verdict {state.replace(' ', '-')}")


def qualifiers(entry: ClaimEntry) -> list[str]:
    """What has to be known of a verdict, in words."""
    words = []
    if entry.reduced:
        words.append("reduced scale")
    if entry.thin:
        words.append(f"thin: {', '.join(entry.thin_because)}")
    if entry.contested:
        words.append(f"contested by {entry.contested}")
    if entry.own:
        words.append("your own runs")
    return words


def seeds(count: int) -> str:
    """So many seeds, in words."""
    return f"{count} seed{'s' * (count != 1)}"


def lines(text: str) -> Html:
    """The parts of a verdict or of a bar below each other."""
    return together(element("span", each, class_="line") for each in text.split("; ") if each)


def duration(seconds: float) -> str:
    """A time in words, as coarse as a reader wants it: "40 s", "7 min", "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> Html:
    """A table whose rows stand below each other on a narrow screen, each cell under the name of its column."""
    top = element("tr", *(element("th", name, scope="col", role="columnheader") for name in head), role="row")
    body = [
        element(
            "tr",
            *(element("td", cell, data_name=name, role="cell") for name, cell in zip(head, row, strict=True)),
            role="row",
        )
        for row in rows
    ]
    titled = [element("caption", caption)] if caption else []
    parts = element("thead", top, role="rowgroup"), element("tbody", *body, role="rowgroup")
    return element("table", *titled, *parts, role="table", class_="stacked")


def verdicts(rows: Sequence[Judged], caption: str) -> Html:
    """A table of claims with their verdicts at a scale or of a sweep."""
    found = []
    for row in rows:
        state = "; ".join(filter(None, (row.verdict.state, row.verdict.mark)))
        found.append([row.claim.name, lines(state), lines(row.verdict.text), lines(row.claim.bar(row.scale))])
    return table(("claim", "verdict", "here", "needed"), found, caption)
