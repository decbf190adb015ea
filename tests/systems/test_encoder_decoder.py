from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.fixed_context import FixedContext
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.encoders.word_encoder import BidirectionalEncoder
from augrnn.errors import UserError
from augrnn.objectives.cross_entropy import TokenCrossEntropy
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.reversal import Reversal
from augrnn.text.token_batches import BOS, EOS, PAD, PairBatch, Tokens

SYMBOLS = 6


def system(attention: bool = True, hidden: int = 8, dropout: float = 0.0, **options: Any) -> EncoderDecoder:
    torch.manual_seed(0)
    vocabulary = SYMBOLS + 4
    context = AdditiveAttention(hidden, 2 * hidden, hidden) if attention else FixedContext(hidden, 2 * hidden, hidden)
    return EncoderDecoder(
        BidirectionalEncoder(vocabulary, 8, hidden, embedding_dropout=dropout, dropout=dropout),
        AttentiveDecoder(vocabulary, 8, hidden, hidden, context, output_dropout=dropout),
        **({"optimizer": partial(torch.optim.Adam, lr=1e-2)} | options),
    )


def task(**options: Any) -> Reversal:
    small = {"symbols": SYMBOLS, "max_length": 5, "batch_size": 16, "epoch_batches": 10, "validation_sequences": 50}
    return Reversal(**(small | {"test_lengths": (2, 5), "test_sequences": 50} | options))


def trainer(folder: Path, **options: Any) -> L.Trainer:
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    quiet |= {"enable_checkpointing": False, "num_sanity_val_steps": 0}
    return L.Trainer(default_root_dir=folder, **(quiet | options))  # type: ignore[arg-type]


def ragged() -> PairBatch:
    """Three pairs of different lengths."""
    source_BL = torch.tensor([[4, 5, 6, EOS], [7, EOS, PAD, PAD], [8, 9, EOS, PAD]])
    target_BM = torch.tensor([[6, 5, 4, EOS], [7, EOS, PAD, PAD], [9, 8, EOS, PAD]])
    return PairBatch(Tokens(source_BL, source_BL != PAD), target_BM, target_BM != PAD, torch.tensor([3, 0, 9]))


def row(batch: PairBatch, i: int) -> PairBatch:
    """One pair of a batch without its padding."""
    length, steps = int(batch.source.mask_BL[i].sum()), int(batch.target_mask_BM[i].sum())
    source, target = (x[i : i + 1, :length] for x in batch.source), (x[i : i + 1, :steps] for x in batch[1:3])
    return PairBatch(Tokens(*source), *target, batch.index_B[i : i + 1])


def test_learns_to_reverse_short_sequences_in_seconds(tmp_path: Path) -> None:
    learner, run = system(hidden=32), trainer(tmp_path, max_steps=400, gradient_clip_val=1.0)
    run.fit(learner, task(epoch_batches=400))
    assert run.callback_metrics["val/exact"] > 0.95
    assert run.callback_metrics["val/accuracy"] > 0.95
    assert int(learner.sequences) == 400 * 16
    assert 2 * int(learner.sequences) <= int(learner.tokens) <= 6 * int(learner.sequences)


@torch.no_grad()
@pytest.mark.parametrize("attention", [True, False])
def test_the_loss_is_nats_per_real_token_with_the_previous_words_given(attention: bool) -> None:
    model, batch = system(attention).double(), ragged()
    loss, nats, tokens = model.objective(batch, model.answer(batch)).value, 0.0, 0
    for i in range(3):
        pair = row(batch, i)
        state = model.decoder.start(model.encoder(pair.source))
        words = pair.target_BM[0].tolist()
        for previous, word in zip([BOS, *words], words, strict=False):
            y_BJ, state = model.decoder(model.decoder.embed(torch.tensor([previous])), state)
            nats -= float(model.decoder.logits(y_BJ).log_softmax(-1)[0, word])
            tokens += 1
    assert float(loss) == pytest.approx(nats / tokens)


def test_alignments_are_those_of_each_pair_by_itself() -> None:
    model, batch = system().double(), ragged()
    alignment_BML = model.align(batch)
    assert alignment_BML.shape == (3, 4, 4)
    for i in range(3):
        alone = model.align(row(batch, i))[0]
        torch.testing.assert_close(alignment_BML[i, : alone.shape[0], : alone.shape[1]], alone)
        torch.testing.assert_close(alignment_BML[i].sum(1), torch.ones(4).double())


def test_a_model_without_attention_has_empty_alignments() -> None:
    assert system(attention=False).align(ragged()).abs().sum() == 0


def weights_after(folder: Path, checkpoint: Path | None = None, **options: Any) -> dict[str, torch.Tensor]:
    L.seed_everything(3, verbose=False)
    learner = system(dropout=0.3)
    trainer(folder, **options).fit(learner, task(), ckpt_path=checkpoint, weights_only=False if checkpoint else None)
    return learner.state_dict()


