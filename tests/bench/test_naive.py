"""The plain loop is the cell: the same outputs and the same gradients."""

from functools import partial

import pytest
import torch
from torch.testing import assert_close

from augrnn.bench.naive import NaiveNTM
from augrnn.cells import LSTM, NTM, Feedforward
from augrnn.cells.unroll import unroll


@pytest.mark.parametrize("controller", [LSTM, Feedforward])
@pytest.mark.parametrize(("heads", "shift_range"), [(1, 1), (3, 2), (2, 0)])
def test_the_plain_loop_is_the_cell(controller: type[LSTM | Feedforward], heads: int, shift_range: int) -> None:
    torch.manual_seed(0)
    cell = NTM(3, 2, partial(controller, hidden_size=6), heads, 7, 4, shift_range, memory="random").double()
    x_TBI = torch.randn(5, 2, 3, dtype=torch.float64)
    naive = NaiveNTM(cell)
    outputs, gradients = [], []
    for forward in (lambda: unroll(cell, x_TBI).y_TBO, lambda: naive(x_TBI)):
        cell.zero_grad()
        y_TBO = forward()
        y_TBO.square().sum().backward()
        outputs.append(y_TBO.detach())
        gradients.append({name: each.grad.clone() for name, each in cell.named_parameters() if each.grad is not None})
    assert_close(outputs[0], outputs[1], atol=1e-5, rtol=1e-5)
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        assert_close(gradient, gradients[1][name], atol=1e-4, rtol=1e-4, msg=name)
