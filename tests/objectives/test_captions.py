"""The doubly stochastic penalty by hand, and REINFORCE against the gradient of the exact expected cost."""

import itertools
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.hard import HardAttention
from augrnn.batch_stream import BatchStream, generator
from augrnn.cells.unroll import Unrolled
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.decoders.captioning import CaptionDecoder
from augrnn.encoders.grid import GridEncoder, GridSource
from augrnn.errors import UserError
from augrnn.objectives.doubly_stochastic import DoublyStochastic
from augrnn.objectives.objective import Objective
from augrnn.objectives.reinforce import Reinforce
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.task import TextTask
from augrnn.text.token_batches import PairBatch, padded

VOCABULARY, PLACES, D, H = 7, 3, 4, 5
SENTENCES = [[4, 5, 2], [6, 2]]


def batch() -> PairBatch:
    values_BLD = torch.randn(2, PLACES, D, generator=torch.Generator().manual_seed(0))
    return PairBatch(GridSource(values_BLD), *padded(SENTENCES), torch.arange(2))


def system(objective: Objective, coin: float | None = 1.0) -> EncoderDecoder:
    torch.manual_seed(2)
    attention = AdditiveAttention(H, D, 6)
    attention.energy.weight.data *= 3
    chosen = attention if coin is None else HardAttention(attention, coin)
    return EncoderDecoder(GridEncoder(D), CaptionDecoder(VOCABULARY, 3, H, D, chosen), objective)


# The doubly stochastic penalty ---------------------------------------------------------------------------------------


def test_the_penalty_is_of_a_sentence_over_its_real_steps() -> None:
    ours = system(DoublyStochastic(0.7), coin=None)
    given = ours.answer(batch(), ours.objective.keep)
    found = ours.objective(batch(), given)
    cost, nats = 0.0, 0.0
    for b, words in enumerate(SENTENCES):
        for place in range(PLACES):
            cost += (1 - sum(given.trace[t, b, place] for t in range(len(words)))) ** 2
        nats -= sum(given.y_TBO[t, b].log_softmax(-1)[word] for t, word in enumerate(words))
    torch.testing.assert_close(found.value, (nats + 0.7 * cost) / 5)
    torch.testing.assert_close(found.logged["coverage"], torch.as_tensor(cost / 2))
    torch.testing.assert_close(found.logged["loss"], nats / 5)


def test_padding_changes_no_penalty() -> None:
    ours, tight = system(DoublyStochastic(), coin=None), batch()
    wide = tight._replace(
        target_BM=F.pad(tight.target_BM, (0, 4)), target_mask_BM=F.pad(tight.target_mask_BM, (0, 4), value=False)
    )
    one, other = (ours.objective(each, ours.answer(each, ours.objective.keep)).value for each in (tight, wide))
    torch.testing.assert_close(one, other)


def test_without_a_weight_it_is_cross_entropy_and_any_decoder_fits() -> None:
    decoder = AttentiveDecoder(VOCABULARY, 3, H, D, AdditiveAttention(H, D, 6))
    ours = EncoderDecoder(GridEncoder(D), decoder, DoublyStochastic(0.0))
    found = ours.objective(batch(), ours.answer(batch(), ours.objective.keep))
    torch.testing.assert_close(found.value, found.logged["loss"])
    with pytest.raises(UserError, match="tells what it drew from"):
        ours.answer(batch(), Reinforce.keep)


# REINFORCE -----------------------------------------------------------------------------------------------------------


