"""What the wrappers share that take several steps of an inner cell at each step in time: `ACT`, `PonderNet`, `Repeat`.

The inner cell sees the same input at every inner step, with one more channel at its end: a flag that is 1 at the first
inner step and 0 at the others (Graves 2016, section 2).
"""

# ... = any leading dimensions, B = batch, b = those of the batch in work, I = input less the flag, P = projected input
# of the inner cell, F = P where the flag is added to a projected input, else 0, H = what an inner step emits,
# N = inner steps taken, n = those of a segment, M = the cap

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.batches import Batch
from augrnn.cells.cell import Cell, State, require_sizes
from augrnn.cells.compilation import stepper
from augrnn.cells.gru import GRU
from augrnn.cells.lstm import LSTM, GravesLSTM, StackedLSTM
from augrnn.cells.rnn import RNN
from augrnn.counts import is_finite

PLAIN = (GRU, GravesLSTM, LSTM, RNN, StackedLSTM)
"""Cells whose step is products and a few gates: compiled it takes as long, and halted samples could not leave."""

COMPACTION = 2**23
"""Multiplications that halted samples may cost before they are left out, which takes about as long on a CPU."""

Rule = Callable[[Tensor, Tensor], Tensor]
"""How near to halting samples are: from the halting probabilities of an inner step and how near they were before it,
both (b,), to how near they are, (b,). It starts at 0 and never falls; a sample halts where it reaches a given end."""


class InnerSteps(Cell):
    """A cell that takes several steps of an inner cell at each step in time; its input is that cell's less the flag.

    Args:
      kind: the wrapper, for messages.
      cell: the inner cell, made for one input channel more than there are.

    Raises:
      ValueError: it is not a Cell, is such a wrapper itself, sets no sizes, or has no input channel for the flag.
    """

    one_program = False

    def __init__(self, kind: str, cell: Cell) -> None:
        super().__init__()
        if not isinstance(cell, Cell):
            given = f"the class {cell.__name__}" if isinstance(cell, type) else f"a {type(cell).__name__}"
            raise ValueError(f"{kind} goes around a Cell, not around {given}")
        if isinstance(cell, InnerSteps):
            raise ValueError(f"{kind} goes around a plain cell: {type(cell).__name__} has inner steps of its own")
        if missing := [name for name in ("input_size", "output_size") if not hasattr(cell, name)]:
            raise ValueError(
                f"{kind} needs the sizes of its cell: {type(cell).__name__} sets no {' and no '.join(missing)}"
            )
        if cell.input_size < 1:
            raise ValueError(f"{kind} needs an input channel of the inner cell for its flag: set its input_size")
        self.cell = cell
        self.input_size, self.output_size = cell.input_size - 1, cell.output_size
        self.flag_is_added: bool = getattr(cell.project, "affine", False)

    def stepper(self) -> Callable[..., Any]:
        """The inner step to call: compiled where that makes it faster."""
        return self.cell.step if isinstance(self.cell, PLAIN) else stepper(self.cell)

    def flag(self, batch_size: int, like: Tensor) -> Tensor:
        """What the flag adds to a projected input, the same for every sample: (B, F)."""
        if not self.flag_is_added:
            return like.new_zeros(batch_size, 0)
        probes_2I = like.new_zeros(2, self.input_size + 1)
        probes_2I[1, -1] = 1
        without_P, flagged_P = self.cell.project(probes_2I).unbind()
        return (flagged_P - without_P).expand(batch_size, -1)

    def project(self, x: Tensor) -> Tensor:
        """(..., I) -> (..., P), without the flag; (..., 2 P), with it and without, where it cannot be added later."""
        later = self.cell.project(F.pad(x, (0, 1)))
        if self.flag_is_added:
            return later
        return torch.cat([self.cell.project(F.pad(x, (0, 1), value=1.0)), later], dim=-1)

    def inputs(self, p: Tensor, flag_BF: Tensor) -> tuple[Tensor, Tensor]:
        """The projected inputs of the first inner step and of the later ones, (..., B, P) each."""
        if self.flag_is_added:
            return p + flag_BF, p
        first, later = p.chunk(2, dim=-1)
        return first, later


