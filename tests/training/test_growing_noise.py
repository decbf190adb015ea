"""Noise on choices: how much at which update, in training alone, and the same after a resume."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from augrnn.errors import UserError
from augrnn.objectives.answers import NumberLoss
from augrnn.programs.arithmetic import ArithmeticProgram
from augrnn.systems.transducer import Transducer
from augrnn.tasks.expressions import Expressions
from augrnn.training.growing_noise import GrowingNoise


def fit(
    system: Transducer, folder: Path, checkpoint: Path | None = None, until: int | None = None, **options: Any
) -> list[float | None]:
    seen: list[float | None] = []

    class Look(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
            noise = pl_module.cell.noise
            seen.append(None if noise is None else float(noise))
            if trainer.global_step == 3 and checkpoint is None:
                trainer.save_checkpoint(folder / "3.ckpt")

    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    quiet |= {"enable_checkpointing": False, "limit_val_batches": 0, "default_root_dir": folder}
    L.seed_everything(5, verbose=False)
    trainer = L.Trainer(callbacks=[GrowingNoise(2.0, 1, 5, until), Look()], **(quiet | options))
    task = Expressions(batch_size=4, epoch_batches=6)
    trainer.fit(system, task, ckpt_path=checkpoint, weights_only=False if checkpoint else None)
    return seen


def system() -> Transducer:
    torch.manual_seed(0)
    return Transducer(ArithmeticProgram(6, 4), NumberLoss())


def test_noise_grows_between_two_updates_and_is_the_same_after_a_resume(tmp_path: Path) -> None:
    whole, rest = system(), system()
    assert fit(whole, tmp_path, max_steps=8) == [None, None, 0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert fit(rest, tmp_path, tmp_path / "3.ckpt", max_steps=8) == [1.0, 1.5, 2.0, 2.0, 2.0]
    assert all(torch.equal(whole.state_dict()[name], value) for name, value in rest.state_dict().items())


def test_noise_that_ends_leaves_choices_as_they_were_without_it(tmp_path: Path) -> None:
    assert fit(system(), tmp_path, until=6, max_steps=8) == [None, None, 0.5, 1.0, 1.5, 2.0, None, None]


@pytest.mark.parametrize("arguments", [(0.0, 1, 5), (-1.0, 1, 5), (1.0, 5, 5), (1.0, -1, 5), (1.0, 1, 5, 4)])
def test_impossible_noise_is_refused(arguments: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match="noise on choices needs"):
        GrowingNoise(*arguments)  # type: ignore[arg-type]
