"""The differentiable neural computer (Graves et al. 2016, Nature 538, "Hybrid computing using a neural network with
dynamic external memory"). Symbols, and sections in quotation marks, are those of its Methods.
"""

# B = batch, I = input, O = output, C = controller output, N = memory rows, W = row width, R = read heads,
# D = 3 read modes (backward, content, forward)

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.cells import addressing
from augrnn.cells.cell import Cell, affine, require_sizes
from augrnn.soft import mix

MODES = 3
"""Read modes of a head, in the paper's order: backward, content, forward."""

LEAST_USAGE = 1e-6
"""Usage that `allocation` gives an empty row, so that its logarithm and the gradient of that are finite."""


def oneplus(x: Tensor) -> Tensor:
    """1 + log(1 + exp(x)): strengths in [1, inf)."""
    return 1 + F.softplus(x)


def used(usage_BN: Tensor, write_BN: Tensor, read_weighting_BRN: Tensor, free_gate_BR: Tensor) -> Tensor:
    """How much each row is in use: more where it was written, less where it was read and freed.

    u_t = (u_{t-1} + w^w_{t-1} - u_{t-1} w^w_{t-1}) psi_t, with the retention psi_t = prod_i (1 - f^i_t w^{r,i}_{t-1}).

    Args:
      usage_BN: the usage u before.
      write_BN: the write weighting of the step before.
      read_weighting_BRN: the read weightings of the step before.
      free_gate_BR: free gates f in [0, 1].

    Returns:
      usage_BN in [0, 1].
    """
    retention_BN = (1 - free_gate_BR.unsqueeze(-1) * read_weighting_BRN).prod(dim=1)
    return (1 - (1 - usage_BN) * (1 - write_BN)) * retention_BN


def allocation(usage_BN: Tensor) -> Tensor:
    """Where to write without overwriting: the least used row gets most of the weight ("Dynamic memory allocation").

    a_t[phi_t[j]] = (1 - u_t[phi_t[j]]) prod_{i<j} u_t[phi_t[i]], phi_t being the rows by rising usage; of rows with the
    same usage the first comes first. Usage is first moved by at most LEAST_USAGE. As in the paper, the order itself has
    no gradient.

    Args:
      usage_BN: the usage u in [0, 1].

    Returns:
      a_BN, the allocation weighting; it sums to one less the product of all usages.
    """
    free_first_BN, order_BN = torch.sort(LEAST_USAGE + (1 - LEAST_USAGE) * usage_BN, dim=-1, stable=True)
    logs_BN = free_first_BN.log()
    # The product in logs: with cumprod a compiled step takes twice as long.
    before_BN = (logs_BN.cumsum(dim=-1) - logs_BN).exp()
    return torch.zeros_like(usage_BN).scatter(-1, order_BN, (1 - free_first_BN) * before_BN)


def linked(link_BNN: Tensor, precedence_BN: Tensor, write_BN: Tensor) -> Tensor:
    """Note which row was written after which ("Temporal memory linkage").

    L[i, j] is the degree to which row i was written next after row j:
    L_t[i, j] = (1 - w^w_t[i] - w^w_t[j]) L_{t-1}[i, j] + w^w_t[i] p_{t-1}[j], and L_t[i, i] = 0.

    Args:
      link_BNN: the temporal links L before.
      precedence_BN: the precedence p before: where the last write was.
      write_BN: the write weighting w^w of this step.

    Returns:
      link_BNN, whose rows and columns sum to at most one.
    """
    to_BN1, from_B1N = write_BN.unsqueeze(-1), write_BN.unsqueeze(-2)
    link_BNN = (1 - to_BN1 - from_B1N) * link_BNN + to_BN1 * precedence_BN.unsqueeze(-2)
    itself_NN = torch.eye(write_BN.shape[-1], dtype=torch.bool, device=write_BN.device)
    return link_BNN.masked_fill(itself_NN, 0)


