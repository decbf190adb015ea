"""The Cell contract. `augrnn.cells.unroll` has the loop over time."""

# B = batch, I = input, P = projected input, H = what a step emits, O = output

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor, nn

from augrnn.batches import Batch
from augrnn.counts import is_whole

State = Any
"""A NamedTuple of tensors whose first dimension is the batch (states of inner cells may be nested in it)."""


Part = TypeVar("Part", bound=Callable[..., Tensor])


def affine(part: Part) -> Part:
    """Mark a cell's `project` or `read_out` as W x + b of its argument, or as the argument itself.

    Of such a part a wrapper may take apart what several inputs give together (see `augrnn.cells.inner_steps`). A
    subclass that overrides the part marks its own, or leaves it unmarked.
    """
    part.__dict__["affine"] = True
    return part


class Cell(nn.Module):
    """One step of a recurrent network: `(x_BI, state) -> (y_BO, state)`.

    A cell is three parts. `project` and `read_out` do not depend on the state, so `unroll` applies them to the whole
    sequence at once; `step` is what must happen in order. A cell with nothing to gain leaves the two as they are.

    The state is also the record: everything worth looking at later (weightings, alignments, halting) is a field of it.
    """

    input_size: int
    output_size: int
    word_ids: int | None = None
    """How many ids of words it has vectors for; None where it reads no words."""

    dynamic_shapes: bool | None = None
    """How the step is compiled: True for one program over all sizes, None for one a size until sizes vary."""

    one_program: bool = True
    """Whether the step is compiled as a whole; False for a step whose course depends on the data."""

    def initial_state(self, batch_size: int) -> State:
        """The state before the first step, with gradients to whatever of it is learned."""
        raise NotImplementedError

    def begin(self, batch: Batch) -> State:
        """The state before the first step of a batch; a cell that needs more of it than its inputs takes it here."""
        return self.initial_state(batch.size)

    @affine
    def project(self, x: Tensor) -> Tensor:
        """(..., I) -> (..., P): the products of the input that need no state."""
        return x

    def step(self, p_BP: Tensor, state: State) -> tuple[Tensor, State]:
        """One step in time from a projected input: (h_BH, next state).

        A cell that takes no input, unrolled over a number of steps, gets None for `p_BP`.
        """
        raise NotImplementedError

    def sequence(self, p_TBP: Tensor, state: State) -> tuple[Tensor, State] | None:
        """All steps in time in one call, from projected inputs: (h_TBH, last state), as `step` in a loop gives them.

        None where there is nothing faster than the loop; a cell need not have it. Without one of its own it is the
        recorded sequence without its records.
        """
        found = self.recorded_sequence(p_TBP, state)
        return None if found is None else found[:2]

    def recorded_sequence(self, p_TBP: Tensor, state: State) -> tuple[Tensor, State, Any] | None:
        """The same with the records of all steps, which `record` gives of one, time before the batch: (T, B, ...)."""
        return None

    @affine
    def read_out(self, h: Tensor) -> Tensor:
        """(..., H) -> (..., O): the products of what a step emits that no later step needs."""
        return h

    def record(self, state: State) -> Any:
        """The part of a state that a trace keeps; all of it unless a cell carries constants."""
        return state

    def forward(self, x_BI: Tensor, state: State) -> tuple[Tensor, State]:
        h_BH, state = self.step(self.project(x_BI), state)
        return self.read_out(h_BH), state


def require_sizes(kind: str, **sizes: int) -> None:
    """Refuse sizes below 1, and what is no whole number, with a ValueError that names the first of them.

    Args:
      kind: of cell ("an NTM").
      sizes: by name.
    """
    for name, size in sizes.items():
        if not is_whole(size):
            raise ValueError(f"{kind} needs a whole number for {name}, not {size!r}")
        if size < 1:
            raise ValueError(f"{kind} needs {name} of at least 1, not {size}")
