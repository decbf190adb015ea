from typing import Any

import pytest
import torch
from torch import Tensor

from augrnn.search.model import Hypothesis
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.ensemble import EncoderDecoderEnsemble
from augrnn.text.token_batches import BOS, EOS, PAD, PairBatch
from tests.systems.test_encoder_decoder import ragged, row, system


def other(seed: int, **options: Any) -> EncoderDecoder:
    """A system of the same kind with weights of its own."""
    made = system(**options)
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return made.eval()


def next_word(member: EncoderDecoder, batch: PairBatch, prefix: list[int]) -> Tensor:
    """The probabilities (V,) of the word after a prefix, by giving the whole of it anew."""
    given = torch.tensor([[*prefix, EOS]])
    scores_V = member.answer(batch._replace(target_BM=given, target_mask_BM=given != PAD)).y_TBO[-1, 0]
    return scores_V.index_fill(0, torch.tensor([PAD, BOS]), -torch.inf).softmax(0)


def same(ours: Hypothesis, theirs: Hypothesis) -> bool:
    close = torch.allclose(ours.alignment, theirs.alignment, atol=1e-6)
    return ours.tokens == theirs.tokens and ours.score == pytest.approx(theirs.score, abs=1e-5) and close


@torch.inference_mode()
def test_the_next_word_has_the_mean_of_the_members_probabilities() -> None:
    members = [other(seed) for seed in (1, 2, 3)]
    found = EncoderDecoderEnsemble(members).decode(ragged())
    for i, hypothesis in enumerate(found):
        batch, prefix, total = row(ragged(), i), list[int](), 0.0
        limit = 2 * int(batch.source.mask_BL.sum()) + 10
        while EOS not in prefix and len(prefix) < limit:
            p_V = sum(next_word(member, batch, prefix) for member in members) / len(members)
            assert isinstance(p_V, Tensor)
            total += float(p_V.max().log())
            prefix.append(int(p_V.argmax()))
        assert hypothesis.tokens == [word for word in prefix if word != EOS]
        assert hypothesis.log_probability == pytest.approx(total, abs=1e-4)


@torch.inference_mode()
def test_a_beam_finds_what_a_beam_of_one_model_does_where_all_are_the_same() -> None:
    member = other(1, beam_size=4, best=2)
    ours = EncoderDecoderEnsemble([member] * 3).predict_step(ragged(), 0)
    theirs = member.predict_step(ragged(), 0)
    assert list(ours) == list(theirs) == [3, 0, 9]
    assert all(same(*pair) for number in ours for pair in zip(ours[number], theirs[number], strict=True))
    assert [best[0].alignment.shape[1] for best in ours.values()] == [4, 2, 3]


@torch.inference_mode()
def test_it_searches_as_the_first_member_would() -> None:
    members = [other(1, beam_size=3, best=2, length_penalty=0.4), other(2, beam_size=7)]
    ensemble = EncoderDecoderEnsemble(members)
    assert (ensemble.beam_size, ensemble.best, ensemble.length_penalty) == (3, 2, 0.4)
    assert ensemble.search_bytes(9, 3) == sum(member.search_bytes(9, 3) for member in members)
    assert all(len(best) == 2 for best in ensemble.predict_step(ragged(), 0).values())


@torch.inference_mode()
def test_weights_are_the_mean_over_the_members_that_look() -> None:
    members = [other(1), other(2)]
    expected = (members[0].align(ragged()) + members[1].align(ragged())) / 2
    assert torch.allclose(EncoderDecoderEnsemble(members).align(ragged()), expected)
    blind = other(3, attention=False)
    assert torch.allclose(EncoderDecoderEnsemble([*members, blind]).align(ragged()), expected)
    assert not EncoderDecoderEnsemble([blind]).align(ragged()).any()
