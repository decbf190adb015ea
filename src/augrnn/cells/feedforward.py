"""A controller without memory of its own."""

# B = batch, I = input, C = controller output, P = projected input

from torch import Tensor, nn

from augrnn.cells.cell import Cell, require_sizes


class Feedforward(Cell):
    """A controller without memory of its own: one hidden layer of tanh units.

    Args:
      input_size: I.
      hidden_size: C.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        require_sizes("a feedforward controller", input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.output_size = input_size, hidden_size
        self.hidden = nn.Linear(input_size, hidden_size)

    def initial_state(self, batch_size: int) -> tuple[()]:
        return ()

    def step(self, p_BP: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        return self.hidden(p_BP).tanh(), state
