"""`augrnn bench`: throughput on this machine, of training beside other code for the same work, and of search."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from augrnn.bench.rows import Row


def speeds(seconds: float) -> "Iterator[Row]":
    """Every row; see `augrnn.bench.rows.speeds`. `bench --against` asks older commits for them by this name."""
    from augrnn.bench import rows

    return rows.speeds(seconds)
