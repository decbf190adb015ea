"""A table: names of columns, and rows of texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from augrnn.errors import UserError

Row = tuple[str, ...]
"""The cells of a row, one for each column."""


@dataclass(frozen=True)
class Table:
    """Names and cells are as they were written; they may be empty, and two columns may have one name.

    Attributes:
      header: the columns' names.
      rows: the cells; every row has as many as there are columns, and there is at least one row.
      name: what messages call it.
    """

    header: Row
    rows: tuple[Row, ...]
    name: str

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.header)


def made_table(name: str, header: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]) -> Table:
    """A table of rows that come with the number of their line, or of the row.

    Raises:
      UserError: it has no columns or no rows, or a row has more or fewer cells than there are columns; says which.
    """
    if not header:
        raise UserError(f"{name} has no columns")
    made: list[Row] = []
    for number, row in rows:
        if len(row) != len(header):
            cells = f"{len(row)} cell{'s' * (len(row) != 1)}"
            raise UserError(f"{name}: line {number} has {cells}, but the header has {len(header)}")
        made.append(tuple(row))
    if not made:
        raise UserError(f"{name} has a header and no rows below it")
    return Table(tuple(header), tuple(made), name)
