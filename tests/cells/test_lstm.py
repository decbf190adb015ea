import pytest
import torch
from torch import nn
from torch.testing import assert_close

from augrnn.cells.lstm import LSTM, GravesLSTM, StackedLSTM
from augrnn.cells.unroll import unroll


@pytest.mark.parametrize(
    ("inputs", "outputs", "hidden", "layers", "published"),
    [
        (10, 9, 256, 3, 1_352_969),
        (8, 7, 512, 3, 5_312_007),
        (8, 6, 256, 3, 1_344_518),
        (1, 1, 128, 3, 331_905),
        (10, 8, 128, 3, 348_424),  # printed as 384,424
    ],
)
def test_graves_stack_has_the_published_parameter_counts(
    inputs: int, outputs: int, hidden: int, layers: int, published: int
) -> None:
    cell = GravesLSTM(inputs, outputs, hidden, layers)
    h = hidden
    formula = sum(4 * h * (i + h) + 4 * h + 2 * h for i in [inputs] + [inputs + h] * (layers - 1)) + outputs * (
        3 * h + 1
    )
    assert sum(parameter.numel() for parameter in cell.parameters()) == formula
    assert formula == published


def test_graves_stack_is_the_naive_one() -> None:
    torch.manual_seed(0)
    cell = GravesLSTM(3, 2, 4, layers=2)
    nn.init.normal_(cell.first)
    x_TBI = torch.randn(5, 2, 3)
    hidden = [cell.first[layer, 0].expand(2, -1) for layer in range(2)]
    memory = [cell.first[layer, 1].expand(2, -1) for layer in range(2)]
    outputs = []
    for x in x_TBI:
        below = None
        for layer in range(2):
            rows = slice(layer * 16, layer * 16 + 16)
            seen = hidden[layer] if below is None else torch.cat([below, hidden[layer]], -1)
            gates = (
                x @ cell.from_input.weight[rows].T + cell.from_input.bias[rows] + seen @ cell.recurrent[layer].weight.T
            )
            i, f, g, o = gates[:, :4], gates[:, 4:8], gates[:, 8:12], gates[:, 12:]
            memory[layer] = torch.sigmoid(f) * memory[layer] + torch.sigmoid(i) * torch.tanh(g)
            hidden[layer] = below = torch.sigmoid(o) * torch.tanh(memory[layer])
        outputs.append(torch.cat(hidden, -1) @ cell.output.weight.T + cell.output.bias)
    assert_close(unroll(cell, x_TBI).y_TBO, torch.stack(outputs))


def test_lstm_is_torchs() -> None:
    torch.manual_seed(0)
    reference = nn.LSTM(3, 5)
    cell = LSTM(3, 5)
    cell.from_input.weight, cell.from_input.bias = reference.weight_ih_l0, reference.bias_ih_l0
    cell.from_hidden.weight, cell.from_hidden.bias = reference.weight_hh_l0, reference.bias_hh_l0
    x_TBI = torch.randn(7, 2, 3)
    unrolled = unroll(cell, x_TBI)
    expected, (hidden, memory) = reference(x_TBI)
    assert_close(unrolled.y_TBO, expected)
    assert_close(unrolled.state.hidden_BH, hidden[0])
    assert_close(unrolled.state.cell_BH, memory[0])


def test_a_stack_gives_torchs_numbers() -> None:
    torch.manual_seed(0)
    cell, torchs = StackedLSTM(3, 5, layers=2), nn.LSTM(3, 5, num_layers=2)
    for number, layer in enumerate(cell.layers):
        for ours, name in ((layer.from_input, "ih"), (layer.from_hidden, "hh")):
            ours.weight.data.copy_(getattr(torchs, f"weight_{name}_l{number}"))
            ours.bias.data.copy_(getattr(torchs, f"bias_{name}_l{number}"))
    x_TBI = torch.randn(6, 2, 3)
    y_TBO, state, _ = unroll(cell, x_TBI)
    expected_TBO, (hidden_LBH, memory_LBH) = torchs(x_TBI)
    assert_close(y_TBO, expected_TBO)
    assert_close(torch.stack([layer.hidden_BH for layer in state]), hidden_LBH)
    assert_close(torch.stack([layer.cell_BH for layer in state]), memory_LBH)


def test_a_stack_without_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 layer, not 0"):
        StackedLSTM(3, 5, layers=0)
