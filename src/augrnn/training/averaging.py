"""The mean of the checkpoints that validation chose, as the model that training ends with."""

from pathlib import Path

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
        self.folder = folder

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.is_global_zero:  # chosen by an earlier leg; it would be taken for this one's
            (self.folder / MODEL).unlink(missing_ok=True)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        choosing = [each for each in trainer.checkpoint_callbacks if isinstance(each, ModelCheckpoint) and each.monitor]
        kept = [Path(path) for each in choosing for path in each.best_k_models or [each.best_model_path] if path]
        if kept:
            seen = {name: value for name, value in pl_module.state_dict().items() if not value.is_floating_point()}
            pl_module.load_state_dict(mean_weights(kept) | seen)
            trainer.save_checkpoint(self.folder / MODEL, weights_only=True)
