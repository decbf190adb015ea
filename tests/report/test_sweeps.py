"""Sweeps on record, and a user's own ones, as the report shows them."""

from __future__ import annotations

import json
import re
import shutil
import statistics
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from augrnn.cli import main
from augrnn.lab.committed_record import judge
from augrnn.lab.committed_sweep import Row, SweepRecord, own_sweep_path, pictures_path, record_path
from augrnn.lab.experiment import load
from augrnn.report.build import report_files, write_report
from augrnn.report.contents import ShownSweep, other_sweeps, shown
from augrnn.report.sweeps import sweep_charts
from tests.report.conftest import EXPERIMENTS

if TYPE_CHECKING:
    from pathlib import Path

    from augrnn.report.contents import Shown
    from tests.report.conftest import Open

HOSTILE = "</script><img src=x onerror=alert(1)>&\"'<b>"
TAUS = [0.0, 1e-4, 0.3]
FOUND = {0.0: [0.2, 0.4, 0.3], 1e-4: [0.01, None, 0.02], 0.3: [0.5, 0.45, 0.55]}


def curve(*values: float | None) -> Any:
    updates = list(range(1, len(values) + 1))
    return {"updates": updates, "sequences": [128 * each for each in updates], "values": list(values)}


def of_one_option() -> SweepRecord:
    """Three taus, three seeds, one of which has failed."""
    rows = [
        Row(f"p{i}", {"m.tau": tau}, dict(enumerate(FOUND[tau])), 3, False, False, 30, curve(0.5, 0.4 - tau))
        for i, tau in ((0, 0.0), (2, 0.3), (1, 1e-4))
    ]
    return record("parity-tau", {"m.tau": {"values": TAUS}}, rows)


def of_several_options(kind: str = "x.Dot", name: str = "mine") -> SweepRecord:
    """Two rates by two kinds, without one of the four points."""
    cells = [(0.1, "x.Add"), (0.1, kind), (0.2, kind)]
    rows = [
        Row(f"q{i}", {"lr": lr, "m.kind": kind}, {0: 1.0 + i, 1: 2.0 + i}, 2, False, False, 30)
        for i, (lr, kind) in enumerate(cells)
    ]
    shares = {"m.kind": 0.75, "lr": 0.25}
    return record(name, {"lr": {"values": [0.1, 0.2]}, "m.kind": {"values": [kind, "x.Add"]}}, rows, shares)


def record(name: str, parameters: Any, rows: list[Row], shares: Any = None) -> SweepRecord:
    versions = [{"torch": "2.0"}]
    provenance = {"commit": ["c0ffee"], "hardware": ["a box"], "threads": [1], "python": ["3.11"], "versions": versions}
    return SweepRecord(
        name, "f00", "grid", "val/wrong_bits", "minimize", parameters, [], shares or {}, provenance, tuple(rows)
    )


def of_trials() -> SweepRecord:
    """Twenty rates, a third of them ended early."""
    rows = [Row(f"{i:03d}", {"lr": 0.001 * 1.1**i}, {0: float(i)}, 1, i % 3 == 0, False, 1) for i in range(20)]
    axis = {"distribution": "log_uniform_values", "min": 1e-3, "max": 1e-2}
    return replace(record("trials", {"lr": axis}, rows), method="bayes")


def test_a_chart_has_every_seed_by_the_value_and_the_median() -> None:
    charts = sweep_charts(of_one_option())
    assert list(charts) == ["sweeps/parity-tau/points", "sweeps/parity-tau/curves"]
    points = charts["sweeps/parity-tau/points"]
    assert (points["type"], points["x"], points["sizes"]) == ("sizes", "tau", ["0", "0.0001", "0.3"])
    (series,) = points["series"]
    assert series["runs"] == [[FOUND[tau][seed] for tau in TAUS] for seed in range(3)]
    assert series["median"] == [statistics.median(FOUND[0.0]), 0.02, statistics.median(FOUND[0.3])]
    assert "Points with a failed seed" in points["caption"]
    curves = charts["sweeps/parity-tau/curves"]
    assert {each["name"]: each["median"] for each in curves["series"]} == {
        f"tau {tau:g}": [[128, 0.5], [256, pytest.approx(0.4 - tau)]] for tau in TAUS
    }


def test_several_options_are_lines_of_one_chart() -> None:
    (points,) = sweep_charts(of_several_options()).values()
    assert (points["x"], points["sizes"]) == ("lr", ["0.1", "0.2"])
    assert {each["name"]: each["runs"] for each in points["series"]} == {
        "kind Dot": [[2, 3], [3, 4]],
        "kind Add": [[1, None], [2, None]],
    }


def test_many_values_are_a_cloud() -> None:
    (cloud,) = sweep_charts(of_trials()).values()
    assert (cloud["type"], cloud["log"]) == ("scatter", True)
    whole, early = cloud["series"]
    assert len(whole["runs"]) == 13
    assert early["runs"][1] == [pytest.approx(0.001 * 1.1**3, rel=1e-5), 3]


@pytest.fixture
def place(root: Path, tmp_path: Path) -> Path:
    """A folder with one experiment, and a made-up record of its sweep."""
    committed = shutil.ignore_patterns("sweeps")
    shutil.copytree(root / "experiments/act/parity", tmp_path / "experiments/act/parity", ignore=committed)
    experiments = tmp_path / "experiments"
    of_one_option().write(record_path(experiments, "act/parity", "parity-tau"))
    return tmp_path


