"""Luong's decoder against torch's own GRU cell, with and without input feeding."""

import pytest
import torch
from torch import nn

from augrnn.attention.attention import Annotations
from augrnn.attention.multiplicative import GeneralAttention
from augrnn.cells.unroll import unroll
from augrnn.decoders.luong import LuongDecoder

VOCABULARY, EMBEDDING, HIDDEN, ANNOTATION, START, SIZE = 9, 3, 4, 5, 2, 6
WORDS_MB = torch.tensor([[1, 1], [5, 3], [8, 2], [4, 4]])


@torch.no_grad()
@pytest.mark.parametrize("input_feeding", [True, False])
def test_steps_are_the_papers_equations(input_feeding: bool) -> None:
    torch.manual_seed(0)
    attention = GeneralAttention(HIDDEN, ANNOTATION)
    ours = LuongDecoder(VOCABULARY, EMBEDDING, HIDDEN, START, attention, SIZE, input_feeding).double()
    mask_BL = torch.tensor([[True, True, True], [True, True, False]])
    values_BLD, start_BS = torch.randn(2, 3, ANNOTATION).double(), torch.randn(2, START).double()
    source = Annotations(values_BLD, mask_BL, start_BS, start_BS)
    cell = nn.GRUCell(EMBEDDING + SIZE * input_feeding, HIDDEN).double()
    cell.load_state_dict(
        {
            f"{kind}_{place}": getattr(layer, kind)
            for place, layer in (("ih", ours.rnn.from_input), ("hh", ours.rnn.from_hidden))
            for kind in ("weight", "bias")
        }
    )
    whole = unroll(ours, ours.embed(WORDS_MB), ours.start(source), keep=True)
    hidden_BH = torch.tanh(source.start_BS @ ours.start_layer.weight.T + ours.start_layer.bias)
    fed_BJ = torch.zeros(2, SIZE).double()
    for step, words_B in enumerate(WORDS_MB):
        y_BE = ours.embedding.weight[words_B]
        hidden_BH = cell(torch.cat([y_BE, fed_BJ], 1) if input_feeding else y_BE, hidden_BH)
        for row, length in enumerate((3, 2)):
            h_LD = source.values_BLD[row, :length]
            scores = [float(hidden_BH[row] @ attention.key.weight @ h_D) for h_D in h_LD]
            weights_L = torch.tensor(scores).double().softmax(0)
            context_D = sum(weight * h_D for weight, h_D in zip(weights_L, h_LD, strict=True))
            fed_BJ[row] = torch.tanh(ours.attentional_layer.weight @ torch.cat([context_D, hidden_BH[row]]))
            torch.testing.assert_close(whole.trace.alignment_BL[step, row, :length], weights_L)
            torch.testing.assert_close(whole.y_TBO[step, row], fed_BJ[row])