class Interface(NamedTuple):
    """What the controller asks of the memory: the interface vector xi in its parts, each in its range.

    Attributes:
      read_key_BRW: read keys k^r.
      read_strength_BR: read strengths beta^r >= 1.
      write_key_B1W: the write key k^w.
      write_strength_B1: the write strength beta^w >= 1.
      erase_B1W: the erase vector e in (0, 1).
      vector_B1W: the write vector v.
      free_gate_BR: free gates f in (0, 1).
      allocation_gate_B1: the allocation gate g^a in (0, 1).
      write_gate_B1: the write gate g^w in (0, 1).
      mode_BRD: read modes pi, a distribution over backward, content and forward.
    """

    read_key_BRW: Tensor
    read_strength_BR: Tensor
    write_key_B1W: Tensor
    write_strength_B1: Tensor
    erase_B1W: Tensor
    vector_B1W: Tensor
    free_gate_BR: Tensor
    allocation_gate_B1: Tensor
    write_gate_B1: Tensor
    mode_BRD: Tensor


class DNCState(NamedTuple):
    """What a differentiable neural computer carries from step to step, and what there is to see of it.

    Attributes:
      controller: the controller's own state.
      memory_BNW: the memory M after this step's write.
      usage_BN: the usage u by which this step allocated; it counts the writes before this step.
      link_BNN: the temporal links L; a trace has none (see `DNC.record`).
      precedence_BN: the precedence p: where the last write was.
      write_BN: the write weighting w^w; it sums to at most one.
      read_weighting_BRN: the read weightings w^r; each sums to at most one.
      read_BRW: the vectors r just read.
      free_gate_BR: the free gates f: 1 frees the row that the head read one step before.
      allocation_gate_B: the allocation gate g^a: 1 writes to unused rows, 0 to those that look like the write key.
      write_gate_B: the write gate g^w: 0 writes nothing.
      mode_BRD: the read modes pi: the shares of backward, content and forward.
    """

    controller: Any
    memory_BNW: Tensor
    usage_BN: Tensor
    link_BNN: Tensor
    precedence_BN: Tensor
    write_BN: Tensor
    read_weighting_BRN: Tensor
    read_BRW: Tensor
    free_gate_BR: Tensor
    allocation_gate_B: Tensor
    write_gate_B: Tensor
    mode_BRD: Tensor


