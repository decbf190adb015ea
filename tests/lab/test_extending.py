"""A committed record that grows: what it has is not trained again, and stays as it was."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from augrnn.errors import UserError
from augrnn.lab import committed_record, runner
from augrnn.lab.committed_record import Record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.conftest import World

SMOKE = '"smoke": Scale(seeds=2'


def edit(world: World, old: str, new: str) -> None:
    path = world.experiments / "toy/learn/experiment.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def record_of(world: World) -> Record:
    found = committed_record.read_record(committed_record.results_path(world.experiments, "toy/learn", "smoke"))
    assert found is not None
    return found


def extended(world: World, **options: Any) -> list[str]:
    """Extend the record; gives the runs that were trained."""
    started: list[str] = []

    def command(run: Any, experiments: Path, runs: Path) -> list[str]:
        started.append(run.name)
        return world.command(run, experiments, runs)

    world.reproduce(commit=True, extend=True, command=command, **options)
    return sorted(started)


def test_nothing_is_trained_where_all_is_on_record(finished: World) -> None:
    shutil.rmtree(finished.runs)
    before = {path: path.read_bytes() for path in finished.experiments.rglob("*.*") if path.is_file()}
    assert extended(finished) == []
    assert {path: path.read_bytes() for path in before} == before


def test_seeds_are_added(finished: World) -> None:
    whole = record_of(finished)
    shutil.rmtree(finished.runs)
    edit(finished, SMOKE, '"smoke": Scale(seeds=3')
    assert extended(finished) == ["bad/seed-2", "good/seed-2"]
    found = record_of(finished)
    assert [(run.variant, run.seed) for run in found.runs] == [(v, s) for v in ("bad", "good") for s in range(3)]
    assert [run for run in found.runs if run.seed < 2] == list(whole.runs)
    assert {name: variant["seeds"] for name, variant in found.variants.items()} == {"good": 3, "bad": 3}
    assert found.verdicts["learns"].seeds == 3
    again = finished.reproduce(fresh=True)
    assert [run.measures for run in again.record.runs] == [run.measures for run in found.runs]


def test_examples_of_models_that_are_not_there_are_kept(finished: World) -> None:
    path = finished.experiments / "toy/learn/exhibits/smoke.json"
    before = json.loads(path.read_text())
    shutil.rmtree(finished.runs)
    edit(finished, SMOKE, '"smoke": Scale(seeds=3')
    extended(finished)
    after = json.loads(path.read_text())
    assert set(after) == {*before, "good-2", "bad-2"}
    assert after["good-0"] == before["good-0"]
    assert after["learning"] != before["learning"]
    pictures = finished.experiments / "toy/learn/figures/smoke"
    assert (pictures / "good-0.png").exists()
    assert (pictures / "bad-2.png").exists()


def test_runs_of_other_settings_are_trained_again(finished: World) -> None:
    shutil.rmtree(finished.runs)
    edit(finished, '{"behaviour": "slow"}', '{"behaviour": "learn"}')
    assert extended(finished) == ["bad/seed-0", "bad/seed-1"]
    found = record_of(finished)
    assert {run.variant: run["cost"] for run in found.runs if run.seed == 0}["bad"] < 0.5


def test_runs_that_are_there_come_before_those_on_record(finished: World) -> None:
    whole = record_of(finished)
    summary = finished.folder("good", 1) / "summary.json"
    content = json.loads(summary.read_text())
    content["measures"]["cost"] = 0.25
    summary.write_text(json.dumps(content))
    shutil.rmtree(finished.folder("good", 0))
    (finished.folder("bad", 0) / "summary.json").unlink()
    assert extended(finished) == ["bad/seed-0"]
    costs = {(run.variant, run.seed): run["cost"] for run in record_of(finished).runs}
    assert costs["good", 1] == 0.25
    assert costs["good", 0] == {(run.variant, run.seed): run["cost"] for run in whole.runs}["good", 0]


def test_where_runs_came_from_is_said_of_all(finished: World) -> None:
    path = committed_record.results_path(finished.experiments, "toy/learn", "smoke")
    content = json.loads(path.read_text())
    content["provenance"]["commit"] = ["0123456789ab"]
    path.write_text(json.dumps(content))
    assert extended(finished) == []
    assert "0123456789ab" not in record_of(finished).provenance["commit"]
    path.write_text(json.dumps(content))
    shutil.rmtree(finished.folder("good", 0))
    assert extended(finished) == []
    commits = record_of(finished).provenance["commit"]
    assert "0123456789ab" in commits
    assert len(commits) == 2


def test_a_record_is_extended_only_where_it_is_written_and_there(finished: World) -> None:
    with pytest.raises(UserError, match="--extend says which runs --record need not train: give both"):
        runner.planned("toy/learn", "smoke", extend=True, experiments=finished.experiments)
    with pytest.raises(UserError, match="toy/learn has no record at scale small to extend: leave out --extend"):
        finished.reproduce("small", commit=True, extend=True, command=lambda *_: pytest.fail("nothing may start"))
    with pytest.raises(UserError, match="--record needs every run of toy/learn at scale smoke: leave out --variants"):
        finished.reproduce(commit=True, extend=True, variants=["good"])
