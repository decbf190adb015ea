"""A gated recurrent network that reads a sequence in both directions at once."""

# ... = any leading dimensions, T = time steps, B = batch, E = word embedding, H = state of one direction

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from augrnn.cells.cell import Cell, require_sizes
from augrnn.cells.gru import gru_update, normalisation
from augrnn.cells.whole_sequences import GRUSteps, possible, weights_of, whole
from augrnn.linear import Linear


class BidirectionalState(NamedTuple):
    """Attributes: forward_BH and backward_BH, the states of the two directions."""

    forward_BH: Tensor
    backward_BH: Tensor


HOLD = 1e4
"""Added to an update gate's pre-activation, it makes the gate exactly 1 in every floating point format."""


class BidirectionalGRU(Cell):
    """torch.nn.GRU's two directions in one step: one reads a position from the front, the other one from the back.

    The input holds for each direction a word's embedding and a 1 where the position is padding, which the state passes
    over unchanged. The outputs are both states.

    Args:
      embedding_size: E.
      hidden_size: H.
      layer_norm: normalise the products of the inputs and of the states.
    """

    dynamic_shapes = True

    def __init__(self, embedding_size: int, hidden_size: int, layer_norm: bool = False) -> None:
        super().__init__()
        require_sizes("a bidirectional GRU", embedding_size=embedding_size, hidden_size=hidden_size)
        self.input_size, self.output_size = 2 * (embedding_size + 1), 2 * hidden_size
        self.hidden_size = hidden_size
        self.forward_input = Linear(embedding_size, 3 * hidden_size)
        self.forward_hidden = Linear(hidden_size, 3 * hidden_size)
        self.backward_input = Linear(embedding_size, 3 * hidden_size)
        self.backward_hidden = Linear(hidden_size, 3 * hidden_size)
        for layer in (self.forward_hidden, self.backward_hidden):
            for gate_HH in layer.weight.data.chunk(3):
                nn.init.orthogonal_(gate_HH)
        self.forward_norms, self.backward_norms = (
            nn.ModuleList(normalisation(3 * hidden_size, layer_norm) for _ in ("input", "state")) for _ in range(2)
        )

    def initial_state(self, batch_size: int) -> BidirectionalState:
        zeros_BH = self.forward_hidden.weight.new_zeros(batch_size, self.hidden_size)
        return BidirectionalState(zeros_BH, zeros_BH)

    def project(self, x: Tensor) -> Tensor:
        forward, backward = x.chunk(2, dim=-1)
        ways = (
            self._gates(self.forward_input, self.forward_norms[0], forward),
            self._gates(self.backward_input, self.backward_norms[0], backward),
        )
        return torch.cat(ways, dim=-1)

    def _gates(self, layer: Linear, norm: nn.Module, x: Tensor) -> Tensor:
        embedded, padding = x[..., :-1], x[..., -1:].detach()
        hold_3H = torch.zeros_like(layer.bias, requires_grad=False)
        hold_3H[self.hidden_size : 2 * self.hidden_size] = HOLD
        return torch.addcmul(norm(layer(embedded)), padding, hold_3H.to(padding.dtype))

    def step(self, p_BP: Tensor, state: BidirectionalState) -> tuple[Tensor, BidirectionalState]:
        forward_B3H, backward_B3H = p_BP.chunk(2, dim=-1)
        forward_h = self.forward_norms[1](self.forward_hidden(state.forward_BH))
        backward_h = self.backward_norms[1](self.backward_hidden(state.backward_BH))
        forward_BH = gru_update(forward_B3H, forward_h, state.forward_BH)
        backward_BH = gru_update(backward_B3H, backward_h, state.backward_BH)
        return torch.cat([forward_BH, backward_BH], dim=-1), BidirectionalState(forward_BH, backward_BH)

    def sequence(self, p_TBP: Tensor, state: BidirectionalState) -> tuple[Tensor, BidirectionalState] | None:
        ways = (self.forward_hidden, self.forward_norms[1]), (self.backward_hidden, self.backward_norms[1])
        layers = [layer for way in ways for layer in way]
        if not possible(self, BidirectionalGRU.step, layers, (p_TBP, state)):
            return None
        epsilon = getattr(self.forward_norms[1], "eps", 0.0)
        weights = [weight for way in ways for weight in weights_of(*way)]
        (states_TBD,) = whole(_BothWays(self.hidden_size, epsilon), p_TBP, *state, *weights)
        return states_TBD, BidirectionalState(*states_TBD[-1].chunk(2, dim=-1))


class _BothWays:
    """The states (T, B, 2 H) of both directions, from projected inputs, first states, and the weights of either."""

    def __init__(self, hidden_size: int, epsilon: float) -> None:
        self.hidden_size, self.epsilon = hidden_size, epsilon

    def forward(self, p_TBP: Tensor, *given: Tensor) -> tuple[Tensor]:
        steps, rows, _ = p_TBP.shape
        weights = given[2:]
        half = len(weights) // 2
        self.ways = [
            GRUSteps(steps, rows, self.hidden_size, self.epsilon, *way) for way in (weights[:half], weights[half:])
        ]
        states_TBD = p_TBP.new_empty(steps, rows, 2 * self.hidden_size)
        parts = zip(self.ways, given, p_TBP.chunk(2, -1), states_TBD.chunk(2, -1), strict=False)
        for way, first_BH, p_TB3H, states_TBH in parts:
            state_BH = first_BH.contiguous()
            for t, (p_B3H, out_BH) in enumerate(zip(p_TB3H.unbind(), states_TBH.unbind(), strict=True)):
                way.forward(t, p_B3H, state_BH, out_BH)
                state_BH = out_BH
        return (states_TBD,)

    def backward(
        self, given: Sequence[Tensor], made: Sequence[Tensor], gradients: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, ...]:
        p_TBP, *firsts = given[:3]
        g_p_TBP, g_firsts, g_weights = torch.empty_like(p_TBP, memory_format=torch.contiguous_format), [], []
        assert gradients[0] is not None
        sides = (g_p_TBP.chunk(2, -1), gradients[0].chunk(2, -1), made[0].chunk(2, -1))
        for way, first_BH, g_p_TB3H, g_TBH, states_TBH in zip(self.ways, firsts, *sides, strict=True):
            before_TBH = torch.cat([first_BH.unsqueeze(0), states_TBH[:-1]])
            way.layer.begin_backward()
            g_BH, g_before_BH = torch.zeros_like(before_TBH[0]), torch.empty_like(before_TBH[0])
            for t in reversed(range(len(p_TBP))):
                way.backward(t, g_BH.add_(g_TBH[t]), before_TBH[t], g_p_TB3H[t], g_before_BH)
                g_BH, g_before_BH = g_before_BH, g_BH
            g_firsts.append(g_BH)
            g_weights += way.layer.gradients(before_TBH)
        return g_p_TBP, *g_firsts, *g_weights
