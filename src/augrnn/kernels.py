"""The functions of `kernels.cpp`: what recurrent layers, attention and losses do number by number, and the gradients.

They write into the arrays they are given, and are for code that writes its own gradients.
"""

import ctypes
import functools
import os
from typing import Any

import torch
from torch import Tensor

from augrnn.native import library

SOURCE = os.path.join(os.path.dirname(__file__), "kernels.cpp")


def available() -> bool:
    """Whether there is a compiler for them."""
    return library(SOURCE) is not None


def fit(*arrays: Tensor) -> bool:
    """Whether there is a compiler, and these are plain float32 arrays on the CPU."""
    if torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling() or not available():
        return False
    return all(
        array.device.type == "cpu"
        and array.dtype == torch.float32
        and not torch._C._functorch.is_functorch_wrapped_tensor(array)
        for array in arrays
    )


def possible(*arrays: Tensor) -> bool:
    """Whether they fit, and no gradient is wanted."""
    return not torch.is_grad_enabled() and fit(*arrays)


def call(name: str, *arguments: int | Tensor | None) -> None:
    """Call a function with sizes and strides as numbers, and arrays as tensors, None for a null pointer.

    A function takes each of its arguments always as a number or always as an array.
    """
    pointers = tuple(not isinstance(argument, int) for argument in arguments)
    found = function(name, pointers)
    found(*[argument.data_ptr() if isinstance(argument, Tensor) else argument for argument in arguments])


@functools.cache
def function(name: str, pointers: tuple[bool, ...]) -> Any:
    """The function of this name, whose arguments are numbers or pointers."""
    compiled = library(SOURCE)
    assert compiled is not None
    found = getattr(compiled, name)
    found.argtypes = [ctypes.c_void_p if pointer else ctypes.c_int64 for pointer in pointers]
    found.restype = None
    return found