def forced_cost(ours: EncoderDecoder, places: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The cost of the first sentence and the log chance of looking at these places, with gradients."""
    one = PairBatch(*(tuple(x[:1] for x in f) if isinstance(f, tuple) else f[:1] for f in batch()))
    one = one._replace(source=GridSource(*one.source))
    state = ours.decoder.start(ours.encoder(one.source))
    previous = [1, *SENTENCES[0][:-1]]
    hard, cost, log_chance = ours.decoder.attention, torch.zeros(()), torch.zeros(())
    for word, target, place in zip(previous, SENTENCES[0], places, strict=True):

        class Looking(torch.nn.Module):
            context_size = D

            def look(self, query: Tensor, attended: Any, place: int = place) -> Any:
                found = hard.look(query, attended)
                at = F.one_hot(torch.tensor([place]), PLACES).float()
                return found._replace(context_BD=attended.values_BLD[:, place], alignment_BL=at)

        ours.decoder.attention = Looking()
        y_BJ, state = ours.decoder(ours.decoder.embed(torch.tensor([word])), state)
        cost = cost - ours.decoder.logits(y_BJ)[0].log_softmax(-1)[target]
        log_chance = log_chance + state.chances_BL[0, place].log()
        ours.decoder.attention = hard
    return cost, log_chance


def gradients(ours: EncoderDecoder, value: Tensor) -> Tensor:
    parameters = [*ours.decoder.parameters()]
    found = torch.autograd.grad(value, parameters, allow_unused=True)
    flat = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]
    return torch.cat([each.flatten() for each in flat])


@pytest.mark.parametrize("baseline", [0.0, -1.5])
def test_the_estimate_is_in_expectation_the_gradient_of_the_expected_cost(baseline: float) -> None:
    objective = Reinforce(entropy=0.0)
    ours = system(objective).train()
    for layer in (ours.decoder.context_layer, ours.decoder.deep_layer):
        layer.weight.data *= 4  # so that it matters where one looks
    exact, chance = torch.zeros(()), torch.zeros(())
    for places in itertools.product(range(PLACES), repeat=3):
        cost, log_chance = forced_cost(ours, places)
        exact = exact + log_chance.exp() * cost
        chance = chance + log_chance.exp()
    assert chance.item() == pytest.approx(1)
    expected = gradients(ours, exact) / 3
    copies = 10_000
    source = GridSource(batch().source.values_BLD[:1].expand(copies, -1, -1))
    many = PairBatch(source, *padded([SENTENCES[0]] * copies), torch.arange(copies))
    estimates = []
    for seed in range(8):
        torch.manual_seed(seed)
        objective.baseline.fill_(baseline)
        objective.batches.fill_(1)
        estimates.append(gradients(ours, objective(many, ours.answer(many, objective.keep)).value))
    each = torch.stack(estimates)
    attention = torch.cat([p.new_ones(p.numel()) * ("attention" in n) for n, p in ours.decoder.named_parameters()]) > 0
    for part in (attention, ~attention):
        doubt = each.std(0)[part].norm() / len(each) ** 0.5
        assert doubt < 0.25 * expected[part].norm()
        assert (each.mean(0) - expected)[part].norm() < 2 * doubt


def test_the_cost_is_the_papers_by_hand() -> None:
    objective = Reinforce(weight=0.5, entropy=0.2)
    ours = system(objective).train()
    objective.baseline.fill_(-2.0)
    objective.batches.fill_(1)
    given = ours.answer(batch(), objective.keep)
    alignment_MBL, chances_MBL = given.trace
    found = objective(batch(), given)
    total, means = torch.zeros(()), []
    for b, words in enumerate(SENTENCES):
        log_p = sum(given.y_TBO[t, b].log_softmax(-1)[word] for t, word in enumerate(words))
        drawn = sum(chances_MBL[t, b, alignment_MBL[t, b].argmax()].log() for t in range(len(words)))
        entropy = -sum((chances_MBL[t, b] * chances_MBL[t, b].log()).sum() for t in range(len(words)))
        total += -log_p - 0.5 * (log_p.detach() + 2 * len(words)) * drawn - 0.2 * entropy
        means.append(log_p.detach() / len(words))
    torch.testing.assert_close(found.value, total / 5)
    torch.testing.assert_close(objective.baseline, 0.9 * torch.tensor(-2.0) + 0.1 * torch.stack(means).mean())


def test_with_the_expected_context_the_cost_is_that_of_soft_attention() -> None:
    ours, soft = system(Reinforce(entropy=0.0), coin=0.0).train(), system(DoublyStochastic(0.0), coin=None).train()
    one, other = (each.objective(batch(), each.answer(batch(), each.objective.keep)).value for each in (ours, soft))
    torch.testing.assert_close(one, other)
    theirs = gradients(soft, other)
    torch.testing.assert_close(gradients(ours, one), theirs)


def test_the_first_batch_sets_the_baseline_and_evaluation_leaves_it() -> None:
    ours = system(Reinforce()).train()
    found = ours.objective(batch(), ours.answer(batch(), ours.objective.keep))
    before = found.logged["baseline"]
    assert before < -0.5
    ours.eval()
    ours.objective(batch(), ours.answer(batch(), ours.objective.keep))
    assert torch.equal(ours.objective.baseline, before)


@pytest.mark.parametrize("wrong", [{"weight": -1}, {"entropy": -1}, {"decay": 1}])
def test_impossible_numbers_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="REINFORCE needs weights"):
        Reinforce(**wrong)
    with pytest.raises(ValueError, match="at least 0, not -1"):
        DoublyStochastic(-1)


# Training ------------------------------------------------------------------------------------------------------------


class Colours(TextTask):
    """Four places say a word each, and the caption is that of the one which is marked."""

    target_vocabulary = VOCABULARY

    def epoch_length(self) -> int:
        return 1000

    def draw(self, number: int) -> PairBatch:
        source = generator(0, number)
        word_BL = torch.randint(4, VOCABULARY, (32, 4), generator=source)
        place_B = torch.randint(0, 4, (32,), generator=source)
        values_BLD = 2.0 * F.one_hot(word_BL, VOCABULARY)
        values_BLD[torch.arange(32), place_B, 0] = 2.0
        captions = padded([[word, 2] for word in word_BL[torch.arange(32), place_B].tolist()])
        return PairBatch(GridSource(values_BLD), *captions, torch.arange(32))

    def validation_set(self) -> BatchStream:
        return BatchStream(lambda number: self.draw(10_000 + number), 1)

    def score(self, predictions: Any, indices: Any, split: str) -> dict[str, float]:
        return {}


def trained(folder: Path, steps: int, checkpoint: Path | None = None) -> EncoderDecoder:
    class Save(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            if trainer.global_step == 7 and checkpoint is None:
                trainer.save_checkpoint(folder / "7.ckpt")

    torch.manual_seed(0)
    attention = HardAttention(AdditiveAttention(12, VOCABULARY, 12))
    decoder = CaptionDecoder(VOCABULARY, 8, 12, VOCABULARY, attention)
    ours = EncoderDecoder(
        GridEncoder(VOCABULARY),
        decoder,
        Reinforce(entropy=0.01),
        lambda parameters: torch.optim.Adam(parameters, lr=5e-3),
        length_factor=0,
        length_constant=3,
    )
    L.seed_everything(0, verbose=False)
    L.Trainer(
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        accelerator="cpu",
        limit_val_batches=1,
        max_steps=steps,
        callbacks=[Save()],
    ).fit(ours, Colours(), ckpt_path=checkpoint, weights_only=False if checkpoint else None)
    return ours


def test_it_learns_to_look_at_the_one_place_that_says_the_word(tmp_path: Path) -> None:
    ours = trained(tmp_path, 700).eval()
    test = Colours().draw(99_999)
    assert isinstance(ours.decoder.attention, HardAttention)
    with torch.no_grad(), ours.decoder.attention.decoded_by("argmax"):
        looked_BL = ours.align(test)[:, 0]
        words = [hypothesis.tokens for hypothesis in ours.decode(test)]
    place_B = test.source.values_BLD[:, :, 0].argmax(1)
    said_B = test.source.values_BLD[torch.arange(32), looked_BL.argmax(1), 4:].argmax(1) + 4
    assert (looked_BL.argmax(1) == place_B).float().mean() > 0.6  # by chance .25; other places may say the same word
    assert (said_B == test.target_BM[:, 0]).float().mean() > 0.9
    right = [found == [word] for found, word in zip(words, test.target_BM[:, 0].tolist(), strict=True)]
    assert sum(right) > 0.9 * len(right)


def test_a_resumed_run_is_the_same_run_baseline_and_all(tmp_path: Path) -> None:
    whole = trained(tmp_path, 15).state_dict()
    resumed = trained(tmp_path, 15, tmp_path / "7.ckpt").state_dict()
    assert whole["objective.baseline"] < 0
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_what_is_kept_is_what_an_unrolled_trace_has() -> None:
    ours = system(Reinforce())
    given: Unrolled = ours.answer(batch(), ours.objective.keep)
    assert [each.shape for each in given.trace] == [(3, 2, PLACES)] * 2
