"""Noise on gradients: how much, when, and the same numbers after a resume."""

import math
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn

from augrnn.attention.fixed_context import FixedContext
from augrnn.cells.lstm import LSTM
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.encoders.word_encoder import BidirectionalEncoder
from augrnn.errors import UserError
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.system import System
from augrnn.systems.transducer import Transducer
from augrnn.tasks.copy import Copy
from augrnn.tasks.reversal import Reversal

SIZES: Any = {"max_length": 2, "batch_size": 2, "epoch_batches": 4}


class Gradients(L.Callback):
    """The gradients before clipping, and as they were used; a checkpoint after three updates."""

    def __init__(self, checkpoint: Path) -> None:
        self.checkpoint = checkpoint
        self.before: list[Tensor] = []
        self.after: list[Tensor] = []

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: Any, optimizer: Any) -> None:
        self.before.append(flat(pl_module))

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        self.after.append(flat(pl_module))
        if trainer.global_step == 3 and not self.checkpoint.exists():
            trainer.save_checkpoint(self.checkpoint)


def flat(system: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten().clone() for p in system.parameters() if p.grad is not None])


def transducer(eta: float) -> Transducer:
    torch.manual_seed(0)
    return Transducer(LSTM(9, 60, 8), optimizer=lambda p: torch.optim.SGD(p, lr=1e-3), gradient_noise=eta)


def fit(system: System, folder: Path, checkpoint: Path | None = None, **options: Any) -> Gradients:
    seen = Gradients(folder / "3.ckpt")
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    quiet |= {"enable_checkpointing": False, "limit_val_batches": 0, "default_root_dir": folder}
    task = Reversal(symbols=4, **SIZES) if isinstance(system, EncoderDecoder) else Copy(**SIZES)
    L.seed_everything(5, verbose=False)
    trainer = L.Trainer(callbacks=[seen], **(quiet | options))
    trainer.fit(system, task, ckpt_path=checkpoint, weights_only=False if checkpoint else None)
    return seen


def test_noise_comes_after_clipping_with_a_variance_that_falls(tmp_path: Path) -> None:
    eta = 0.3
    seen = fit(transducer(eta), tmp_path, max_steps=6, gradient_clip_val=1e-3)
    assert len(seen.before) == len(seen.after) == 6
    for update, (before, after) in enumerate(zip(seen.before, seen.after, strict=True)):
        clipped = before * min(1.0, 1e-3 / float(before.norm()))
        noise = (after - clipped).double()
        many = len(noise)
        variance = eta / (1 + update) ** 0.55
        assert abs(noise.mean()) < 4 * math.sqrt(variance / many)
        assert abs(noise.var() / variance - 1) < 4 * math.sqrt(2 / many)
    first, second = (after - before for before, after in list(zip(seen.before, seen.after, strict=True))[:2])
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1]) < 4 / math.sqrt(len(first))


def test_without_noise_gradients_are_only_clipped(tmp_path: Path) -> None:
    seen = fit(transducer(0.0), tmp_path, max_steps=2, gradient_clip_val=1e-3)
    for before, after in zip(seen.before, seen.after, strict=True):
        torch.testing.assert_close(after, before * min(1.0, 1e-3 / float(before.norm())))


def test_a_resumed_run_adds_the_same_noise(tmp_path: Path) -> None:
    whole = transducer(1.0)
    fit(whole, tmp_path / "whole", max_steps=6)
    rest = transducer(1.0)
    fit(rest, tmp_path / "rest", tmp_path / "whole" / "3.ckpt", max_steps=6)
    assert int(rest.sequences) == 12
    assert all(torch.equal(whole.state_dict()[name], value) for name, value in rest.state_dict().items())


def test_an_encoder_decoder_takes_it_too(tmp_path: Path) -> None:
    encoder, decoder = BidirectionalEncoder(8, 4, 4), AttentiveDecoder(8, 4, 4, 4, FixedContext(4, 8, 4))
    seen = fit(EncoderDecoder(encoder, decoder, gradient_noise=1.0), tmp_path, max_steps=1)
    assert (seen.after[0] - seen.before[0]).std() == pytest.approx(1.0, rel=0.2)


@pytest.mark.parametrize("eta", [-0.1, math.inf, math.nan])
def test_impossible_noise_is_refused(eta: float) -> None:
    with pytest.raises(UserError, match="gradient noise needs an eta of at least 0"):
        transducer(eta)
