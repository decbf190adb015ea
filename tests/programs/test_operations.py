"""Each operation on a table made by hand, and its hard twin: the same on Python's lists, one cell at a time."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from augrnn.programs import operations

TABLE = [[1.0, -4], [3, 5], [2, 0]]
NUMBERS = torch.tensor([TABLE])
ROWS = torch.tensor([[1.0, 0, 1]])


def test_sums_and_counts() -> None:
    assert operations.total(NUMBERS, ROWS).tolist() == [[3, -4]]
    assert operations.total(NUMBERS, torch.tensor([[0.5, 0.5, 0]])).tolist() == [[2, 0.5]]
    assert operations.count(ROWS).tolist() == [2]
    assert operations.count(torch.tensor([[0.5, 0.25, 0]])).tolist() == [0.75]


def test_a_difference_takes_the_later_from_the_earlier() -> None:
    assert operations.difference(torch.tensor([5.0]), torch.tensor([2.0])).tolist() == [3]


def test_comparisons_are_strict_and_one_for_each_pivot() -> None:
    pivots = torch.tensor([[2.0, -4]])
    assert operations.greater(NUMBERS, pivots).tolist() == [
        [[[0, 0], [1, 1], [0, 0]], [[1, 0], [1, 1], [1, 1]]],
    ]
    assert operations.lesser(NUMBERS, pivots).tolist() == [
        [[[1, 1], [0, 0], [0, 1]], [[0, 0], [0, 0], [0, 0]]],
    ]


def test_words_match_themselves_and_nothing_matches_no_word() -> None:
    words = torch.tensor([[[7, -1], [8, -1]]])
    assert operations.match(words, torch.tensor([[8, -1]])).tolist() == [[[[0, 0], [1, 0]], [[0, 0], [0, 0]]]]


def test_pivots_and_columns_are_weighted() -> None:
    cells = torch.tensor([[[[1.0, 0], [0, 1]], [[0, 0], [1, 1]]]])
    mixed = operations.pivoted(torch.tensor([[0.25, 0.75]]), cells)
    assert mixed.tolist() == [[[0.25, 0], [0.75, 1]]]
    assert operations.in_column(torch.tensor([[0.5, 0.5]]), mixed).tolist() == [[0.125, 0.875]]


def test_logic_takes_the_smaller_or_the_larger_weight() -> None:
    other = torch.tensor([[0.5, 0.25, 0]])
    assert operations.both(ROWS, other).tolist() == [[0.5, 0, 0]]
    assert operations.either(ROWS, other).tolist() == [[1, 0.25, 1]]


def test_a_look_up_gives_the_selected_cells_of_the_chosen_columns() -> None:
    assert operations.assign(ROWS, torch.tensor([[0.0, 1]])).tolist() == [[[0, 1], [0, 0], [0, 1]]]


def test_a_reset_selects_all_rows_that_there_are() -> None:
    assert operations.reset(torch.tensor([[True, True, False]]), ROWS).tolist() == [[1, 1, 0]]


# Hard twins --------------------------------------------------------------------------------------------------------

Cells = Sequence[Sequence[float]]
tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.tuples(
            st.lists(st.integers(-9, 9).map(float), min_size=width, max_size=width), st.booleans(), st.booleans()
        ),
        min_size=1,
        max_size=6,
    )
)


@given(tables, st.integers(-9, 9), st.integers(0, 2))
def test_with_weights_of_zero_and_one_each_operation_is_its_hard_twin(
    rows: list[tuple[list[float], bool, bool]], pivot: int, place: int
) -> None:
    table, chosen, others = ([row[part] for row in rows] for part in range(3))
    column = min(place, len(table[0]) - 1)
    numbers, rows_BR, others_BR = torch.tensor([table]), selection(chosen), selection(others)
    pivots, weights = torch.tensor([[99.0, pivot]]), torch.tensor([[0.0, 1]])
    columns = torch.zeros(1, len(table[0]))
    columns[0, column] = 1

    def compared(cells_BNRC: Tensor) -> list[bool]:
        return booleans(operations.in_column(columns, operations.pivoted(weights, cells_BNRC)))

    assert operations.total(numbers, rows_BR)[0, column] == sum(
        row[column] for row, here in zip(table, chosen, strict=True) if here
    )
    assert operations.count(rows_BR) == sum(chosen)
    assert compared(operations.greater(numbers, pivots)) == [row[column] > pivot for row in table]
    assert compared(operations.lesser(numbers, pivots)) == [row[column] < pivot for row in table]
    ids, asked = numbers.long() + 9, torch.tensor([[99, pivot + 9]])
    assert compared(operations.match(ids, asked)) == [row[column] == pivot for row in table]
    pairs = list(zip(chosen, others, strict=True))
    assert booleans(operations.both(rows_BR, others_BR)) == [one and other for one, other in pairs]
    assert booleans(operations.either(rows_BR, others_BR)) == [one or other for one, other in pairs]
    lookup = operations.assign(rows_BR, columns)[0].tolist()
    assert lookup == [[float(here and c == column) for c in range(len(table[0]))] for here in chosen]


def selection(rows: Sequence[bool]) -> Tensor:
    return torch.tensor([rows], dtype=torch.float32)


def booleans(rows_BR: Tensor) -> list[bool]:
    return [bool(weight) for weight in rows_BR[0]]


@pytest.mark.parametrize("operation", [operations.both, operations.either])
def test_logic_has_gradients(operation: object) -> None:
    rows = torch.tensor([[0.2, 0.9]], dtype=torch.float64, requires_grad=True)
    others = torch.tensor([[0.4, 0.3]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(operation, (rows, others))