def leaves(state: State) -> Iterator[Tensor]:
    """The tensors of a state, whose trees are tuples; torch's own walk over trees takes as long as a small step."""
    if isinstance(state, Tensor):
        yield state
    else:
        for part in state:
            yield from leaves(part)


def rebuilt(state: State, tensors: Iterator[Tensor]) -> State:
    """A state of the same form with other tensors, in the order of `leaves`."""
    if isinstance(state, Tensor):
        return next(tensors)
    parts = [rebuilt(part, tensors) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)


class Segment(NamedTuple):
    """Inner steps that the same samples took one after the other.

    Attributes:
      rows_b: their numbers in the batch; None for all of it.
      first: inner steps before these.
      start: the inner state they began with.
      near: how near each sample was to halting before the first of these steps, and after each of them, (b,).
      emitted, states: of each inner step what was emitted, (b, H), and the inner state after it.
    """

    rows_b: Tensor | None
    first: int
    start: State
    near: list[Tensor]
    emitted: list[Tensor]
    states: list[State]

    def of(self, whole_NB: Tensor) -> Tensor:
        """The part of a tensor (N, B) that is of these steps and samples."""
        part_nB = whole_NB[self.first : self.first + len(self.states)]
        return part_nB if self.rows_b is None else part_nB[:, self.rows_b]

    def add(self, part: Tensor, whole: Tensor | None) -> Tensor:
        """A tensor (B, ...) with what these samples add to it, (b, ...)."""
        return part if self.rows_b is None or whole is None else whole.index_add(0, self.rows_b, part)

    def spread(self, part_nb: Tensor, steps: int, rows: int) -> Tensor:
        """A tensor (N, B) that is 0 but for a part of these steps and samples."""
        if self.rows_b is not None:
            part_nb = part_nb.new_zeros(len(part_nb), rows).index_copy(1, self.rows_b, part_nb)
        after = steps - self.first - len(part_nb)
        return F.pad(part_nb, (0, 0, self.first, after)) if self.first or after else part_nb


@dataclass(frozen=True)
class Taken:
    """The inner steps of one step in time.

    Attributes:
      running_NB: 1 where a sample takes part in an inner step, else 0; always 0 for padding.
      on_NB: 1 where it takes part in the one after it too.
      logits_NB: of the halting unit.
      segments: the first is of the whole batch.
      stacked: for each segment what was emitted, (n, b, H).
    """

    running_NB: Tensor
    on_NB: Tensor
    logits_NB: Tensor
    segments: list[Segment]
    stacked: list[Tensor]

    def mean(self, weights_NB: Tensor, read_out: Callable[[Tensor], Tensor] | None) -> tuple[Tensor, State]:
        """What the inner steps emit and the states they lead to, averaged (Graves 2016, Eq. 9).

        Parts of the state that no step changes, and flags and whole numbers, stay as they were.

        Args:
          weights_NB: of each inner step, 0 where a sample takes no part.
          read_out: applied to what is emitted before it is averaged; None for nothing.
        """
        emitted: Tensor | None = None
        steps = [[list(each) for each in zip(*map(leaves, segment.states), strict=True)] for segment in self.segments]
        starts = [list(leaves(segment.start)) for segment in self.segments]
        means: dict[int, Tensor | None] = dict.fromkeys(_changed(starts, steps))
        for segment, stacked, segment_steps in zip(self.segments, self.stacked, steps, strict=True):
            weights_nb = segment.of(weights_NB)
            average = weighted(weights_nb, read_out(stacked) if read_out else stacked)
            emitted = segment.add(average, emitted)
            for number, mean in means.items():
                each = segment_steps[number]
                same = read_out is None and all(map(operator.is_, each, segment.emitted))
                means[number] = segment.add(average if same else weighted(weights_nb, torch.stack(each)), mean)
        assert emitted is not None
        found = [leaf if (mean := means.get(number)) is None else mean for number, leaf in enumerate(starts[0])]
        return emitted, rebuilt(self.segments[0].start, iter(found))


def _changed(starts: list[list[Tensor]], steps: list[list[list[Tensor]]]) -> list[int]:
    """The numbers of those tensors of a state that are real numbers and that a step of some segment changes."""
    return [
        number
        for number, leaf in enumerate(starts[0])
        if leaf.is_floating_point()
        and any(after is not start[number] for start, each in zip(starts, steps, strict=True) for after in each[number])
    ]


