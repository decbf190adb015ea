"""The measures on rows made by hand and against loops over all pairs, and the whole of them on a small machine."""

import json
import math

import numpy as np
import pytest
import torch

from augrnn.cells.lstm import LSTM, GravesLSTM
from augrnn.cells.ntm import NTM
from augrnn.measures.dynamic_ngrams.measure import (
    agreement,
    best_agreement,
    bit_costs,
    burn_in,
    optimal_probabilities,
    span_sums,
)
from augrnn.measures.measure import measured, previewed
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.dynamic_ngrams import DynamicNGrams, contexts

TASK = DynamicNGrams(order=3, length=120)


def drawn_contexts(batch: int = 6) -> np.ndarray:
    return contexts(TASK.sample(batch, (120,), 7).targets_TBO[..., 0], 3).numpy()


def naive_agreement(rows_TB: np.ndarray, contexts_TB: np.ndarray) -> tuple[float, float]:
    shares: dict[bool, list[float]] = {True: [], False: []}
    for rows, context in zip(rows_TB.T, contexts_TB.T, strict=True):
        for same, found in shares.items():
            pairs = [
                rows[t] == rows[s]
                for t in range(len(rows))
                for s in range(len(rows))
                if t != s and (context[t] == context[s]) == same
            ]
            if pairs:
                found.append(float(np.mean(pairs)))
    return float(np.mean(shares[True])), float(np.mean(shares[False]))


