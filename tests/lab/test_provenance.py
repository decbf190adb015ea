from __future__ import annotations

import json
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from augrnn.lab import provenance

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.conftest import World


def git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", str(folder), *names, *arguments], check=True, capture_output=True)


def test_a_commit_is_marked_where_files_differ_from_it(tmp_path: Path) -> None:
    assert provenance.commit(tmp_path) is None
    (tmp_path / "x").write_text("1")
    git(tmp_path, "init")
    git(tmp_path, "add", "x")
    git(tmp_path, "commit", "-m", "x")
    clean = provenance.commit(tmp_path)
    assert clean is not None
    assert len(clean) == 12
    (tmp_path / "x").write_text("2")
    assert provenance.commit(tmp_path) == clean + "+"


def test_a_killed_leg_lasted_until_it_last_wrote_something(world: World, tmp_path: Path) -> None:
    run = world.experiment.plan("smoke", world.experiments)[0]
    folder = tmp_path / "run"
    provenance.Leg(run, folder)  # never closed
    path = folder / "provenance.json"
    content = json.loads(path.read_text())
    start = datetime.now(UTC) - timedelta(hours=1)
    content["legs"][0]["started"] = start.isoformat()
    path.write_text(json.dumps(content))
    (folder / "metrics.csv").touch()
    os.utime(folder / "metrics.csv", times=(time.time(), start.timestamp() + 600))
    os.utime(path, times=(time.time(), start.timestamp()))
    leg = provenance.Leg(run, folder)
    assert 600 <= leg.seconds < 620
    leg.close("ended")
    first, second = json.loads(path.read_text())["legs"]
    assert (first["outcome"], first["seconds"]) == ("killed", 600.0)
    assert second["outcome"] == "ended"


def test_an_outcome_is_one_line_of_a_few_words() -> None:
    pages = "InductorError: CppCompileError\n" + "g++: error: interrupted\n" * 5000
    assert provenance.shortened("ended") == "ended"
    assert len(provenance.shortened(pages)) <= 300
    assert provenance.shortened(pages).startswith("InductorError: CppCompileError g++: error")
    assert "\n" not in provenance.shortened(pages)
    assert len(provenance.shortened("x" * 100_000)) <= 300
