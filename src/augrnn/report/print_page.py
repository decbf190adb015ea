"""Several pages of a report as a single one, which a browser prints."""

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import quote, unquote

from augrnn.report.charts import Chart
from augrnn.report.contents import Shown
from augrnn.report.experiment_page import charts_of, experiment_body
from augrnn.report.frame import LIBRARY, page
from augrnn.report.html import Html, data_block, element, together
from augrnn.report.index import TITLE, index_body

REFERENCE = re.compile(r' (id|href|data-chart)="([^"]*)"')
"""What has to be another one where pages are put together; no text of a page has such quotes, they are escaped."""

OUTSIDE = ("https://", "http://")


class Chapter(NamedTuple):
    """A page of the report as a part of a longer one.

    Attributes:
      name: of its experiment; empty for a page that is no experiment's.
      body: what is on it.
      charts: the data of its charts.
    """

    name: str
    body: Sequence[Html]
    charts: dict[str, Chart]


def chapters(experiments: Sequence[Shown], first_page: bool) -> tuple[str, list[Chapter]]:
    """The title and the parts of a printed report.

    Args:
      experiments: what is printed.
      first_page: whether the first page of the report is the first of its parts.
    """
    found = [Chapter("", index_body(experiments), {})] if first_page else []
    for each in experiments:
        charts = charts_of(each)
        found.append(Chapter(each.experiment.name, experiment_body(each, charts), charts))
    return TITLE if first_page else experiments[0].experiment.name, found


def print_page(title: str, parts: Sequence[Chapter]) -> str:
    """The page; it stands in a folder of the report's."""
    names = {part.name for part in parts}
    body = [element("section", _within(part, names), class_="chapter") for part in parts]
    charts = {f"{_before(part.name)}{key}": each for part in parts for key, each in part.charts.items()}
    scripts = [*LIBRARY, "report.js", "charts.js"]
    return page(title, "../", body, scripts, [data_block("charts", charts)], alone=True)


def _before(name: str) -> str:
    return f"{name}/" if name else ""


def _within(part: Chapter, names: set[str]) -> Html:
    """A part with ids of its own, with links to other parts and out of the report alone, and with open details."""

    def changed(found: re.Match[str]) -> str:
        attribute, value = found.groups()
        if attribute == "href":
            return _link(value, part.name, names)
        return f' {attribute}="{escape(_before(part.name))}{value}"'

    return Html(REFERENCE.sub(changed, together(part.body)).replace("<details>", "<details open>"))


def _link(value: str, name: str, names: set[str]) -> str:
    file, _, place = value.partition("#")
    chapter = unquote(file).removesuffix(".html") if file else name
    if not value.startswith(OUTSIDE):
        value = f"#{quote(_before(chapter))}{place}" if place and chapter in names else ""
    return f' href="{value}"' if value else ""
