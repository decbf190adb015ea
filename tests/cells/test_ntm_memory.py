"""The memory step in C++ is that of the torch operations, forward and backward."""

import os
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from augrnn import native
from augrnn.cells import LSTM, NTM, ntm_memory
from augrnn.cells.ntm_memory import head_sizes, memory_step
from augrnn.cells.unroll import unroll

SIZES = [
    # batch, heads, rows, width, shifts
    (2, 1, 16, 4, 3),
    (3, 4, 33, 7, 5),
    (1, 2, 3, 1, 3),
    (2, 8, 20, 5, 1),
    (2, 1, 128, 20, 3),
]


def drawn(batch: int, heads: int, rows: int, width: int, shifts: int, scale: float = 1.0) -> list[Tensor]:
    torch.manual_seed(0)
    asked = scale * torch.randn(batch, sum(head_sizes(heads, width, shifts)))
    return [scale * torch.randn(batch, rows, width), torch.randn(batch, 2 * heads, rows).softmax(-1), asked]


def both(given: list[Tensor], shifts: int, **options: bool) -> list[list[Tensor]]:
    """Outputs and gradients of the compiled step in float32, and of torch's operations in float64."""
    found = []
    for dtype in (torch.float32, torch.float64):
        leaves = [each.to(dtype).requires_grad_() for each in given]
        outputs = memory_step(*leaves, shifts, **options)
        torch.manual_seed(1)
        weights = [torch.randn(each.shape).to(dtype) for each in outputs]
        total = sum((each * weight).sum() for each, weight in zip(outputs, weights, strict=True))
        assert isinstance(total, Tensor)
        gradients = torch.autograd.grad(total, leaves, materialize_grads=True)
        found.append([*(each.detach() for each in outputs), *gradients])
    return found


@pytest.mark.usefixtures("compiled_functions")
@pytest.mark.parametrize("options", [{}, {"interpolation": False}, {"sharpening": False}])
@pytest.mark.parametrize("sizes", SIZES)
def test_it_is_what_torch_computes(sizes: tuple[int, int, int, int, int], options: dict[str, bool]) -> None:
    ours, theirs = both(drawn(*sizes), sizes[-1], **options)
    for name, mine, its in zip(["w", "read", "after", "g_memory", "g_before", "g_asked"], ours, theirs, strict=True):
        assert_close(mine.double(), its, rtol=2e-4, atol=2e-5, msg=lambda told, name=name: f"{name}: {told}")


@pytest.mark.usefixtures("compiled_functions")
@pytest.mark.parametrize("scale", [0.0, 1e-3, 30.0])
def test_extreme_requests_stay_finite_and_right(scale: float) -> None:
    ours, theirs = both(drawn(2, 1, 16, 4, 3, scale), 3)
    assert all(each.isfinite().all() for each in ours)
    for mine, its in zip(ours[:3], theirs[:3], strict=True):
        assert_close(mine.double(), its, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("compiled_functions")
def test_what_is_not_a_number_stays_so() -> None:
    for place in range(3):
        given = drawn(2, 1, 16, 4, 3)
        given[place][0, 0] = torch.nan
        weighting, read, _ = memory_step(*given, 3)
        assert not weighting[0].isfinite().all()
        assert not read[0].isfinite().all()
        assert weighting[1].isfinite().all()


@pytest.mark.usefixtures("compiled_functions")
def test_strides_and_missing_gradients_are_taken() -> None:
    memory, before, asked = drawn(2, 1, 16, 4, 3)
    strided = memory.transpose(1, 2).contiguous().transpose(1, 2), before[:1].expand(2, -1, -1), asked.repeat(1, 2)
    inputs = [strided[0].requires_grad_(), strided[1].requires_grad_(), strided[2].requires_grad_()]
    weighting, _, _ = memory_step(inputs[0], inputs[1], inputs[2][:, : asked.shape[1]], 3)
    expected = memory_step(*(each.double() for each in (memory, before[:1].expand(2, -1, -1), asked)), 3)[0]
    assert_close(weighting.double(), expected, rtol=1e-4, atol=1e-5)
    weighting.square().sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in inputs)


@pytest.mark.usefixtures("compiled_functions")
def test_torch_finds_nothing_wrong_with_the_operator() -> None:
    memory, before, asked = (each.requires_grad_() for each in drawn(2, 1, 16, 4, 3))
    given = memory.detach().transpose(1, 2).contiguous().requires_grad_(), before, asked, 3, True, True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.library.opcheck(torch.ops.augrnn.ntm_memory_forward.default, given)


@pytest.mark.usefixtures("compiled_functions")
def test_a_machine_learns_the_same_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    x_TBI, found = torch.randn(6, 3, 4), []
    for available in (True, False):
        monkeypatch.setattr(ntm_memory, "available", lambda available=available: available)
        monkeypatch.setattr(NTM, "sequence", lambda *_: None)
        torch.manual_seed(0)
        cell = NTM(4, 2, lambda size: LSTM(size, 8), heads=2, rows=10, width=3)
        y_TBO = unroll(cell, x_TBI).y_TBO
        y_TBO.square().sum().backward()
        found.append([y_TBO.detach(), *(each.grad for each in cell.parameters() if each.grad is not None)])
    for ours, theirs in zip(*found, strict=True):
        assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_another_users_libraries_are_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUGRNN_CACHE", str(tmp_path))
    monkeypatch.setenv(native.SWITCH, "1")
    monkeypatch.setattr(os, "getuid", lambda: 12345)  # the folder is then made by someone else
    assert native.library.__wrapped__(ntm_memory.SOURCE) is None
    assert not list(tmp_path.rglob("*.so"))


def test_a_changed_header_is_compiled_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("needs a C++ compiler")
    monkeypatch.setenv("AUGRNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(native.SWITCH, "1")
    source, header = tmp_path / "answer.cpp", tmp_path / "number.h"
    source.write_text('#include "number.h"\nextern "C" int answer() { return NUMBER; }\n')
    for number in (41, 42):
        header.write_text(f"#define NUMBER {number}\n")
        found = native.library.__wrapped__(str(source))
        assert found is not None
        assert found.answer() == number


def test_without_a_compiler_torch_does_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUGRNN_CACHE", str(tmp_path))
    for name, value in ((native.SWITCH, "0"), ("CXX", "/bin/false"), ("CXX", str(tmp_path / "nothing"))):
        monkeypatch.setenv(native.SWITCH, "1")
        monkeypatch.setenv(name, value)
        assert native.library.__wrapped__(ntm_memory.SOURCE) is None
    assert not list(tmp_path.rglob("*.so"))


def test_a_library_is_compiled_once_and_again_for_other_sources(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUGRNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(native.SWITCH, "1")
    if native.compiler() is None:
        pytest.skip("needs a C++ compiler")
    source = tmp_path / "four.cpp"
    for number in (4, 4, 5):
        source.write_text(f'extern "C" int number() {{ return {number}; }}')
        found = native.library.__wrapped__(str(source))
        assert found is not None
        assert found.number() == number
    assert len(list((tmp_path / "cache").glob("native-*/*"))) == 2
