"""The words of a command as the parser understands them."""

import json
from collections.abc import Sequence
from typing import Any

PARTS = ".init_args."


def understood(words: Sequence[str]) -> list[str]:
    """A command's words, with each null of a part of a part given as a mapping.

    jsonargparse takes `--data.init_args.backbone.init_args.weights=null` for the text "None", as
    findings/jsonargparse_null_of_a_part_of_a_part.sh shows.
    """
    joined: list[str] = []
    for word in words:
        deep = bool(joined) and "=" not in joined[-1] and _is_deep(joined[-1])
        joined[-1:] = [f"{joined[-1]}={word}"] if deep else [*joined[-1:], word]
    return [_with_mapping(word) for word in joined]


def _is_deep(option: str) -> bool:
    return option.startswith("--") and option.count(PARTS) > 1


def _with_mapping(word: str) -> str:
    option, _, value = word.partition("=")
    if value != "null" or not _is_deep(option):
        return word
    whole, *inner = option.split(PARTS)
    *parents, name = inner
    settings: dict[str, Any] = {name: None}
    for parent in reversed(parents):
        settings = {parent: {"init_args": settings}}
    return f"{whole}.init_args={json.dumps(settings)}"
