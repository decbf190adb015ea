import pytest
import torch

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Attention
from augrnn.attention.fixed_context import FixedContext
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.encoders.word_encoder import BidirectionalEncoder
from augrnn.exhibits.alignments import Alignments
from augrnn.measures.measure import measured
from augrnn.measures.reversal.measure import backwards
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.reversal import Reversal


def test_backwards_is_one_for_a_mirrored_alignment_and_low_for_a_straight_one() -> None:
    straight = torch.eye(5)[None]
    mirrored = torch.cat([torch.eye(4).flip(0), torch.zeros(4, 1)], 1)
    mirrored = torch.cat([mirrored, torch.tensor([[0.0, 0, 0, 0, 1]])])[None]
    assert backwards(mirrored) == 1.0
    assert backwards(straight) == 0.0


@pytest.mark.parametrize("attention", [AdditiveAttention(6, 12, 5), FixedContext(6, 12, 6)])
def test_measures_of_an_untrained_model(attention: Attention) -> None:
    torch.manual_seed(0)
    system = EncoderDecoder(BidirectionalEncoder(8, 5, 6), AttentiveDecoder(8, 5, 6, 6, attention))
    task = Reversal(symbols=4, max_length=3, test_lengths=(2, 3), test_sequences=50)
    numbers, exhibits = measured(system, task)
    assert set(numbers["exact"]) == set(numbers["symbols_right"]) == {"2", "3"}
    attends = isinstance(attention, AdditiveAttention)
    assert ("backwards" in numbers) == ("alignment" in exhibits) == attends
    if attends:
        shown = exhibits["alignment"]
        assert isinstance(shown, Alignments)
        assert shown.weights[0].shape == (4, 4)
        assert shown.sources == (("x1", "x2", "x3", "EOS"),)
        assert shown.targets == (("x3", "x2", "x1", "EOS"),)
