"""Memories of several sizes in training, so that a look-up also learns from a memory that is full."""

from typing import Any

import lightning as L

from augrnn.cells.ntm import NTM
from augrnn.errors import UserError


class MemorySizes(L.Callback):
    """Trains Neural Turing Machines with memories of several sizes, one for each update in turn.

    Look-up by content is learned on what stands in the memory. In training sequences are short, and of a large memory
    nearly all stays blank: the first row of a copy is then found among blank rows, and no longer among 120 that are
    written. In a memory that is just large enough for the training sequences nearly all is written; in a large one the
    machine learns to leave blank rows alone. Outside of training a machine has its own number of rows.

    Args:
      rows: the sizes.

    Raises:
      UserError: there is no size, or one that is no memory; or no Neural Turing Machine is trained.
    """

    def __init__(self, rows: tuple[int, ...]) -> None:
        if not rows or min(rows) < 1:
            raise UserError(f"memories in training need sizes of at least 1 row, not {list(rows)}")
        self.rows = tuple(rows)

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        machines = self._machines(pl_module)
        if not machines:
            raise UserError("MemorySizes changes the memory of a Neural Turing Machine, and none is trained")
        try:
            for machine in machines:
                for rows in (*self.rows, machine.own_rows):
                    machine.resize(rows)
        except ValueError as error:
            raise UserError(f"MemorySizes: {error}") from error

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        for machine in self._machines(pl_module):
            machine.resize(self.rows[trainer.global_step % len(self.rows)])

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        for machine in self._machines(pl_module):
            machine.resize(machine.own_rows)

    @staticmethod
    def _machines(pl_module: L.LightningModule) -> list[NTM]:
        return [part for part in pl_module.modules() if isinstance(part, NTM)]
