"""Names of Python objects in configs, records and tasks."""

import importlib
from typing import Any

from augrnn.errors import UserError


def named(path: str, kind: type, what: str) -> Any:
    """The class that a dotted path names ("augrnn.cells.ntm.NTM"), a subclass of `kind`.

    Raises:
      UserError: there is none; the message calls it `what` ("measure").
    """
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"there is no {what} called {path}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise UserError(f"{path} is no {what}: it must be a subclass of {path_of(kind)}")
    return found


def path_of(kind: type) -> str:
    """The dotted path of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"
