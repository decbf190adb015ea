"""YAML as LightningCLI reads it, so that a word means the same in a config, in a sweep and on the command line.

YAML 1.1 takes 1e-3 for text and 2024-01-02 for a date; LightningCLI, and so all of this package, takes the first for a
number and the second for text.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import get_loader
from pydantic import BaseModel, ConfigDict, ValidationError

from augrnn.errors import UserError


class Strict(BaseModel):
    """A part of the file that has no keys but the known ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Strict)

BARE = "has no settings: it must have keys such as model, data and trainer"
"""What is said of a config without keys."""

TEXT = "string_type"
"""What pydantic calls the mistake that a value is no text."""


def parsed(text: str) -> Any:
    """What a YAML text says; nothing at all is the empty text, as on LightningCLI's command line.

    Raises:
      yaml.YAMLError: it is not valid.
    """
    return get_loader("yaml")(text) if text.strip() else ""


def one_line(error: Exception) -> str:
    """What is wrong with a YAML text, without line breaks."""
    return " ".join(str(error).split())


def read_config(path: Path, owner: str = "") -> Mapping[str, Any]:
    """What a LightningCLI file says; nothing for an empty one.

    Args:
      path: the file.
      owner: what names it, for messages.

    Raises:
      UserError: it is missing, or no YAML with keys; one line that begins with the owner.
    """
    whose = f"{owner}: " if owner else ""
    if not path.exists():
        raise UserError(f"{whose}there is no config {path}")
    try:
        content = parsed(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise UserError(f"{whose}cannot read the config {path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{whose}the config {path} is not valid YAML: {one_line(error)}") from error
    if not isinstance(content, Mapping):
        raise UserError(f"{whose}the config {path} {BARE}")
    return content


def read_strict(path: Path, model: type[Model], what: str) -> Model:
    """A YAML file as a model of its parts; a UserError of one line where it is missing or not of the form."""
    try:
        text = path.read_text(encoding="utf-8")
        if mistaken := list(_mistaken(yaml.compose(text, yaml.SafeLoader))):
            raise UserError(f"{path}: {'; '.join(mistaken)}")
        return model.model_validate(parsed(text) or {})
    except OSError as error:
        raise UserError(f"cannot read the {what} {path}: {error.strerror}") from None
    except ValidationError as error:
        raise UserError(f"{path}: {'; '.join(_told(error, yaml.load(text, yaml.BaseLoader)))}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid YAML: {one_line(error)}") from None


def _mistaken(node: yaml.Node | None) -> Iterator[str]:
    """Words that YAML 1.1 reads as what nobody means by them: 24:00:00 as 86400, 010 as 8, on as true."""
    if isinstance(node, yaml.ScalarNode):
        kind, word = node.tag.rpartition(":")[2], node.value
        odd = re.search(r":|^[-+]?0\d", word) if kind in ("int", "float") else not re.fullmatch("(?i)true|false", word)
        if kind in ("int", "float", "bool") and odd:
            yield f'{word} in line {node.start_mark.line + 1} is not read as it stands: put it in quotes, "{word}"'
    elif isinstance(node, yaml.SequenceNode):
        for part in node.value:
            yield from _mistaken(part)
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for part in pair:
                yield from _mistaken(part)


def _told(error: ValidationError, written: Any) -> Iterator[str]:
    """What is wrong with a file, a phrase for each mistake that begins with the key.

    Args:
      error: the mistakes.
      written: the file's content, each word as it stands.
    """
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "there is no such key"
        elif problem["type"] == "model_type":
            message = "it must have keys"
        elif problem["type"] == TEXT and isinstance(problem["input"], bool | int | float):
            word = _at(written, problem["loc"], problem["input"])
            message = f'{word} is not text: put it in quotes, "{word}"'
        yield f"{place}: {message}" if place else message


def _at(content: Any, place: tuple[str | int, ...], otherwise: Any) -> Any:
    """What stands at a place, where pydantic's names for it are keys of the file."""
    try:
        for part in place:
            content = content[part]
    except (KeyError, IndexError, TypeError):
        return otherwise
    return content
