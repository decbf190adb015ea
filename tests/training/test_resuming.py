from typing import Any

import pytest

from augrnn.errors import UserError
from augrnn.training.defaults import TRAINER
from augrnn.training.resuming import require_resumable


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"overfit_batches": 3}, "overfit_batches cannot be 3"),
        ({"limit_train_batches": 10}, "limit_train_batches cannot be 10: each epoch would leave out batches"),
        ({"limit_train_batches": 1}, "limit_train_batches cannot be 1: each epoch would leave out batches"),
        ({"enable_checkpointing": False}, "enable_checkpointing cannot be False: a run that is interrupted"),
    ],
)
def test_settings_that_break_the_stream_or_resuming_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        require_resumable({**TRAINER, **settings})


def test_the_defaults_and_a_quick_look_are_not_refused() -> None:
    require_resumable({**TRAINER, "limit_train_batches": None, "overfit_batches": 0.0, "enable_checkpointing": None})
    require_resumable({**TRAINER, "reload_dataloaders_every_n_epochs": 0})
    require_resumable({**TRAINER, "fast_dev_run": 2, "limit_train_batches": 1})
