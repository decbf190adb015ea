import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from augrnn import linear
from augrnn.linear import Linear


def gradients(output: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(1), dtype=output.dtype)
    return torch.autograd.grad((output * weights).sum(), inputs)


@settings(max_examples=15)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=3), bias=st.booleans(), transposed=st.booleans())
def test_same_numbers_and_gradients_as_torch(shape: list[int], bias: bool, transposed: bool) -> None:
    layer = Linear(160, 256, bias=bias)
    x = torch.randn(160, *shape[::-1]).movedim(0, -1) if transposed else torch.randn(*shape, 160)
    x = x.detach().requires_grad_()
    ours, torchs = layer(x), F.linear(x, layer.weight, layer.bias)
    torch.testing.assert_close(ours, torchs, atol=1e-5, rtol=1e-5)
    inputs = (x, *layer.parameters())
    for mine, theirs in zip(gradients(ours, *inputs), gradients(torchs, *inputs), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)


def test_a_view_of_part_of_the_features_is_as_good_as_a_copy() -> None:
    layer, wide = Linear(256, 256), torch.randn(7, 512, requires_grad=True)
    output = layer(wide[:, 100:356])
    torch.testing.assert_close(output, F.linear(wide[:, 100:356], layer.weight, layer.bias), atol=1e-5, rtol=1e-5)
    assert gradients(output, wide)[0][:, :100].abs().max() == 0


def test_same_parameters_as_torchs_layer() -> None:
    torch.manual_seed(0)
    ours = Linear(3, 4)
    torch.manual_seed(0)
    theirs = nn.Linear(3, 4)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    assert all(torch.equal(mine, other) for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True))


@pytest.mark.skipif(not linear.AVAILABLE, reason="this CPU's products do not go through oneDNN")
@pytest.mark.parametrize(
    ("size", "dtype", "used"), [(256, torch.float32, True), (256, torch.float64, False), (64, torch.float32, False)]
)
def test_onednn_only_where_it_pays(size: int, dtype: torch.dtype, used: bool) -> None:
    output = Linear(size, size, dtype=dtype)(torch.randn(2, size, dtype=dtype))
    assert ("augrnn_product" in type(output.grad_fn).__name__) == used
