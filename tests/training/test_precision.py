"""Every config trains in mixed precision: a few updates at tiny sizes, on a GPU where there is one."""

from pathlib import Path

import pytest
import torch
import yaml

from augrnn.training.command import Command
from tests import real_data
from tests.tasks.pictures import small

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(path for path in (ROOT / "configs").glob("*/*.yaml") if path.parent.name not in ("cluster", "sweeps"))
PRECISIONS = [("cpu", "bf16-mixed")]  # which 16-mixed is on a processor, too
PRECISIONS += [("gpu", "bf16-mixed"), ("gpu", "16-mixed")] if torch.cuda.is_available() else []


@pytest.mark.parametrize(("accelerator", "precision"), PRECISIONS)
@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_config_trains_in_mixed_precision(
    config: Path, precision: str, accelerator: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model = yaml.safe_load(config.read_text())["model"]["init_args"]
    words = [
        "--data.init_args.batch_size=2",
        f"--trainer.precision={precision}",
        f"--trainer.accelerator={accelerator}",
    ]
    words += ["--trainer.fast_dev_run=3", "--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
    words += ["--trainer.limit_val_batches=0"]
    words += real_data.options(config, request)
    if config.parent.name == "captioning":
        words += small(config, tmp_path)
    if "rows" in model.get("cell", {}).get("init_args", {}):
        words.append("--model.init_args.cell.init_args.rows=6")
    command = Command(["--config", str(config), *words], run=False, folder=tmp_path)
    command.trainer.fit(command.model, command.datamodule)
    assert command.trainer.global_step == 3
    assert all(parameter.isfinite().all() for parameter in command.model.parameters())
    assert {parameter.dtype for parameter in command.model.parameters()} == {torch.float32}