def weighted(weights_nb: Tensor, choices: Tensor) -> Tensor:
    """`augrnn.soft.mix` of choices (n, b, ...) -> (b, ...), as a sum: a product this thin is slower on a CPU."""
    spread = weights_nb.view(*weights_nb.shape, *[1] * (choices.dim() - 2))
    return (spread * choices).sum(0).to(choices.dtype)


class Pondering(InnerSteps):
    """A wrapper with a halting unit, which decides how many inner steps a sample takes: at most `cap`.

    A subclass's state has the fields `inner`, `flag_BF` and `left_B`: for the inner cell, the flag and padding.

    Args:
      kind: the wrapper, for messages.
      cell: see InnerSteps.
      cap: M.
      halting_size: H; found by one step of the cell, so that only a decoder's has to be given.
      bias: of the halting unit at first.
    """

    def __init__(self, kind: str, cell: Cell, cap: int, halting_size: int | None, bias: float) -> None:
        super().__init__(kind, cell)
        require_sizes(kind, cap=cap, halting_size=1 if halting_size is None else halting_size)
        if not is_finite(bias):
            raise ValueError(f"{kind} needs a finite number for the bias of its halting unit, not {bias!r}")
        found = emitted_size(cell)
        size = halting_size if found is None else found
        if size is None:
            raise ValueError(f"what a step of {type(cell).__name__} emits is not known: give halting_size")
        if halting_size not in (None, size):
            raise ValueError(
                f"a step of {type(cell).__name__} emits {size} numbers, not a halting_size of {halting_size}"
            )
        self.cap = cap
        self.halting_unit = nn.Linear(size, 1)
        nn.init.constant_(self.halting_unit.bias, bias)
        self.mean_is_read_out: bool = getattr(cell.read_out, "affine", False)

    def start(self, inner: State, batch_size: int, lengths_B: Tensor | None = None) -> Any:
        """The state before the first step in time.

        Args:
          inner: that of the inner cell.
          batch_size: B.
          lengths_B: steps in time of each sample, after which there is padding; None for no padding.
        """
        raise NotImplementedError

    def initial_state(self, batch_size: int) -> Any:
        return self.start(self.cell.initial_state(batch_size), batch_size)

    def begin(self, batch: Batch) -> Any:
        """The state before a batch, whose `lengths`, where it has them, say where padding begins."""
        return self.start(self.cell.begin(batch), batch.size, getattr(batch, "lengths", None))

    def read_out(self, h: Tensor) -> Tensor:
        """The inner cell's, if the read-out of a mean is the mean of read-outs; else `step` has read out already."""
        return self.cell.read_out(h) if self.mean_is_read_out else h

    def left(self, batch_size: int, lengths_B: Tensor | None) -> Tensor:
        """Steps in time that each sample has, (B,)."""
        weight = self.halting_unit.weight
        return weight.new_full((batch_size,), torch.inf) if lengths_B is None else lengths_B.to(weight)

    def logits(self, h: Tensor) -> Tensor:
        """Of the halting unit, (..., H) -> (...), in its own precision."""
        weight, bias = self.halting_unit.weight, self.halting_unit.bias
        if not torch.is_autocast_enabled(h.device.type):
            return F.linear(h, weight, bias).squeeze(-1)
        with torch.autocast(h.device.type, enabled=False):
            return F.linear(h.to(weight.dtype), weight, bias).squeeze(-1)

    def take(self, p_BP: Tensor, state: Any, rule: Rule | None, end: float = 1.0) -> Taken:
        """Inner steps until all samples have halted, or M of them.

        Args:
          p_BP: the projected input.
          state: ours, before.
          rule: decides; None for M steps of all samples.
          end: of the rule.
        """
        first_BP, later_bP = self.inputs(p_BP, state.flag_BF)
        step, inner, idle = self.stepper(), state.inner, 0
        near_b = torch.zeros_like(state.left_B).masked_fill(state.left_B <= 0, torch.inf)
        if rule is None and (segment := self._at_once(first_BP, later_bP, inner, near_b)):
            return self._taken([segment], self.cap, end)
        segments = [Segment(None, 0, inner, [near_b], [], [])]
        for number in range(self.cap):
            segment, last = segments[-1], number == self.cap - 1
            h_bH, inner = step(later_bP if number else first_BP, inner)
            with torch.no_grad():
                near_b = rule(self.logits(h_bH).sigmoid(), near_b) if rule else near_b
                near_b = near_b.new_full(near_b.shape, torch.inf) if last else near_b
            for kept, value in zip(segment[3:], (near_b, h_bH, inner), strict=True):
                kept.append(value)
            left = len(near_b) if rule is None else int((near_b < end).sum())
            if last or not left:
                break
            idle += len(near_b) - left
            if self.compacts(left, len(near_b), idle):
                idle = 0
                kept_b = (near_b < end).nonzero().squeeze(1)
                inner = rebuilt(inner, (leaf[kept_b] for leaf in leaves(inner)))
                later_bP, near_b = later_bP[kept_b], near_b[kept_b]
                rows_b = kept_b if segment.rows_b is None else segment.rows_b[kept_b]
                segments.append(Segment(rows_b, number + 1, inner, [near_b], [], []))
        return self._taken(segments, number + 1, end)

    def _at_once(self, first_BP: Tensor, later_BP: Tensor, inner: State, near_B: Tensor) -> Segment | None:
        """M inner steps of all samples as a sequence of the inner cell; None where none tells its states."""
        if type(self.cell).record is not Cell.record:
            return None
        inputs_MBP = torch.stack([first_BP, *[later_BP] * (self.cap - 1)])
        found = self.cell.recorded_sequence(inputs_MBP, inner)
        if found is None:
            return None
        h_MBH, _, states = found
        each = zip(*(leaf.unbind(0) for leaf in leaves(states)), strict=True)
        near = [near_B] * self.cap + [torch.full_like(near_B, torch.inf)]
        return Segment(None, 0, inner, near, list(h_MBH.unbind(0)), [rebuilt(inner, iter(leaf)) for leaf in each])

    def _taken(self, segments: list[Segment], steps: int, end: float) -> Taken:
        stacked = [torch.stack(segment.emitted) for segment in segments]
        going = [(torch.stack(segment.near) < end).to(segment.near[0]) for segment in segments]
        logits = [self.logits(each) for each in stacked]
        rows = len(segments[0].near[0])

        def whole(parts: list[Tensor]) -> Tensor:
            first_NB, *others = (each.spread(part, steps, rows) for each, part in zip(segments, parts, strict=True))
            return sum(others, start=first_NB)

        running_NB, on_NB = whole([each[:-1] for each in going]), whole([each[1:] for each in going])
        return Taken(running_NB, on_NB, whole(logits), segments, stacked)

    def compacts(self, left: int, rows: int, idle: int) -> bool:
        """Whether to go on with those samples alone that have not halted.

        That is once the others have cost about as much as it costs to leave them out, where sizes may vary.

        Args:
          left: samples that have not halted.
          rows: those in work.
          idle: inner steps of halted samples since some were left out.
        """
        if 2 * left > rows or self.halting_unit.weight.device.type != "cpu" or self.stepper() != self.cell.step:
            return False
        return idle * sum(parameter.numel() for parameter in self.cell.parameters()) >= COMPACTION

    def after(self, taken: Taken, weights_NB: Tensor, state: Any) -> tuple[Tensor, State]:
        """What a step in time emits, and the inner state after it: that before it for padding."""
        emitted, inner = taken.mean(weights_NB, None if self.mean_is_read_out else self.cell.read_out)
        if taken.running_NB[0].min().item():
            return emitted, inner
        real_B = taken.running_NB[0] > 0
        kept = (
            after.where(real_B.view(-1, *[1] * (after.dim() - 1)), before)
            for after, before in zip(leaves(inner), leaves(state.inner), strict=True)
        )
        return emitted, rebuilt(inner, kept)


def emitted_size(cell: Cell) -> int | None:
    """H, the size of what a cell's step emits, by one step from its initial state; None where it has no such state."""
    like = next(cell.parameters(), torch.empty(0))
    with torch.no_grad():
        try:
            start = cell.initial_state(1)
        except TypeError:
            return None
        h_1H, _ = cell.step(cell.project(like.new_zeros(1, cell.input_size)), start)
    return h_1H.shape[-1]