@pytest.mark.parametrize("stop", [10, 13])
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(tmp_path: Path, stop: int) -> None:
    class Save(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            if trainer.global_step == stop:
                trainer.save_checkpoint(tmp_path / "stopped.ckpt")

    whole = weights_after(tmp_path, max_steps=25)
    weights_after(tmp_path, max_steps=stop, callbacks=[Save()])
    resumed = weights_after(tmp_path, tmp_path / "stopped.ckpt", max_steps=25)
    assert int(resumed["sequences"]) == 25 * 16
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_validation_decodes_without_being_given_the_words(tmp_path: Path) -> None:
    class Cheating(Reversal):
        """Its targets hold one symbol only: a decoder that was given them could not produce anything else."""

        def evaluation_draw(self, split: str, number: int) -> PairBatch:
            batch = super().evaluation_draw(split, number)
            return batch._replace(target_BM=torch.full_like(batch.target_BM, 4))

        def score(self, predictions: list[list[int]], indices: list[int], split: str) -> dict[str, float]:
            seen.append((predictions, indices, split))
            return {"mine": 7.0}

    seen: list[tuple[list[list[int]], list[int], str]] = []
    model, cheating = system(), Cheating(symbols=SYMBOLS, max_length=3, validation_sequences=100)
    [metrics] = trainer(tmp_path).validate(model, cheating, verbose=False)
    assert metrics["val/mine"] == 7.0
    [(predictions, indices, split)] = seen
    assert (sorted(indices), split) == (list(range(100)), "val")
    expected = {
        index: hypothesis.tokens
        for batch in cheating.val_dataloader()
        for index, hypothesis in zip(batch.index_B.tolist(), model.eval().decode(batch), strict=True)
    }
    assert dict(zip(indices, predictions, strict=True)) == expected
    loss = metrics["val/loss"]
    assert metrics["val/perplexity"] == pytest.approx(torch.tensor(loss).exp().item())


def test_each_test_set_is_logged_under_its_name(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    run.test(system(), task(), verbose=False)
    names = {"loss", "perplexity", "accuracy", "exact", "symbols_right"}
    assert set(run.callback_metrics) == {f"test/{split}/{name}" for split in ("length_2", "length_5") for name in names}


def test_predict_gives_the_best_hypotheses_by_number(tmp_path: Path) -> None:
    model = system(beam_size=4, best=2, length_factor=1.0, length_constant=3).eval()
    found = model.predict_step(ragged(), 0)
    assert list(found) == [3, 0, 9]
    for best, length in zip(found.values(), (4, 2, 3), strict=True):
        assert [hypothesis.score for hypothesis in best] == sorted((h.score for h in best), reverse=True)
        assert len(best) == 2
        for hypothesis in best:
            assert len(hypothesis.tokens) <= length + 3
            assert hypothesis.alignment.shape == (len(hypothesis.tokens), length)


def test_label_smoothing_is_of_the_training_loss_only(tmp_path: Path) -> None:
    losses = {}
    for smoothing in (0.0, 0.2):
        run = trainer(tmp_path, max_steps=1, limit_val_batches=0)
        objective = TokenCrossEntropy(label_smoothing=smoothing)
        run.fit(system(objective=objective, optimizer=partial(torch.optim.SGD, lr=0.0)), task())
        [metrics] = trainer(tmp_path).validate(system(objective=objective), task(), verbose=False)
        losses[smoothing] = float(run.callback_metrics["train/loss"]), metrics["val/loss"]
    assert losses[0.0][0] != losses[0.2][0]
    assert losses[0.0][1] == losses[0.2][1]


def test_a_vocabulary_of_another_size_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has 14 source tokens, but the BidirectionalEncoder is made for 10") as error:
        trainer(tmp_path, max_steps=1).fit(system(), task(symbols=10))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("attention", "start", "message"),
    [
        (AdditiveAttention(9, 16, 8), 8, "attention's query_size is 9, but it is given 8"),
        (AdditiveAttention(8, 15, 8), 8, "attention's annotation_size is 15, but it is given 16"),
        (AdditiveAttention(8, 16, 8), 7, "decoder's start_size is 7, but it is given 8"),
        (FixedContext(8, 16, 5), 8, "attention's summary_size is 5, but it is given 8"),
    ],
)
def test_parts_that_do_not_fit_are_refused(attention: AdditiveAttention, start: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        EncoderDecoder(BidirectionalEncoder(10, 8, 8), AttentiveDecoder(10, 8, 8, start, attention))


@pytest.mark.parametrize("options", [{"best": 3, "beam_size": 2}, {"best": 0}, {"length_penalty": -0.1}])
def test_impossible_searches_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="search needs"):
        system(**options)
