"""Settings that several experiments share."""

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
