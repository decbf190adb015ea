"""Machines with a memory under autocast: the memory stays float32, and large inputs give finite numbers."""

import pytest
import torch

from augrnn.cells.cell import Cell
from augrnn.cells.dnc import DNC
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.lstm import LSTM
from augrnn.cells.ntm import NTM
from augrnn.cells.unroll import unroll

CELLS = {
    "ntm": lambda: NTM(5, 3, lambda size: LSTM(size, 10), rows=6, width=4),
    "ntm-feedforward": lambda: NTM(5, 3, lambda size: Feedforward(size, 10), rows=6, width=4, interpolation=False),
    "ntm-ring": lambda: NTM(5, 3, lambda size: LSTM(size, 10), rows=6, width=4, heads=2, memory="ring"),
    "dnc": lambda: DNC(5, 3, lambda size: LSTM(size, 10), read_heads=2, rows=6, width=4),
}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("scale", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("name", CELLS)
def test_a_machine_is_finite_and_its_memory_float32(name: str, scale: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    cell: Cell = CELLS[name]()
    inputs = scale * torch.randn(7, 2, 5)
    with torch.autocast("cpu", dtype=dtype):
        found = unroll(cell, inputs)
        loss = found.y_TBO.float().square().mean()
    loss.backward()
    assert found.state.memory_BNW.dtype == torch.float32
    assert loss.isfinite()
    assert all(each.grad is None or each.grad.isfinite().all() for each in cell.parameters())
    exact = unroll(cell, inputs).y_TBO
    assert torch.allclose(found.y_TBO.float(), exact, atol=0.1 * max(1.0, float(exact.detach().abs().max())))
