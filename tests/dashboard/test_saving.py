"""W&B's own clients against a server on this machine: dashboards saved, sweeps and agents, runs that resume."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from augrnn.cli import main
from augrnn.dashboard.report import TITLE
from tests.wandb_server import WandbServer

WANDB = str(Path(sys.executable).with_name("wandb"))

SWEEP = """
name: rate
method: grid
metric: {name: val/cost_bits, goal: minimize}
parameters:
  model.init_args.optimizer.init_args.lr: {values: [0.001, 0.01]}
command: [PYTHON, train.py, "${args}"]
"""

TRAIN = """
import sys
import wandb

name, value = sys.argv[1].removeprefix("--").split("=")
with wandb.init(config={"argv": sys.argv[1:]}) as run:
    run.log({"val/cost_bits": float(value)})
"""

LEGS = """
import sys
from pathlib import Path
from types import SimpleNamespace
import wandb
from augrnn.tracking import loggers as tracking

folder = Path(sys.argv[1])
tags = tracking.RunTags("ntm/copy", "ntm-lstm", "smoke", 3)
for leg in range(2):
    loggers = tracking.loggers(folder, tags, {"model": {"init_args": {"lr": 0.1}}})
    for step in (2 * leg, 2 * leg + 1):
        for logger in loggers:
            logger.log_metrics({"val/cost_bits": 1 / (step + 1)}, step)
    if leg == 1:
        tracking.log_artifacts(SimpleNamespace(loggers=loggers), folder, tags)
    wandb.finish()
"""


def run(*command: str, cwd: Path) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def save(world: Path, *options: str) -> str:
    return run(sys.executable, "-m", "augrnn.cli", "dashboard", "--save", *options, cwd=world)


def without_project(content: Any) -> Any:
    """A report's content without the project that its run sets name once they are saved."""
    if isinstance(content, dict):
        return {key: without_project(value) for key, value in content.items() if key != "project"}
    return [without_project(value) for value in content] if isinstance(content, list) else content


def test_views_and_report_are_saved_as_compiled_and_saved_again_in_their_place(
    world: Path, wandb_server: WandbServer
) -> None:
    printed = save(world)
    asked = len(wandb_server.operations)
    assert main(["dashboard", "--entity", "lab", "--out", "out"]) == 0
    assert len(wandb_server.operations) == asked  # to compile takes no network
    compiled = json.loads((world / "out/workspace.json").read_text())["views"]
    report = json.loads((world / "out/report.json").read_text())
    kept = {view["displayName"]: view for view in wandb_server.views.values()}
    assert set(kept) == {*compiled, TITLE}
    for name, view in compiled.items():
        assert json.loads(kept[name]["spec"]) == view["spec"]
        assert (kept[name]["type"], kept[name]["entityName"], kept[name]["projectName"]) == (
            "project-view",
            "lab",
            "augrnn",
        )
        assert f"{name}: {wandb_server.url}/lab/augrnn?nw=" in printed
    sent = json.loads(kept[TITLE]["spec"])
    assert without_project(sent) == without_project(report["spec"])
    grids = [block["metadata"] for block in sent["blocks"] if block["type"] == "panel-grid"]
    assert {json.dumps(runs["project"]) for grid in grids for runs in grid["runSets"]} == {
        json.dumps({"name": "augrnn", "entityName": "lab", "id": "1"})
    }
    assert f"report: {wandb_server.url}/lab/augrnn/reports/" in printed

    ids = set(wandb_server.views)
    assert save(world, "--scale", "paper") == printed
    assert set(wandb_server.views) == ids
    assert '"paper"' in next(
        view["spec"] for view in wandb_server.views.values() if view["displayName"] == "first/copy"
    )
    assert wandb_server.unknown == []


