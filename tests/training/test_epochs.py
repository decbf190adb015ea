"""Which batches an epoch has, with Lightning's plain Trainer and after every kind of stop."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
from lightning.pytorch.callbacks import ModelCheckpoint

from augrnn.cells.lstm import LSTM
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.copy import Copy


class Noted(Copy):
    """Notes the numbers of the training batches that are drawn, and how many validation batches."""

    def __init__(self, **sizes: int) -> None:
        super().__init__(max_length=2, batch_size=2, validation_sequences=96, **sizes)
        self.drawn: list[int] = []
        self.validated = 0

    def draw(self, number: int) -> BitBatch:
        self.drawn.append(number)
        return super().draw(number)

    def validation_draw(self, number: int) -> BitBatch:
        self.validated += 1
        return super().validation_draw(number)


class Dies(L.Callback):
    """Ends the process before an update, as far as the Trainer can tell."""

    def __init__(self, update: int) -> None:
        self.update = update

    def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        if trainer.global_step == self.update:
            raise ZeroDivisionError


def plain(folder: Path, **options: Any) -> L.Trainer:
    """Lightning's Trainer as a notebook has it, but quiet."""
    saving = ModelCheckpoint(folder, filename="last", enable_version_counter=False)
    callbacks = [*options.pop("callbacks", []), saving]
    quiet: dict[str, Any] = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return L.Trainer(default_root_dir=folder, accelerator="cpu", callbacks=callbacks, **quiet, **options)


def model() -> Transducer:
    return Transducer(LSTM(9, 4, 8))


@pytest.mark.parametrize("reload", [0, 1, 2])
def test_a_notebook_gets_every_batch_once(reload: int, tmp_path: Path) -> None:
    task, trainer = Noted(epoch_batches=3), plain(tmp_path, max_epochs=6, reload_dataloaders_every_n_epochs=reload)
    trainer.fit(model(), task)
    assert trainer.global_step == 18
    assert task.drawn == list(range(18))


def test_the_sanity_check_takes_nothing_from_the_first_validation(tmp_path: Path) -> None:
    task = Noted(epoch_batches=1)
    plain(tmp_path, max_epochs=2, num_sanity_val_steps=2).fit(model(), task)
    assert task.validated == 2 + 2 * 3


LIMITS = {
    "epochs": {"max_epochs": 5},
    "updates": {"max_steps": 20},
    "both": {"max_epochs": 5, "max_steps": 20},
}
VALIDATIONS = {
    "each-epoch": {},
    "none": {"limit_val_batches": 0},
    "at-the-last-batch": {"val_check_interval": 4},
    "inside": {"val_check_interval": 2},
    "every-other": {"check_val_every_n_epoch": 2},
}


@pytest.mark.parametrize("reload", [0, 1])
@pytest.mark.parametrize("validations", VALIDATIONS)
@pytest.mark.parametrize("limits", LIMITS)
def test_a_run_that_was_killed_resumes_to_the_same_end(
    limits: str, validations: str, reload: int, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "reload_dataloaders_every_n_epochs": reload,
        **LIMITS[limits],
        **VALIDATIONS[validations],
    }
    with pytest.raises(ZeroDivisionError):
        plain(tmp_path, callbacks=[Dies(15)], **options).fit(model(), Noted(epoch_batches=4))
    task, trainer = Noted(epoch_batches=4), plain(tmp_path, **options)
    trainer.fit(model(), task, ckpt_path=tmp_path / "last.ckpt")
    assert trainer.global_step == 20
    assert task.drawn == list(range(task.drawn[0], 20))
    assert task.drawn[0] in (8, 12, 14)


@pytest.mark.parametrize("steps", [5, 8, 11])
@pytest.mark.parametrize("reload", [0, 1])
@pytest.mark.parametrize("validations", ["each-epoch", "none"])
def test_a_run_that_had_come_to_its_end_goes_on_for_more_updates(
    validations: str, reload: int, steps: int, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"reload_dataloaders_every_n_epochs": reload, **VALIDATIONS[validations]}
    plain(tmp_path, max_steps=steps, **options).fit(model(), Noted(epoch_batches=4))
    task, trainer = Noted(epoch_batches=4), plain(tmp_path, max_epochs=5, max_steps=40, **options)
    trainer.fit(model(), task, ckpt_path=tmp_path / "last.ckpt")
    assert task.drawn == list(range(steps, 20))
