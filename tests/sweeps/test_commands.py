"""`augrnn sweep` and `reproduce --launcher slurm` as a user types them, with a queue that only takes notes."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from augrnn.cli import main
from augrnn.cluster import job, slurm
from augrnn.cluster.slurm import Profile, batch_script, read_profile
from augrnn.cluster.submissions import Submissions, Task, parts
from augrnn.errors import UserError
from augrnn.files import write_json

ROOT = Path(__file__).parents[2]
PROFILES = sorted((ROOT / "configs/cluster").glob("*.yaml"))
PROFILE = ROOT / "configs/cluster/default.yaml"
LR = "model.init_args.optimizer.init_args.lr"

SBATCH = """#!/bin/sh
name=$(sed -n 's/^#SBATCH --job-name=//p')
array=$(printf '%s\\n' "$@" | sed -n 's/^--array=0-\\([0-9]*\\).*/\\1/p')
i=0; while [ $i -le $array ]; do echo "$name|$i|PENDING|(Priority)" >> "$QUEUE"; i=$((i+1)); done
echo 4242
"""
SQUEUE = """#!/bin/sh
cat "$QUEUE" 2>/dev/null || true
"""


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with what was submitted, which `squeue` shows."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {"sbatch": SBATCH, "squeue": SQUEUE}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("QUEUE", str(tmp_path / "queue"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("augrnn.sweeps.rehearsal.rehearsed", lambda command: (0, ""))
    return tmp_path / "queue"


def sweep(folder: Path, values: int = 3, **changed: object) -> str:
    content = {
        "method": "grid",
        "metric": {"name": "val/cost_bits"},
        "parameters": {LR: {"min": 1, "max": values}},
        "command": ["augrnn", "fit", "--config", str(ROOT / "configs/copy/lstm.yaml"), "${args}"],
    }
    path = folder / "a sweep.yaml"
    path.write_text(yaml.safe_dump(content | changed, sort_keys=False))
    return str(path)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(list(words)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_results_of_a_sweep_that_has_none_are_one_line(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said_so = said(capsys, "sweep", "results", sweep(tmp_path), code=2)
    assert said_so == "augrnn: error: no point of a sweep has ended: there is nothing to show yet\n"


def test_submitting_twice_submits_once(queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, profile = sweep(tmp_path), ["--cluster", str(PROFILE)]
    assert "3 jobs submitted (4242)" in said(capsys, "sweep", "submit", file, *profile)
    assert "0 jobs submitted (none), 3 already in the queue" in said(capsys, "sweep", "submit", file, *profile)
    assert "a sweep: 3 waiting" in said(capsys, "sweep", "status", file)
    sweep(tmp_path, values=5)
    assert "2 jobs submitted (4242), 3 already in the queue" in said(capsys, "sweep", "submit", file, *profile)
    rows = json.loads(said(capsys, "sweep", "status", file, "--json"))
    assert [row["state"] for row in rows] == ["waiting"] * 5
    assert len(queue.read_text().splitlines()) == 5


def test_an_interrupted_submission_is_still_known(queue: Path, tmp_path: Path) -> None:
    submissions = Submissions(tmp_path / "runs")
    tasks = [Task(f"{number}", str(tmp_path / f"{number}"), ("true",)) for number in range(3)]
    submissions.submit(tasks[:2], Profile())
    for plan in submissions.folder.glob("*.json"):  # as after a crash: the plan is there before sbatch is called
        assert [each.name for each in slurm.queue()] == [f"augrnn-{plan.stem}"] * 2
    assert sorted(submissions.queued()) == ["0", "1"]
    assert submissions.submit(tasks, Profile()) == (["4242"], 1)
    assert sorted(submissions.queued()) == ["0", "1", "2"]


def test_a_thousand_points_take_seconds(queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = sweep(tmp_path, values=1000)
    profile = ["--cluster", str(PROFILE)]
    dry = said(capsys, "sweep", "submit", file, *profile, "--dry-run")
    assert "# 1,000 jobs in arrays of 1000" in dry
    assert not (tmp_path / "runs").exists()
    said(capsys, "sweep", "submit", file, *profile)
    assert "1000 waiting" in said(capsys, "sweep", "status", file)
    assert len(queue.read_text().splitlines()) == 1000


def test_nothing_slow_is_imported_to_plan(tmp_path: Path) -> None:
    file = sweep(tmp_path, values=1000)
    bayes = ROOT / "configs/sweeps/translation-bayes.yaml"
    helped = [["sweep", name, "--help"] for name in ("plan", "run", "register", "submit", "status", "reap", "results")]
    place = ["--runs", str(tmp_path / "runs")]
    quick = [["sweep", name, each, *place] for name in ("plan", "status", "reap") for each in (file, str(bayes))]
    for words in (
        *helped,
        *quick,
        ["sweep", "--help"],
        ["sync", "--help"],
        ["dashboard", "--help"],
        ["--help"],
        ["list"],
    ):
        code = f"import sys\nfrom augrnn.cli import main\ntry: main({words!r})\nexcept SystemExit: pass\n"
        code += "print(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
        assert not {"torch", "lightning", "wandb", "optuna"} & set(done.stdout.split()), words


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_every_shipped_profile_makes_a_script_that_bash_takes(path: Path, tmp_path: Path) -> None:
    script = batch_script(read_profile(path), "augrnn-x", tmp_path / "it's $(touch oops); a plan.json")
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
    assert "#SBATCH --requeue" in script
    last = script.splitlines()[-1]
    echoed = subprocess.run(
        ["bash", "-c", f"set -- {last}; printf '%s' \"$5\""], capture_output=True, text=True, check=True
    )
    assert echoed.stdout == str(tmp_path / "it's $(touch oops); a plan.json")
    assert not list(tmp_path.iterdir())


def test_no_secret_is_written(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"WANDB_API_KEY": "k" * 40, "AUGRNN_STORAGE": "postgresql+psycopg://me:hunter2@nowhere/x"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    file = sweep(tmp_path, method="bayes", run_cap=3)
    shown = said(capsys, "sweep", "submit", file, "--cluster", str(PROFILE))
    shown += said(capsys, "sweep", "submit", file, "--cluster", str(PROFILE), "--dry-run")
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "hunter2" not in shown + written
    assert "k" * 40 not in shown + written


def test_a_profile_for_several_processes_says_so_to_the_trainer(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "sweep", "submit", sweep(tmp_path), "--cluster", str(ROOT / "configs/cluster/ddp.yaml"))
    (plan,) = (tmp_path / "runs/sweeps/a sweep/submissions").glob("*.json")
    command = json.loads(plan.read_text())["tasks"][0]["command"]
    assert {f"--placement=--trainer.{option}" for option in ("strategy=ddp", "num_nodes=2", "devices=4")} <= set(
        command
    )
    file = sweep(tmp_path, method="bayes", run_cap=3)
    told = said(capsys, "sweep", "submit", file, "--cluster", str(ROOT / "configs/cluster/ddp.yaml"), code=2)
    assert "is one process" in told


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"partitoin": "x"}, "partitoin: there is no such key"),
        ({"partition": "a b"}, "not a word that sbatch takes"),
        ({"options": ["--wrap=rm -rf"]}, "not an option of sbatch"),
        ({"options": ["--a\n#SBATCH --b"]}, "not an option of sbatch"),
        ({"time": "soon"}, "time: 'soon' is not a time limit"),
        ({"time": "1:2:3:4"}, "is not a time limit"),
        ({"time": 86400}, 'time: 86400 is not text: put it in quotes, "86400"'),
        ({"memory": 4096}, 'memory: 4096 is not text: put it in quotes, "4096"'),
        ({"time": "00:01:00"}, "time 00:01:00 is 60 seconds, and notice 120"),
        ({"time": "10:00", "notice": 600}, "must be at least 120 seconds longer"),
        ({"time": "10:00", "notice": 500}, "must be at least 120 seconds longer"),
        ({"time": "1-0", "notice": 86400}, "time 1-0 is 86,400 seconds"),
        ({"nodes": 0}, "nodes: Input should be greater"),
    ],
)
def test_a_wrong_profile_is_one_line(
    profile: dict[str, object], told: str, queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(profile))
    line = said(capsys, "sweep", "submit", sweep(tmp_path), "--cluster", str(tmp_path / "p.yaml"), code=2)
    assert told in line
    assert line.count("\n") == 1
    assert not queue.exists()


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("30", 1800),
        ("10:30", 630),
        ("01:02:03", 3723),
        ("2-12", 216_000),
        ("1-00:30", 88_200),
        ("1-0:0:5", 86_405),
        ("0", math.inf),
        ("UNLIMITED", math.inf),
    ],
)
def test_a_time_limit_is_read_as_slurm_reads_it(time: str, expected: float) -> None:
    assert slurm.seconds(time) == expected
    assert Profile(time=time).time == time


def test_what_slurm_refuses_is_told_and_forgotten(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bin/sbatch").write_text("#!/bin/sh\necho 'invalid partition specified: gpu' >&2; exit 1\n")
    line = said(capsys, "sweep", "submit", sweep(tmp_path), "--cluster", str(PROFILE), code=2)
    assert line.splitlines()[-1] == "augrnn: error: SLURM refused: invalid partition specified: gpu"
    assert not list((tmp_path / "runs/sweeps/a sweep/submissions").glob("*.json"))


def test_a_mistake_in_the_mode_of_wandb_is_told_before_jobs_are(
    queue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_MODE", "Offline")
    told = said(capsys, "sweep", "submit", sweep(tmp_path), "--cluster", str(PROFILE), code=2)
    assert told.splitlines()[-1].startswith("augrnn: error: WANDB_MODE is 'Offline'")
    assert not queue.exists()


def test_without_slurm_submitting_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    line = said(capsys, "sweep", "submit", sweep(tmp_path), "--cluster", str(PROFILE), code=2)
    assert "there is no sbatch here" in line
    assert "3 new" in said(capsys, "sweep", "status", sweep(tmp_path))
    words = ["reproduce", "ntm/copy", "--launcher", "slurm"]  # with the package's profile
    assert "there is no sbatch here" in said(capsys, *words, code=2)
    assert not (tmp_path / "runs").exists()


def test_a_storage_that_cannot_be_used_is_told_before_a_trial_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("augrnn.sweeps.rehearsal.rehearsed", lambda command: (0, ""))
    monkeypatch.setenv("AUGRNN_STORAGE", "nothing://host/db")
    line = said(capsys, "sweep", "run", sweep(tmp_path, method="bayes", run_cap=2), code=2)
    assert "nothing://host/db is not the URL of a database" in line
    assert not (tmp_path / "runs").exists()


def test_an_array_is_cut_to_what_the_cluster_takes() -> None:
    tasks = [Task(str(number), "", ()) for number in range(7)]
    assert [len(part) for part in parts(tasks, 3)] == [3, 3, 1]


@contextlib.contextmanager
def signals_kept() -> Iterator[None]:
    """Give the test process its handlers back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


