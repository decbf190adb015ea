"""What is kept of a sweep, and committed of one that is through, from made-up runs."""

import json
import shutil
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from augrnn.cli import main
from augrnn.errors import UserError
from augrnn.lab.check import check
from augrnn.lab.claims import Verdict
from augrnn.lab.claims_tables import records_of, strongest, strongest_here
from augrnn.lab.committed_record import Record, own_path, results_path
from augrnn.lab.committed_sweep import outdated_sweeps, read_sweep_record
from augrnn.lab.experiment import load
from augrnn.lab.pages import card_tables, experiments_table
from augrnn.sweeps import recording
from augrnn.sweeps.points import points, run_of
from augrnn.sweeps.recording import distilled
from augrnn.sweeps.results import collect, left
from augrnn.sweeps.sweep_file import Sweep, read_sweep
from tests.sweeps.made_up import BAYES, GRID, METRIC, ROOT, record, sweep_of

EXPERIMENT = """
from augrnn.lab.experiment import Experiment
from augrnn.lab.plan import Scale, Variant

experiment = Experiment(
    name="toy/copy",
    title="A toy",
    paper="none",
    variants={"lstm": Variant("configs/copy/lstm.yaml")},
    scales={"smoke": Scale(seeds=1, minutes=1)},
    claims=(),
    sweeps=("search",),
)
"""
SIZE = "model.init_args.cell.init_args.hidden_size"


CLAIM = """
from augrnn.lab.claims import Claim, Typical


def gap(results):
    return results.paired(tuple(results.points), lambda *runs: max(run["val/cost_bits"] for run in runs))


def small(results):
    name = next(name for name, values in results.points.items() if "SGD" in str(values) and 8 in values.values())
    return results.each(name, lambda run: run["val/cost_bits"])


CLAIMS = (
    Claim("all-end-well", "All end well.", "table 1", gap, {"search": Typical("at most", 20)}, "10", "none", "bits"),
    Claim("one-ends-well", "One ends well.", "table 2", small, {"search": Typical("at most", 12)}, "9", "none", "bits"),
    Claim("other", "Another.", "table 3", lambda results: None, {}, "9", "none"),
)
"""


