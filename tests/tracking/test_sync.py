"""`augrnn sync`: every row of a run reaches the server once, whenever it is called."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from augrnn.cli import main
from augrnn.files import locked
from tests.wandb_server import WandbServer

WRITE = """
import sys, time, wandb
from pathlib import Path
folder, rows = Path(sys.argv[1]), int(sys.argv[2])
run = wandb.init(project="augrnn", id=sys.argv[3], dir=folder, mode="offline", settings=wandb.Settings(console="off"))
for step in range(rows):
    run.log({"loss": step})
    if step == rows // 2:
        (folder / "half").touch()
        while (folder / "wait").exists():
            time.sleep(0.05)
run.finish()
"""


def begun(folder: Path, rows: int, name: str = "run0") -> "subprocess.Popen[bytes]":
    """A process that logs so many rows offline; while there is a file `wait` it stops half-way."""
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen([sys.executable, "-c", WRITE, str(folder), str(rows), name])


def sync(*words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "augrnn.cli", "sync", *words], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def losses(server: WandbServer, name: str = "run0") -> list[int]:
    return [row["loss"] for row in server.runs[name].history if "loss" in row]


def test_a_run_at_work_is_named_and_sent_once_when_it_has_ended(wandb_server: WandbServer, tmp_path: Path) -> None:
    done, alive = tmp_path / "a/seed-0", tmp_path / "a/seed-1"
    assert begun(done, 10).wait(60) == 0
    alive.mkdir()
    (alive / "wait").touch()
    process = begun(alive, 20, "run1")
    try:
        while not (alive / "half").exists():
            time.sleep(0.05)
            assert process.poll() is None
        said = sync(str(tmp_path))
        assert f"{alive} is still at work: not sent" in said
        assert "1 of 2 offline runs sent" in said
        assert set(wandb_server.runs) == {"run0"}
        assert losses(wandb_server) == list(range(10))
    finally:
        (alive / "wait").unlink()
        assert process.wait(60) == 0
    assert "1 of 1 offline runs sent" in sync(str(tmp_path), str(alive))
    assert losses(wandb_server, "run1") == list(range(20))
    assert wandb_server.runs["run1"].exits == [0]
    assert "0 of 0 offline runs sent" in sync(str(tmp_path))
    assert losses(wandb_server) == list(range(10))


def test_a_log_that_is_cut_is_sent_once_as_far_as_it_goes(wandb_server: WandbServer, tmp_path: Path) -> None:
    assert begun(tmp_path, 500).wait(60) == 0
    (log,) = tmp_path.rglob("*.wandb")
    log.write_bytes(log.read_bytes()[: log.stat().st_size * 6 // 10 + 3])
    for code, told in ((1, "sent as far as its log is whole"), (0, "sent in part before"), (0, "sent in part before")):
        said = sync(str(tmp_path), code=code)
        assert f"{log.parent}" in said
        assert told in said
        assert losses(wandb_server) == list(range(len(losses(wandb_server))))
        assert 100 < len(losses(wandb_server)) < 500


def test_a_locked_folder_is_at_work_on_whatever_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leg = tmp_path / "runs/x/seed-0/wandb/offline-run-1-abc"
    leg.mkdir(parents=True)
    (leg / "run-abc.wandb").touch()
    monkeypatch.chdir(tmp_path)
    with locked(tmp_path / "runs/x/seed-0"):
        assert main(["sync"]) == 0
    assert "runs/x/seed-0 is still at work" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["none"], ["runs", "none"], []])
def test_a_missing_folder_is_one_line(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if words:
        (tmp_path / "runs").mkdir()
    assert main(["sync", *words]) == 2
    assert capsys.readouterr().err == f"augrnn: error: there is no folder {'none' if words else 'runs'}\n"


def test_without_a_key_nothing_is_sent_and_that_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRC", os.devnull)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    leg = tmp_path / "wandb/offline-run-1-abc"
    leg.mkdir(parents=True)
    (leg / "run-abc.wandb").touch()
    assert main(["sync", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "there is no API key" in line


def test_what_wandb_cannot_read_is_told(wandb_server: WandbServer, tmp_path: Path) -> None:
    leg = tmp_path / "wandb/offline-run-1-abc"
    leg.mkdir(parents=True)
    (leg / "run-abc.wandb").write_bytes(b"no log")
    said = sync(str(tmp_path), code=1)
    assert f"{leg}: not sent, as W&B says above" in said
    assert "0 of 1 offline runs sent" in said
