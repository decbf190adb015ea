"""What a run leaves for Weights and Biases, read back from its offline file by W&B's own tool."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import wandb
from lightning.pytorch.loggers import WandbLogger

from augrnn.tracking.loggers import LONGEST_NAME, RunTags, artifact_name, log_artifacts, loggers

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
from pathlib import Path
from augrnn.tracking.loggers import RunTags, log_artifacts
from augrnn.lab.settings import from_words
from augrnn.training.command import train
tags = {"experiment": "ntm/copy", "variant": "ntm-lstm", "scale": "smoke", "seed": 3}
folder = Path(sys.argv[1])
trained = train(from_words(sys.argv[2:], Path(), "a test"), folder, tags)
(folder / "summary.json").write_text('{"status": "finished"}')
log_artifacts(trained.trainer, folder, RunTags(**tags))
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
    environment = {name: value for name, value in os.environ.items() if name not in keys}
    environment |= {"NETRC": os.devnull, "WANDB_DATA_DIR": str(folder / "staged")}
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


def test_weights_and_record_are_artifacts(records: str) -> None:
    lines = [json.loads(line) for line in records.splitlines()]
    sent = [line["artifact"] for line in lines if line["type"] == "artifact"]
    files = {artifact["type"]: [entry["path"] for entry in artifact["manifest"]["contents"]] for artifact in sent}
    assert files == {"model": ["last.ckpt"], "record": ["config.yaml", "metrics.csv", "summary.json"]}
    assert [artifact["name"] for artifact in sent] == [
        "model-ntm-copy-ntm-lstm-smoke-3",
        "record-ntm-copy-ntm-lstm-smoke-3",
    ]


def test_an_artifacts_name_has_only_letters_that_wandb_allows() -> None:
    assert (
        artifact_name("model", RunTags("sweeps/lr=1e-3, a b", "x", "sweep", 0)) == "model-sweeps-lr-1e-3-a-b-x-sweep-0"
    )
    names = [artifact_name("record", RunTags("e" * 200, "v", "small", seed)) for seed in range(2)]
    assert len(set(names)) == 2
    assert {len(name) for name in names} == {LONGEST_NAME}


class Refused(WandbLogger):
    """A logger whose server takes nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def experiment(self) -> Any:
        return self

    def log_artifact(self, artifact: wandb.Artifact) -> None:
        self.asked.append(artifact.name)
        raise wandb.Error("no\nroom")


def test_a_server_that_takes_no_artifact_is_told_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "staged"))
    (tmp_path / "summary.json").write_text("{}")
    board, tags = Refused(), RunTags("ntm/copy", "lstm", "smoke", 0)
    log_artifacts(SimpleNamespace(loggers=[board]), tmp_path, tags)  # type: ignore[arg-type]
    assert board.asked == ["record-ntm-copy-lstm-smoke-0"]
    assert capsys.readouterr().err == "W&B did not take record-ntm-copy-lstm-smoke-0: no room\n"
    log_artifacts(SimpleNamespace(loggers=[]), tmp_path, tags)  # type: ignore[arg-type]
    assert len(board.asked) == 1


def test_only_a_run_that_resumes_from_a_checkpoint_keeps_its_wandb_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("WANDB_SWEEP_ID", raising=False)
    tags = RunTags("adhoc", "run", "adhoc", 0)

    def identity(folder: Path) -> str:
        return loggers(folder, tags, {})[1]._id  # type: ignore[attr-defined]

    first, again = identity(tmp_path), identity(tmp_path)
    assert first != again
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    assert identity(tmp_path) == identity(tmp_path) == again
    assert identity(tmp_path / "other") not in (first, again)
