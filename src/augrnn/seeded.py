"""Drawing the same random numbers every time, and leaving what others draw as it is."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """What torch's own generators draw in this block is the same every time; afterwards they go on where they were.

    `torch.manual_seed` in `torch.random.fork_rng` leaves the generators of GPUs changed, or copies those of all GPUs
    with a warning.

    Args:
      seed: of the generators in the block.
      device: a GPU whose generator is meant beside the processor's; any other device is ignored.
    """
    gpus = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(seed)
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(seed)
        yield
