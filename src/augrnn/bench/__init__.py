"""`augrnn bench`: throughput on this machine, of training beside other code for the same work, and of search."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from augrnn.bench.rows import Row


def speeds(seconds: float) -> "Iterator[Row]":
    """Every row; see `speeds` in `rows`, `pondering`, `captions` and `tables`.

    `bench --against` asks older commits for them by this name.
    """
    from augrnn.bench import captions, pondering, rows, tables

    return chain(*(part.speeds(seconds) for part in (rows, pondering, captions, tables)))
