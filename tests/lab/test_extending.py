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


def test_committed_examples_of_models_stay_and_others_are_added(finished: World) -> None:
    # as in experiments that show the first run that is good: with new runs alone it would be another one
    edit(finished, "    return {", "    if shown:\n        texts['first'] = shown[min(shown)]['texts']\n    return {")
    finished.reproduce(commit=True)
    path = finished.experiments / "toy/learn/exhibits/smoke.json"
    before = json.loads(path.read_text())
    shutil.rmtree(finished.runs)
    edit(finished, SMOKE, '"smoke": Scale(seeds=3')
    extended(finished)
    after = json.loads(path.read_text())
    assert set(after) == {*before, "good-2", "bad-2"}
    assert {name: after[name] for name in before if name != "learning"} == {
        name: before[name] for name in before if name != "learning"
    }
    assert after["learning"] != before["learning"]
    for folder in (finished.experiments / "toy/learn/figures/smoke", finished.runs / "toy/learn/smoke/figures"):
        assert {picture.stem for picture in folder.iterdir()} == set(after)


def test_a_record_whose_settings_have_changed_is_made_anew(finished: World) -> None:
    shutil.rmtree(finished.runs)
    edit(finished, '{"behaviour": "slow"}', '{"behaviour": "learn"}')
    with pytest.raises(UserError, match="keeps what is on record, but the settings of bad have changed since"):
        extended(finished)


def test_no_run_on_record_is_lost(finished: World) -> None:
    edit(finished, SMOKE, '"smoke": Scale(seeds=1')
    with pytest.raises(UserError, match=r"would lose runs that are on record \(bad seed 1\): give --seeds as"):
        extended(finished)
    assert extended(finished, seeds=2) == []


def test_a_variant_is_added(finished: World) -> None:
    shutil.rmtree(finished.runs)
    edit(
        finished,
        '"good": Variant("configs/toy.yaml"),',
        '"good": Variant("configs/toy.yaml"),\n        "new": '
        'Variant("configs/toy.yaml", {"model": {"behaviour": "learn"}, "trainer": {"max_steps": 7}}),',
    )
    assert extended(finished) == ["new/seed-0", "new/seed-1"]
    assert [name for name, runs in record_of(finished).results.planned.items() if runs] == ["good", "new", "bad"]


@pytest.mark.parametrize("option", ["fresh", "measure_again"])
def test_what_is_for_all_runs_is_refused(finished: World, option: str) -> None:
    with pytest.raises(UserError, match=f"--{option.replace('_', '-')} is for all runs: choose one"):
        extended(finished, **{option: True})


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
