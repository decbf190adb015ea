"""The compiled views: as committed, complete for the real experiments, and readable by W&B's own library.

`AUGRNN_GOLDEN=write python -m pytest tests/dashboard` writes the golden files anew; look at the difference.
"""

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws
from wandb_workspaces.reports.v2 import internal as report_models
from wandb_workspaces.workspaces import internal as workspace_models

from augrnn.cli import main
from augrnn.dashboard import commands
from augrnn.dashboard.shown import SweepPanel, experiments_shown, plain
from augrnn.errors import UserError
from augrnn.lab.experiment import discover

SWEEPS = (
    SweepPanel("rate", "val/cost", "minimize", ("model.init_args.lr", "data.init_args.lr", "seed_everything")),
    SweepPanel("beam", "val/bleu", "maximize", ("model.init_args.decoder.init_args.hidden_size",)),
)


def compiled(out: Path, sweeps: tuple[SweepPanel, ...] = (), **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The views and the report that the command writes."""
    defaults = {"entity": None, "project": "augrnn", "scale": None, "cards": None, "out": out, "save": False}
    assert commands.dashboard(Namespace(**{**defaults, **options}), lambda: sweeps) == 0
    workspace, report = (json.loads((out / f"{name}.json").read_text()) for name in ("workspace", "report"))
    return workspace["views"], report


def panels(view: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for section in view["spec"]["section"]["panelBankConfig"]["sections"]:
        yield from section["panels"]


def grids(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (block["metadata"] for block in report["spec"]["blocks"] if block["type"] == "panel-grid")


def filters(runs: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(each["key"]["name"], each["value"]) for each in runs["filters"]["filters"]]


def metrics(shown: Any) -> list[tuple[str, ...]]:
    return [tuple(panel["config"]["metrics"]) for panel in shown if panel["viewType"] == "Run History Line Plot"]


def kinds(shown: Any) -> list[str]:
    return [panel["viewType"] for panel in shown]


@pytest.mark.parametrize("name", ["workspace", "report"])
def test_the_compiled_view_is_the_committed_one(world: Path, name: str) -> None:
    compiled(world / "out", SWEEPS, entity="lab", cards="https://example.org/experiments/")
    text = (world / "out" / f"{name}.json").read_text()
    golden = Path(__file__).parent / f"{name}.json"
    if os.environ.get("AUGRNN_GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()


def test_another_process_compiles_the_same_bytes(world: Path) -> None:
    compiled(world / "out")
    command = [sys.executable, "-m", "augrnn.cli", "dashboard", "--out", "again"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "wrote again/workspace.json\nwrote again/report.json\n"
    for name in ("workspace.json", "report.json"):
        assert (world / "again" / name).read_bytes() == (world / "out" / name).read_bytes()


def test_no_two_panels_share_an_id(world: Path) -> None:
    views, report = compiled(world / "out", SWEEPS)
    ids = [panel["__id__"] for view in views.values() for panel in panels(view)]
    ids += [panel["__id__"] for grid in grids(report) for panel in grid["panelBankSectionConfig"]["panels"]]
    assert len(set(ids)) == len(ids)
    names = [view["name"] for view in views.values()]
    runs = [view["spec"]["section"]["runSets"][0]["id"] for view in views.values()]
    assert len({*names, *runs}) == 2 * len(views)


def test_every_paper_has_a_section_in_the_overview(world: Path) -> None:
    views, _ = compiled(world / "out", SWEEPS)
    section = views["augrnn"]["spec"]["section"]
    assert [each["name"] for each in section["panelBankConfig"]["sections"]] == ["first", "second", "sweeps"]
    first = section["panelBankConfig"]["sections"][0]["panels"]
    assert kinds(first) == ["Markdown Panel"] * 2 + ["Run History Line Plot"] * 2 + ["Media Browser"]
    titles = [panel["config"]["chartTitle"] for panel in first[2:4]]
    assert titles == ["val/cost: first/copy, first/sort", "val/wrong: first/copy"]
    assert [key["name"] for key in section["runSets"][0]["grouping"]] == ["group", "jobType"]


def test_an_experiments_view_shows_its_runs_at_one_scale_by_variant(world: Path) -> None:
    views, report = compiled(world / "out")
    (runs,) = views["first/copy"]["spec"]["section"]["runSets"]
    assert filters(runs) == [("group", "first/copy"), ("tags", ["small"])]
    assert [key["name"] for key in runs["grouping"]] == ["jobType"]
    shown = list(panels(views["first/copy"]))
    assert metrics(shown) == [("val/cost",), ("val/wrong",), ("grad_norm",), ("throughput",)]
    settings = {"xAxis": "trainer/global_step", "groupBy": "jobType", "groupAgg": "mean", "groupArea": "minmax"}
    assert settings.items() <= shown[1]["config"].items()
    assert shown[3]["config"]["mediaKeys"] == ["media/heads"]
    in_report = [filters(runs) for grid in grids(report) for runs in grid["runSets"]]
    assert in_report[0] == filters(runs)
    assert in_report[1] == [("group", "first/sort"), ("tags", ["smoke"])]


def test_the_scale_can_be_chosen(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    views, _ = compiled(world / "out", scale="paper")
    assert filters(views["first/copy"]["spec"]["section"]["runSets"][0])[1] == ("tags", ["paper"])
    assert main(["dashboard", "--scale", "papr", "--out", "other"]) == 2
    assert capsys.readouterr().err == "augrnn: error: there is no scale called papr; did you mean paper?\n"
    assert not (world / "other").exists()


def test_tables_and_pictures_follow_the_config(world: Path) -> None:
    views, _ = compiled(world / "out")
    assert kinds(panels(views["first/sort"])) == ["Markdown Panel"] + ["Run History Line Plot"] * 3
    words = list(panels(views["second/words"]))
    assert [panel["config"]["mediaKeys"] for panel in words if panel["viewType"] == "Media Browser"] == [
        ["media/alignments"]
    ]
    assert "media/translations" in json.dumps([panel for panel in words if panel["viewType"] == "Weave"])


def test_a_sweep_has_all_points_importance_and_slices(world: Path) -> None:
    views, report = compiled(world / "out", SWEEPS)
    assert filters(views["sweeps/rate"]["spec"]["section"]["runSets"][0]) == [("group", "sweeps/rate")]
    shown = list(panels(views["sweeps/rate"]))
    assert kinds(shown) == ["Parallel Coordinates Plot", "Parameter Importance", *["Scatter Plot"] * 4]
    columns = shown[0]["config"]["columns"]
    assert [column["accessor"] for column in columns] == [
        "config:model.value.init_args.lr",
        "config:data.value.init_args.lr",
        "config:seed_everything.value",
        "summary:val/cost",
    ]
    assert [column["displayName"] for column in columns] == [
        "model.init_args.lr",
        "data.init_args.lr",
        "seed_everything",
        "val/cost",
    ]
    assert columns[-1]["inverted"]
    assert shown[1]["config"]["targetKey"] == "val/cost"
    assert shown[2]["config"]["xAxis"] == columns[0]["accessor"]
    assert shown[-1]["config"]["showMinYAxisLine"]
    last = list(grids(report))[-1]
    assert filters(last["runSets"][0]) == [("group", "sweeps/beam")]
    assert last["panelBankSectionConfig"]["panels"][0]["config"]["columns"][0]["displayName"] == "hidden_size"


def test_wandbs_library_reads_what_is_compiled(world: Path) -> None:
    views, report = compiled(world / "out", SWEEPS, entity="lab")
    for name, view in views.items():
        read = ws.Workspace._from_model(workspace_models.View.model_validate(view))
        assert read.name == name
        assert len(read.sections) > 0
    blocks = wr.Report._from_model(report_models.ReportViewspec.model_validate(report)).blocks
    assert sum(isinstance(block, wr.PanelGrid) for block in blocks) == 3 + len(SWEEPS)


def test_every_real_experiment_claim_and_curve_appears(root: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(root)
    views, report = compiled(tmp_path)
    words = json.dumps(report, ensure_ascii=False)
    for experiment in discover(root / "experiments"):
        view = views[experiment.name]
        (claims,) = [panel["config"]["value"] for panel in panels(view) if panel["viewType"] == "Markdown Panel"]
        for claim in experiment.claims:
            sentence = claim.sentence.replace("|", "\\|")
            assert sentence in claims
            assert json.dumps(f"“{claim.sentence}” ({claim.source})", ensure_ascii=False)[1:-1] in words
        expected = {(metric,) for metric in experiment.curves}
        assert expected <= set(metrics(panels(view)))
        overview = [section["panels"] for section in sections(views["augrnn"]) if section["name"] in experiment.name]
        assert expected <= set(metrics(overview[0]))
        (grid,) = [grid for grid in grids(report) if filters(grid["runSets"][0])[0][1] == experiment.name]
        assert expected <= set(metrics(grid["panelBankSectionConfig"]["panels"]))


def sections(view: dict[str, Any]) -> list[dict[str, Any]]:
    return view["spec"]["section"]["panelBankConfig"]["sections"]


def test_each_experiments_media_are_those_of_its_tasks_and_cells(root: Path) -> None:
    shown = {each.name: (each.pictures, each.tables) for each in experiments_shown(root / "experiments")}
    papers = {name: media for name, media in shown.items() if name.startswith("ntm/")}
    assert set(papers.values()) == {(("media/heads",), ())}
    assert shown["attention/translation"] == (("media/alignments",), ("media/translations",))
    assert shown["attention/reversal"] == (("media/alignment",), ())
    assert shown["dnc/copy"] == ((), ())


def test_a_task_that_is_none_is_one_line(world: Path) -> None:
    (world / "configs/plain.yaml").write_text("model: {}\ndata: {class_path: augrnn.tasks.copi.Copy}\n")
    with pytest.raises(UserError, match=r"there is no task called augrnn\.tasks\.copi\.Copy"):
        experiments_shown(world / "experiments")
    (world / "configs/plain.yaml").write_text("model: {}\ndata: {class_path: augrnn.cells.ntm.NTM}\n")
    with pytest.raises(UserError, match=r"augrnn\.cells\.ntm\.NTM is no augrnn\.tasks\.task\.Task"):
        experiments_shown(world / "experiments")


def test_a_missing_config_or_experiment_is_one_line(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (world / "configs/ntm.yaml").unlink()
    assert main(["dashboard"]) == 2
    assert capsys.readouterr().err == f"augrnn: error: first/copy: there is no config {world / 'configs/ntm.yaml'}\n"
    (world / "empty").mkdir()
    with pytest.raises(UserError, match="there are no experiments in"):
        experiments_shown(world / "empty")


def test_a_view_is_called_what_wandb_allows() -> None:
    assert plain("sweeps/a+b=c|d 2") == "sweeps/a-b-c-d 2"
    ws.Workspace(entity="e", project="p", name=plain("a ~ b < c"))


def test_help_imports_nothing_slow(root: Path) -> None:
    program = """
import sys
from augrnn.cli import build_parser
build_parser()
slow = {"torch", "lightning", "wandb", "wandb_workspaces", "pydantic"} & set(sys.modules)
assert not slow, slow
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
