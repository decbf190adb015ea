"""Long short-term memory: torch's parametrisation, a plain stack of it, and the stack of Graves (2013)."""

# B = batch, I = input, H = hidden, G = 4 * H gate pre-activations (input, forget, candidate, output), L = layers,
# O = output

from typing import NamedTuple

import torch
from torch import Tensor, nn

from augrnn.cells import recurrent_sequence
from augrnn.cells.cell import Cell, affine, require_sizes
from augrnn.cells.whole_sequences import possible


class LSTMState(NamedTuple):
    """Attributes: hidden_BH, the output of the layer; cell_BH, its memory cells."""

    hidden_BH: Tensor
    cell_BH: Tensor


def lstm_update(gates_BG: Tensor, cell_BH: Tensor) -> LSTMState:
    """The LSTM's state from its gates' pre-activations (B, 4 * H) and its previous memory cells (B, H)."""
    entrance_BH, forget_BH, candidate_BH, exit_BH = gates_BG.chunk(4, dim=-1)
    cell_BH = forget_BH.sigmoid() * cell_BH + entrance_BH.sigmoid() * candidate_BH.tanh()
    return LSTMState(exit_BH.sigmoid() * cell_BH.tanh(), cell_BH)


class LSTM(Cell):
    """One LSTM layer in torch's parametrisation (two biases a gate; the state starts at zero).

    Args:
      input_size: I.
      hidden_size: H.
      output_size: size of an affine layer after the hidden vector; without it the hidden vector is the output.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int | None = None) -> None:
        super().__init__()
        size = hidden_size if output_size is None else output_size
        require_sizes("an LSTM", input_size=input_size, hidden_size=hidden_size, output_size=size)
        self.input_size, self.hidden_size, self.output_size = input_size, hidden_size, size
        self.from_input = nn.Linear(input_size, 4 * hidden_size)
        self.from_hidden = nn.Linear(hidden_size, 4 * hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)
        self.output = nn.Linear(hidden_size, output_size) if output_size else nn.Identity()

    def initial_state(self, batch_size: int) -> LSTMState:
        zeros_BH = self.from_hidden.weight.new_zeros(batch_size, self.hidden_size)
        return LSTMState(zeros_BH, zeros_BH)

    @affine
    def project(self, x: Tensor) -> Tensor:
        return self.from_input(x)

    def step(self, p_BP: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState]:
        state = lstm_update(p_BP + self.from_hidden(state.hidden_BH), state.cell_BH)
        return state.hidden_BH, state

    def recorded_sequence(self, p_TBP: Tensor, state: LSTMState) -> tuple[Tensor, LSTMState, LSTMState] | None:
        if not (recurrent_sequence.available() and possible(self, LSTM.step, [self.from_hidden], (p_TBP, state))):
            return None
        layer = [*self.from_hidden.parameters()]
        if not recurrent_sequence.fits(p_TBP, layer, *state):
            return None
        states = LSTMState(*recurrent_sequence.layer_sequence(p_TBP, layer, *state))
        return states.hidden_BH, LSTMState(states.hidden_BH[-1], states.cell_BH[-1]), states

    @affine
    def read_out(self, h: Tensor) -> Tensor:
        return self.output(h)


class StackedLSTM(Cell):
    """LSTM layers on top of each other, each fed by the one below; the top one's hidden vector is the output.

    Args:
      input_size: I.
      hidden_size: H, the same in every layer.
      layers: L.
    """

    def __init__(self, input_size: int, hidden_size: int, layers: int) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"a stack of LSTMs needs at least 1 layer, not {layers}")
        self.input_size, self.output_size = input_size, hidden_size
        sizes = [input_size] + [hidden_size] * (layers - 1)
        self.layers = nn.ModuleList(LSTM(size, hidden_size) for size in sizes)

    def initial_state(self, batch_size: int) -> tuple[LSTMState, ...]:
        return tuple(layer.initial_state(batch_size) for layer in self.layers)  # type: ignore[operator]

    def step(self, p_BP: Tensor, state: tuple[LSTMState, ...]) -> tuple[Tensor, tuple[LSTMState, ...]]:
        states: list[LSTMState] = []
        for layer, previous in zip(self.layers, state, strict=True):
            p_BP, after = layer(p_BP, previous)
            states.append(after)
        return p_BP, tuple(states)


class GravesLSTM(Cell):
    """The deep LSTM of Graves (2013, arXiv 1308.0850), the baseline of the Neural Turing Machine paper.

    The input goes to every layer and every layer to the output; a gate has one bias and no peepholes; the state
    before the first step is learned. That is what the parameter counts of Graves, Wayne and Danihelka (2014, table 3)
    imply: sum over layers of 4H(in + H) + 4H + 2H, and O(LH + 1) for the output.

    Args:
      input_size: I.
      output_size: O.
      hidden_size: H, the same in every layer.
      layers: L.
    """

    def __init__(self, input_size: int, output_size: int, hidden_size: int, layers: int = 3) -> None:
        super().__init__()
        require_sizes("an LSTM", input_size=input_size, output_size=output_size, hidden_size=hidden_size, layers=layers)
        self.input_size, self.output_size, self.hidden_size, self.layers = input_size, output_size, hidden_size, layers
        self.from_input = nn.Linear(input_size, layers * 4 * hidden_size)
        below = [0] + [hidden_size] * (layers - 1)
        self.recurrent = nn.ModuleList(nn.Linear(b + hidden_size, 4 * hidden_size, bias=False) for b in below)
        self.output = nn.Linear(layers * hidden_size, output_size)
        self.first = nn.Parameter(torch.zeros(layers, 2, hidden_size))
        for layer, recurrent in enumerate(self.recurrent):
            bound = (input_size + below[layer] + hidden_size) ** -0.5
            rows = slice(layer * 4 * hidden_size, (layer + 1) * 4 * hidden_size)
            for weight in (*recurrent.parameters(), self.from_input.weight[rows]):
                nn.init.uniform_(weight, -bound, bound)
        nn.init.zeros_(self.from_input.bias)

    def initial_state(self, batch_size: int) -> tuple[LSTMState, ...]:
        return tuple(
            LSTMState(*(vector_H.expand(batch_size, -1) for vector_H in layer_2H)) for layer_2H in self.first.unbind(0)
        )

    @affine
    def project(self, x: Tensor) -> Tensor:
        return self.from_input(x)

    def step(self, p_BP: Tensor, state: tuple[LSTMState, ...]) -> tuple[Tensor, tuple[LSTMState, ...]]:
        layers: list[LSTMState] = []
        for gates_BG, recurrent, previous in zip(p_BP.chunk(self.layers, -1), self.recurrent, state, strict=True):
            below = [layers[-1].hidden_BH] if layers else []
            seen = torch.cat([*below, previous.hidden_BH], dim=-1)
            layers.append(lstm_update(gates_BG + recurrent(seen), previous.cell_BH))
        return torch.cat([layer.hidden_BH for layer in layers], dim=-1), tuple(layers)

    @affine
    def read_out(self, h: Tensor) -> Tensor:
        return self.output(h)
