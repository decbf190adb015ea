"""YAML files that users write, checked against a model of their parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from augrnn.errors import UserError


class Strict(BaseModel):
    """A part of the file that has no keys but the known ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Strict)


def read_strict(path: Path, model: type[Model], what: str) -> Model:
    """A YAML file as a model of its parts; a UserError of one line where it is missing or not of the form."""
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except OSError as error:
        raise UserError(f"cannot read the {what} {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        raise UserError(f"{path}: {'; '.join(_told(error))}") from None


def _told(error: ValidationError) -> Iterator[str]:
    """What is wrong with a file, a phrase for each mistake that begins with the key."""
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "there is no such key"
        yield f"{place}: {message}" if place else message