def test_a_committed_sweep_is_on_the_page_of_its_experiment(place: Path) -> None:
    (one,) = shown([place / "experiments"], place / "runs")
    page = report_files([one])["act/parity.html"].decode()
    data = json.loads(re.findall(r'id="charts">(.*?)</script>', page)[0])
    assert data["sweeps/parity-tau/points"] == sweep_charts(of_one_option())["sweeps/parity-tau/points"]
    assert 'data-chart="sweeps/parity-tau/points"' in page
    assert "augrnn sweep run configs/sweeps/parity-tau.yaml" in page
    assert "0.2 to 0.4" in page
    assert "your own runs" not in page


def test_pictures_are_there_where_there_is_more_than_one_option(place: Path) -> None:
    experiments = place / "experiments"
    folder = pictures_path(experiments, "act/parity", "parity-tau")
    folder.mkdir(parents=True)
    (folder / "slice.png").write_bytes(b"drawn")
    path = record_path(experiments, "act/parity", "parity-tau")
    assert not any("sweeps" in name for name in report_files(shown([experiments], None)))
    of_several_options(name="parity-tau").write(path)
    files = report_files(shown([experiments], None))
    assert files["pictures/act/parity/sweeps/parity-tau/slice.png"] == b"drawn"
    page = files["act/parity.html"].decode()
    assert 'src="../pictures/act/parity/sweeps/parity-tau/slice.png"' in page
    assert "importance of m.kind: 0.75" in page


def test_a_users_own_sweeps_are_shown_and_marked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiments, runs = place / "experiments", place / "runs"
    record_path(experiments, "act/parity", "parity-tau").unlink()
    of_one_option().write(own_sweep_path(runs, "parity-tau"))
    of_several_options(HOSTILE).write(own_sweep_path(runs, "mine"))
    found = shown([experiments], runs)
    assert [each.own for each in found[0].sweeps] == [True]
    assert "your own runs" in report_files(found)["act/parity.html"].decode()
    others = other_sweeps(found, runs)
    assert [each.record.sweep for each in others] == ["mine"]
    monkeypatch.chdir(place)
    assert main(["report", "--out", "out"]) == 0
    assert 'href="sweeps.html#sweep-mine"' in (place / "out/index.html").read_text()
    page = (place / "out/sweeps.html").read_text()
    assert "<img" not in page
    assert "</script><img" not in page
    assert 'id="sweep-mine"' in page
    assert main(["report", "--out", "other", "--committed"]) == 0
    assert not (place / "other/sweeps.html").exists()
    assert "parity-tau/points" not in (place / "other/act/parity.html").read_text()


@pytest.mark.parametrize("own", [False, True])
def test_what_a_sweep_judges_stands_with_the_claims(own: bool, root: Path, tmp_path: Path) -> None:
    name, experiments, runs = "attention/reversal", tmp_path / "experiments", tmp_path / "runs"
    shutil.copytree(root / "experiments" / name, experiments / name, ignore=shutil.ignore_patterns("sweeps"))
    experiment = load(name, experiments)
    kinds = [Row(kind, {"kind": kind}, dict.fromkeys(range(5), 0.9 + 0.001 * i), 5) for i, kind in enumerate("abc")]
    made = replace(record("attention-type", {"kind": {"values": ["a", "b", "c"]}}, kinds), metric="val/accuracy")
    path = own_sweep_path(runs, "attention-type") if own else record_path(experiments, name, "attention-type")
    replace(made, verdicts=judge(experiment, made.results)).write(path)
    found = shown([experiments], runs)
    (entry,) = [entry for entry in found[0].claims if entry.claim == "kinds-learn-alike"]
    assert (entry.verdict, entry.scale, entry.own, entry.reduced) == ("reproduced", "attention-type", own, False)
    assert (entry.value, entry.seeds, entry.thin) == (pytest.approx(0.2), 5, False)
    assert entry.cost is not None
    assert entry.cost.runs == 15
    small = [entry for entry in found[0].claims if entry.scale == "small"]
    assert len(small) == len(found[0].claims) - 1
    page = report_files(found)["attention/reversal.html"].decode()
    assert page.count("Every claim that attention-type judges") == 1
    assert page.count(">kinds-learn-alike<") == 1
    shutil.rmtree(path.parent)
    (entry,) = [entry for entry in shown([experiments], runs)[0].claims if entry.claim == "kinds-learn-alike"]
    assert (entry.verdict, entry.scale, entry.cost) == ("not run", "", None)


def test_charts_of_sweeps_are_drawn(committed: list[Shown], tmp_path: Path, opened: Open) -> None:
    (one,) = [each for each in committed if each.experiment.name == "act/parity"]
    sweeps = [ShownSweep(each, True, tmp_path) for each in (of_one_option(), of_several_options(HOSTILE), of_trials())]
    write_report(report_files([replace(one, sweeps=sweeps)], sweeps), tmp_path)
    for path in ("act/parity.html", "sweeps.html"):
        for width in (360, 1440):
            page = opened(tmp_path / path, "#sweep-parity-tau", width)
            for each in sweeps:
                for key in sweep_charts(each.record):
                    assert page.locator(f'[data-chart="{key}"] svg[aria-label^="Chart"]').count() == 1
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    box = page.locator('[data-chart="sweeps/parity-tau/points"]')
    box.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    assert box.locator("output").inner_text() == "0.0001"
    assert "0.02 (0.01 to 0.02)" in box.inner_text()
    assert "tau" in box.locator("svg").first.text_content()
    page.screenshot(path=tmp_path / "page.png", full_page=True)


def test_our_experiments_name_their_sweeps() -> None:
    assert [each.experiment.sweeps for each in shown([EXPERIMENTS], None, "act/parity")] == [("parity-tau",)]