@pytest.mark.parametrize("seed", range(3))
def test_agreement_counts_as_a_loop_over_all_pairs(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows_TB, contexts_TB = random.integers(0, 5, (30, 4)), random.integers(0, 6, (30, 4))
    contexts_TB[:, 0] = np.arange(30)  # a sequence without two steps of the same context
    contexts_TB[:, 1] = 2  # and one with nothing else
    assert agreement(rows_TB, contexts_TB) == pytest.approx(naive_agreement(rows_TB, contexts_TB))


def test_no_pair_of_a_kind_gives_no_number() -> None:
    same, different = agreement(np.zeros((4, 1), int), np.arange(4)[:, None])
    assert math.isnan(same)
    assert different == 1


def test_a_perfect_head_agrees_on_the_same_context_only() -> None:
    contexts_TB = drawn_contexts()
    row_of_context = np.random.default_rng(0).permutation(16)[:8]
    assert agreement(row_of_context[contexts_TB], contexts_TB) == (1.0, 0.0)
    assert agreement((row_of_context[contexts_TB] + 11) % 16, contexts_TB) == (1.0, 0.0)


def test_a_head_that_ignores_the_context_agrees_alike_on_both() -> None:
    contexts_TB = drawn_contexts(200)
    rows_TB = np.random.default_rng(0).integers(0, 4, contexts_TB.shape)
    assert agreement(rows_TB, contexts_TB) == pytest.approx((0.25, 0.25), abs=0.01)
    assert agreement(np.full_like(contexts_TB, 3), contexts_TB) == (1.0, 1.0)


def test_a_noisy_head_agrees_by_the_square_of_its_accuracy() -> None:
    contexts_TB = drawn_contexts(200)
    random = np.random.default_rng(0)
    astray = random.random(contexts_TB.shape) < 0.3
    rows_TB = np.where(astray, 8 + random.integers(0, 10_000, contexts_TB.shape), contexts_TB)
    same, different = agreement(rows_TB, contexts_TB)
    assert same == pytest.approx(0.49, abs=0.02)
    assert different < 0.001


@pytest.mark.parametrize("lag", [0, 1])
def test_the_head_and_lag_that_follow_the_context_are_found(lag: int) -> None:
    contexts_TB = drawn_contexts()
    still = np.zeros_like(contexts_TB)
    follows = np.roll(contexts_TB, lag, axis=0)
    found = best_agreement(np.stack([still, follows], axis=-1), contexts_TB, burn_in(120, 3))
    assert found == (1.0, 0.0, 1, lag)


def test_burn_in_is_fifty_bits_at_the_papers_sizes_and_leaves_only_whole_contexts() -> None:
    assert burn_in(200, 5) == 50
    assert burn_in(8, 5) == 6


@pytest.mark.parametrize("order", [1, 3])
def test_optimal_probabilities_count_ones_and_zeros_after_the_same_bits(order: int) -> None:
    bits_TB = TASK.sample(2, (120,), 3).targets_TBO[..., 0]
    found_TB = optimal_probabilities(bits_TB, order)
    for b in range(2):
        bits = bits_TB[:, b].int().tolist()
        for t in range(120):
            after = (
                [bits[s] for s in range(order, t) if bits[s - order : s] == bits[t - order : t]] if t >= order else []
            )
            assert float(found_TB[t, b]) == pytest.approx((sum(after) + 0.5) / (len(after) + 1))


def test_span_sums_keep_a_short_last_span() -> None:
    assert span_sums(np.arange(5.0), 2) == [1.0, 5.0, 4.0]


class Oracle(torch.nn.Module):
    """A system whose answer to a batch it has seen is the optimal estimator's, in logits."""

    device = torch.device("cpu")
    cell = None

    def __init__(self, task: DynamicNGrams) -> None:
        super().__init__()
        self.order = task.order
        drawn = task.evaluation_set((task.length,), task.test_sequences)
        self.targets = {batch.inputs_TBI.numpy().tobytes(): batch.targets_TBO for batch in drawn}

    def forward(self, batch: BitBatch) -> "Oracle":
        bits_TB = self.targets[batch.inputs_TBI.numpy().tobytes()][..., 0]
        self.y_TBO = optimal_probabilities(bits_TB, self.order).logit().unsqueeze(-1)
        return self


def test_the_optimal_estimator_has_no_excess() -> None:
    task = DynamicNGrams(order=2, length=50, test_sequences=200)
    numbers, exhibits = measured(Oracle(task), task)
    assert numbers["cost_bits"] == pytest.approx(numbers["optimal_bits"])
    assert numbers["excess_bits"] == pytest.approx(0, abs=1e-9)
    assert numbers["excess_by_position"] == pytest.approx([0, 0, 0], abs=1e-9)
    assert numbers["estimators"]["2"] == min(numbers["estimators"].values())
    assert not exhibits


def test_excess_is_paired_and_adds_up() -> None:
    torch.manual_seed(0)
    system, task = Transducer(GravesLSTM(1, 1, 4, layers=2)), DynamicNGrams(order=2, length=50, test_sequences=200)
    numbers, exhibits = measured(system, task)
    batches = list(task.evaluation_set((50,), 200))
    cost_B = torch.cat([batch.cost_bits(system(batch).y_TBO) for batch in batches]).detach()
    assert torch.cat([bit_costs(system, batch).sum(0) for batch in batches]).tolist() == pytest.approx(cost_B.tolist())
    assert numbers["cost_bits"] == pytest.approx(float(cost_B.mean()))
    assert numbers["excess_bits"] == pytest.approx(numbers["cost_bits"] - numbers["optimal_bits"])
    assert sum(numbers["excess_by_position"]) == pytest.approx(numbers["excess_bits"])
    assert 0 < numbers["excess_standard_error"] < float(cost_B.std())
    assert list(numbers["estimators"]) == ["0", "1", "2", "3"]
    assert "mechanism" not in numbers
    assert not exhibits


def test_measures_of_a_small_machine_are_whole() -> None:
    torch.manual_seed(0)
    system = Transducer(NTM(1, 1, lambda size: LSTM(size, 8), heads=2, rows=8, width=5))
    numbers, exhibits = measured(system, DynamicNGrams(order=2, length=40, test_sequences=100))
    json.dumps(numbers)
    names = ("same", "different", "lag", "same_shuffled", "different_shuffled", "focus")
    assert set(numbers["mechanism"]) == {f"{kind}_{name}" for kind in ("read", "write") for name in names}
    trace, rows = exhibits["heads"], exhibits["contexts"]
    assert len(trace.write) == len(trace.read) == 40
    assert all(getattr(trace, name).shape == (40,) for name in ("inputs", "predictions", "optimal"))
    assert [len(shares) for shares in rows.shares] == [len(contexts) for contexts in rows.contexts]
    assert all(len(context) == 2 for contexts in rows.contexts for context in contexts)


def test_the_preview_is_a_validation_sequence() -> None:
    torch.manual_seed(0)
    task = DynamicNGrams(order=2, length=12, test_sequences=100, validation_sequences=32)
    system = Transducer(NTM(1, 1, lambda size: LSTM(size, 8), rows=8, width=5)).eval()
    shown = previewed(system, task)["heads"]
    with torch.no_grad():
        batch = task.evaluation_example()
        expected = system(batch).y_TBO[:, 0, 0].sigmoid().numpy()
    assert type(shown) is type(measured(system, task).exhibits["heads"])
    assert shown.inputs == pytest.approx(batch.inputs_TBI[:, 0, 0].numpy())
    assert shown.predictions == pytest.approx(expected)
