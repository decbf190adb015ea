"""The package as it is installed, without a clone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"from hatchling.build import build_wheel; build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=Path(__file__).parents[1], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "site")
    return folder / "site"


def augrnn(installed: Path, project: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(installed), "AUGRNN_COMPILE": "0", "WANDB_MODE": "disabled"}
    command = [sys.executable, "-m", "augrnn.cli", *words]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_the_packages_experiments_are_there_with_their_records(installed: Path, tmp_path: Path) -> None:
    for source in ("ntm.cpp", "recurrent.cpp"):
        assert (installed / "augrnn" / "cells" / source).is_file()
    done = augrnn(installed, tmp_path, "list", "ntm/copy")
    assert (done.returncode, done.stderr) == (0, "")
    assert "reproduced" in done.stdout
    done = augrnn(installed, tmp_path, "reproduce", "ntm/copy", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "runs to do" in done.stdout
    assert not any(tmp_path.iterdir())


def test_they_run_and_leave_the_package_as_it_was(installed: Path, tmp_path: Path) -> None:
    before = sorted(path for path in installed.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__")
    done = augrnn(installed, tmp_path, "reproduce", "dnc/copy", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unjudged" in done.stdout
    assert (tmp_path / "runs/dnc/copy/smoke/index.html").exists()
    after = sorted(path for path in installed.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__")
    assert after == before
    done = augrnn(installed, tmp_path, "reproduce", "dnc/copy", "--record")
    assert done.returncode == 2
    assert done.stderr.startswith("augrnn: error: no experiments of your own here")


def test_the_report_has_all_that_its_pages_load(installed: Path, tmp_path: Path) -> None:
    done = augrnn(installed, tmp_path, "report")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("index.html", "ntm/copy.html", "assets/report.css", "assets/vendor/plot.umd.min.js"):
        assert (tmp_path / "runs/report" / name).is_file()
