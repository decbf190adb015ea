"""The callback that chooses how many threads a training uses."""

from typing import Any

import lightning as L

from augrnn import threads


class ChooseThreads(L.Callback):
    """Chooses the number of threads (see `augrnn.threads`) when the first batch shows how large the work is."""

    def __init__(self) -> None:
        self._chosen = False

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not self._chosen and pl_module.device.type == "cpu":
            threads.choose(threads.largest_product(pl_module, getattr(batch, "size", 1)))
        self._chosen = True
