"""Operations of 2016: by hand, and at discrete selections those of a plain loop over a table."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from augrnn.programs import row_operations as rows

HALF = torch.tensor([[0.0, 0.5, 1.0, 0.5]])


def test_previous_and_following_move_the_selection_and_lose_what_leaves_the_table() -> None:
    assert rows.previous(HALF).tolist() == [[0.5, 1.0, 0.5, 0.0]]
    assert rows.following(HALF).tolist() == [[0.0, 0.0, 0.5, 1.0]]


def test_first_and_last_are_selected_so_far_as_no_other_is_before_them() -> None:
    assert rows.first(HALF).tolist() == [[0.0, 0.5, 0.5, 0.0]]
    assert rows.last(HALF).tolist() == [[0.0, 0.0, 0.5, 0.5]]


def test_the_largest_is_the_first_of_the_order_that_has_a_value() -> None:
    order_BCR, comparable_BCR = torch.tensor([[[2, 1, 0, 3]]]), torch.tensor([[[True, True, False, True]]])
    assert rows.largest(HALF, order_BCR, comparable_BCR).tolist() == [[[0.0, 0.5, 0.0, 0.25]]]
    assert rows.smallest(HALF, order_BCR, comparable_BCR).tolist() == [[[0.0, 0.25, 0.0, 0.5]]]


def test_a_comparison_is_with_each_number() -> None:
    cells_BCR, comparable_BCR = torch.tensor([[[1.0, 5.0, 9.0]]]), torch.tensor([[[True, True, False]]])
    found = rows.compared(torch.gt, cells_BCR, comparable_BCR, torch.tensor([[0.0, 3.0]]))
    assert found.tolist() == [[[[True, True, False], [False, True, False]]]]


@pytest.mark.parametrize("operation", [rows.first, rows.last, rows.largest, rows.smallest])
def test_in_cpp_they_are_what_torch_gives(operation: Callable[..., Tensor], compiled_functions: None) -> None:
    torch.manual_seed(0)
    selected_BR = torch.rand(5, 7)
    selected_BR[0], selected_BR[1, ::2], selected_BR[2] = 1.0, 0.0, 0.0
    comparable_BCR = torch.rand(5, 3, 7) < 0.7
    order_BCR = torch.where(comparable_BCR, torch.rand(5, 3, 7), 2.0).argsort(dim=-1)
    tables = (order_BCR, comparable_BCR) if operation in (rows.largest, rows.smallest) else ()
    outcomes = []
    for dtype in (torch.float32, torch.float64):  # only the former is for C++
        given_BR = selected_BR.to(dtype).requires_grad_()
        found = operation(given_BR, *tables)
        weights = torch.linspace(-1, 2, found.numel(), dtype=dtype).view(found.shape)
        outcomes.append((found.detach().float(), torch.autograd.grad((found * weights).sum(), given_BR)[0].float()))
    for ours, theirs in zip(*outcomes, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_gradients_pass_where_a_row_is_selected_for_certain() -> None:
    selected_BR = torch.tensor([[0.3, 1.0, 0.2, 1.0]], dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(rows.first, selected_BR, eps=1e-7)
    torch.autograd.gradcheck(rows.last, selected_BR, eps=1e-7)


CELLS = st.lists(st.one_of(st.none(), st.integers(-3, 3)), min_size=1, max_size=6)


def arrays(cells: list[int | None]) -> tuple[Tensor, Tensor, Tensor]:
    """Values, where there are any, and their order."""
    values = torch.tensor([[[0.0 if cell is None else float(cell) for cell in cells]]], dtype=torch.float64)
    order = sorted(range(len(cells)), key=lambda row: math.inf if (cell := cells[row]) is None else -cell)
    return values, torch.tensor([[[cell is not None for cell in cells]]]), torch.tensor([[order]])


def one_hot(places: list[int], size: int) -> list[float]:
    return [float(row in places) for row in range(size)]


@given(cells=CELLS, data=st.data())
def test_at_discrete_selections_they_are_the_discrete_operations(cells: list[int | None], data: st.DataObject) -> None:
    size = len(cells)
    selected = [row for row in range(size) if data.draw(st.booleans())]
    selected_BR = torch.tensor([one_hot(selected, size)])
    _, comparable_BCR, order_BCR = arrays(cells)
    compared = [(cell, row) for row in selected if (cell := cells[row]) is not None]
    most = [min(row for cell, row in compared if cell == max(compared)[0])] if compared else []
    least = [max(row for cell, row in compared if cell == min(compared)[0])] if compared else []
    expected: list[tuple[Tensor, list[int]]] = [
        (rows.previous(selected_BR), [row - 1 for row in selected]),
        (rows.following(selected_BR), [row + 1 for row in selected]),
        (rows.first(selected_BR), selected[:1]),
        (rows.last(selected_BR), selected[-1:]),
        (rows.largest(selected_BR, order_BCR, comparable_BCR)[:, 0], most),
        (rows.smallest(selected_BR, order_BCR, comparable_BCR)[:, 0], least),
    ]
    for found, places in expected:
        assert found.tolist() == [one_hot(places, size)]


@pytest.mark.parametrize("compare", [torch.gt, torch.lt, torch.ge, torch.le])
@given(cells=CELLS, number=st.integers(-3, 3))
def test_comparisons_are_those_of_numbers(compare: Callable[..., Tensor], cells: list[int | None], number: int) -> None:
    values_BCR, comparable_BCR, _ = arrays(cells)
    found = rows.compared(compare, values_BCR, comparable_BCR, torch.tensor([[float(number)]]).double())
    one = torch.tensor(float(number))
    holds = [cell is not None and bool(compare(torch.tensor(float(cell)), one)) for cell in cells]
    assert found.tolist() == [[[holds]]]
