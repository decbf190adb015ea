"""What there is to see of a model in training, sent to Weights and Biases."""

from collections.abc import Mapping

import lightning as L
from lightning.pytorch.loggers import WandbLogger

from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.text_table import TextTable
from augrnn.measures.measure import previewed
from augrnn.tasks.task import Task
from augrnn.tracking.wandb_server import MEDIA


class Pictures(L.Callback):
    """Sends what the task's measure previews to W&B, after every so many validations.

    Args:
      every: validations between two sendings.
    """

    def __init__(self, every: int = 5) -> None:
        self.every, self._validations = every, 0

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._validations += 1
        boards = [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]
        task = trainer.datamodule  # type: ignore[attr-defined]
        if not boards or self._validations % self.every != 1 % self.every:
            return
        if isinstance(task, Task):
            exhibits = previewed(pl_module, task)
            for board in boards:
                send(board, exhibits, trainer.global_step)


def send(board: WandbLogger, exhibits: Mapping[str, Exhibit], step: int) -> None:
    """Log exhibits as W&B's media: tables of texts as such, all others as pictures with their captions."""
    import matplotlib.pyplot as plt

    for name, exhibit in exhibits.items():
        key = f"{MEDIA}/{name}"
        if isinstance(exhibit, TextTable):
            board.log_text(key, columns=list(exhibit.columns), data=[list(row) for row in exhibit.rows], step=step)
        else:
            figure = exhibit.figure(captioned=False)
            board.log_image(key, [figure], step=step, caption=[exhibit.caption])
            plt.close(figure)