SRUN = """#!/bin/sh
case "$1" in --kill*) shift;; esac
case "$1" in --cpus*) shift;; esac
exec "$@"
"""


@pytest.mark.parametrize(
    ("command", "code", "requeued"),
    [
        ("exit 0", 0, False),
        ("exit 1", 1, False),
        ("exit 2", 2, False),
        ("exit 143", 143, True),
        ("exit 137", 1, False),
        ("if [ -e ran ]; then exit 0; else touch ran; exit 137; fi", 0, False),
    ],
    ids=["done", "crashed", "mistake", "asked to stop", "killed again and again", "killed once"],
)
def test_what_follows_when_a_step_ends(
    command: str, code: int, requeued: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    scontrol = f"#!/bin/sh\necho \"$@\" >> {tmp_path}/scontrol\necho 'JobId=7 JobState=RUNNING Reason=None'\n"
    for name, text in {"srun": SRUN, "scontrol": scontrol}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(job, "DECIDING", 0.0)
    for name, value in {"SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"}.items():
        monkeypatch.setenv(name, value)
    tasks = [
        {"name": "other", "folder": "", "command": []},
        {"name": "t", "folder": str(tmp_path / "run"), "command": ["sh", "-c", command]},
    ]
    write_json(tmp_path / "plan.json", {"tasks": tasks})
    with signals_kept():
        assert job.main([str(tmp_path / "plan.json")]) == code
    asked = (tmp_path / "scontrol").read_text() if (tmp_path / "scontrol").exists() else ""
    assert ("requeue 7_1" in asked) == requeued


def test_a_requeue_needs_a_job_that_slurm_has_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert slurm.state("7_1") == ""
    with pytest.raises(UserError, match="there is no scontrol here"):
        slurm.requeue("7_1")
