"""Overrides that several experiments share."""


def as_graves_trains(sequences: int, rate: str) -> tuple[str, ...]:
    """Options for `Scale.overrides`: how the Neural Turing Machine paper trains (Graves et al. 2014, section 4.6).

    RMSProp in Graves' form at a constant rate, and gradients clipped to (-10, 10) one by one. An update sees one
    sequence, because the paper names no batch.

    Args:
      sequences: of training.
      rate: the learning rate, as the command line takes it ("1.0e-4").
    """
    return (
        "--model.init_args.optimizer=augrnn.optimizers.GravesRMSprop",
        f"--model.init_args.optimizer.init_args.lr={rate}",
        "--model.init_args.scheduler=null",
        "--trainer.gradient_clip_algorithm=value",
        "--trainer.gradient_clip_val=10.0",
        "--data.init_args.batch_size=1",
        "--data.init_args.epoch_batches=10000",
        f"--trainer.max_steps={sequences}",
    )