def judging(place: Path) -> None:
    """Let the experiment have claims that its sweep judges, and one that its scale is about."""
    path = place / "experiments/toy/copy/experiment.py"
    path.write_text(CLAIM + EXPERIMENT.replace("claims=()", "claims=CLAIMS"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, whose experiment names the sweep `search`."""
    for name in ("experiments/toy/copy", "configs/sweeps", "configs/copy"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "experiments/toy/copy/experiment.py").write_text(EXPERIMENT)
    shutil.copy(ROOT / "configs/copy/lstm.yaml", tmp_path / "configs/copy")
    (tmp_path / "configs/sweeps/search.yaml").write_text(GRID)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(place: Path) -> Sweep:
    return read_sweep(place / "configs/sweeps/search.yaml", place)


def fill(sweep: Sweep, runs: Path, leave: int = 0) -> dict[str, dict[int, float | None]]:
    """Leave a record of each run, but of the last ones; gives the metric at the end by point and seed."""
    todo = [(each, seed) for each in points(sweep) for seed in sweep.seeds]
    told: dict[str, dict[int, float | None]] = {}
    for number, (each, seed) in enumerate(todo[: len(todo) - leave]):
        final = 10.0 + (7 * number) % 5 + seed / 4
        failed = number == 3
        record(
            run_of(sweep, each, seed),
            runs,
            final,
            "failed" if failed else "finished",
            before=[50.0, 30 + number],
            seconds=9.7,
        )
        told.setdefault(each.id, {})[seed] = None if failed else final
    return told


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["sweep", "results", "configs/sweeps/search.yaml", *words]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_sweep_that_is_through_is_committed_with_its_pictures(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep, runs = read(place), place / "runs"
    told = fill(sweep, runs)
    out = said(capsys, "--record")
    path = place / "experiments/toy/copy/sweeps/search.json"
    pictures = [
        place / "experiments/toy/copy/figures/sweeps/search" / f"{name}.png"
        for name in ("parallel_coordinates", "slice")
    ]
    assert all(str(each) in out for each in (path, *pictures))
    assert all(each.read_bytes().startswith(b"\x89PNG") for each in pictures)
    content = json.loads(path.read_text())
    assert (content["sweep"], content["method"], content["metric"], content["goal"]) == (
        "search",
        "grid",
        METRIC,
        "minimize",
    )
    assert content["parameters"][SIZE] == {"values": [8, 16, 32]}
    assert content["provenance"]["commit"] == ["c0ffee"]
    assert {row["id"]: row["values"] for row in content["rows"]} == {each.id: each.values for each in points(sweep)}
    for row in content["rows"]:
        expected = told[row["id"]]
        assert {int(seed): value for seed, value in row["found"].items()} == expected
        assert (row["planned"], row["pruned"], row["seconds"]) == (2, False, 19)
    means = [statistics.mean(row["found"].values()) for row in content["rows"] if None not in row["found"].values()]
    assert means == sorted(means)
    assert len(means) == 5
    assert None in content["rows"][-1]["found"].values()
    text = path.read_text()
    assert str(place) not in text
    assert (runs / "sweeps/search/results.json").read_text() == text
    assert read_sweep_record(path) == read_sweep_record(runs / "sweeps/search/results.json")
    before = [each.read_bytes() for each in (path, *pictures)]
    said(capsys, "--record")
    assert [each.read_bytes() for each in (path, *pictures)] == before


def test_the_curve_of_a_point_is_the_median_of_its_seeds(place: Path) -> None:
    sweep, runs = read(place), place / "runs"
    each = points(sweep)[0]
    record(run_of(sweep, each, 0), runs, 1.0, before=[8.0, None, 2.0])
    record(run_of(sweep, each, 1), runs, 3.0, before=[4.0, 3.0, 3.0])
    row = distilled(collect(sweep, runs), sweep, runs).rows[0]
    assert row.curve == {"updates": [1, 2, 3, 4], "sequences": [16, 32, 48, 64], "values": [6, 3, 2.5, 2]}
    record(run_of(sweep, each, 0), runs, 1.0, before=[float(i) for i in range(499)])
    record(run_of(sweep, each, 1), runs, None, "failed", before=[float(i) for i in range(20)])
    row = distilled(collect(sweep, runs), sweep, runs).rows[0]
    assert row.curve is not None
    assert {len(values) for values in row.curve.values()} == {recording.POINTS}
    assert (row.curve["updates"][0], row.curve["updates"][-1], row.curve["values"][-1]) == (1, 500, 1)
    assert row.found == {0: 1.0, 1: None}


def test_one_that_is_not_through_is_not_committed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = read(place)
    fill(sweep, place / "runs", leave=2)
    message = "augrnn: error: --record needs every run of search to have ended: 2 of 12 have not\n"
    assert said(capsys, "--record", code=2) == message
    assert not (place / "experiments/toy/copy/sweeps").exists()
    said(capsys)
    kept = read_sweep_record(place / "runs/sweeps/search/results.json")
    assert kept is not None
    assert kept.runs == 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("search", "else"), 'no experiment names search: write sweeps=("search",) into the one'),
        (("configs", "elsewhere"), "toy/copy means the sweep in "),
    ],
)
def test_what_is_no_experiments_sweep_is_one_line(
    change: tuple[str, str], message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if change[0] == "configs":
        (place / "search.yaml").write_text(GRID)
        assert main(["sweep", "results", "search.yaml", "--record"]) == 2
    else:
        path = place / "experiments/toy/copy/experiment.py"
        path.write_text(EXPERIMENT.replace(*change))
        assert main(["sweep", "results", "configs/sweeps/search.yaml", "--record"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_check_tells_when_the_sweep_has_changed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(read(place), place / "runs")
    said(capsys, "--record")
    experiments, file = place / "experiments", place / "configs/sweeps/search.yaml"
    experiment = load("toy/copy", experiments)
    assert outdated_sweeps(experiment, experiments) == []
    file.write_text("# in other words\n" + GRID + "description: why\n")
    assert outdated_sweeps(experiment, experiments) == []
    changed = ["toy/copy: the sweep search has changed since its record was made"]
    file.write_text(GRID.replace("8, 16, 32", "8, 16"))
    assert outdated_sweeps(experiment, experiments) == changed
    file.write_text(GRID)
    config = place / "configs/copy/lstm.yaml"
    config.write_text(config.read_text() + "\nweights: 1\n")
    assert outdated_sweeps(experiment, experiments) == changed
    unnamed = replace(experiment, sweeps=())
    assert outdated_sweeps(unnamed, experiments) == ["toy/copy: search is on record and no longer a sweep of it"]
    assert main(["check"]) == 0
    assert changed[0] in capsys.readouterr().err
    file.unlink()
    with pytest.raises(UserError, match=r"toy/copy: there is no config .*search\.yaml"):
        outdated_sweeps(experiment, experiments)


def test_the_card_has_the_best_points(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    experiments = place / "experiments"
    experiment = load("toy/copy", experiments)
    assert card_tables(experiment, experiments) == "No record yet."
    told = fill(read(place), place / "runs")
    said(capsys, "--record")
    text = card_tables(experiment, experiments)
    assert "### Sweep: search" in text
    assert (
        "`configs/sweeps/search.yaml`, grid: val/cost_bits, minimized; 6 points (1 with a failed seed), 12 runs; 2 min"
        in text
    )
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert lines[0] == "| optimizer | hidden_size | val/cost_bits, mean | median | least to most | seeds |"
    whole = [tuple(found.values()) for found in told.values() if None not in found.values()]
    best = min(whole, key=sum)  # type: ignore[arg-type]
    assert f"| {sum(best) / 2:.4g} | {sum(best) / 2:.4g} | {min(best):.4g} to {max(best):.4g} | 2 of 2 |" in lines[2]  # type: ignore[arg-type, type-var]
    assert "| failed |" in lines[-1]
    assert "2 of 2, 1 failed" in lines[-1]
    assert "Adam, lr=0.1" in text
    assert "(figures/sweeps/search/slice.png)" in text
    assert "importance of " in text
    assert "commit: c0ffee" in text


def test_figures_draws_the_committed_sweeps_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(read(place), place / "runs")
    assert main(["figures", "toy/copy"]) == 0
    assert capsys.readouterr().out == ""  # nothing is on record yet
    said(capsys, "--record")
    folder = place / "experiments/toy/copy/figures/sweeps/search"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == ["parallel_coordinates.png", "slice.png"]
    (folder / "slice.png").write_bytes(b"worn")
    shutil.rmtree(place / "runs")
    assert main(["figures"]) == 0
    assert str(folder / "slice.png") in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    # what is drawn is the record, whatever has become of the sweep's file
    (place / "configs/sweeps/search.yaml").write_text(GRID.replace("8, 16, 32", "64, 128") + "name: other\n")
    assert main(["figures"]) == 0
    (place / "configs/sweeps/search.yaml").unlink()
    assert main(["figures"]) == 0
    capsys.readouterr()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert main(["figures", "toy/copy", "--out", "mine", "--format", "svg"]) == 0
    assert "mine/toy/copy/sweeps/search/slice.svg" in capsys.readouterr().out
    drawn = place / "mine/toy/copy/sweeps/search"
    assert sorted(path.name for path in drawn.iterdir()) == ["parallel_coordinates.svg", "slice.svg"]
    assert (drawn / "slice.svg").read_text().startswith("<?xml")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_sweep_judges_its_claims(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judging(place)
    told = fill(read(place), place / "runs")
    out = said(capsys, "--record")
    assert out.index("All end well.") < out.index("One ends well.")
    assert "Another." not in out
    experiments = place / "experiments"
    kept = read_sweep_record(place / "experiments/toy/copy/sweeps/search.json")
    assert kept is not None
    assert list(kept.verdicts) == ["all-end-well", "one-ends-well"]
    # a seed that failed counts against what is about every point
    assert kept.verdicts["all-end-well"].state == "not reproduced"
    values = next(told[each.id] for each in points(read(place)) if "SGD" in str(each.values) and each.values[SIZE] == 8)
    verdict = kept.verdicts["one-ends-well"]
    assert verdict.value == statistics.median(value for value in values.values() if value is not None)
    assert verdict.state == ("reproduced" if verdict.value <= 12 else "not reproduced")
    experiment = load("toy/copy", experiments)
    text = card_tables(experiment, experiments)
    assert "| one-ends-well | One ends well. | table 2 |" in text
    assert ", thin: 2 seeds" in text
    assert "| other |" not in text
    rows = {row.claim.name: row for row in strongest(experiment, experiments)}
    assert {name: (row.scale, row.verdict.state) for name, row in rows.items()} == {
        "all-end-well": ("search", "not reproduced"),
        "one-ends-well": ("search", verdict.state),
        "other": ("", "not run"),
    }
    assert rows["one-ends-well"].verdict.thin[0] == "2 seeds"


def test_check_judges_sweeps_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judging(place)
    fill(read(place), place / "runs")

    def rows() -> dict[str, dict[str, Any]]:
        return {row.claim.name: row.content() for row in check(place / "experiments").rows}

    assert {name: (row["scale"], row["verdict"]) for name, row in rows().items()} == {
        "all-end-well": ("search", "not run"),
        "one-ends-well": ("search", "not run"),
        "other": ("smoke", "not run"),
    }
    said(capsys, "--record")
    assert check(place / "experiments").changed == []
    assert rows()["one-ends-well"]["thin_because"][0] == "2 seeds"
    path = place / "experiments/toy/copy/sweeps/search.json"
    content = json.loads(path.read_text())
    content["verdicts"][0]["verdict"] = "reproduced"
    path.write_text(json.dumps(content))
    (line,) = check(place / "experiments").changed
    assert line.startswith("toy/copy search: all-end-well was reproduced")


def test_the_users_own_sweep_judges_too(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judging(place)
    fill(read(place), place / "runs")
    assert "All end well." in said(capsys)
    experiment = load("toy/copy", place / "experiments")
    rows = {row.claim.name: row for row in strongest_here(experiment, place / "experiments", place / "runs")}
    assert {name: (row.scale, row.own) for name, row in rows.items()} == {
        "all-end-well": ("search", True),
        "one-ends-well": ("search", True),
        "other": ("", False),
    }
    assert main(["list"]) == 0
    assert "All end well. (yours, runs/, scale search)" in capsys.readouterr().out
    # a file of that name elsewhere is another sweep
    (place / "search.yaml").write_text(GRID)
    assert main(["sweep", "results", "search.yaml"]) == 0
    assert "All end well." not in capsys.readouterr().out


def test_a_sweep_at_work_judges_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judging(place)
    fill(read(place), place / "runs", leave=1)
    assert "1 of 12 runs have not ended" in said(capsys)
    kept = read_sweep_record(place / "runs/sweeps/search/results.json")
    assert kept is not None
    assert {verdict.state for verdict in kept.verdicts.values()} == {"not run"}
    assert {verdict.text for verdict in kept.verdicts.values()} == {"1 of 12 runs have not ended"}


def test_an_experiment_that_is_broken_stops_no_other_sweep(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judging(place)
    fill(read(place), place / "runs")
    broken = place / "experiments/a/b/experiment.py"
    broken.parent.mkdir(parents=True)
    broken.write_text("import augrnn\nexperiment = 1 +")
    assert "All end well." in said(capsys)


def test_what_is_committed_and_what_is_not_are_told_apart(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judging(place)
    experiments, runs = place / "experiments", place / "runs"
    experiment = load("toy/copy", experiments)
    fill(read(place), runs)
    said(capsys)
    provenance = {"commit": ["c"], "python": [], "versions": [], "hardware": [], "threads": []}
    for own in (False, True):
        # a record of the scale beside the user's own sweep, and the user's own one beside a committed sweep
        path = own_path(runs, "toy/copy", "smoke") if own else results_path(experiments, "toy/copy", "smoke")
        scale = Record("toy/copy", "smoke", {}, provenance, (), {"other": Verdict("partly", 1.0, (0.5, 2.0), 5, "1")})
        scale.write(path)
        here = records_of(experiment, experiments, runs)
        assert here.own == ({"smoke"} if own else {"search"})
        rows = {row.claim.name: row for row in strongest_here(experiment, experiments, runs)}
        assert {name: (row.verdict.known, row.own) for name, row in rows.items()} == {
            "all-end-well": (True, not own),
            "one-ends-well": (True, not own),
            "other": (True, own),
        }
        if not own:
            path.unlink()
            said(capsys, "--record")
    assert "2, not run" not in experiments_table([experiment], experiments)
    assert "sweep search" in experiments_table([experiment], experiments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('{"search": Typical("at most", 12)}', '{"serach": Typical("at most", 12)}'), "unknown scales or sweeps: ser"),
        (('{"search": Typical("at most", 12)}', '{"search": Typical("at most", 12), "smoke": Typical("at most", 12)}'),
         "one-ends-well is about a sweep, and has a rule for more than that"),
        (('"smoke": Scale', '"search": Scale'), "a scale and a sweep are both called search"),
    ],
)  # fmt: skip
def test_claims_that_fit_no_place_are_refused(change: tuple[str, str], message: str, place: Path) -> None:
    judging(place)
    path = place / "experiments/toy/copy/experiment.py"
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(UserError, match=message):
        load("toy/copy", place / "experiments")


def test_trials_are_kept_with_how_they_ended(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, BAYES.replace("run_cap: 30", "run_cap: 3"))
    values = {
        "model.init_args.optimizer.init_args.lr": 0.0012345678901234567,
        "model.init_args.optimizer.class_path": "torch.optim.SGD",
        SIZE: 17,
        "model.init_args.cell.init_args.layers": 1,
        "config": "configs/copy/lstm.yaml",
    }
    from augrnn.sweeps.points import point

    for seed in range(3):
        record(run_of(sweep, point(values), seed, "trials", "000"), tmp_path, 4.0)
    early = point({**values, SIZE: 18})
    record(run_of(sweep, early, 0, "trials", "002"), tmp_path, 1.0, ended_early=True)
    assert left(sweep, tmp_path) == (3, 3)
    for number in (0, 2):
        (tmp_path / f"sweeps/search/trials/{number:03d}/summary.json").write_text('{"status": "finished"}')
    assert left(sweep, tmp_path) == (1, 3)
    kept = distilled(collect(sweep, tmp_path), sweep, tmp_path)
    kept.write(tmp_path / "kept.json")
    again = read_sweep_record(tmp_path / "kept.json")
    assert again is not None
    assert [(row.id, row.pruned, row.planned, dict(row.found)) for row in again.rows] == [
        ("000", False, 3, {0: 4, 1: 4, 2: 4}),
        ("002", True, 3, {0: 1}),
    ]
    assert again.rows[0].values == values
    assert again.varied == [SIZE]


def test_too_many_points_keep_shorter_curves_and_then_are_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep, runs = read(place), place / "runs"
    for each in points(sweep):
        for seed in sweep.seeds:
            record(run_of(sweep, each, seed), runs, seed + 1.0, before=[float(i) for i in range(99)])
    path, own = place / "experiments/toy/copy/sweeps/search.json", place / "runs/sweeps/search/results.json"
    said(capsys)
    size = own.stat().st_size
    monkeypatch.setattr(recording, "LIMIT", size)
    said(capsys, "--record")
    lengths = [{len(row["curve"]["values"]) for row in json.loads(each.read_text())["rows"]} for each in (own, path)]
    assert lengths == [{30}, {15}]
    assert path.stat().st_size < size == own.stat().st_size
    monkeypatch.setattr(recording, "LIMIT", 1000)
    assert "search has too many points to be committed: 6" in said(capsys, "--record", code=2)


def as_an_agent_leaves_it(folder: Path, run_id: str, sweep: Sweep, number: int, seed: int, final: float) -> None:
    """A run of a sweep that `wandb sweep` gave to the server: its summary has no curve, its metrics.csv has."""
    run = replace(run_of(sweep, points(sweep)[number], seed, "agents", run_id), experiment=f"sweeps/{folder.name}")
    runs = folder.parents[1]
    record(run, runs, final)
    path = run.folder(runs) / "summary.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "curves": {}}))
    (run.folder(runs) / "metrics.csv").write_text(f"step,sequences,{METRIC}\n1,16,50\n2,32,{final}\n")


def test_runs_of_a_plain_wandb_sweep_are_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep, runs = read(place), place / "runs"
    folder = runs / "sweeps/x1y2z3"
    for number in range(6):
        for seed in (0, 1):
            if (number, seed) != (5, 1):
                as_an_agent_leaves_it(folder, f"run{number}{seed}", sweep, number, seed, 10.0 + number + seed)
    other = read_sweep(sweep.path, place, "search")
    other = replace(
        other,
        file=other.file.model_copy(update={"command": (*other.file.command[:-1], "--trainer.max_steps=3", "${args}")}),
    )
    as_an_agent_leaves_it(runs / "sweeps/another", "run99", other, 0, 0, 1.0)
    as_an_agent_leaves_it(runs / "sweeps/twice", "run98", sweep, 0, 0, 10.0)
    rows = collect(sweep, runs)
    assert [row.values for row in rows] == [each.values for each in points(sweep)]
    assert [dict(row.found) for row in rows[:5]] == [{0: 10.0 + i, 1: 11.0 + i} for i in range(5)]
    assert rows[0].curve == {"updates": [1, 2], "sequences": [16, 32], "values": [50, 10.5]}
    assert left(sweep, runs) == (1, 12)
    assert "1 of 12 have not" in said(capsys, "--record", code=2)
    as_an_agent_leaves_it(folder, "run51", sweep, 5, 1, 16.0)
    said(capsys, "--record")
    kept = read_sweep_record(place / "experiments/toy/copy/sweeps/search.json")
    assert kept is not None
    assert kept.runs == 12
    record(run_of(sweep, points(sweep)[0], 0), runs, 3.0)  # runs under its own name count alone
    assert [dict(row.found) for row in collect(sweep, runs) if row.found] == [{0: 3.0}]
