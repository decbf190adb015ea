"""The first 20 losses of every config on disk: what a change of the code must not change without saying so.

`AUGRNN_GOLDEN=write scripts/test.sh tests/golden` writes them anew; look at the difference before you commit it.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from augrnn.lab.provenance import hardware
from augrnn.training.command import Command
from tests import real_data
from tests.tasks.pictures import small

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).with_name("curves.json")
CONFIGS = sorted(path for path in (ROOT / "configs").glob("*/*.yaml") if path.parent.name not in ("cluster", "sweeps"))
UPDATES = 20
ROUNDING = 2e-4
"""Relative difference that another processor or version of torch may make by the last of these updates."""


class Losses(L.Callback):
    """Collects the loss of every update."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.values.append(float(outputs["loss"]))


def machine() -> str:
    """What the last bit depends on."""
    return f"{hardware().rpartition(',')[0]}, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"


def name_of(config: Path) -> str:
    return f"{config.parent.name}/{config.stem}"


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_a_config_trains_as_it_always_has(config: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    name, kept = name_of(config), json.loads(KEPT.read_text())
    writing = os.environ.get("AUGRNN_GOLDEN") == "write"
    if name not in kept["losses"] and not writing:
        pytest.skip("a config without a golden curve yet")
    options = ["--trainer.accelerator=cpu", "--trainer.limit_val_batches=0"]
    options += ["--trainer.logger=false", "--trainer.callbacks=null"]
    options += real_data.options(config, request)
    if config.parent.name == "captioning":
        options += small(config, tmp_path)
    losses = Losses()
    words = ["--config", str(config), *options, f"--trainer.max_steps={UPDATES}"]
    command = Command(words, run=False, folder=tmp_path, callbacks=[losses])
    command.trainer.fit(command.model, command.datamodule)
    assert command.trainer.global_step == UPDATES

    if writing:
        kept = {"machine": machine(), "losses": {**kept["losses"], name: losses.values}}
        KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    golden = kept["losses"][name]
    if kept["machine"] == machine():
        assert losses.values == golden
    assert all(math.isclose(*pair, rel_tol=ROUNDING) for pair in zip(losses.values, golden, strict=True))


def test_every_golden_curve_has_a_config() -> None:
    assert set(json.loads(KEPT.read_text())["losses"]) <= set(map(name_of, CONFIGS))
