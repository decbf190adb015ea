"""Settings that several experiments share."""

from collections.abc import Sequence

from augrnn.lab.settings import Settings


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


def with_memories(rows: Sequence[int], updates: int, rate: float) -> Settings:
    """For `Variant`: a Neural Turing Machine that is trained with memories of several sizes in turn, `MemorySizes`.

    Args:
      rows: the sizes.
      updates: of training; the rate falls to zero along a cosine over all of them.
      rate: the learning rate.
    """
    sizes = {"class_path": "augrnn.training.memory_sizes.MemorySizes", "init_args": {"rows": list(rows)}}
    return {
        "model": {
            "init_args": {
                "optimizer": {"init_args": {"lr": rate}},
                "scheduler": {"init_args": {"T_max": updates}},
            }
        },
        "trainer": {"max_steps": updates, "callbacks": [sizes]},
    }
