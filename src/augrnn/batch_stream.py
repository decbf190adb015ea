"""The stream of batches that every task gives: batch i is a pure function of (seed, i)."""

from collections.abc import Callable, Iterator
from typing import Any

import torch


def generator(*seed: int) -> torch.Generator:
    """A random generator for one draw; distinct tuples of integers give independent streams."""
    state = 0x9E3779B97F4A7C15
    for part in seed:
        state = (state ^ (part + 0x632BE59BD9B4E019)) * 0xBF58476D1CE4E5B9 % 2**64
        state ^= state >> 31
    return torch.Generator().manual_seed(state)


class BatchStream:
    """An iterable over the batches of one epoch that knows where it is, so that a run can stop and resume anywhere.

    Args:
      draw: gives batch i, for any i >= 0.
      count: batches in an epoch.
      epoch: which epoch; it covers batches epoch * count to (epoch + 1) * count - 1 of the stream.
      rank, world: this process takes batches i * world + rank of the stream.
    """

    def __init__(self, draw: Callable[[int], Any], count: int, epoch: int = 0, rank: int = 0, world: int = 1) -> None:
        self.draw, self.count, self.epoch, self.rank, self.world = draw, count, epoch, rank, world
        self._done = 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        while self._done < self.count:
            number = self.epoch * self.count + self._done
            self._done += 1
            yield self.draw(number * self.world + self.rank)
        self._done = 0

    def state_dict(self) -> dict[str, int]:
        """Where in the epoch the stream stands (Lightning keeps this in its checkpoints)."""
        return {"done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._done = state["done"] % self.count
