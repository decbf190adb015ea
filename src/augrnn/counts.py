"""Numbers that a user gives."""

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from augrnn.errors import UserError

MOST_JOBS = 1000
"""Runs at once on one machine."""

MOST_SEEDS = 1000
"""Seeds that a variant may have."""

MOST_HYPOTHESES = 1_000_000
"""Hypotheses that a search may be asked for; the vocabulary sets a lower limit."""


def is_whole(value: Any) -> bool:
    """Whether something is a whole number; true and false are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Whether something is a finite number; true and false are none."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def count(option: str, most: int) -> Callable[[str], int]:
    """A reader of an option's text, for argparse: whole numbers from 1 to `most`, else a UserError of one line."""

    def read(text: str) -> int:
        whole = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        return require_count(option, int(text) if whole else text, most)

    return read


def require_count(option: str, value: Any, most: int) -> int:
    """The value itself, a whole number from 1 to `most`.

    Args:
      option: what the user calls it.
      value: what the user gives.
      most: the largest one.

    Raises:
      UserError: it is none.
    """
    if type(value) is int and 1 <= value <= most:
        return value
    raise UserError(f"{option} must be a whole number from 1 to {most:,}, not {str(value)[:40]!r}")
