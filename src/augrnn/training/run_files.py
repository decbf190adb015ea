"""What a run leaves in its folder: its resolved config, and checkpoints that need nothing beside them."""

from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from augrnn.checkpoints import CONFIG_KEY
from augrnn.files import replacing


class ResolvedConfig(L.Callback):
    """Leaves the resolved config, `config.yaml`, in the run's folder."""

    def __init__(self, text: str, path: Path) -> None:
        self.text, self.path = text, path

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if trainer.is_global_zero:
            with replacing(self.path) as file:
                file.write(self.text.encode())


class RunCheckpoints(TorchCheckpointIO):
    """Writes checkpoints with the run's config in them, each whole or not at all.

    So a checkpoint alone is enough to use the model, and a run that is killed while it saves has the one before.

    Args:
      config: the resolved config, as YAML.
    """

    def __init__(self, config: str) -> None:
        super().__init__()
        self.config = config

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with replacing(Path(path)) as file:
            torch.save({**checkpoint, CONFIG_KEY: self.config}, file)
