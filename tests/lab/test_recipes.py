"""Settings that experiments share."""

from pathlib import Path

import pytest

from augrnn.lab.experiment import discover
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


def test_another_rate_is_the_optimizers() -> None:
    assert with_rate(0.01) == {"model": {"init_args": {"optimizer": {"init_args": {"lr": 0.01}}}}}


def test_every_run_of_ours_ends_where_its_schedule_ends(root: Path) -> None:
    """A smoke run may be cut off before; none goes on after it."""
    seen = 0
    for experiment in discover(root / "experiments"):
        for scale in experiment.scales:
            for run in experiment.plan(scale, root / "experiments", seeds=1):
                schedule = run.settings["model"]["init_args"].get("scheduler") or {}
                lengths = {schedule.get("init_args", {}).get(name) for name in ("T_max", "total_steps")} - {None}
                updates = run.settings["trainer"].get("max_steps", -1)
                if lengths and updates > 0:
                    (length,) = lengths
                    assert length == updates or (scale == "smoke" and length > updates), (experiment.name, scale, run)
                    seen += 1
    assert seen > 50
