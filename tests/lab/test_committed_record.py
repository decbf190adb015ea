from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from augrnn.errors import UserError
from augrnn.lab import committed_record

if TYPE_CHECKING:
    from tests.lab.conftest import World


def lengthen(world: World, points: int) -> None:
    """Make the curve of each run that long."""
    for path in world.runs.rglob("summary.json"):
        summary = json.loads(path.read_text())
        numbers = [i / 7 for i in range(points)]
        summary["curves"] = {"val/cost": {"updates": numbers, "sequences": numbers, "values": numbers}}
        path.write_text(json.dumps(summary))


def test_curves_are_thinned_and_more_so_where_the_record_grows_too_large(
    finished: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengthen(finished, 1000)
    plan = finished.experiment.plan("smoke", finished.experiments)
    record = committed_record.distill(finished.experiment, plan, finished.runs)
    assert {len(run.curves["val/cost"]["values"]) for run in record.runs} == {100}
    monkeypatch.setattr(committed_record, "LIMIT", 8000)
    record = committed_record.distill(finished.experiment, plan, finished.runs)
    assert {len(run.curves["val/cost"]["values"]) for run in record.runs} == {50}
    assert len(record.encoded()) < 8000
    monkeypatch.setattr(committed_record, "LIMIT", 1000)
    with pytest.raises(UserError, match="toy/learn: measures too large to commit; put them into exhibits"):
        committed_record.distill(finished.experiment, plan, finished.runs)


def test_a_record_says_where_it_came_from_and_nothing_of_the_machines_folders(finished: World) -> None:
    text = committed_record.results_path(finished.experiments, "toy/learn", "smoke").read_text()
    record = json.loads(text)
    assert str(finished.root.parent) not in text
    assert "/" not in "".join(record["provenance"]["hardware"])
    assert set(record["provenance"]) == {"commit", "python", "versions", "hardware", "threads"}
    assert record["variants"]["bad"]["settings"] == {"model": {"behaviour": "slow"}, "trainer": {"max_steps": 5}}
    assert record["variants"]["bad"]["seeds"] == 2


def test_the_same_runs_give_the_same_bytes(finished: World) -> None:
    plan = finished.experiment.plan("smoke", finished.experiments)
    record = committed_record.distill(finished.experiment, list(reversed(plan)), finished.runs)
    again = committed_record.distill(finished.experiment, plan, finished.runs)
    assert record.runs == again.runs
    path = committed_record.results_path(finished.experiments, "toy/learn", "smoke")
    assert path.read_text() == again.encoded()
