"""What a run leaves for Weights and Biases, read back from its offline file by W&B's own tool."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from augrnn.tracking import wandb_mode

ROOT = Path(__file__).parents[1]

PROGRAM = """
import sys
from pathlib import Path
from augrnn.training import train
tags = {"experiment": "ntm/copy", "variant": "ntm-lstm", "scale": "smoke", "seed": 3}
train(sys.argv[2:], Path(sys.argv[1]), tags)
"""


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    options = (
        f"--config={ROOT / 'configs/copy/ntm-lstm.yaml'}",
        "--model.init_args.cell.init_args.rows=6",
        "--data.init_args.max_length=3",
        "--data.init_args.validation_sequences=32",
        "--data.init_args.epoch_batches=3",
        "--trainer.max_steps=6",
        "--trainer.log_every_n_steps=1",
        "--trainer.accelerator=cpu",
        "--trainer.enable_progress_bar=false",
    )
    keys = ("WANDB_API_KEY", "WANDB_MODE")
    environment = {name: value for name, value in os.environ.items() if name not in keys} | {"NETRC": os.devnull}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def records(run_folder: Path) -> str:
    (path,) = run_folder.glob("wandb/offline-run-*/run-*.wandb")
    wandb = Path(sys.executable).with_name("wandb")
    done = subprocess.run([wandb, "leet", "inspect", "--json", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_without_a_key_is_offline_and_named_after_its_experiment(records: str) -> None:
    found = [json.loads(line) for line in records.splitlines()]
    text = json.dumps([record for record in found if "ntm-lstm-smoke-3" in json.dumps(record)])
    for part in ("augrnn", '"ntm/copy"', '"ntm-lstm"', '"smoke"', "class_path", "augrnn.cells.ntm.NTM"):
        assert part in text.replace('\\\\"', '"').replace('\\"', '"'), part


@pytest.mark.parametrize(
    "name", ["val/cost_bits", "val/wrong_bits", "train/cost_bits", "sequences", "grad_norm", "throughput"]
)
def test_the_papers_unit_and_the_vitals_are_logged(records: str, name: str) -> None:
    assert name in records


def test_the_heads_maps_are_logged_as_pictures(run_folder: Path) -> None:
    assert list(run_folder.glob("wandb/offline-run-*/files/media/images/media/heads_*.png"))


def test_mode_is_online_only_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", os.devnull)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    assert wandb_mode() == "offline"
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    assert wandb_mode() == "online"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert wandb_mode() == "disabled"
