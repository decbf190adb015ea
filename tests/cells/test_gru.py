import math

import pytest
import torch
from torch import Tensor, nn

from augrnn.cells.gru import GRU, GRUState
from augrnn.cells.unroll import unroll

INPUT, HIDDEN = 3, 4


def layer(layer_norm: bool = False) -> GRU:
    torch.manual_seed(0)
    made = GRU(INPUT, HIDDEN, layer_norm).double()
    for parameter in made.parameters():  # gains and shifts too, which start at one and zero
        nn.init.normal_(parameter)
    return made


def test_a_step_is_that_of_torchs_cell() -> None:
    ours, torchs = layer(), nn.GRUCell(INPUT, HIDDEN).double()
    names = {"weight_ih": "from_input.weight", "weight_hh": "from_hidden.weight"}
    names |= {"bias_ih": "from_input.bias", "bias_hh": "from_hidden.bias"}
    torchs.load_state_dict({theirs: ours.state_dict()[mine] for theirs, mine in names.items()})
    x_BI, state_BH = torch.randn(5, INPUT).double(), torch.randn(5, HIDDEN).double()
    y_BH, state = ours(x_BI, GRUState(state_BH))
    torch.testing.assert_close(y_BH, torchs(x_BI, state_BH))
    torch.testing.assert_close(state.hidden_BH, y_BH)


def normalised(numbers: list[float], norm: nn.Module) -> list[float]:
    mean = sum(numbers) / len(numbers)
    deviation = math.sqrt(sum((x - mean) ** 2 for x in numbers) / len(numbers) + 1e-5)
    gains, shifts = norm.weight.tolist(), norm.bias.tolist()
    return [gain * (x - mean) / deviation + shift for x, gain, shift in zip(numbers, gains, shifts, strict=True)]


def test_layer_normalisation_is_of_each_product_by_itself() -> None:
    ours, x_I, h_H = layer(layer_norm=True), torch.randn(INPUT).double(), torch.randn(HIDDEN).double()
    read = normalised(ours.from_input(x_I).tolist(), ours.input_norm)
    kept = normalised(ours.from_hidden(h_H).tolist(), ours.hidden_norm)
    expected = []
    for k in range(HIDDEN):
        reset = 1 / (1 + math.exp(-read[k] - kept[k]))
        update = 1 / (1 + math.exp(-read[HIDDEN + k] - kept[HIDDEN + k]))
        new = math.tanh(read[2 * HIDDEN + k] + reset * kept[2 * HIDDEN + k])
        expected.append((1 - update) * new + update * h_H[k].item())
    found_BH, _ = ours(x_I.unsqueeze(0), GRUState(h_H.unsqueeze(0)))
    torch.testing.assert_close(found_BH[0], torch.tensor(expected).double())


@pytest.mark.parametrize("layer_norm", [False, True])
def test_gradients_and_rows_by_themselves(layer_norm: bool) -> None:
    ours = layer(layer_norm)
    x_BI, state_BH = torch.randn(2, INPUT).double(), torch.randn(2, HIDDEN).double()

    def step(x_BI: Tensor, state_BH: Tensor) -> Tensor:
        return ours(x_BI, GRUState(state_BH))[0]

    assert torch.autograd.gradcheck(step, [x.requires_grad_() for x in (x_BI, state_BH)])
    torch.testing.assert_close(step(x_BI[1:], state_BH[1:]), step(x_BI, state_BH)[1:])


def test_a_sequence_is_that_of_torchs_layer() -> None:
    ours, torchs = layer(), nn.GRU(INPUT, HIDDEN).double()
    torchs.load_state_dict(
        {
            f"{kind}_{theirs}_l0": getattr(mine, kind)
            for theirs, mine in (("ih", ours.from_input), ("hh", ours.from_hidden))
            for kind in ("weight", "bias")
        }
    )
    x_TBI = torch.randn(6, 2, INPUT).double()
    torch.testing.assert_close(unroll(ours, x_TBI).y_TBO, torchs(x_TBI)[0])
