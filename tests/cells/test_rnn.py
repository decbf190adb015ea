from typing import Any

import pytest
import torch
from torch import nn

from augrnn.cells import RNN
from augrnn.cells.unroll import unroll


def test_a_sequence_is_that_of_torchs_layer() -> None:
    torch.manual_seed(0)
    ours, torchs = RNN(3, 4, 2).double(), nn.RNN(3, 4).double()
    torchs.load_state_dict(
        {
            f"{kind}_{theirs}_l0": getattr(mine, kind)
            for theirs, mine in (("ih", ours.from_input), ("hh", ours.from_hidden))
            for kind in ("weight", "bias")
        }
    )
    x_TBI = torch.randn(6, 2, 3).double()
    found, (expected, last) = unroll(ours, x_TBI), torchs(x_TBI)
    torch.testing.assert_close(found.y_TBO, ours.output(expected))
    torch.testing.assert_close(found.state.hidden_BH, last[0])


def test_without_an_output_size_the_hidden_vector_is_the_output() -> None:
    cell = RNN(3, 4)
    assert (cell.input_size, cell.output_size) == (3, 4)
    found = unroll(cell, torch.randn(1, 2, 3))
    assert torch.equal(found.y_TBO[0], found.state.hidden_BH)


def test_each_matrix_starts_with_a_variance_of_one_over_its_own_inputs() -> None:
    torch.manual_seed(0)
    cell = RNN(25, 400)
    for linear, inputs in ((cell.from_input, 25), (cell.from_hidden, 400)):
        assert linear.weight.var().item() == pytest.approx(1 / inputs, rel=0.05)
        assert not linear.bias.any()


@pytest.mark.parametrize("sizes", [(0, 4), (3, 0), (3, 4, 0)])
def test_sizes_below_one_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"an RNN needs .*_size of at least 1, not 0"):
        RNN(*sizes)


@pytest.mark.parametrize("size", [2.5, "3", True])
def test_sizes_are_whole_numbers(size: Any) -> None:
    for sizes, name in (((size, 4), "input"), ((3, size), "hidden"), ((3, 4, size), "output")):
        with pytest.raises(ValueError, match=f"an RNN needs a whole number for {name}_size, not {size!r}"):
            RNN(*sizes)
