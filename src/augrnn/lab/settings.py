"""What a run is trained with, as one nested mapping: a config file, and what is changed of it."""

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from augrnn.errors import UserError
from augrnn.files import plain
from augrnn.lab.places import config_path

Settings = Mapping[str, Any]
"""Nested as in a LightningCLI file: {"trainer": {"max_steps": 600}, "data": {"init_args": {"width": 4}}}."""


CLASS_KEYS = {"class_path", "init_args", "dict_kwargs"}
"""The keys of a class and its arguments."""


def merged(base: Settings, *changes: Settings) -> dict[str, Any]:
    """One mapping from several: what comes later counts, key by key; lists are replaced as a whole.

    Where a change names another `class_path` than the one below it, its `init_args` take the place of the old ones,
    which are those of another class.
    """
    found = {name: merged(value) if isinstance(value, Mapping) else value for name, value in base.items()}
    for change in changes:
        for name, value in change.items():
            found[name] = _over(found.get(name), value) if isinstance(value, Mapping) else value
    return found


def _over(below: Any, value: Settings) -> dict[str, Any]:
    """A mapping over what is below it."""
    if isinstance(below, str) and "init_args" in value:  # a class without arguments, by its path alone
        below = {"class_path": below}
    if not isinstance(below, Mapping):
        return merged({}, value)
    if "class_path" in below and not value.keys() & CLASS_KEYS:  # as LightningCLI takes model.cell.rows
        value = {"init_args": value}
    classes = [each["class_path"] for each in (below, value) if "class_path" in each]
    return merged({}, value) if len(classes) == 2 and classes[0] != classes[1] else merged(below, value)


SECTIONS: dict[str, tuple[type, ...]] = {"trainer": (Mapping,), "model": (Mapping, str), "data": (Mapping, str)}
"""The sections of settings, and what each of them is: options by their names, or the path of a class."""


def require_sections(settings: Settings, owner: str) -> None:
    """Refuse settings whose sections have no options; a UserError that begins with their owner."""
    for name, kinds in SECTIONS.items():
        if not isinstance(settings.get(name, {}), kinds):
            raise UserError(
                f"{owner}: {name} cannot be {settings[name]!r}: give its options, such as {name}.OPTION=..."
            )


def recorded(settings: Settings) -> dict[str, Any]:
    """Settings for JSON, which lacks nan and infinity: they are spelled as in a config, ".inf"."""

    def spelled(number: float) -> str:
        return ".nan" if math.isnan(number) else ".inf" if number > 0 else "-.inf"

    found: dict[str, Any] = plain(settings, spelled)
    return found


def nested(options: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from options by their dotted names: {"trainer.max_steps": 600}."""
    return merged({}, *(_deep(name.split("."), value) for name, value in options.items()))


def _deep(parts: Sequence[str], value: Any) -> dict[str, Any]:
    return reduce(lambda inner, part: {part: inner}, reversed(parts), value)


def from_words(words: Sequence[str], root: Path, owner: str) -> dict[str, Any]:
    """Settings from the words of a LightningCLI command: `--config FILE`, `--name=value` and `--name value`.

    Args:
      words: the words behind the subcommand.
      root: what the paths of configs are relative to; one that is not there may be the package's.
      owner: whose words they are, for messages.

    Raises:
      UserError: a config is missing or not YAML, or a word is no option.
    """
    import yaml

    from augrnn.yaml_files import one_line, parsed, read_config

    found: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        name, equals, text = word.removeprefix("--").partition("=")
        if not word.startswith("--") or (not equals and (text := next(rest, "--")).startswith("--")):
            raise UserError(f"{owner}: {word} is not an option with a value: --name=value")
        if name == "config":
            found = merged(found, read_config(config_path(root, text), owner))
        else:
            try:
                found = merged(found, nested({name: parsed(text)}))
            except yaml.YAMLError as error:
                raise UserError(f"{owner}: {word} is not valid YAML: {one_line(error)}") from error
    return found
