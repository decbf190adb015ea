"""A sweep on a real SLURM: preempted, killed and bereft of a node, it is the sweep that ran without a break."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from augrnn import files
from augrnn.cluster.grammar import read_sweep
from augrnn.cluster.points import points, runs_of
from augrnn.training import train
from tests.cluster.slurmd import Slurm, cluster, missing, until

pytestmark = pytest.mark.slurm
ROOT = Path(__file__).parents[2]
UPDATES = 800
TINY = [
    "--config",
    str(ROOT / "configs/copy/lstm.yaml"),
    "--model.init_args.cell.init_args.hidden_size=8",
    "--data.init_args.max_length=3",
    "--data.init_args.validation_sequences=32",
    "--data.init_args.epoch_batches=150",
    f"--trainer.max_steps={UPDATES}",
    "--trainer.accelerator=cpu",
    "--trainer.log_every_n_steps=1",
]


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    if missing():
        pytest.skip(f"needs SLURM: {', '.join(missing())} not installed")
    root = Path(tempfile.mkdtemp(prefix="slurm", dir="/tmp"))
    with cluster(root) as found:
        yield found
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a sweep and a profile, whose name a shell would trip over."""
    found = tmp_path / "it's a $(touch oops); folder"
    found.mkdir()
    rates = [round(0.001 + 0.0005 * number, 4) for number in range(20)]
    sweep = {
        "method": "grid",
        "metric": {"name": "val/cost_bits", "goal": "minimize"},
        "parameters": {"model.init_args.optimizer.init_args.lr": {"values": rates}},
        "command": ["augrnn", "fit", *TINY, "${args}"],
    }
    (found / "twenty.yaml").write_text(yaml.safe_dump(sweep))
    profile = {"partition": "spare", "time": "10:00", "environment": ["export OMP_NUM_THREADS=1 AUGRNN_COMPILE=0"]}
    (found / "profile.yaml").write_text(yaml.safe_dump(profile))
    return found


def augrnn(slurm: Slurm, folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "augrnn.cli", *words]
    environment = {**slurm.environment, "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return [{name: value for name, value in row.items() if name != "throughput"} for row in csv.DictReader(file)]


def at_work(runs: list[Path]) -> list[Path]:
    """The runs that are past their first updates and not near their end."""
    return [run for run in runs if (run / "metrics.csv").exists() and 10 < len(rows(run)) < UPDATES * 0.8]


def legs(run: Path) -> list[str]:
    return [leg.get("outcome", "at work") for leg in files.read_json(run / "provenance.json")["legs"]]


def workers() -> dict[str, int]:
    """The processes of the sweep's points, by the point's id, the one that trains last."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if b"augrnn.cluster.worker" in words and not words[0].endswith(b"srun"):
                found[words[-3].decode()] = int(entry.name)
    return found


def test_a_sweep_that_is_interrupted_everywhere_is_the_uninterrupted_one(
    slurm: Slurm, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = augrnn(slurm, folder, "sweep", "submit", "twenty.yaml", "--cluster", "profile.yaml")
    assert "20 jobs submitted" in said
    said = augrnn(slurm, folder, "sweep", "submit", "twenty.yaml", "--cluster", "profile.yaml")
    assert "0 jobs submitted (none), 20 already in the queue" in said
    sweep = read_sweep(folder / "twenty.yaml", ROOT)
    plan = runs_of(sweep, points(sweep))
    runs = [run.folder(folder / "runs") for run in plan]

    # Four are preempted: an urgent job needs both nodes.
    until(lambda: len(at_work(runs)) == 4, 300)
    preempted = at_work(runs)
    slurm.run("sbatch", "-p", "urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap", "sleep 2")
    until(lambda: all(legs(run)[0] == "SystemExit: 143" for run in preempted), 120)

    # Two are killed.
    until(lambda: len([run for run in at_work(runs) if run not in preempted]) >= 2, 300)
    killed = [run for run in at_work(runs) if run not in preempted][:2]
    for run in killed:
        os.kill(workers()[run.parent.name], signal.SIGKILL)
    until(lambda: all(len(legs(run)) == 2 for run in killed), 120)

    # A node goes down and comes back.
    until(lambda: len([run for run in at_work(runs) if run not in preempted + killed]) >= 1, 300)
    others = [run for run in runs if run not in preempted + killed and not (run / "summary.json").exists()]
    slurm.run("scontrol", "update", "nodename=node1", "state=down", "reason=test")
    time.sleep(3)  # for the controller to take its jobs away
    with contextlib.suppress(RuntimeError):  # it may have come back by itself
        slurm.run("scontrol", "update", "nodename=node1", "state=resume")

    until(lambda: all((run / "summary.json").exists() for run in runs), 600)
    until(lambda: not slurm.run("squeue", "-h").strip(), 120)
    assert "20 finished" in augrnn(slurm, folder, "sweep", "status", "twenty.yaml")
    assert "0 jobs submitted" in augrnn(slurm, folder, "sweep", "submit", "twenty.yaml", "--cluster", "profile.yaml")
    assert not list(folder.rglob("oops*"))

    monkeypatch.setenv("AUGRNN_COMPILE", "0")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    tags = {"experiment": "e", "variant": "v", "scale": "s", "seed": 0}
    for run, place in zip(plan, runs, strict=True):
        train(list(run.argv), folder / "whole" / run.variant, tags)
        assert rows(place) == rows(folder / "whole" / run.variant), place
        assert len(rows(place)) == UPDATES
        assert legs(place)[-1] == "ended"
        assert json.loads((place / "summary.json").read_text())["updates"] == UPDATES
    assert all(legs(run)[0] == "SystemExit: 143" for run in preempted), [legs(run) for run in preempted]
    assert all(legs(run)[0] == "killed" for run in killed)
    assert any(len(legs(run)) >= 2 for run in others), [legs(run) for run in others]


def test_a_data_parallel_run_on_two_nodes_is_one_record(slurm: Slurm, folder: Path) -> None:
    profile = {
        "partition": "spare",
        "time": "10:00",
        "nodes": 2,
        "trainer": {"strategy": "ddp"},
        "environment": [
            "export OMP_NUM_THREADS=1 AUGRNN_COMPILE=0",
            "export MASTER_ADDR=127.0.0.1 GLOO_SOCKET_IFNAME=lo",  # both nodes are this machine
        ],
    }
    (folder / "pair.yaml").write_text(yaml.safe_dump(profile))
    sweep = yaml.safe_load((folder / "twenty.yaml").read_text())
    sweep["parameters"] = {"trainer.max_steps": {"value": 30}, "data.init_args.epoch_batches": {"value": 15}}
    (folder / "one.yaml").write_text(yaml.safe_dump(sweep))
    augrnn(slurm, folder, "sweep", "submit", "one.yaml", "--cluster", "pair.yaml")
    until(lambda: "1 finished" in augrnn(slurm, folder, "sweep", "status", "one.yaml"), 120)
    (summary,) = (folder / "runs").rglob("summary.json")
    found = json.loads(summary.read_text())
    assert (found["updates"], found["sequences"]) == (30, 30 * 16 * 2)
    assert len(rows(summary.parent)) == 30
    assert legs(summary.parent) == ["ended"]
