"""The square of parameters in what is minimised: its gradient is clipped with the rest."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn

from augrnn.cells.lstm import LSTM
from augrnn.errors import UserError
from augrnn.systems.transducer import Transducer
from augrnn.tasks.copy import Copy


class Seen(L.Callback):
    """Parameters, and gradients before and after clipping, of the first update."""

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: Any, optimizer: Any) -> None:
        self.parameters, self.before = flat(pl_module), flat(pl_module, gradients=True)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        self.after = flat(pl_module, gradients=True)


def flat(system: nn.Module, gradients: bool = False) -> Tensor:
    tensors = [parameter.grad if gradients else parameter.detach() for parameter in system.parameters()]
    return torch.cat([each.flatten().clone() for each in tensors if each is not None])


@pytest.mark.parametrize("clip", [None, 0.01])
@pytest.mark.parametrize("l2", [0.0, 3.0])
def test_it_is_added_before_clipping(l2: float, clip: float | None, tmp_path: Path) -> None:
    torch.manual_seed(0)
    system = Transducer(LSTM(9, 20, 8), optimizer=lambda p: torch.optim.SGD(p, lr=1e-3), l2=l2)
    seen = Seen()
    quiet: Any = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    quiet |= {"enable_checkpointing": False, "limit_val_batches": 0, "default_root_dir": tmp_path}
    trainer = L.Trainer(callbacks=[seen], max_steps=1, gradient_clip_val=clip, **quiet)
    trainer.fit(system, Copy(max_length=2, batch_size=2, epoch_batches=4))
    expected = seen.before + l2 * seen.parameters
    if clip is not None:
        expected = expected * min(1.0, clip / float(expected.norm()))
    torch.testing.assert_close(seen.after, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("l2", [-1.0, float("inf"), float("nan")])
def test_a_bad_lambda_is_refused(l2: float) -> None:
    with pytest.raises(UserError, match="l2 needs a lambda of at least 0"):
        Transducer(LSTM(9, 20, 8), l2=l2)
