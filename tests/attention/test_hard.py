"""Hard attention: what is drawn, how often, and what is not."""

import pytest
import torch

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations, Look
from augrnn.attention.fixed_context import FixedContext
from augrnn.attention.hard import HardAttention

H, D, L = 4, 3, 5


def annotations(batch: int) -> Annotations:
    values_BLD = torch.randn(1, L, D, generator=torch.Generator().manual_seed(0)).expand(batch, -1, -1)
    mask_BL = torch.tensor([[True] * 4 + [False]]).expand(batch, -1)
    return Annotations(values_BLD, mask_BL, values_BLD.mean(1), values_BLD.mean(1))


def make(**options: object) -> HardAttention:
    torch.manual_seed(1)
    soft = AdditiveAttention(H, D, 6)
    soft.energy.weight.data *= 4
    return HardAttention(soft, **options)  # type: ignore[arg-type]


def looked(ours: HardAttention, batch: int) -> Look:
    query_BH = torch.ones(batch, H)
    return ours.look(query_BH, ours.prepare(annotations(batch)))


@torch.no_grad()
def test_places_are_drawn_as_often_as_they_are_weighed_and_never_where_there_is_none() -> None:
    found = looked(make(coin=1.0).train(), 20_000)
    chances_L, shares_L = found.chances_BL[0], found.alignment_BL.mean(0)
    assert set(found.alignment_BL.unique().tolist()) == {0.0, 1.0}
    assert 0.2 < chances_L.max() < 0.9
    torch.testing.assert_close(shares_L, chances_L, atol=0.015, rtol=0)
    assert shares_L[4] == 0
    place_B = found.alignment_BL.argmax(1)
    assert torch.equal(found.context_BD, annotations(20_000).values_BLD[torch.arange(20_000), place_B])


@torch.no_grad()
def test_one_coin_a_batch_decides_for_all_its_sentences_and_steps() -> None:
    ours, hard = make(coin=0.25).train(), 0
    for _ in range(400):
        attended = ours.prepare(annotations(3))
        looks = [ours.look(torch.ones(3, H), attended) for _ in range(2)]
        is_hard = {bool((look.alignment_BL.amax(1) == 1).all()) for look in looks}
        is_soft = {bool((look.alignment_BL == look.chances_BL).all()) for look in looks}
        assert len(is_hard) == 1
        assert is_hard != is_soft
        hard += is_hard == {True}
    assert 60 < hard < 140


@torch.no_grad()
def test_three_ways_of_decoding() -> None:
    ours = make().eval()
    expected = looked(ours, 50)
    context_BD, alignment_BL = ours.attention(torch.ones(50, H), ours.attention.prepare(annotations(50)))
    torch.testing.assert_close(expected.context_BD, context_BD)
    assert torch.equal(expected.alignment_BL, alignment_BL)
    with ours.decoded_by("argmax"):
        likeliest = looked(ours, 50)
    assert (likeliest.alignment_BL.argmax(1) == alignment_BL.argmax(1)).all()
    assert (likeliest.alignment_BL.sum(1) == 1).all()
    with ours.decoded_by("sample"):
        drawn = looked(ours, 50)
    assert len(drawn.alignment_BL.argmax(1).unique()) > 1
    assert ours.decoding == "expectation"


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1, not 2"):
        make(coin=2)
    with pytest.raises(ValueError, match="expectation, argmax, sample, not beam"):
        make(decoding="beam")
    with pytest.raises(ValueError, match="a fixed context has none"):
        HardAttention(FixedContext(H, D, D))
