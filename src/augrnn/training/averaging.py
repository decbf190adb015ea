"""The mean of the checkpoints that validation chose, as the model that training ends with."""

from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ModelCheckpoint

from augrnn.checkpoints import mean_weights
from augrnn.run_folder import MODEL


class AverageBestCheckpoints(L.Callback):
    """Ends training with the weights that validation chose, and saves them as `checkpoints/model.ckpt`.

    They are the mean of the checkpoints kept by a ModelCheckpoint with a `monitor` among the config's callbacks:
    the best one, or with a larger `save_top_k` that many best. Without one the model is as the last update left it.

    Args:
      folder: the run's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.trains = folder, False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not choosing(trainer):
            self._forget(trainer)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not self.trains:
            self.trains = True
            self._forget(trainer)

    def _forget(self, trainer: L.Trainer) -> None:
        """Take away what an earlier leg has chosen, because it would be taken for what this one chooses."""
        if trainer.is_global_zero:
            (self.folder / MODEL).unlink(missing_ok=True)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        named = (path for each in choosing(trainer) for path in each.best_k_models or [each.best_model_path])
        kept = [Path(path) for path in named if path]
        if not kept:
            return
        chosen = self.folder / MODEL  # where it is left there was nothing to train, and what it was made of may be gone
        again = not self.trains and chosen.exists()
        seen = {name: value for name, value in pl_module.state_dict().items() if not value.is_floating_point()}
        pl_module.load_state_dict(mean_weights([chosen] if again else kept) | seen)
        if not again:
            trainer.save_checkpoint(chosen, weights_only=True)


def choosing(trainer: L.Trainer) -> list[ModelCheckpoint]:
    """The callbacks with which validation chooses a model."""
    return [each for each in trainer.checkpoint_callbacks if isinstance(each, ModelCheckpoint) and each.monitor]
