"""Settings that experiments share."""

import pytest

from augrnn.lab.recipes import budget, with_memories, with_rate


@pytest.mark.parametrize("argument", ["T_max", "total_steps"])
def test_a_budget_ends_training_and_the_schedule_at_the_same_update(argument: str) -> None:
    assert budget(700, argument) == {
        "model": {"init_args": {"scheduler": {"init_args": {argument: 700}}}},
        "trainer": {"max_steps": 700},
    }


def test_machines_trained_with_several_memories_have_budget_rate_and_sizes() -> None:
    sizes = {"class_path": "augrnn.training.memory_sizes.MemorySizes", "init_args": {"rows": [24, 128]}}
    assert with_memories((24, 128), updates=600, rate=0.01) == {
        "model": {"init_args": {"optimizer": {"init_args": {"lr": 0.01}}, "scheduler": {"init_args": {"T_max": 600}}}},
        "trainer": {"max_steps": 600, "callbacks": [sizes]},
    }
    assert with_rate(0.01) == {"model": {"init_args": {"optimizer": {"init_args": {"lr": 0.01}}}}}
