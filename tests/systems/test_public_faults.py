"""Faults that public implementations of attention have been found with, each of which would fail a test here."""

from pathlib import Path
from typing import Any, ClassVar

import lightning as L
import pytest
import torch

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.multiplicative import DotAttention, GeneralAttention
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.decoders.conditional_gru import ConditionalDecoder
from augrnn.decoders.decoder import Decoder
from augrnn.decoders.luong import LuongDecoder
from augrnn.encoders.word_encoder import BidirectionalEncoder
from augrnn.metrics.bleu import bleu_signature
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.reversal import Reversal
from augrnn.text.token_batches import BOS, EOS, PAD, PairBatch, Tokens

VOCABULARY, SIZE = 10, 6


def decoder(kind: str) -> Decoder:
    if kind == "conditional":
        attention = AdditiveAttention(8, 2 * SIZE, 5)
        return ConditionalDecoder(VOCABULARY, 6, 8, SIZE, attention, layer_norm=True, tied=True)
    if kind == "luong-dot":
        return LuongDecoder(VOCABULARY, 6, 2 * SIZE, SIZE, DotAttention(2 * SIZE, 2 * SIZE))
    if kind == "luong-general":
        return LuongDecoder(VOCABULARY, 6, 8, SIZE, GeneralAttention(8, 2 * SIZE), input_feeding=False)
    return AttentiveDecoder(VOCABULARY, 6, 8, SIZE, AdditiveAttention(8, 2 * SIZE, 5))


@pytest.fixture(params=["bahdanau", "conditional", "luong-dot", "luong-general"])
def model(request: pytest.FixtureRequest) -> EncoderDecoder:
    torch.manual_seed(0)
    encoder = BidirectionalEncoder(VOCABULARY, 6, SIZE, layer_norm=request.param == "conditional")
    made = EncoderDecoder(encoder, decoder(request.param), beam_size=3).double().eval()
    for parameter in made.parameters():
        parameter.data *= 2.0  # so that words and weights differ
    return made


def batch(padding: int = 0, filler: int = PAD) -> PairBatch:
    """Two pairs; what stands behind the real tokens is the filler."""
    rows = ([4, 5, 6, 7, EOS], [8, 9, EOS])
    source_BL = torch.full((2, 5 + padding), filler)
    mask_BL = torch.zeros_like(source_BL, dtype=torch.bool)
    for row, ids in enumerate(rows):
        source_BL[row, : len(ids)], mask_BL[row, : len(ids)] = torch.tensor(ids), True
    return PairBatch(Tokens(source_BL, mask_BL), source_BL, mask_BL, torch.arange(2))


def decoded(model: EncoderDecoder, given: PairBatch) -> list[tuple[list[int], float]]:
    best = [hypotheses[0] for hypotheses in model.predict_step(given, 0).values()] + model.decode(given)
    return [(hypothesis.tokens, hypothesis.score) for hypothesis in best]


def same(ours: list[tuple[list[int], float]], theirs: list[tuple[list[int], float]]) -> bool:
    return [tokens for tokens, _ in ours] == [tokens for tokens, _ in theirs] and torch.allclose(
        torch.tensor([score for _, score in ours]), torch.tensor([score for _, score in theirs])
    )


@torch.no_grad()
def test_masks_are_not_ignored(model: EncoderDecoder) -> None:
    plain, filled = batch(), batch(filler=7)
    assert same(decoded(model, plain), decoded(model, filled))
    weights_BML = model.align(plain)
    assert weights_BML[~plain.source.mask_BL.unsqueeze(1).expand_as(weights_BML)].abs().sum() == 0
    torch.testing.assert_close(weights_BML.sum(-1), torch.ones(2, 5).double())


@torch.no_grad()
def test_results_do_not_depend_on_padding(model: EncoderDecoder) -> None:
    assert same(decoded(model, batch()), decoded(model, batch(padding=4)))
    losses = []
    for padding in (0, 4):
        given = batch(padding)
        losses.append(model.objective(given, model.answer(given)).value)
    torch.testing.assert_close(*losses)


@torch.no_grad()
def test_no_target_word_is_seen_before_it_is_asked_for(model: EncoderDecoder) -> None:
    # Whatever the target is from word 3 on, the scores of the words up to it are the same.
    given = batch()
    changed = given._replace(target_BM=torch.where(torch.arange(5) < 2, given.target_BM, 9))
    before, after = (model.decoder.logits(model(each).y_TBO)[:3] for each in (given, changed))
    torch.testing.assert_close(before, after)


def test_validation_is_not_given_the_target(model: EncoderDecoder, tmp_path: Path) -> None:
    class Spy(Reversal):
        """Keeps what validation decoded; its targets are all the same symbol."""

        found: ClassVar[list[list[list[int]]]] = []
        symbol = 4

        def evaluation_draw(self, split: str, number: int) -> PairBatch:
            drawn = super().evaluation_draw(split, number)
            return drawn._replace(target_BM=torch.full_like(drawn.target_BM, self.symbol))

        def score(self, predictions: list[list[int]], indices: list[int], split: str) -> dict[str, float]:
            order = sorted(range(len(indices)), key=indices.__getitem__)
            self.found.append([predictions[i] for i in order])
            return {}

    task = Spy(symbols=VOCABULARY - 4, max_length=4, validation_sequences=50)
    options: dict[str, Any] = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    for symbol in (4, 9):
        task.symbol = symbol
        L.Trainer(default_root_dir=tmp_path, accelerator="cpu", **options).validate(model, task, verbose=False)
    first, second = task.found
    assert first == second
    assert BOS not in {token for tokens in first for token in tokens}


def test_bleu_has_a_signature_that_says_how_it_was_tokenised() -> None:
    assert {"tok:none", "smooth:exp", "nrefs:1"} <= set(bleu_signature([["un", "deux", "trois", "quatre"]]).split("|"))
    assert any(part.startswith("version:") for part in bleu_signature([["un", "deux", "trois", "quatre"]]).split("|"))


@pytest.mark.filterwarnings("ignore:.*autocast.*:UserWarning")
def test_half_precision_trains_and_masks_still_hold(model: EncoderDecoder, tmp_path: Path) -> None:
    model = model.float().train()
    task = Reversal(symbols=VOCABULARY - 4, max_length=4, epoch_batches=3, validation_sequences=50)
    options: dict[str, Any] = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    options |= {"enable_checkpointing": False, "num_sanity_val_steps": 0}
    run = L.Trainer(default_root_dir=tmp_path, accelerator="cpu", precision="bf16-mixed", max_steps=3, **options)
    run.fit(model, task)
    assert torch.isfinite(run.callback_metrics["train/loss"])
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        weights_BML = model.eval().align(batch(padding=2))
    assert weights_BML[1, :, 3:].abs().sum() == 0
