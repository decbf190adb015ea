"""A training that diverges ends at the very update, logged or not, with the weights of the one before."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from augrnn.cells.lstm import LSTM
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.copy import Copy
from augrnn.training.divergence import StopOnDivergence


class Breaks(Copy):
    """Its third batch has an input that is not a number."""

    def draw(self, number: int) -> BitBatch:
        batch = super().draw(number)
        return batch if number != 2 else batch._replace(inputs_TBI=batch.inputs_TBI * torch.nan)


class Weights(L.Callback):
    """The weights after each update."""

    def __init__(self) -> None:
        self.after: list[dict[str, Any]] = []

    def on_train_batch_end(self, trainer: Any, pl_module: L.LightningModule, *_: Any) -> None:
        self.after.append({name: value.clone() for name, value in pl_module.state_dict().items()})


def test_the_first_loss_that_is_not_finite_ends_it(tmp_path: Path) -> None:
    system, weights = Transducer(LSTM(9, 4, 8)), Weights()
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    trainer = L.Trainer(
        default_root_dir=tmp_path,
        max_steps=9,
        log_every_n_steps=1000,
        enable_checkpointing=False,
        callbacks=[weights, StopOnDivergence()],
        **quiet,  # type: ignore[arg-type]
    )
    with pytest.raises(FloatingPointError, match="training loss is nan at update 3"):
        trainer.fit(system, Breaks(max_length=3, epoch_batches=20))
    assert len(weights.after) == 2
    parameters = dict(system.named_parameters())
    assert all(torch.equal(weights.after[-1][name], value) for name, value in parameters.items())
