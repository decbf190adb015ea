"""Learning rate schedules: a plateau by validations, and a cosine that does not rise again."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import ReduceLROnPlateau
from torch.optim.lr_scheduler import CosineAnnealingLR

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


class Rates(L.Callback):
    """The rate of every update."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        self.found.append(trainer.optimizers[0].param_groups[0]["lr"])


def transducer(scheduler: Any) -> Transducer:
    return Transducer(LSTM(9, 4, 8), scheduler=scheduler)


def rates(system: System, task: Any, folder: Path, ckpt: Path | None = None, **options: Any) -> list[float]:
    seen, saving = Rates(), ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    quiet: dict[str, Any] = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = L.Trainer(default_root_dir=folder, accelerator="cpu", callbacks=[seen, saving], **quiet, **options)
    trainer.fit(system, task, ckpt_path=ckpt)
    return seen.found


def plateau(monitor: str = "val/cost_bits", mode: Any = "max") -> Any:
    # the cost never rises above the first by half of it, so that each later validation is a bad one
    return lambda optimizer: ReduceLROnPlateau(optimizer, monitor, mode=mode, factor=0.5, patience=0, threshold=0.5)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, [4, 4, 4, 4]),
        ({"check_val_every_n_epoch": 2}, [8, 8]),
        ({"val_check_interval": 2}, [2] * 8),
        ({"check_val_every_n_epoch": None, "val_check_interval": 3}, [3, 3, 3, 3, 3, 1]),
    ],
)
def test_a_plateau_is_judged_once_a_validation(options: dict[str, Any], steps: list[int], tmp_path: Path) -> None:
    found = rates(transducer(plateau()), Copy(validation_sequences=32, **SIZES), tmp_path, max_steps=16, **options)
    # the first validation sets the best; every later one halves the rate
    halvings = [max(0, number - 1) for number in range(len(steps))]
    expected = [1e-3 * 0.5**halving for halving, count in zip(halvings, steps, strict=True) for _ in range(count)]
    assert found == pytest.approx(expected)


def test_a_plateau_goes_on_when_the_run_resumes(tmp_path: Path) -> None:
    task = Copy(validation_sequences=32, **SIZES)
    whole = rates(transducer(plateau()), task, tmp_path / "whole", max_steps=20)
    first = rates(transducer(plateau()), task, tmp_path / "parts", max_steps=8)
    rest = rates(transducer(plateau()), task, tmp_path / "parts", tmp_path / "parts" / "last.ckpt", max_steps=20)
    assert first + rest == whole


def test_a_plateau_of_a_decoded_metric(tmp_path: Path) -> None:
    encoder = BidirectionalEncoder(8, 4, 4)
    decoder = AttentiveDecoder(8, 4, 4, 4, FixedContext(4, 8, 4))
    system = EncoderDecoder(encoder, decoder, scheduler=plateau("val/perplexity"))
    found = rates(system, Reversal(symbols=4, validation_sequences=50, **SIZES), tmp_path, max_steps=12)
    assert found == pytest.approx([1e-3] * 8 + [5e-4] * 4)


def test_a_plateau_that_watches_nothing_is_one_line(tmp_path: Path) -> None:
    task = Copy(validation_sequences=32, **SIZES)
    with pytest.raises(UserError, match=r"use lightning\.pytorch\.cli\.ReduceLROnPlateau"):
        rates(transducer(torch.optim.lr_scheduler.ReduceLROnPlateau), task, tmp_path, max_steps=4)
    with pytest.raises(UserError, match="watches val/bleu, but a validation gives val/cost_bits, val/wrong_bits"):
        rates(transducer(plateau("val/bleu")), task, tmp_path, max_steps=8)


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        ({"max_steps": 8}, True),
        ({"max_epochs": 2}, True),
        ({"max_steps": 9}, False),
        ({"max_epochs": 3}, False),
        ({"max_epochs": -1}, False),
        ({"max_epochs": 4, "accumulate_grad_batches": 2}, True),
    ],
)
def test_training_beyond_a_cosine_is_refused(options: dict[str, Any], fits: bool, tmp_path: Path) -> None:
    task, system = Copy(validation_sequences=32, **SIZES), transducer(lambda each: CosineAnnealingLR(each, 8))
    if fits:
        found = rates(system, task, tmp_path, **options)
        assert found == sorted(found, reverse=True)
    else:
        with pytest.raises(UserError, match=r"comes to its end at update 8 \(T_max\) and would rise again"):
            rates(system, task, tmp_path, **options)


def test_lightnings_way_to_load_says_what_to_use() -> None:
    for kind in (Transducer, EncoderDecoder):
        with pytest.raises(UserError, match=r"use augrnn.load\(path\)"):
            kind.load_from_checkpoint("x.ckpt")
