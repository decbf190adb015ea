"""Costs and mistakes of classes, counted by hand, and what a user asks and gets."""

import math

import pytest
import torch

from augrnn.errors import UserError
from augrnn.tasks.addition import Addition
from augrnn.tasks.class_task import ClassBatch

TARGETS = torch.tensor([[[0, 1], [2, 2]], [[1, 1], [0, 0]]])


def batch() -> ClassBatch:
    return ClassBatch(torch.zeros(2, 2, 1), TARGETS, torch.tensor([[1.0, 1], [1, 0]]), torch.tensor([2, 1]))


def test_costs_are_the_logarithms_of_the_targets_chances() -> None:
    logits_TBO = torch.randn(2, 2, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    nats = torch.zeros(2, 2, dtype=torch.float64)
    for t in range(2):
        for b in range(2):
            for d in range(2):
                scores = logits_TBO[t, b, 3 * d : 3 * d + 3].tolist()
                chance = math.exp(scores[TARGETS[t, b, d]]) / sum(map(math.exp, scores))
                nats[t, b] -= math.log(chance) * batch().scored_TB[t, b]
    torch.testing.assert_close(batch().step_costs(logits_TBO), nats)
    torch.testing.assert_close(batch().cost_bits(logits_TBO), nats.sum(0) / math.log(2))
    several = torch.stack([logits_TBO, 2 * logits_TBO, 0 * logits_TBO])
    expected = torch.stack([batch().step_costs(each) for each in several])
    torch.testing.assert_close(batch().step_costs(several), expected)
    assert batch().scored_outputs.tolist() == [4, 2]


def test_what_is_wrong_in_a_hand_made_answer() -> None:
    answers_TBD = torch.tensor([[[0, 0], [2, 2]], [[2, 0], [1, 0]]])
    outputs_TBO = torch.nn.functional.one_hot(answers_TBD, 3).flatten(2).float()
    assert batch().wrong_steps(outputs_TBO).tolist() == [[True, False], [True, False]]
    scores = batch().scores(outputs_TBO)
    assert scores["wrong_classes"].tolist() == [3, 0]
    assert scores["wrong_sequences"].tolist() == [1, 0]
    assert (batch().size, batch().lengths.tolist()) == (2, [2, 1])


def test_a_users_steps_are_answered_by_classes() -> None:
    codec = Addition(1, max_numbers=2, test_numbers=2).codec
    digits = torch.eye(10)[[7, 5]].tolist()
    ((numbers, asked),) = codec.batches([str(digits)])
    assert numbers == [0]
    assert asked.inputs_TBI[:, 0].tolist() == digits
    assert (asked.size, asked.lengths.tolist()) == (1, [2])
    outputs_TBO = torch.nn.functional.one_hot(torch.tensor([[[10, 10]], [[1, 2]]]), 11).flatten(2).float()
    assert codec.texts(outputs_TBO) == ["[[10, 10], [1, 2]]"]
    with pytest.raises(UserError, match="line 1 is not a JSON list of steps, each a list of 10 numbers"):
        list(codec.batches(["[[1, 2]]"]))
