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
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from augrnn import files
from augrnn.lab.settings import from_words
from augrnn.sweeps.optuna_trials import open_study
from augrnn.sweeps.points import points, runs_of
from augrnn.sweeps.sweep_file import read_sweep
from augrnn.training.command import train
from tests.cluster.slurmd import Slurm, cluster, missing, until
from tests.lab.test_ensembles import EXPERIMENT as ENSEMBLE
from tests.tiny import CONFIG, tiny
from tests.wandb_server import WandbServer

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]  # one cluster for all
ROOT = Path(__file__).parents[2]
UPDATES = 400
OPTIONS = [*tiny(80), f"--trainer.max_steps={UPDATES}"]
TINY = [*CONFIG, *OPTIONS]


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


def augrnn(slurm: Slurm, folder: Path, *words: str, wandb: str = "disabled") -> str:
    command = [sys.executable, "-m", "augrnn.cli", *words]
    environment = {**os.environ, **slurm.settings, "WANDB_MODE": wandb, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return [{name: value for name, value in row.items() if name != "throughput"} for row in csv.DictReader(file)]


def kept(path: Path) -> list[int]:
    """The updates whose numbers are in an offline file of W&B's, as its own tool reads it."""
    command = [str(Path(sys.executable).with_name("wandb")), "leet", "inspect", "--json", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    records = [json.loads(line) for line in said.splitlines()]
    items = [record["history"]["item"] for record in records if record["type"] == "history"]
    return [item["trainer/global_step"] for item in items if "train/cost_bits" in item]


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
            if b"augrnn.sweeps.run_process" in words and not words[0].endswith(b"srun"):
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
    until(lambda: [run for run in at_work(runs) if run not in preempted + killed], 300)
    lost = next(run for run in at_work(runs) if run not in preempted + killed)
    node = slurm.node(runs.index(lost))
    slurm.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    until(lambda: slurm.node(runs.index(lost)) != node, 60)
    with contextlib.suppress(RuntimeError):  # it may have come back by itself
        slurm.run("scontrol", "update", f"nodename={node}", "state=resume")

    until(lambda: all((run / "summary.json").exists() for run in runs), 600)
    until(lambda: not slurm.run("squeue", "-h").strip(), 120)
    assert "20 finished" in augrnn(slurm, folder, "sweep", "status", "twenty.yaml")
    assert "0 jobs submitted" in augrnn(slurm, folder, "sweep", "submit", "twenty.yaml", "--cluster", "profile.yaml")
    assert not list(folder.rglob("oops*"))

    monkeypatch.setenv("AUGRNN_COMPILE", "0")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    tags = {"experiment": "e", "variant": "v", "scale": "s", "seed": 0}
    for run, place in zip(plan, runs, strict=True):
        train(run.settings, folder / "whole" / run.variant, tags)
        assert rows(place) == rows(folder / "whole" / run.variant), place
        assert len(rows(place)) == UPDATES
        assert legs(place)[-1] == "ended"
        assert json.loads((place / "summary.json").read_text())["updates"] == UPDATES
    assert all(legs(run)[0] == "SystemExit: 143" for run in preempted), [legs(run) for run in preempted]
    assert all(legs(run)[0] == "killed" for run in killed)
    assert len(legs(lost)) >= 2, legs(lost)


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


def test_trials_that_are_stopped_or_cancelled_are_all_done_in_the_end(slurm: Slurm, folder: Path) -> None:
    sweep = yaml.safe_load((folder / "twenty.yaml").read_text())
    lr = {"distribution": "log_uniform_values", "min": 1e-3, "max": 1e-2}
    sweep |= {"method": "bayes", "run_cap": 3, "parameters": {"model.init_args.optimizer.init_args.lr": lr}}
    (folder / "search.yaml").write_text(yaml.safe_dump(sweep))
    submit = ["sweep", "submit", "search.yaml", "--cluster", "profile.yaml"]
    said = augrnn(slurm, folder, *submit, wandb="offline")
    job = said.partition("3 jobs submitted (")[2].partition(")")[0]
    runs = [folder / f"runs/sweeps/search/trials/{number:03d}/seed-0" for number in range(3)]
    until(lambda: len(at_work(runs[:2])) == 2, 120)
    slurm.run("scancel", "--signal=USR1", f"{job}_0")  # as SLURM does ahead of the time limit
    slurm.run("scancel", f"{job}_1")
    until(lambda: "2 finished, 1 broken" in augrnn(slurm, folder, "sweep", "status", "search.yaml"), 180)
    assert legs(runs[0]) == ["SystemExit: 143", "ended"]
    assert "trial 001: its job is gone" in augrnn(slurm, folder, "sweep", "reap", "search.yaml")
    assert "1 jobs submitted" in augrnn(slurm, folder, *submit)
    until(lambda: "3 finished" in augrnn(slurm, folder, "sweep", "status", "search.yaml"), 180)
    study = open_study(read_sweep(folder / "search.yaml", ROOT), str(folder / "runs/sweeps/search/study.journal"))
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 3
    for run in runs:
        assert [int(row["step"]) for row in rows(run)] == list(range(UPDATES))
    # What W&B has kept for itself of the two legs of the first trial is whole as well.
    first, second = (kept(path) for path in sorted(runs[0].glob("wandb/offline-run-*/run-*.wandb")))
    assert first
    assert first + second == list(range(UPDATES))


EXPERIMENT = """
from augrnn.lab.claims import Claim, SuccessRate
from augrnn.lab.experiment import Experiment
from augrnn.lab.plan import Scale, Variant
from augrnn.measures.measure import Measured

experiment = Experiment(
    name="tiny/copy",
    title="A tiny copy task",
    paper="Nobody 2014: a paper",
    variants={{"lstm": Variant("configs/copy/lstm.yaml")}},
    scales={{"smoke": Scale(seeds=2, minutes=1, settings={settings})}},
    measure=lambda trained: Measured({{"updates": trained.updates}}, {{}}),
    claims=(
        Claim(
            name="trains",
            sentence="It trains.",
            source="nowhere",
            quantity=lambda results: results.each("lstm", lambda run: run["updates"] == {updates}),
            rules={{"smoke": SuccessRate(needed=0.5)}},
            paper="",
            public="",
        ),
    ),
)
"""


def test_an_experiment_is_reproduced_on_slurm(slurm: Slurm, folder: Path) -> None:
    place = folder / "experiments/tiny/copy"
    place.mkdir(parents=True)
    (place / "experiment.py").write_text(
        EXPERIMENT.format(settings=from_words(OPTIONS, ROOT, "a test"), updates=UPDATES)
    )
    shutil.copytree(ROOT / "configs/copy", folder / "configs/copy")
    words = ["reproduce", "tiny/copy", "--scale", "smoke", "--launcher", "slurm", "--cluster", "profile.yaml"]
    said = augrnn(slurm, folder, *words)
    assert "2 jobs submitted" in said
    assert "tiny/copy at scale smoke: 2 " in said
    until(lambda: len(list((folder / "runs").rglob("summary.json"))) == 2, 120)
    until(lambda: not slurm.run("squeue", "-h").strip(), 60)
    assert "reproduced" in augrnn(slurm, folder, *words)
    record = files.read_json(folder / "runs/tiny/copy/smoke/results.json")
    assert [verdict["verdict"] for verdict in record["verdicts"]] == ["reproduced"]


def test_an_ensemble_is_submitted_once_its_members_have_ended(slurm: Slurm, folder: Path) -> None:
    place = folder / "experiments/toy/learn"
    place.mkdir(parents=True)
    (place / "experiment.py").write_text(ENSEMBLE.replace("LR", "0.001"))
    (folder / "configs").mkdir()
    shutil.copy(ROOT / "configs/reversal/rnnsearch.yaml", folder / "configs/reversal.yaml")
    words = ["reproduce", "toy/learn", "--scale", "smoke", "--launcher", "slurm", "--cluster", "profile.yaml"]
    summaries = folder / "runs/toy/learn/smoke"
    for submitted, ended in ((2, 2), (1, 3)):
        assert f"{submitted} jobs submitted" in augrnn(slurm, folder, *words)
        until(lambda ended=ended: len(list(summaries.rglob("summary.json"))) == ended, 120)  # type: ignore[misc]
        until(lambda: not slurm.run("squeue", "-h").strip(), 60)
    assert "reproduced" in augrnn(slurm, folder, *words)


@pytest.mark.parametrize("name", ["USR1", "TERM"])  # as ahead of the time limit, and in a preemption
def test_an_agent_that_is_asked_to_stop_goes_on_as_the_same_run(
    slurm: Slurm, folder: Path, wandb_server: WandbServer, name: str
) -> None:
    rate = {"model.init_args.optimizer.init_args.lr": 0.003}
    wandb_server.points = [rate, rate]
    sweep = yaml.safe_load((folder / "twenty.yaml").read_text())
    (folder / "served.yaml").write_text(yaml.safe_dump(sweep | {"run_cap": 1}))
    augrnn(slurm, folder, "sweep", "register", "served.yaml", wandb="online")
    said = augrnn(slurm, folder, "sweep", "submit", "served.yaml", "--cluster", "profile.yaml", wandb="online")
    job = said.partition("1 jobs submitted (")[2].partition(")")[0]
    run = folder / "runs/sweeps/served/agents/000/seed-0"
    until(lambda: at_work([run]), 120)
    slurm.run("scancel", f"--signal={name}", f"{job}_0")
    until(lambda: "1 finished" in augrnn(slurm, folder, "sweep", "status", "served.yaml"), 180)
    until(lambda: not slurm.run("squeue", "-h").strip(), 60)
    assert legs(run) == ["SystemExit: 143", "ended"]
    assert [int(row["step"]) for row in rows(run)] == list(range(UPDATES))
    (served,) = wandb_server.runs.values()
    assert served.id == "sweep0-0"
    logged = [row["trainer/global_step"] for row in served.history if "train/cost_bits" in row]
    assert logged == list(range(UPDATES))
    assert wandb_server.sweeps["sweep0"].queue == [rate]
