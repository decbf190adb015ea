import pytest
import torch
from torch import Tensor

from augrnn import linear, products
from augrnn.linear import Linear

pytestmark = pytest.mark.usefixtures("compiled_functions")

SIZES = [(1, 1, 1), (2, 300, 33), (13, 256, 32), (14, 257, 31), (250, 5, 70), (209, 520, 64)]
"""M, K and N around the sizes of tiles, panels and bands."""


def close(mine: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(mine.double(), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("rows", "depth", "width"), SIZES)
def test_they_are_torchs_whatever_the_strides(rows: int, depth: int, width: int) -> None:
    torch.manual_seed(0)
    a, b, bias = torch.randn(rows, depth), torch.randn(depth, width), torch.randn(width)
    expected = a.double() @ b.double() + bias
    wide = torch.randn(rows, 2 * depth + 3)
    wide[:, 3 : depth + 3] = a
    for left in (a, a.t().contiguous().t(), wide[:, 3 : depth + 3]):
        for right in (b, b.t().contiguous().t(), b.repeat(1, 2)[:, :width]):
            close(products.product(left, right, bias), expected)
    out = torch.full((rows, width + 5), 7.0)
    products.multiply(a, products.pack(b), out[:, 2 : width + 2], add=True)
    close(out[:, 2 : width + 2], expected - bias + 7)
    assert (out[:, :2] == 7).all()
    assert (out[:, width + 2 :] == 7).all()


def test_what_is_not_a_number_stays_so() -> None:
    a, b = torch.randn(20, 9), torch.randn(9, 40)
    a[3, 5] = torch.nan
    found = products.product(a, b).isnan()
    assert found[3].all()
    assert found.sum() == 40


@pytest.mark.skipif(not linear.AVAILABLE, reason="this CPU's products do not go through oneDNN")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_linear_layer_of_many_rows_uses_them_on_one_thread(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = products.product
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(products, "product", lambda *given: calls.append(0) or real(*given))
    layer, x = Linear(160, 256), torch.randn(100, 2, 160, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert len(calls) == (3 if threads == 1 else 0)
    expected = torch.nn.functional.linear(x, layer.weight, layer.bias)
    torch.testing.assert_close(y, expected, atol=1e-5, rtol=1e-5)
    (g,) = torch.autograd.grad(expected.sum(), x)
    assert x.grad is not None
    torch.testing.assert_close(x.grad, g, atol=1e-5, rtol=1e-5)
