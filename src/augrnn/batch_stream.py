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

    It can be iterated over again: each time from the epoch's first batch, whether or not the last pass came to its end.

    Args:
      draw: gives batch i, for any i >= 0.
      count: batches in an epoch.
      epoch: which epoch, or a function that says which one it is when a batch is drawn; an epoch covers batches
        epoch * count to (epoch + 1) * count - 1 of the stream.
      rank, world: this process takes batches i * world + rank of the stream.
    """

    def __init__(
        self,
        draw: Callable[[int], Any],
        count: int,
        epoch: int | Callable[[], int] = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.draw, self.count, self.epoch, self.rank, self.world = draw, count, epoch, rank, world
        self._done = self._first = 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        self._done, self._first = self._first, 0
        return self._batches(self._done)

    def _batches(self, first: int) -> Iterator[Any]:
        for position in range(first, self.count):
            epoch = self.epoch() if callable(self.epoch) else self.epoch
            self._done = position + 1
            yield self.draw((epoch * self.count + position) * self.world + self.rank)

    def state_dict(self) -> dict[str, int]:
        """Where in the epoch the stream stands (Lightning keeps this in its checkpoints)."""
        return {"done": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next pass go on where the state was taken; from the first batch where that was an epoch's end."""
        self._done = self._first = state["done"] % self.count
