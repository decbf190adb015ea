"""The plain recurrent layer of tanh units."""

# ... = any leading dimensions, B = batch, I = input, H = hidden, O = output

from typing import NamedTuple

from torch import Tensor, nn

from augrnn.cells.cell import Cell, affine, require_sizes


class RNNState(NamedTuple):
    """Attributes: hidden_BH, the output of the layer."""

    hidden_BH: Tensor


class RNN(Cell):
    """One layer of tanh units in torch.nn.RNN's form (two biases; the state starts at zero).

    h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).

    Args:
      input_size: I.
      hidden_size: H.
      output_size: size of an affine layer after the hidden vector; without it the hidden vector is the output.
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int | None = None) -> None:
        super().__init__()
        require_sizes("an RNN", input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.output_size = input_size, hidden_size, output_size or hidden_size
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_hidden = nn.Linear(hidden_size, hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)
        self.output = nn.Linear(hidden_size, output_size) if output_size else nn.Identity()

    def initial_state(self, batch_size: int) -> RNNState:
        return RNNState(self.from_hidden.weight.new_zeros(batch_size, self.hidden_size))

    @affine
    def project(self, x: Tensor) -> Tensor:
        return self.from_input(x)

    def step(self, p_BP: Tensor, state: RNNState) -> tuple[Tensor, RNNState]:
        hidden_BH = (p_BP + self.from_hidden(state.hidden_BH)).tanh()
        return hidden_BH, RNNState(hidden_BH)

    @affine
    def read_out(self, h: Tensor) -> Tensor:
        return self.output(h)
