"""Memories of several sizes: which one at which update, in training alone, and the same after a resume."""

from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor

from augrnn.cells.feedforward import Feedforward
from augrnn.cells.lstm import LSTM
from augrnn.cells.ntm import NTM
from augrnn.cells.unroll import unroll
from augrnn.errors import UserError
from augrnn.systems.transducer import Transducer
from augrnn.tasks.copy import Copy
from augrnn.training.memory_sizes import MemorySizes


class Look(L.Callback):
    """Rows in training steps and in validation; a checkpoint after three updates."""

    def __init__(self, checkpoint: Path) -> None:
        self.checkpoint = checkpoint
        self.training: list[int] = []
        self.validating: set[int] = set()

    def on_before_backward(self, trainer: L.Trainer, pl_module: Any, loss: Tensor) -> None:
        self.training.append(pl_module.cell.rows)

    def on_validation_batch_start(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        self.validating.add(pl_module.cell.rows)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        if trainer.global_step == 3 and not self.checkpoint.exists():
            trainer.save_checkpoint(self.checkpoint)


def system() -> Transducer:
    torch.manual_seed(0)
    return Transducer(NTM(9, 8, partial(Feedforward, hidden_size=6), rows=9, width=4))


def fit(
    trained: Transducer, folder: Path, rows: tuple[int, ...] | None, checkpoint: Path | None = None, **options: Any
) -> Look:
    look = Look(folder / "3.ckpt")
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    quiet |= {"enable_checkpointing": False, "limit_val_batches": 1, "default_root_dir": folder, "max_steps": 6}
    L.seed_everything(5, verbose=False)
    callbacks = [look] if rows is None else [MemorySizes(rows), look]
    trainer = L.Trainer(callbacks=callbacks, **(quiet | options))
    task = Copy(max_length=3, batch_size=2, epoch_batches=12)
    trainer.fit(trained, task, ckpt_path=checkpoint, weights_only=False if checkpoint else None)
    return look


def test_sizes_take_turns_in_training_and_a_resume_goes_on(tmp_path: Path) -> None:
    whole, rest = system(), system()
    seen = fit(whole, tmp_path, (4, 9, 20), val_check_interval=2)
    assert seen.training == [4, 9, 20, 4, 9, 20]
    assert seen.validating == {9}
    assert whole.cell.rows == 9
    assert fit(rest, tmp_path, (4, 9, 20), tmp_path / "3.ckpt").training == [4, 9, 20]
    assert all(torch.equal(whole.state_dict()[name], value) for name, value in rest.state_dict().items())


def test_parts_of_an_update_have_one_size(tmp_path: Path) -> None:
    seen = fit(system(), tmp_path, (4, 9), max_steps=3, accumulate_grad_batches=2)
    assert seen.training == [4, 4, 9, 9, 4, 4]


def test_one_size_that_is_its_own_changes_nothing(tmp_path: Path) -> None:
    one, other = system(), system()
    fit(one, tmp_path, (9,))
    fit(other, tmp_path, None)
    inputs_TBI = next(iter(Copy(max_length=3).validation_set())).inputs
    for each in (one, other):
        each.eval()
    assert torch.equal(unroll(one.cell, inputs_TBI).y_TBO, unroll(other.cell, inputs_TBI).y_TBO)


@pytest.mark.parametrize("rows", [(), (0,), (5, -1)])
def test_impossible_sizes_are_refused(rows: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="memories in training need sizes of at least 1 row"):
        MemorySizes(rows)


def test_a_size_that_no_shift_fits_and_a_model_without_memory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="MemorySizes: a machine with 3 shifts cannot have a memory of 2 rows"):
        fit(system(), tmp_path, (2, 9))
    with pytest.raises(UserError, match="changes the memory of a Neural Turing Machine, and none is trained"):
        fit(Transducer(LSTM(9, 6, 8)), tmp_path, (9,))
