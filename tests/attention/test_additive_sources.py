"""Additive attention of many rows on few sources in C++, against its equations in double precision."""

import pytest
import torch
from torch import Tensor

from augrnn.attention.additive_sources import FURTHEST, AdditiveSources, within
from augrnn.attention.attention import Attended

SOURCES, LENGTH, SIZE, WIDTH = 3, 5, 37, 11
SOURCE_N = torch.tensor([0, 0, 2, 2, 2, 1, 2, 0])

pytestmark = pytest.mark.usefixtures("compiled_functions")


def attended(scale: float) -> Attended:
    generator = torch.Generator().manual_seed(0)
    keys_SLA = (scale * torch.randn(SOURCES, LENGTH, SIZE, generator=generator)).clamp(-FURTHEST, FURTHEST)
    mask_SL = torch.arange(LENGTH) < torch.tensor([[5], [0], [2]])
    return Attended(keys_SLA, torch.randn(SOURCES, LENGTH, WIDTH, generator=generator), mask_SL)


def expected(query_NA: Tensor, given: Attended, energy_1A: Tensor) -> list[list[float]]:
    """Weights (N, L) by the paper's equation, one number after the other."""
    found = []
    for query_A, source in zip(query_NA.double(), SOURCE_N.tolist(), strict=True):
        keys_LA, real = given.keys_BLA[source].double(), given.mask_BL[source].tolist()
        energies = [float(energy_1A[0].double() @ torch.tanh(query_A + key_A)) for key_A in keys_LA]
        most = max(energies)
        parts = [2.718281828459045 ** (energy - most) * so for energy, so in zip(energies, real, strict=True)]
        found.append([part / (sum(parts) or 1.0) for part in parts])
    return found


@pytest.mark.parametrize(("queries", "keys"), [(1.0, 1.0), (0.01, 5.0), (20.0, 20.0), (200.0, 40.0), (1e5, 1.0)])
def test_weights_are_the_papers_however_large_queries_and_keys_are(queries: float, keys: float) -> None:
    torch.manual_seed(1)
    given, energy_1A, query_NA = attended(keys), torch.randn(1, SIZE), queries * torch.randn(len(SOURCE_N), SIZE)
    query_NA[0], query_NA[1] = -given.keys_BLA[0, 0], -given.keys_BLA[0, 1] + 0.1  # a small sum of large numbers
    weights_NL = AdditiveSources(given, energy_1A).look(query_NA, SOURCE_N)
    wanted = torch.tensor(expected(query_NA, given, energy_1A))
    torch.testing.assert_close(weights_NL, wanted, rtol=1e-4, atol=1e-5)
    assert torch.equal(weights_NL == 0, ~given.mask_BL[SOURCE_N] | (wanted == 0))


def test_what_layers_make_of_contexts_is_added() -> None:
    torch.manual_seed(1)
    given, weights_NL = attended(1.0), torch.rand(len(SOURCE_N), LENGTH)
    layers = torch.randn(40, WIDTH), torch.randn(2 * WIDTH, 7).t()[:, ::2]
    sources = AdditiveSources(given, torch.randn(1, SIZE), *layers)
    context_ND = torch.stack([weights_NL[n] @ given.values_BLD[s] for n, s in enumerate(SOURCE_N.tolist())])
    for number, layer in enumerate(layers):
        wide = torch.randn(len(SOURCE_N), len(layer) + 3)
        before, out = wide.clone(), wide[:, 1:-2]
        sources.add(number, weights_NL, SOURCE_N, out)
        torch.testing.assert_close(out, before[:, 1:-2] + context_ND @ layer.t(), rtol=1e-4, atol=1e-5)
        assert torch.equal(wide[:, 0], before[:, 0])
        assert torch.equal(wide[:, -2:], before[:, -2:])


def test_keys_that_are_too_large_are_told() -> None:
    given = attended(1.0)
    assert within(given)
    for entry in (1.01 * FURTHEST, -1.01 * FURTHEST, float("nan")):
        given.keys_BLA[1, 2, 3] = entry
        assert not within(given)
