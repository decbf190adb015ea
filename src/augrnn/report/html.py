"""HTML that cannot be broken by the texts in it: every text is escaped unless an element has made it."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

VOID = ("br", "img", "input", "link", "meta")
"""Elements that hold nothing."""


class Html(str):
    """Text that is HTML already."""


def element(name: str, /, *children: str, **attributes: str | bool | None) -> Html:
    """An element; children that are no Html are texts.

    Args:
      name: its tag.
      children: what it holds.
      attributes: `class_` stands for `class`, `data_x` for `data-x`; True for one without a value, None and False for
        none.
    """
    words = [
        f" {_named(key)}" + ("" if value is True else f'="{escape(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    ]
    head = f"<{name}{''.join(words)}>"
    return Html(head) if name in VOID else Html(f"{head}{together(children)}</{name}>")


def together(children: Iterable[str]) -> Html:
    """Several children one after the other."""
    return Html("".join(each if isinstance(each, Html) else escape(each) for each in children))


def data_block(name: str, content: Any) -> Html:
    """JSON that a script of the page reads; no text in it can end the block."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Html(f'<script type="application/json" id="{escape(name)}">{text.replace("<", chr(92) + "u003c")}</script>')


def _named(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
