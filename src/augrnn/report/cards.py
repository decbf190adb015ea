"""The card of an experiment as HTML: its own words, without the tables of results, the pictures and the commands."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from augrnn.report.html import Html

MARKS = re.compile(r"<!-- results:begin -->.*<!-- results:end -->", re.DOTALL)
OUTSIDE = ("http://", "https://")


def card_html(markdown: str) -> Html:
    """A card's sections; HTML in it is shown as text, and links that lead into the repository are words alone."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(MARKS.sub("", markdown))
    kept = [_lower(_plain(token)) for token in _without_title(tokens) if token.type != "code_block"]
    return Html(reader.renderer.render(_without_empty(kept), reader.options, {}))


def _without_empty(tokens: Sequence[Token]) -> Sequence[Token]:
    """Tokens without paragraphs that held nothing but pictures."""
    empty = [
        number
        for number, token in enumerate(tokens)
        if token.type == "inline" and all(child.type in ("softbreak", "hardbreak") for child in token.children or [])
    ]
    dropped = {number + offset for number in empty for offset in (-1, 0, 1) if tokens[number - 1].tag == "p"}
    return [token for number, token in enumerate(tokens) if number not in dropped]


def _without_title(tokens: Sequence[Token]) -> Sequence[Token]:
    titled = len(tokens) >= 3 and tokens[0].type == "heading_open" and tokens[0].tag == "h1"
    return tokens[3:] if titled else tokens


def _lower(token: Token) -> Token:
    """A heading one level lower: the page has headings above the card's."""
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
    return token


def _plain(token: Token) -> Token:
    """An inline token without its pictures, and without links that no reader of the page could follow."""
    if token.children:
        leads: list[bool] = []
        kept = []
        for child in token.children:
            if child.type == "image":
                continue
            if child.type == "link_open":
                leads.append(str(child.attrGet("href")).startswith(OUTSIDE))
            if child.type not in ("link_open", "link_close") or leads[-1]:
                kept.append(child)
            if child.type == "link_close":
                leads.pop()
        token.children = kept
    return token
