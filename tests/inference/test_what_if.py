"""What a translator would say under other attention, against the equations of Bahdanau et al. 2014 word by word."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from augrnn.attention.forced import ForcedAttention, forced
from augrnn.errors import UserError
from augrnn.inference.load import Model, load
from augrnn.inference.translate import Translator
from augrnn.inference.what_if import LIKELIEST, SHARES, Likely, what_if
from augrnn.text.token_batches import BOS, EOS, PAD
from tests.inference.translators import corpus, made

LINE = "A pink hat is in the old house."


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def model(data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(made(tmp_path_factory.mktemp("run") / "seed-0", data))


class Naive:
    """RNNsearch over one sentence, from its weights; `alpha` says where it looks, from what it would itself."""

    def __init__(self, model: Model, line: str) -> None:
        self.decoder: Any = model.system.decoder
        codec: Any = model.codec
        ids = codec.source.vocabulary.encode([codec.source.words(line)])[0]
        self.word_of = codec.source.vocabulary.word_of(ids)
        ((_, batch),) = codec.batches([line])
        annotations = model.system.encoder(batch.source)
        self.h_LD, self.vocabulary = annotations.values_BLD[0], codec.target.vocabulary
        self.first_H = torch.tanh(self.decoder.start_layer(annotations.start_BS[0]))

    def energies(self, s_H: Tensor) -> Tensor:
        a = self.decoder.attention
        return torch.stack([a.energy(torch.tanh(a.query(s_H) + a.key(h_D))).squeeze() for h_D in self.h_LD])

    def step(self, word: int, s_H: Tensor, alpha_L: Tensor) -> tuple[Tensor, list[float]]:
        """The next state, and the probability of each next unit."""
        d, size = self.decoder, len(s_H)
        c_D = sum(weight * h_D for weight, h_D in zip(alpha_L, self.h_LD, strict=True))
        word_P = d.word_layer(d.embedding.weight[word])
        update, reset = torch.sigmoid(word_P[: 2 * size] + d.context_layer(c_D)[: 2 * size] + d.gate_layer(s_H)).split(
            size
        )
        new = torch.tanh(
            word_P[2 * size : 3 * size] + d.context_layer(c_D)[2 * size :] + d.candidate_layer(reset * s_H)
        )
        s_H = (1 - update) * s_H + update * new
        deep = d.deep_layer(torch.cat([s_H, c_D])) + word_P[3 * size :]
        scores = d.vocabulary_layer(torch.stack([torch.maximum(*pair) for pair in deep.split(2)]))
        scores[[PAD, BOS]] = -torch.inf
        return s_H, scores.softmax(0).tolist()


def same(likely: Likely, chances: list[float], vocabulary: Any) -> bool:
    best = sorted(range(len(chances)), key=lambda token: -chances[token])[:LIKELIEST]
    return [piece for piece, _ in likely] == vocabulary.pieces(best) and [p for _, p in likely] == pytest.approx(
        [chances[token] for token in best], rel=1e-4
    )


@torch.inference_mode()
def test_every_distribution_is_that_of_the_equations(model: Model) -> None:
    found, naive = what_if(model, LINE), Naive(model, LINE)
    given = [BOS, *(naive.vocabulary.pieces(range(naive.vocabulary.size)).index(each) for each in found.target)][:-1]
    words = len(found.source)
    assert (found.source[-1], found.target[-1], len(found.without), len(found.pulled)) == (*["<eos>"] * 2, words, words)
    of_word = torch.tensor([[each == word for each in naive.word_of] for word in range(words)])

    s_H = naive.first_H
    off = [naive.first_H] * words
    for step, token in enumerate(given):
        own_L = naive.energies(s_H).softmax(0)
        for word, (its, shares) in enumerate(zip(of_word, found.pulled, strict=True)):
            for share, steps in zip(SHARES, shares, strict=True):
                pulled_L = (1 - share) * own_L + share * its / its.sum()
                assert same(steps[step], naive.step(token, s_H, pulled_L)[1], naive.vocabulary)
            alpha_L = naive.energies(off[word]).masked_fill(its, -torch.inf).softmax(0)
            off[word], chances = naive.step(token, off[word], alpha_L)
            without = found.without[word].steps
            assert same(without.next[step], chances, naive.vocabulary)
            looked = [float(alpha_L[other].sum()) for other in of_word]
            assert without.weights_MW[step].tolist() == pytest.approx(looked, abs=1e-5)
            assert without.weights_MW[step, word] == 0
        s_H, chances = naive.step(token, s_H, own_L)
        assert same(found.own.next[step], chances, naive.vocabulary)
        assert found.own.weights_MW[step].tolist() == pytest.approx([float(own_L[w].sum()) for w in of_word], abs=1e-5)


def test_the_target_is_the_translation(model: Model) -> None:
    found, (translated,) = what_if(model, LINE), Translator([model]).translate(LINE)
    assert (found.text, found.target[:-1], found.source) == (
        translated.text, translated.target_pieces, translated.source,
    )  # fmt: skip


@torch.inference_mode()
def test_without_a_word_the_translation_is_a_search_that_cannot_see_it(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    system: Any = model.system
    codec: Any = model.codec
    monkeypatch.setattr(system, "beam_size", 1)
    found = what_if(model, LINE)
    ((_, batch),) = codec.batches([LINE])
    speller, state, limit = system.search(batch)
    of_word = torch.tensor(Naive(model, LINE).word_of)
    for word, without in enumerate(found.without):
        blind = state._replace(attended=state.attended._replace(mask_BL=(of_word != word).unsqueeze(0)))
        walk, prefix, token = speller.walk(blind), [], BOS
        while token != EOS and len(prefix) < int(limit):
            token = int(walk.next(torch.tensor([token])).all().argmax())
            prefix.append(token)
        assert without.text == codec.spelled(prefix)
    assert len({without.text for without in found.without}) > 1


def test_a_model_without_attention_has_nothing_to_move(data: dict[str, Any], tmp_path: Path) -> None:
    found = what_if(load(made(tmp_path / "seed-0", data, attention=False)), LINE)
    assert (found.without, found.pulled, found.own.weights_MW.any()) == ([], [], False)
    assert len(found.own.next) == len(found.target)


@pytest.mark.parametrize(("line", "target"), [("", None), (" \t", None), (LINE, " ")])
def test_a_blank_line_is_refused(model: Model, line: str, target: str | None) -> None:
    with pytest.raises(UserError, match="a blank line has no translation"):
        what_if(model, line, target)


@torch.inference_mode()
def test_a_target_can_be_given(model: Model) -> None:
    found, naive = what_if(model, LINE, "Un chapeau rose."), Naive(model, LINE)
    codec: Any = model.codec
    (ids,) = codec.target.vocabulary.encode([codec.target.words("Un chapeau rose.")])
    assert (found.target, found.text) == (naive.vocabulary.pieces(ids), "un chapeau rose.")
    s_H = naive.first_H
    for step, token in enumerate([BOS, *ids[:-1]]):
        s_H, chances = naive.step(token, s_H, naive.energies(s_H).softmax(0))
        assert same(found.own.next[step], chances, naive.vocabulary)


def test_an_attention_is_itself_again_after_it_was_forced(model: Model) -> None:
    decoder: Any = model.system.decoder
    own = decoder.attention
    with forced(decoder, torch.ones(1, 1, 3)):
        assert isinstance(decoder.attention, ForcedAttention)
    assert decoder.attention is own
    with pytest.raises(RuntimeError, match="in between"), forced(decoder, torch.ones(1, 1, 3)):
        raise RuntimeError("in between")
    assert decoder.attention is own
