"""Draws that are the same every time, and the generators afterwards."""

import subprocess
import sys

import pytest
import torch

from augrnn.seeded import seeded


@pytest.mark.parametrize("device", [None, torch.device("cpu"), torch.device("meta")])
def test_draws_are_the_same_and_nothing_else_is_touched(device: torch.device | None) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(0, device):
        first = torch.rand(4)
    assert torch.rand(3).equal(expected)
    with seeded(0, device):
        assert torch.rand(4).equal(first)
    with seeded(1, device):
        assert not torch.rand(4).equal(first)
    torch.manual_seed(0)
    assert torch.rand(4).equal(first)


def test_generators_are_as_before_after_an_error() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with pytest.raises(RuntimeError), seeded(0):
        torch.rand(2) + torch.rand(3)
    assert torch.rand(3).equal(expected)


def test_gpus_that_are_not_named_are_never_seeded() -> None:
    script = """
import torch
from augrnn.seeded import seeded
seen = []
torch.cuda.manual_seed_all = torch.cuda.manual_seed = lambda *given: seen.append(given)
with seeded(0, torch.device("cpu")):
    torch.rand(1)
assert not seen, seen
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_that_is_named_draws_alike_too() -> None:
    device = torch.device("cuda", 0)
    torch.cuda.manual_seed(5)
    expected = torch.rand(3, device=device)
    torch.cuda.manual_seed(5)
    with seeded(0, device):
        first = torch.rand(4, device=device)
    assert torch.rand(3, device=device).equal(expected)
    with seeded(0, device):
        assert torch.rand(4, device=device).equal(first)
