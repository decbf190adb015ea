"""Sweeps on W&B's server, a stand-in on this machine: W&B's own agents get the points, and our records come of it."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from augrnn import files
from augrnn.cli import main
from tests.cluster.slurmd import until
from tests.tiny import tiny
from tests.wandb_server import ServedRun, WandbServer

ROOT = Path(__file__).parents[2]
WANDB = str(Path(sys.executable).with_name("wandb"))
LR = "model.init_args.optimizer.init_args.lr"
CLIP = "trainer.gradient_clip_val"
CONFIG = "configs/copy/lstm.yaml"
POINT = {"config": CONFIG, LR: 0.001, CLIP: None, "seed_everything": 7}
TINY = tiny(10)


def sweep(folder: Path, updates: int = 20, **changed: object) -> str:
    content = {
        "method": "grid",
        "metric": {"name": "val/cost_bits", "goal": "minimize"},
        "parameters": {
            "config": {"value": CONFIG},
            LR: {"values": [0.001, 0.01]},
            CLIP: {"value": None},
            "seed_everything": {"values": [7, 8]},
        },
        "command": ["augrnn", "fit", *TINY, f"--trainer.max_steps={updates}", "${args}"],
    }
    path = folder / "rates.yaml"
    path.write_text(yaml.safe_dump(content | changed))
    return str(path)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wandb_server: WandbServer) -> Path:
    """A folder to work in, of a user whom the server knows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUGRNN_COMPILE", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def augrnn(*words: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "augrnn.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def job(file: str, number: int = 0) -> subprocess.Popen[bytes]:
    """What a job of the array does."""
    server = files.read_json(Path("runs/sweeps/rates/server.json"))
    words = [server["file"], "rates", str(ROOT), str(Path("runs").resolve()), "agent", str(number)]
    with Path("log.txt").open("ab") as log:
        command = [sys.executable, "-m", "augrnn.sweeps.run_process", *words]
        return subprocess.Popen(command, stdout=log, stderr=log)


def summary(task: str = "000", seed: int = 7) -> dict[str, Any]:
    return files.read_json(Path(f"runs/sweeps/rates/agents/{task}/seed-{seed}/summary.json"))


def steps(run: ServedRun) -> list[int]:
    return [row["trainer/global_step"] for row in run.history if "train/loss" in row or "grad_norm" in row]


def rows(folder: Path) -> list[int]:
    with (folder / "metrics.csv").open() as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def test_a_registered_sweep_is_run_by_agents_and_read_from_records(place: Path, wandb_server: WandbServer) -> None:
    file = sweep(place)
    wandb_server.points = [POINT, {**POINT, "seed_everything": 8}]
    said = augrnn("sweep", "register", file)
    assert "lab/augrnn/sweep0" in said
    assert augrnn("sweep", "register", file).splitlines()[-1] == said.splitlines()[-1]
    (kept,) = wandb_server.sweeps.values()
    assert kept.config == {"name": "rates", **yaml.safe_load(Path(file).read_text())}
    assert "rates: 4 runs, the seed is the server's choice" in augrnn("sweep", "plan", file)

    assert "rates: 4 finished" in augrnn("sweep", "run", file, "--jobs", "1")
    assert kept.given == ["sweep0-0", "sweep0-1"]
    tasks = sorted(Path("runs/sweeps/rates/agents").glob("*/summary.json"))
    assert [files.read_json(path)["state"] for path in tasks] == ["COMPLETE", "COMPLETE", "EMPTY", "EMPTY"]
    first = wandb_server.runs["sweep0-0"]
    assert (first.fields["sweep"], first.exits, first.fields["groupName"]) == ("sweep0", [0], "sweeps/rates")
    assert first.config[LR] == 0.001
    assert steps(first) == list(range(20))
    assert (summary()["status"], summary()["updates"], summary()["measures"]) == (
        "finished",
        20,
        {"ended_early": False},
    )
    config = yaml.safe_load(Path("runs/sweeps/rates/agents/000/seed-7/config.yaml").read_text())
    assert config["trainer"]["gradient_clip_val"] is None
    assert (config["seed_everything"], config["model"]["init_args"]["optimizer"]["init_args"]["lr"]) == (7, 0.001)
    (row,) = json.loads(augrnn("sweep", "results", file, "--json"))
    assert row["values"] == {"config": CONFIG, LR: 0.001, CLIP: None}
    assert set(row["found"]) == {"7", "8"}
    assert summary("001", 8)["curves"] != summary()["curves"]
    assert wandb_server.unknown == []


