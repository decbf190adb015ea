"""Products of float32 matrices on one core, in C++, with a right-hand matrix that is packed once and used often.

On an AMD Zen 5 core they do 220 to 275 GFLOP/s at the sizes of recurrent layers, where oneDNN does 140 to 260 and MKL
110. They are for code that writes its own gradients: nothing here is known to autograd.
"""

# M = rows, K = depth, N = columns

import ctypes
import functools
import os
from typing import Any, NamedTuple

import torch
from torch import Tensor

from augrnn.native import library

SOURCE = os.path.join(os.path.dirname(__file__), "products.cpp")


class Packed(NamedTuple):
    """A matrix (K, N) in panels of columns, and a bias (N,) or None.

    Attributes:
      depth: K.
      width: N.
      panels: the matrix.
      bias: to be added to every row of a product, zeros behind it.
    """

    depth: int
    width: int
    panels: Tensor
    bias: Tensor | None


@functools.cache
def functions() -> tuple[Any, Any, int] | None:
    """To pack, to multiply, and the columns of a panel; None without a compiler."""
    found = library(SOURCE)
    if found is None:
        return None
    size, array = ctypes.c_int64, ctypes.c_void_p
    pack, multiply, panel = found.products_pack, found.products_multiply, found.products_panel
    pack.argtypes, pack.restype = [size, size, array, size, size, array], None
    multiply.argtypes = [size, size, size, array, size, size, array, array, array, size, size]
    multiply.restype, panel.restype = None, size
    return pack, multiply, panel()


def available() -> bool:
    """Whether there is a compiler for them."""
    return functions() is not None


def pack(b_KN: Tensor, bias_N: Tensor | None = None) -> Packed:
    """Make a matrix of any strides ready for products, and with it a bias."""
    found = functions()
    assert found is not None
    depth, width = b_KN.shape
    whole = -(-width // found[2]) * found[2]
    panels = b_KN.new_empty(depth * whole)
    found[0](depth, width, b_KN.data_ptr(), *b_KN.stride(), panels.data_ptr())
    bias = None if bias_N is None else torch.nn.functional.pad(bias_N, (0, whole - width))
    return Packed(depth, width, panels, bias)


def multiply(a_MK: Tensor, b: Packed, out_MN: Tensor, add: bool = False) -> Tensor:
    """A B and its bias into `out_MN`, whose rows are dense, or added to what is there; gives it back."""
    found = functions()
    assert found is not None
    bias = None if b.bias is None else b.bias.data_ptr()
    row, column = a_MK.stride()
    found[1](
        len(a_MK), b.depth, b.width, a_MK.data_ptr(), row, column, b.panels.data_ptr(), bias, out_MN.data_ptr(),
        out_MN.stride(0), add,
    )  # fmt: skip
    return out_MN


def packed_product(a_MK: Tensor, b: Packed) -> Tensor:
    """A B and its bias."""
    return multiply(a_MK, b, a_MK.new_empty(len(a_MK), b.width))


def product(a_MK: Tensor, b_KN: Tensor, bias_N: Tensor | None = None) -> Tensor:
    """A B + bias of matrices of any strides."""
    return packed_product(a_MK, pack(b_KN, bias_N))
