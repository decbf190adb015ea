import math
from collections import defaultdict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from augrnn.batch_stream import generator
from augrnn.errors import UserError
from augrnn.tasks.dynamic_ngrams import DynamicNGrams, contexts, estimated_bits, source_odds


def naive_bits(bits: list[int], order: int) -> list[float]:
    """The cost of each bit by Eq. 10, with the counts of each context in a dictionary."""
    ones: dict[str, int] = defaultdict(int)
    zeros: dict[str, int] = defaultdict(int)
    costs = []
    for step, bit in enumerate(bits):
        if step < order:
            costs.append(1.0)
            continue
        context = "".join(map(str, bits[step - order : step]))
        one = (ones[context] + 0.5) / (ones[context] + zeros[context] + 1)
        costs.append(-math.log2(one if bit else 1 - one))
        (ones if bit else zeros)[context] += 1
    return costs


@given(st.lists(st.integers(0, 1), min_size=1, max_size=60), st.integers(0, 6))
def test_the_estimator_is_the_naive_one(bits: list[int], order: int) -> None:
    other = bits[::-1]  # a second sequence, whose counts must not mix with the first's
    cost_TB = estimated_bits(torch.tensor([bits, other]).T, order)
    assert cost_TB[:, 0].tolist() == pytest.approx(naive_bits(bits, order))
    assert cost_TB[:, 1].tolist() == pytest.approx(naive_bits(other, order))


@given(st.lists(st.integers(0, 1), min_size=1, max_size=30), st.integers(0, 6))
def test_contexts_are_slices_of_the_text(bits: list[int], order: int) -> None:
    text = "0" * order + "".join(map(str, bits))
    expected = [int("0" + text[step : step + order], 2) for step in range(len(bits))]
    assert contexts(torch.tensor(bits)[:, None], order)[:, 0].tolist() == expected
    assert contexts(torch.tensor(bits).float()[:, None], order)[:, 0].tolist() == expected


def test_the_optimal_cost_of_each_order() -> None:
    sequences = 3000
    bits_TB = DynamicNGrams().sample(sequences, (200,), 5).targets_TBO[..., 0]
    published = [188.5, 183.1, 176.4, 166.9, 151.9, 132.96, 139.1]  # the orders 0 to 6
    costs = [estimated_bits(bits_TB, order).sum(0) for order in range(7)]
    for cost_B, mean in zip(costs, published, strict=True):
        assert float(cost_B.mean()) == pytest.approx(mean, abs=3 * float(cost_B.std()) / sequences**0.5 + 0.05)
    assert float(costs[5].std()) == pytest.approx(36, abs=3)
    assert min(range(7), key=lambda order: float(costs[order].mean())) == 5


def test_the_odds_are_drawn_from_the_beta_distribution() -> None:
    odds = source_odds(1000, 5, generator(0)).flatten().double().numpy()
    beta = stats.beta(0.5, 0.5)
    assert odds.shape == (32_000,)
    assert odds.mean() == pytest.approx(beta.mean(), abs=3 * beta.std() / 32_000**0.5)
    assert odds.var() == pytest.approx(beta.var(), rel=0.02)
    assert stats.kstest(odds, beta.cdf).pvalue > 0.01


def test_the_source_follows_its_odds_after_the_first_fair_bits() -> None:
    order, sequences = 2, 400
    task = DynamicNGrams(order=order, length=300)
    bits_TB = task.sample(sequences, (300,), 1).targets_TBO[..., 0].long()
    odds_BC = source_odds(sequences, order, generator(1))
    assert float(bits_TB[:order].float().mean()) == pytest.approx(0.5, abs=3 * 0.5 / (order * sequences) ** 0.5)
    surprise = variance = 0.0  # of the cost of the bits above the entropy of their odds
    for bits, odds in zip(bits_TB.T.tolist(), odds_BC.clamp(1e-6, 1 - 1e-6).tolist(), strict=True):
        for first, second, bit in zip(bits, bits[1:], bits[2:], strict=False):
            one = odds[2 * first + second]
            entropy = -one * math.log2(one) - (1 - one) * math.log2(1 - one)
            surprise += -math.log2(one if bit else 1 - one) - entropy
            variance += one * (1 - one) * math.log2(one / (1 - one)) ** 2
    assert abs(surprise) < 3 * variance**0.5


def test_the_inputs_are_the_targets_a_step_late_and_all_is_scored() -> None:
    batch = DynamicNGrams(order=3, length=20).draw(0)
    assert batch.inputs_TBI.shape == batch.targets_TBO.shape == (20, 16, 1)
    assert (batch.inputs_TBI[0] == 0).all()
    assert torch.equal(batch.inputs_TBI[1:], batch.targets_TBO[:-1])
    assert set(batch.targets_TBO.flatten().tolist()) == {0.0, 1.0}
    assert (batch.scored_TB == 1).all()


def test_chance_at_the_papers_sizes() -> None:
    batch = DynamicNGrams().draw(0)
    assert batch.cost_bits(torch.zeros_like(batch.targets_TBO)).tolist() == pytest.approx([200.0] * 16)


def test_a_batch_is_a_function_of_seed_and_number() -> None:
    first, again = DynamicNGrams(seed=1).draw(7), DynamicNGrams(seed=1).draw(7)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    others = [DynamicNGrams(seed=2).draw(7), DynamicNGrams(seed=1).draw(8)]
    assert not any(torch.equal(first.inputs_TBI, other.inputs_TBI) for other in others)


def test_evaluation_sets_are_the_same_for_every_seed() -> None:
    tasks = [DynamicNGrams(seed=seed, length=30, test_sequences=200, batch_size=8) for seed in (0, 1)]
    assert tasks[0].test_names == ["30"]
    for sets in ([task.val_dataloader()] for task in tasks), (task.test_dataloader() for task in tasks):
        first, second = ([batch.inputs_TBI for draws in found for batch in draws] for found in sets)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("sizes", [{"order": 0}, {"length": 5}, {"length": 0}])
def test_impossible_sizes_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(UserError, match="dynamic N-grams need"):
        DynamicNGrams(**sizes)
