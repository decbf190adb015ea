"""Even choices: how much at which update, the same after a resume, and what is no schedule."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from augrnn.errors import UserError
from augrnn.objectives.answers import NumberLoss, TableLoss
from augrnn.programs.programmer import Programmer
from augrnn.systems.transducer import Transducer
from augrnn.tasks.tables import Tables
from augrnn.training.even_choices import EvenChoices

WEIGHTS = ((1, 4.0), (3, 0.5), (5, 0.0))


def fit(system: Transducer, folder: Path, checkpoint: Path | None = None) -> list[float]:
    seen: list[float] = []

    class Look(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
            seen.append(pl_module.objective.evenness)
            if trainer.global_step == 3 and checkpoint is None:
                trainer.save_checkpoint(folder / "3.ckpt")

    trainer = L.Trainer(
        max_steps=7, logger=False, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        accelerator="cpu", limit_val_batches=0, default_root_dir=folder, callbacks=[EvenChoices(WEIGHTS), Look()],
    )  # fmt: skip
    task = Tables(min_rows=3, max_rows=4, batch_size=4, epoch_batches=7)
    trainer.fit(system, task, ckpt_path=checkpoint, weights_only=False if checkpoint else None)
    return seen


def system() -> Transducer:
    torch.manual_seed(0)
    return Transducer(Programmer(40, 4), TableLoss())


def test_evenness_changes_at_its_updates_and_is_the_same_after_a_resume(tmp_path: Path) -> None:
    whole, rest = system(), system()
    assert fit(whole, tmp_path) == [0.0, 4.0, 4.0, 0.5, 0.5, 0.0, 0.0]
    assert fit(rest, tmp_path, tmp_path / "3.ckpt") == [0.5, 0.5, 0.0, 0.0]
    assert all(torch.equal(whole.state_dict()[name], value) for name, value in rest.state_dict().items())


@pytest.mark.parametrize("weights", [(), ((-1, 1.0),), ((2, 1.0), (2, 2.0)), ((0, -1.0),), ((0, float("inf")),)])
def test_what_is_no_schedule_is_refused(weights: tuple[tuple[int, float], ...]) -> None:
    with pytest.raises(UserError, match="even choices need"):
        EvenChoices(weights)


def test_another_objective_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a part of TableLoss, not of NumberLoss"):
        fit(Transducer(Programmer(40, 4), NumberLoss()), tmp_path)
