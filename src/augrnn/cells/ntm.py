"""The Neural Turing Machine (Graves, Wayne and Danihelka 2014, arXiv 1410.5401)."""

# B = batch, I = input, O = output, C = controller output, N = memory rows, W = row width, H = heads of a kind,
# A = 2 * H heads that address (reads first, then writes), S = shifts

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.cells.cell import Cell, affine, require_sizes
from augrnn.cells.lstm import LSTMState
from augrnn.cells.ntm_memory import available, head_sizes, memory_step
from augrnn.cells.ntm_sequence import Memory, as_layers, linear_layers, ntm_sequence
from augrnn.cells.whole_sequences import possible

FIRST_FOCUS = 5.0
"""Logit of the first row in the first weighting, the others' being 0."""

FIRST_SHARPNESS = 1.0
"""Bias of the sharpening exponent: gamma starts at about 2.3."""

FIRST_STRENGTH, FIRST_GATE = 8.0, 2.0
"""Biases of key strength and interpolation gate where look-up finds something at once: beta starts at 8, g at .9."""


def random_rows(rows: int, width: int) -> Tensor:
    """A memory (N, W) whose rows point anywhere: a look-up finds each of them apart from its neighbours."""
    return torch.randn(rows, width)


def ring_of_rows(rows: int, width: int) -> Tensor:
    """A memory (N, W) whose rows lie on a smooth closed curve: neighbours are alike, and a look-up can slide.

    Row n holds the cosines and sines of 2 pi n f / N for the frequencies f = 1 to W / 2 (and one 0 where W is odd), as
    of a position code; its root mean square is 1/2.
    """
    angles_NF = torch.arange(rows)[:, None] * torch.arange(1, width // 2 + 1) * (2 * math.pi / rows)
    waves_NW = torch.cat([angles_NF.cos(), angles_NF.sin(), torch.zeros(rows, width % 2)], dim=1)
    return waves_NW / math.sqrt(2)


FIRST_MEMORY = {"random": random_rows, "ring": ring_of_rows}


class NTMState(NamedTuple):
    """What a Neural Turing Machine carries from step to step, and what there is to see of it.

    Attributes:
      controller: the controller's own state.
      memory_BNW: the memory after this step's writes.
      read_BHW: the vectors just read.
      weighting_BAN: where the heads stand: first the H read heads, then the H write heads.
      add_BHW: the add vectors just written.
      gate_BA: the interpolation gates g: 1 is look-up by content, 0 is movement from the previous place.
    """

    controller: Any
    memory_BNW: Tensor
    read_BHW: Tensor
    weighting_BAN: Tensor
    add_BHW: Tensor
    gate_BA: Tensor


class NTM(Cell):
    """A controller with an external memory that it reads and writes through soft addressing.

    All heads address the memory as the previous step left it, so they are one batched computation; reads come before
    writes. Keys and add vectors are unbounded: with a tanh on them the copy task takes several times as long. The
    first weightings and the first read vectors are learned, and a blank memory is a constant near zero (Collier
    and Beel 2018 found that this is what makes it train). All heads start mostly on the first row and sharpen from the
    start; from spread and soft heads the machine learns as well, but copies less far beyond its training lengths.

    Args:
      input_size: I.
      output_size: O.
      controller: makes the controller from its input size, I + H * W.
      heads: H read heads and as many write heads (the paper counts them so).
      rows: N.
      width: W.
      shift_range: furthest shift R in one step; S = 2 * R + 1.
      interpolation: False leaves the previous weighting out of the addressing (no Eq. 7).
      sharpening: False leaves the shifted weighting as it is (no Eq. 9).
      memory: what the memory is before the first step. "blank" is a constant near zero, in which look-up by content
        finds only what has been written. "random" and "ring" are learned, starting from `random_rows` and
        `ring_of_rows`: look-up finds any row from the first step on, and the heads start by looking up.
      erase_bias: bias of the erase gates at the start. At -3 they start nearly closed, and a head that passes over a
        row leaves what is written there.

    Raises:
      ValueError: sizes with which no machine can be made.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        controller: Callable[[int], Cell],
        heads: int = 1,
        rows: int = 128,
        width: int = 20,
        shift_range: int = 1,
        interpolation: bool = True,
        sharpening: bool = True,
        memory: Literal["blank", "random", "ring"] = "blank",
        erase_bias: float = 0.0,
    ) -> None:
        super().__init__()
        require_sizes("an NTM", input_size=input_size, output_size=output_size, heads=heads, rows=rows, width=width)
        if shift_range < 0 or 2 * shift_range + 1 > rows:
            raise ValueError(f"shift_range {shift_range} does not fit a memory of {rows} rows: 2 * range + 1 <= rows")
        self.input_size, self.output_size = input_size, output_size
        self.heads, self.rows, self.width, self.shifts = heads, rows, width, 2 * shift_range + 1
        self.interpolation, self.sharpening = interpolation, sharpening
        self.controller = controller(input_size + heads * width)
        c = self.controller.output_size
        self.head_sizes = head_sizes(heads, width, self.shifts)
        self.to_heads = nn.Linear(c, sum(self.head_sizes))
        self.output = nn.Linear(c + heads * width, output_size)
        self.first_focus_AN = nn.Parameter(torch.zeros(2 * heads, rows))
        self.first_read_HW = nn.Parameter(0.1 * torch.randn(heads, width))
        self.first_memory_NW = None if memory == "blank" else nn.Parameter(FIRST_MEMORY[memory](rows, width))
        self._initialise(memory != "blank", erase_bias)

    def _initialise(self, looks_up: bool, erase_bias: float) -> None:
        nn.init.xavier_uniform_(self.to_heads.weight, gain=1.4)
        nn.init.normal_(self.to_heads.bias, std=0.01)
        _, strength, gate, _, sharpness, erase, _ = self.to_heads.bias.detach().split(self.head_sizes)
        nn.init.constant_(sharpness, FIRST_SHARPNESS)
        erase.add_(erase_bias)
        if looks_up:
            nn.init.constant_(strength, FIRST_STRENGTH)
            nn.init.constant_(gate, FIRST_GATE)
        nn.init.constant_(self.first_focus_AN[:, 0], FIRST_FOCUS)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def initial_state(self, batch_size: int) -> NTMState:
        first_AN = self.first_focus_AN[:, : self.rows].softmax(-1)
        extra = self.rows - first_AN.shape[1]
        weighting_AN = torch.cat([first_AN, first_AN.new_zeros(first_AN.shape[0], extra)], dim=1)
        read_BHW = self.first_read_HW.expand(batch_size, -1, -1)
        memory_NW = read_BHW.new_full((self.rows, self.width), 1e-6)
        if self.first_memory_NW is not None:
            memory_NW = torch.cat([self.first_memory_NW[: self.rows], memory_NW[first_AN.shape[1] :]])
        return NTMState(
            controller=self.controller.initial_state(batch_size),
            memory_BNW=memory_NW.expand(batch_size, -1, -1),
            read_BHW=read_BHW,
            weighting_BAN=weighting_AN.expand(batch_size, -1, -1),
            add_BHW=torch.zeros_like(read_BHW),
            gate_BA=read_BHW.new_zeros(batch_size, 2 * self.heads),
        )

    @property
    def own_rows(self) -> int:
        """How many rows it was made with."""
        return self.first_focus_AN.shape[1]

    def resize(self, rows: int) -> None:
        """Give the machine a memory of another size, from the next initial state on.

        No head starts on rows that it was not made with. Where there are fewer, heads start on those that are left.

        Raises:
          ValueError: fewer rows than its shifts take.
        """
        if rows < self.shifts:
            raise ValueError(f"a machine with {self.shifts} shifts cannot have a memory of {rows} rows")
        self.rows = rows

    def step(self, p_BP: Tensor, state: NTMState) -> tuple[Tensor, NTMState]:
        seen = torch.cat([p_BP, state.read_BHW.flatten(1)], dim=-1)
        h_BC, controller = self.controller(seen, state.controller)
        asked_BP = self.to_heads(h_BC).to(state.memory_BNW.dtype)  # in mixed precision the memory is float32
        weighting_BAN, read_BHW, memory_BNW = memory_step(
            state.memory_BNW, state.weighting_BAN, asked_BP, self.shifts, self.interpolation, self.sharpening
        )
        emitted = torch.cat([h_BC, read_BHW.flatten(1)], dim=-1)
        shown = self._add_and_gate(asked_BP)
        return emitted, NTMState(controller, memory_BNW, read_BHW, weighting_BAN, *shown)

    def _add_and_gate(self, asked_BP: Tensor) -> tuple[Tensor, Tensor]:
        """What there is to see of what the controller asked for: add_BHW and gate_BA of the state."""
        gate, _, _, _, add = asked_BP.split(self.head_sizes, dim=-1)[2:]
        gate_BA = gate.sigmoid() if self.interpolation else torch.ones_like(gate)
        return add.unflatten(-1, (self.heads, self.width)), gate_BA

    def sequence(self, p_TBP: Tensor, state: NTMState) -> tuple[Tensor, NTMState] | None:
        linear = linear_layers(self.controller)
        if linear is None or not available() or not possible(self, NTM.step, [self.to_heads, *linear], (p_TBP, state)):
            return None
        controller = as_layers(self.controller, state.controller, self.input_size, p_TBP.shape[1])
        h_TBE, memory, asked_BP, states = ntm_sequence(
            F.linear(p_TBP, controller.input_weight_GI, controller.layers[0].bias_G),
            controller,
            self.to_heads,
            Memory(state.memory_BNW.transpose(1, 2), state.weighting_BAN, state.read_BHW.flatten(1)),
            self.shifts,
            self.interpolation,
            self.sharpening,
        )
        read_BHW = memory.read_BR.unflatten(1, (self.heads, self.width))
        memory_BNW = memory.memory_BWN.transpose(1, 2)
        ends = states[0] if isinstance(state.controller, LSTMState) else states
        shown = self._add_and_gate(asked_BP)
        return h_TBE, NTMState(ends, memory_BNW, read_BHW, memory.weighting_BAN, *shown)

    @affine
    def read_out(self, h: Tensor) -> Tensor:
        return self.output(h)
