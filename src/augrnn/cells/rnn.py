"""The plain recurrent layer of tanh units."""

# ... = any leading dimensions, B = batch, I = input, H = hidden, O = output

from typing import NamedTuple

from torch import Tensor, nn

from augrnn.cells import recurrent_sequence
from augrnn.cells.cell import Cell, affine, require_sizes
from augrnn.cells.whole_sequences import possible


class RNNState(NamedTuple):
    """Attributes: hidden_BH, the output of the layer."""

    hidden_BH: Tensor


class RNN(Cell):
    """One layer of tanh units in torch.nn.RNN's form (two biases; the state starts at zero).

    h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).

    Each matrix starts with a variance of one over its own inputs, and each bias at zero. torch.nn.RNN divides by the
    hidden size in both, so that few inputs hardly move many units: on parity with 8 elements and 128 units that takes
    several times as many updates.

    Args:
      input_size: I.
      hidden_size: H.
      output_size: size of an affine layer after the hidden vector; without it the hidden vector is the output.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int | None = None) -> None:
        super().__init__()
        size = hidden_size if output_size is None else output_size
        require_sizes("an RNN", input_size=input_size, hidden_size=hidden_size, output_size=size)
        self.input_size, self.hidden_size, self.output_size = input_size, hidden_size, size
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_hidden = nn.Linear(hidden_size, hidden_size)
        for linear in (self.from_input, self.from_hidden):
            nn.init.normal_(linear.weight, std=linear.in_features**-0.5)
            nn.init.zeros_(linear.bias)
        self.output = nn.Linear(hidden_size, output_size) if output_size else nn.Identity()

    def initial_state(self, batch_size: int) -> RNNState:
        return RNNState(self.from_hidden.weight.new_zeros(batch_size, self.hidden_size))

    @affine
    def project(self, x: Tensor) -> Tensor:
        return self.from_input(x)

    def step(self, p_BP: Tensor, state: RNNState) -> tuple[Tensor, RNNState]:
        hidden_BH = (p_BP + self.from_hidden(state.hidden_BH)).tanh()
        return hidden_BH, RNNState(hidden_BH)

    def recorded_sequence(self, p_TBP: Tensor, state: RNNState) -> tuple[Tensor, RNNState, RNNState] | None:
        if not (recurrent_sequence.available() and possible(self, RNN.step, [self.from_hidden], (p_TBP, state))):
            return None
        layer = [*self.from_hidden.parameters()]
        if not recurrent_sequence.fits(p_TBP, layer, *state):
            return None
        hidden_TBH, _ = recurrent_sequence.layer_sequence(p_TBP, layer, *state, None)
        return hidden_TBH, RNNState(hidden_TBH[-1]), RNNState(hidden_TBH)

    @affine
    def read_out(self, h: Tensor) -> Tensor:
        return self.output(h)
