"""Names that a user writes, and the ones that a misspelt one may have meant."""

import difflib
from collections.abc import Iterable

from augrnn.errors import UserError


def near(name: str, names: Iterable[str]) -> list[str]:
    """The few names that are most like a name, the likest first; none where all are too different."""
    return difflib.get_close_matches(name, list(names), n=3, cutoff=0.5)


def known(name: str, names: Iterable[str], kind: str) -> str:
    """The name itself, or a UserError that offers the nearest ones of its kind."""
    names = list(names)
    if name in names:
        return name
    found = near(name, names)
    hint = f"did you mean {' or '.join(found)}?" if found else f"there are: {', '.join(names) or 'none'}"
    raise UserError(f"there is no {kind} called {name}; {hint}")
