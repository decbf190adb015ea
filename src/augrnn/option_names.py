"""Short names for dotted options, and short texts for their values."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

LONGEST = 32
"""Letters of a value's text."""


def shortened(names: Sequence[str]) -> dict[str, str]:
    """For each option a short name that no other has: as few of its last words as that takes."""
    return {name: next(_shorter(name, names)) for name in names}


def _shorter(name: str, names: Sequence[str]) -> Iterator[str]:
    words = name.split(".")
    for count in range(1, len(words) + 1):
        short = ".".join(words[-count:])
        if sum(f".{other}".endswith(f".{short}") for other in names) == 1:
            yield short
    yield name


def value_texts(values: Sequence[Any]) -> list[str]:
    """For each value a short text that tells it from the others; of one class without the arguments that all share."""
    whole = [json.dumps(value, sort_keys=True, default=str) for value in values]
    short = [_short(value) for value in _differing(values)]
    number = {text: i for i, text in enumerate(dict.fromkeys(whole))}
    meant: dict[str, set[str]] = {}
    for brief, text in zip(short, whole, strict=True):
        meant.setdefault(brief, set()).add(text)
    return [
        brief if len(meant[brief]) == 1 else f"{brief} ({number[text] + 1})"
        for brief, text in zip(short, whole, strict=True)
    ]


def _differing(values: Sequence[Any]) -> list[Any]:
    """Values without the arguments that all different ones of their class have alike."""
    classes: dict[str, list[Mapping[str, Any]]] = {}
    for value in values:
        if isinstance(value, Mapping) and "class_path" in value:
            arguments, known = value.get("init_args") or {}, classes.setdefault(str(value["class_path"]), [])
            known += [arguments] if arguments not in known else []
    found = list(values)
    for number, value in enumerate(values):
        if isinstance(value, Mapping) and len(alike := classes.get(str(value.get("class_path")), [])) > 1:
            arguments = value.get("init_args") or {}
            told = {
                name: each for name, each in arguments.items() if any(name not in a or a[name] != each for a in alike)
            }
            found[number] = {**value, "init_args": told}
    return found


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and "class_path" in value:
        arguments = [f"{name}={_short(each)}" for name, each in (value.get("init_args") or {}).items()]
        return _cut(", ".join([str(value["class_path"]).rpartition(".")[2], *arguments]))
    if isinstance(value, Mapping):
        return _cut(", ".join(f"{name}={_short(each)}" for name, each in value.items()))
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str) and value.endswith(".yaml"):
        return _cut(PurePath(value).stem)
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", value):  # a class
        return _cut(value.rpartition(".")[2])
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