class DNC(Cell):
    """A controller with an external memory whose rows it can allocate, free, and revisit in the order of writing.

    One write head; the write comes before the reads. Everything starts at zero, the memory too. Unlike the paper's, the
    layers to the interface and to the output have biases. No parameter depends on N: a trained machine gets another
    memory by setting `rows`.

    Args:
      input_size: I.
      output_size: O.
      controller: makes the controller from its input size, I + R * W.
      read_heads: R.
      rows: N.
      width: W.

    Raises:
      ValueError: sizes with which no machine can be made.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        controller: Callable[[int], Cell],
        read_heads: int = 1,
        rows: int = 16,
        width: int = 16,
    ) -> None:
        super().__init__()
        require_sizes(
            "a DNC", input_size=input_size, output_size=output_size, read_heads=read_heads, rows=rows, width=width
        )
        self.input_size, self.output_size = input_size, output_size
        self.read_heads, self.rows, self.width = read_heads, rows, width
        self.controller = controller(input_size + read_heads * width)
        c, r, w = self.controller.output_size, read_heads, width
        self.interface_sizes = [r * w, r, w, 1, w, w, r, 1, 1, r * MODES]
        self.to_interface = nn.Linear(c, sum(self.interface_sizes))
        self.output = nn.Linear(c + r * w, output_size)

    def initial_state(self, batch_size: int) -> DNCState:
        b, r, n, w = batch_size, self.read_heads, self.rows, self.width
        zeros = self.to_interface.weight.new_zeros
        return DNCState(
            controller=self.controller.initial_state(batch_size),
            memory_BNW=zeros(b, n, w),
            usage_BN=zeros(b, n),
            link_BNN=zeros(b, n, n),
            precedence_BN=zeros(b, n),
            write_BN=zeros(b, n),
            read_weighting_BRN=zeros(b, r, n),
            read_BRW=zeros(b, r, w),
            free_gate_BR=zeros(b, r),
            allocation_gate_B=zeros(b),
            write_gate_B=zeros(b),
            mode_BRD=zeros(b, r, MODES),
        )

    def step(self, p_BP: Tensor, state: DNCState) -> tuple[Tensor, DNCState]:
        seen = torch.cat([p_BP, state.read_BRW.flatten(1)], dim=-1)
        h_BC, controller = self.controller(seen, state.controller)
        asked = self._interface(self.to_interface(h_BC).to(state.memory_BNW.dtype))  # float32 in mixed precision
        usage_BN = used(state.usage_BN, state.write_BN, state.read_weighting_BRN, asked.free_gate_BR)
        write_BN = self._write_weighting(asked, usage_BN, state.memory_BNW)
        memory_BNW = addressing.write(state.memory_BNW, write_BN.unsqueeze(1), asked.erase_B1W, asked.vector_B1W)
        link_BNN = linked(state.link_BNN, state.precedence_BN, write_BN)
        read_weighting_BRN = self._read_weighting(asked, memory_BNW, link_BNN, state.read_weighting_BRN)
        read_BRW = mix(read_weighting_BRN, memory_BNW)
        emitted = torch.cat([h_BC, read_BRW.flatten(1)], dim=-1)
        return emitted, DNCState(
            controller=controller,
            memory_BNW=memory_BNW,
            usage_BN=usage_BN,
            link_BNN=link_BNN,
            precedence_BN=(1 - write_BN.sum(dim=-1, keepdim=True)) * state.precedence_BN + write_BN,
            write_BN=write_BN,
            read_weighting_BRN=read_weighting_BRN,
            read_BRW=read_BRW,
            free_gate_BR=asked.free_gate_BR,
            allocation_gate_B=asked.allocation_gate_B1.squeeze(-1),
            write_gate_B=asked.write_gate_B1.squeeze(-1),
            mode_BRD=asked.mode_BRD,
        )

    def _interface(self, xi: Tensor) -> Interface:
        parts = xi.split(self.interface_sizes, dim=-1)
        key, strength, write_key, write_strength, erase, vector, free, allocation_gate, write_gate, modes = parts
        return Interface(
            read_key_BRW=key.unflatten(-1, (self.read_heads, self.width)),
            read_strength_BR=oneplus(strength),
            write_key_B1W=write_key.unsqueeze(1),
            write_strength_B1=oneplus(write_strength),
            erase_B1W=erase.sigmoid().unsqueeze(1),
            vector_B1W=vector.unsqueeze(1),
            free_gate_BR=free.sigmoid(),
            allocation_gate_B1=allocation_gate.sigmoid(),
            write_gate_B1=write_gate.sigmoid(),
            mode_BRD=modes.unflatten(-1, (self.read_heads, MODES)).softmax(-1),
        )

    def _write_weighting(self, asked: Interface, usage_BN: Tensor, memory_BNW: Tensor) -> Tensor:
        """w^w_t = g^w (g^a a_t + (1 - g^a) c^w_t), the content being that of the memory before the write -> w_BN."""
        content_BN = addressing.content_weighting(asked.write_key_B1W, asked.write_strength_B1, memory_BNW).squeeze(1)
        return asked.write_gate_B1 * torch.lerp(content_BN, allocation(usage_BN), asked.allocation_gate_B1)

    def _read_weighting(self, asked: Interface, memory_BNW: Tensor, link_BNN: Tensor, before_BRN: Tensor) -> Tensor:
        """w^{r,i}_t = pi[1] b + pi[2] c + pi[3] f: b = L_t^T w^{r,i}_{t-1}, f = L_t w^{r,i}_{t-1} -> w_BRN."""
        backward_BR1, content_BR1, forward_BR1 = asked.mode_BRD.split(1, dim=-1)
        content_BRN = addressing.content_weighting(asked.read_key_BRW, asked.read_strength_BR, memory_BNW)
        behind_BRN, ahead_BRN = before_BRN @ link_BNN, before_BRN @ link_BNN.transpose(1, 2)
        return backward_BR1 * behind_BRN + content_BR1 * content_BRN + forward_BR1 * ahead_BRN

    @affine
    def read_out(self, h: Tensor) -> Tensor:
        """y_t = W_y h_t + W_r [r^1_t; ...; r^R_t], as one product."""
        return self.output(h)

    def record(self, state: DNCState) -> DNCState:
        """All but the links, (B, 0, 0) in a trace: N * N numbers a step, where all else is linear in N."""
        # A new tensor and not a slice, which would keep every step's links alive.
        return state._replace(link_BNN=state.link_BNN.new_empty(len(state.link_BNN), 0, 0))