@pytest.mark.parametrize("registered", [True, False])
def test_an_agent_started_by_hand_has_a_folder_of_its_own(
    place: Path, wandb_server: WandbServer, registered: bool
) -> None:
    config = str(ROOT / CONFIG)
    file = sweep(place, parameters={name: {"value": value} for name, value in {**POINT, "config": config}.items()})
    wandb_server.points = [{**POINT, "config": config}]
    if registered:
        augrnn("sweep", "register", file)
    else:
        subprocess.run([WANDB, "sweep", "--entity", "lab", "--project", "augrnn", file], check=True)
    environment = {**os.environ, "PATH": f"{Path(WANDB).parent}:{os.environ['PATH']}"}
    subprocess.run([WANDB, "agent", "--count", "1", "lab/augrnn/sweep0"], check=True, env=environment)
    found = files.read_json(
        Path("runs/sweeps") / ("rates" if registered else "sweep0") / "agents/sweep0-0/seed-7/summary.json"
    )
    assert (found["status"], found["updates"]) == ("finished", 20)
    assert set(found["curves"]) == ({"val/cost_bits"} if registered else set())
    assert wandb_server.runs["sweep0-0"].exits == [0]
    (row,) = json.loads(augrnn("sweep", "results", file, "--json"))
    assert row["values"] == {"config": config, LR: 0.001, CLIP: None}
    with Path(
        "runs/sweeps", "rates" if registered else "sweep0", "agents/sweep0-0/seed-7/metrics.csv"
    ).open() as logged:
        costs = [line["val/cost_bits"] for line in csv.DictReader(logged) if line["val/cost_bits"]]
    assert row["found"] == {"7": float(costs[-1])}


def test_an_interrupted_task_goes_on_with_the_point_that_it_was_given(place: Path, wandb_server: WandbServer) -> None:
    file = sweep(place, updates=600)
    wandb_server.points = [POINT, POINT]
    augrnn("sweep", "register", file)
    folder = Path("runs/sweeps/rates/agents/000/seed-7")
    first = job(file)
    until(lambda: (folder / "metrics.csv").exists() and len(rows(folder)) > 30, 120)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 143
    assert len(rows(folder)) < 600
    assert "1 broken" in augrnn("sweep", "status", file)
    assert job(file).wait(120) == 0
    assert rows(folder) == list(range(600))
    assert [leg["outcome"] for leg in files.read_json(folder / "provenance.json")["legs"]] == [
        "SystemExit: 143",
        "ended",
    ]
    (run,) = wandb_server.runs.values()
    assert (run.id, run.exits[-1]) == ("sweep0-0", 0)
    assert steps(run) == list(range(600))
    assert len(wandb_server.sweeps["sweep0"].queue) == 1


def test_a_run_that_the_server_stops_is_measured_as_it_is(place: Path, wandb_server: WandbServer) -> None:
    long = ["--trainer.max_steps=100000", "--model.init_args.scheduler.init_args.T_max=100000"]
    file = sweep(place, command=["augrnn", "fit", *TINY, *long, "${args}"])
    wandb_server.points = [POINT]
    wandb_server.stopping = {"sweep0-0"}
    augrnn("sweep", "register", file)
    assert job(file).wait(240) == 0
    assert (summary()["status"], summary()["measures"]) == ("finished", {"ended_early": True})
    assert 0 < summary()["updates"] < 100_000
    assert files.read_json(Path("runs/sweeps/rates/agents/000/summary.json"))["state"] == "PRUNED"


def refused(capsys: pytest.CaptureFixture[str], file: str) -> str:
    assert main(["sweep", "register", file]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("augrnn: error: ")


def test_what_cannot_be_registered_is_one_line(
    place: Path, wandb_server: WandbServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sweep(place)
    augrnn("sweep", "register", file)
    sweep(place, updates=30)
    assert refused(capsys, file) == "rates.yaml has changed since it became lab/augrnn/sweep0: give it another name"
    assert main(["sweep", "plan", file]) == 0
    assert main(["sweep", "run", file, "--fresh"]) == 2
    monkeypatch.delenv("WANDB_API_KEY")
    capsys.readouterr()
    assert refused(capsys, file).startswith("there is no API key for")


def test_an_agent_of_a_deleted_sweep_is_one_line(place: Path, wandb_server: WandbServer) -> None:
    file = sweep(place)
    augrnn("sweep", "register", file)
    wandb_server.sweeps.clear()
    assert job(file).wait(60) == 2
    last = Path("log.txt").read_text().splitlines()[-1]
    assert last.startswith("W&B's agent got no point of lab/augrnn/sweep0 (status 1)")
