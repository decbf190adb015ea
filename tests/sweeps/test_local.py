"""`augrnn sweep run` that is stopped by Ctrl-C and goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from augrnn import files
from tests.tiny import CONFIG, ROOT, tiny

LR = "model.init_args.optimizer.init_args.lr"
UPDATES = 200


def sweep(folder: Path, **changed: object) -> list[str]:
    """The command that trains two points at once."""
    content = {
        "method": "grid",
        "metric": {"name": "val/cost_bits"},
        "parameters": {LR: {"values": [1e-3, 1e-2]}},
        "command": ["augrnn", "fit", *CONFIG, *tiny(50), f"--trainer.max_steps={UPDATES}", "${args}"],
    }
    (folder / "s.yaml").write_text(yaml.safe_dump(content | changed, sort_keys=False))
    return [sys.executable, "-m", "augrnn.cli", "sweep", "run", "s.yaml", "--jobs", "2"]


def at_work(folder: Path) -> list[Path]:
    """The runs that have logged some updates and not ended."""
    found = folder.glob("runs/sweeps/s/*/*/seed-0/checkpoints/last.ckpt")
    return [path.parents[1] for path in found if not (path.parents[1] / "summary.json").exists()]


def steps(run: Path) -> list[int]:
    return [int(line.partition(",")[0]) for line in (run / "metrics.csv").read_text().splitlines()[1:]]


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """A shell starts what it runs in the background with SIGINT ignored, and the tests with it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "changed",
    [{}, {"method": "bayes", "run_cap": 2, "parameters": {LR: {"min": 1e-3, "max": 1e-2}}}],
    ids=["grid", "bayes"],
)
def test_after_ctrl_c_the_same_command_goes_on(changed: dict[str, object], tmp_path: Path) -> None:
    command = sweep(tmp_path, **changed)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    while len(at_work(tmp_path)) < 2:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.splitlines()[-1].endswith("stopped; the same command resumes")
    assert "Traceback" not in said
    runs = at_work(tmp_path)
    before = {run: steps(run) for run in runs}
    assert all(0 < len(rows) < UPDATES for rows in before.values())
    assert {files.read_json(run / "provenance.json")["legs"][-1]["outcome"] for run in runs} == {"SystemExit: 143"}

    done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 runs to do, 2 of them from where they were stopped" in done.stdout
    assert "trying one update" not in done.stdout
    assert done.stdout.splitlines()[-1] == "s: 2 finished"
    for run, rows in before.items():
        assert steps(run) == list(range(UPDATES))
        assert len(files.read_json(run / "provenance.json")["legs"]) == 2
        assert rows == list(range(len(rows)))
