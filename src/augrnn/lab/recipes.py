"""Settings that several experiments share."""

from collections.abc import Sequence
from typing import Any

from augrnn.lab.settings import Settings, merged


def as_graves_trains(sequences: int, rate: float) -> Settings:
    """For `Scale.settings`: how the Neural Turing Machine paper trains (Graves et al. 2014, section 4.6).

    RMSProp in Graves' form at a constant rate, and gradients clipped to (-10, 10) one by one. An update sees one
    sequence, because the paper names no batch.

    Args:
      sequences: of training.
      rate: the learning rate.
    """
    return {
        "model": {
            "init_args": {
                "optimizer": {"class_path": "augrnn.optimizers.GravesRMSprop", "init_args": {"lr": rate}},
                "scheduler": None,
            }
        },
        "trainer": {"gradient_clip_algorithm": "value", "gradient_clip_val": 10.0, "max_steps": sequences},
        "data": {"init_args": {"batch_size": 1, "epoch_batches": 10000}},
    }


def budget(updates: int, argument: str = "T_max") -> dict[str, Any]:
    """Training for a number of updates, over which the config's schedule of the rate stretches.

    Args:
      updates: of training.
      argument: what the config's scheduler calls its length: T_max in CosineAnnealingLR, total_steps in OneCycleLR.
    """
    return {
        "model": {"init_args": {"scheduler": {"init_args": {argument: updates}}}},
        "trainer": {"max_steps": updates},
    }


def with_rate(rate: float) -> dict[str, Any]:
    """Another learning rate than the config's; not for OneCycleLR, which sets the rate by its max_lr."""
    return {"model": {"init_args": {"optimizer": {"init_args": {"lr": rate}}}}}


def with_memories(rows: Sequence[int], updates: int, rate: float) -> Settings:
    """For `Variant`: a Neural Turing Machine that is trained with memories of several sizes in turn, `MemorySizes`.

    Args:
      rows: the sizes.
      updates: of training; the rate falls to zero along a cosine over all of them.
      rate: the learning rate.
    """
    sizes = {"class_path": "augrnn.training.memory_sizes.MemorySizes", "init_args": {"rows": list(rows)}}
    return merged(budget(updates), with_rate(rate), {"trainer": {"callbacks": [sizes]}})