def test_another_entity_and_project_can_be_named(world: Path, wandb_server: WandbServer) -> None:
    wandb_server.projects = ["theirs"]
    save(world, "--entity", "others", "--project", "theirs")
    assert {(view["entityName"], view["projectName"]) for view in wandb_server.views.values()} == {("others", "theirs")}
    assert not wandb_server.asked("CreateProject")


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["dashboard", "--save"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    return line.removeprefix("augrnn: error: ")


def test_no_key_is_one_line(
    world: Path, wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WANDB_API_KEY")
    told = f"there is no API key for {wandb_server.url}: run `wandb login`, or set WANDB_API_KEY"
    assert one_line(capsys) == told
    assert wandb_server.operations == []


def test_a_refused_key_is_one_line(world: Path, wandb_server: WandbServer, capsys: pytest.CaptureFixture[str]) -> None:
    wandb_server.refuse = True
    told = f"{wandb_server.url} refuses the API key: run `wandb login --relogin`, or set WANDB_API_KEY"
    assert one_line(capsys) == told


def test_a_key_without_an_entity_asks_for_one(
    world: Path, wandb_server: WandbServer, capsys: pytest.CaptureFixture[str]
) -> None:
    wandb_server.entity = ""
    assert one_line(capsys) == "the owner of the API key has no entity of their own: name one with --entity"


def test_an_unreachable_server_is_one_line(
    world: Path, wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    told = "no W&B server answers at http://127.0.0.1:9 (ConnectionError): check the network and WANDB_BASE_URL"
    assert one_line(capsys) == told


def test_a_project_that_the_server_does_not_give_is_one_line(
    world: Path, wandb_server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb_server.errors["CreateProject"] = "permission denied"
    command = [sys.executable, "-m", "augrnn.cli", "dashboard", "--save", "--entity", "others"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("wandb: ")]
    assert line.startswith("augrnn: error: cannot save the dashboard in others/augrnn: ")
    assert "permission denied" in line


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with a sweep and what it runs."""
    (tmp_path / "sweep.yaml").write_text(SWEEP.replace("PYTHON", sys.executable))
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def test_a_sweep_is_registered_and_an_agent_runs_its_next_point(workplace: Path, wandb_server: WandbServer) -> None:
    parameter = "model.init_args.optimizer.init_args.lr"
    wandb_server.points = [{parameter: 0.001}, {parameter: 0.01}]
    run(WANDB, "sweep", "--entity", "lab", "--project", "augrnn", "sweep.yaml", cwd=workplace)
    (sweep,) = wandb_server.sweeps.values()
    assert sweep.config["parameters"] == {parameter: {"values": [0.001, 0.01]}}
    assert (sweep.config["method"], sweep.project) == ("grid", "augrnn")

    run(WANDB, "agent", "--count", "1", f"lab/augrnn/{sweep.name}", cwd=workplace)
    assert sweep.given == ["sweep0-0"]
    assert sweep.queue == [{parameter: 0.01}]
    (trained,) = wandb_server.runs.values()
    assert (trained.id, trained.fields["sweep"], trained.exits) == ("sweep0-0", "sweep0", [0])
    assert trained.config["argv"] == [f"--{parameter}=0.001"]
    assert trained.config[parameter] == 0.001
    assert trained.summary["val/cost_bits"] == 0.001
    assert wandb_server.unknown == []


def test_an_agent_leaves_when_the_sweep_is_done(workplace: Path, wandb_server: WandbServer) -> None:
    run(WANDB, "sweep", "--entity", "lab", "--project", "augrnn", "sweep.yaml", cwd=workplace)
    run(WANDB, "agent", "lab/augrnn/sweep0", cwd=workplace)
    assert wandb_server.runs == {}
    assert len(wandb_server.asked("Heartbeat")) == 1


def test_a_resumed_run_goes_on_under_its_id_and_leaves_its_artifacts(tmp_path: Path, wandb_server: WandbServer) -> None:
    (tmp_path / "checkpoints").mkdir()
    for name in ("summary.json", "checkpoints/last.ckpt", "checkpoints/model.ckpt"):
        (tmp_path / name).write_text(name)
    run(sys.executable, "-c", LEGS, str(tmp_path), cwd=tmp_path)
    (resumed,) = wandb_server.runs.values()
    assert resumed.exits == [0, 0]
    assert len(wandb_server.asked("RunResumeStatus")) == 2
    told = {name: resumed.fields[name] for name in ("groupName", "jobType", "displayName")}
    assert told == {"groupName": "ntm/copy", "jobType": "ntm-lstm", "displayName": "ntm-lstm-smoke-3"}
    assert resumed.fields["tags"][0] == "smoke"
    assert resumed.config["model"] == {"init_args": {"lr": 0.1}}
    assert [row["trainer/global_step"] for row in resumed.history] == [0, 1, 2, 3]
    assert [row["_step"] for row in resumed.history] == [0, 1, 2, 3]
    assert resumed.history[-1]["val/cost_bits"] == 0.25

    artifacts = {artifact.name: artifact for artifact in wandb_server.artifacts.values()}
    assert {name: artifact.type for name, artifact in artifacts.items()} == {
        "model-ntm-copy-ntm-lstm-smoke-3": "model",
        "record-ntm-copy-ntm-lstm-smoke-3": "record",
    }
    assert artifacts["model-ntm-copy-ntm-lstm-smoke-3"].files == {"model.ckpt": b"checkpoints/model.ckpt"}
    assert artifacts["record-ntm-copy-ntm-lstm-smoke-3"].files == {"summary.json": b"summary.json"}
    assert all(artifact.committed and artifact.run == resumed.id for artifact in artifacts.values())
    assert wandb_server.keys - {""} == {os.environ["WANDB_API_KEY"]}
    assert wandb_server.unknown == []
