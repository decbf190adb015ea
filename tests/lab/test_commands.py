from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from augrnn.cli import main as whole_command
from augrnn.errors import UserError
from augrnn.lab import claims_tables, commands, places, runner

if TYPE_CHECKING:
    from tests.lab.conftest import World


def main(argv: list[str]) -> int:
    """The lab's commands by themselves; a mistake of the user's gives one line and status 2."""
    parser = argparse.ArgumentParser(prog="augrnn")
    commands.add_parsers(parser.add_subparsers(required=True), lambda *_: [])
    options = parser.parse_args(argv)
    try:
        return options.run(options)
    except UserError as error:
        print(f"augrnn: {error}", file=sys.stderr)
        return 2


@pytest.fixture
def judged(finished: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a committed record and pages, as the working directory."""
    world = finished
    marks = [f"<!-- {name}:begin -->\nold\n<!-- {name}:end -->" for name in ("summary", "experiments", "models")]
    (world.root / "README.md").write_text("# Top\n\n" + "\n".join(marks) + "\n\nThe end.\n")
    (world.root / "docs").mkdir()
    (world.root / "docs/claims.md").write_text("<!-- claims:begin --><!-- claims:end -->\n")
    card = world.experiments / "toy/learn/README.md"
    card.write_text("# Card\n<!-- results:begin --><!-- results:end -->\n")
    monkeypatch.chdir(world.root)
    monkeypatch.setattr(places, "packaged", lambda: world.experiments)
    return world


def record_path(world: World) -> Path:
    return world.experiments / "toy/learn/results/smoke.json"


def edit(path: Path, change: Any) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_list_shows_claims_and_verdicts(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "toy/learn  A toy that learns; scales: smoke (about 0.1 min), small (about 1 min)" in shown
    assert "reproduced, thin      It learns | always." in shown
    assert main(["list", "toy/learn"]) == 0
    shown = capsys.readouterr().out
    assert "\nreproduced, thin      It learns | always.\n  here          2 of 2 seeds [34%, 100%]\n" in shown
    assert "  thin          2 seeds, interval reaches the bar\n" in shown  # 34 % of seeds are below the bar of 50 %
    assert "\nreproduced, thin      The good one costs less than the bad one.\n" in shown
    assert "  thin          2 seeds\n" in shown


def test_a_verdict_that_the_record_does_not_give_now_is_thin(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    edit(record_path(judged), lambda record: [run["measures"].update(solved=False) for run in record["runs"]])
    assert main(["list", "toy/learn"]) == 0
    assert "  thin          the runs on record do not give it now\n" in capsys.readouterr().out
    edit(record_path(judged), lambda record: [run["measures"].pop("cost") for run in record["runs"]])
    assert main(["list", "toy/learn"]) == 0
    assert capsys.readouterr().out.count("  thin          the runs on record do not give it now\n") == 2
    path = judged.experiments / "toy/learn/experiment.py"
    path.write_text(path.read_text().replace('run["solved"])', 'run["by length"]["20"])'))
    assert main(["list", "toy/learn"]) == 0
    assert capsys.readouterr().out.count("  thin          the runs on record do not give it now\n") == 2
    edit(record_path(judged), lambda record: record["verdicts"][0].update(verdict="not run"))
    assert main(["list"]) == 0
    assert "  not run               It learns" in capsys.readouterr().out


def test_list_goes_on_where_an_experiment_is_broken(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("a", "import augrnn\nx = (\n"), ("b", "import augrnn\n\nx = y\n"), ("c", "import augrnn.no\n")):
        path = judged.experiments / "toy" / name / "experiment.py"
        path.parent.mkdir()
        path.write_text(text)
    assert main(["list"]) == 2
    shown = capsys.readouterr()
    assert "It learns" in shown.out
    errors = shown.err.splitlines()
    assert [line.split("experiment.py")[1][:30] for line in errors] == [
        ", line 2: SyntaxError: '(' was",
        ", line 3: NameError: name 'y' ",
        ", line 1: ModuleNotFoundError:",
    ]


def test_list_works_without_records(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(world.root)
    assert main(["list"]) == 0
    assert "not run" in capsys.readouterr().out


def test_list_shows_ones_own_verdicts_where_nothing_is_committed(
    judged: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list"]) == 0
    assert "yours" not in capsys.readouterr().out
    record_path(judged).unlink()
    assert main(["list"]) == 0
    own = "reproduced, thin      It learns | always. (yours, runs/, scale smoke)"
    assert f"  {own}\n" in capsys.readouterr().out
    assert main(["list", "toy/learn"]) == 0
    shown = capsys.readouterr().out
    assert f"\n{own}\n  here          2 of 2 seeds" in shown
    result = judged.runs / "toy/learn/smoke/results.json"
    edit(result, lambda record: record["verdicts"][0].update(verdict="not run"))
    assert main(["list"]) == 0
    assert "  not run               It learns | always.\n" in capsys.readouterr().out
    edit(result, lambda record: record.update(format=99))
    assert main(["list"]) == 0
    found = capsys.readouterr()
    assert "  not run               It learns | always.\n" in found.out
    assert "results.json has format 99, this version reads 2" in found.err


def test_check_json_has_every_claim_at_every_scale(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["scale"], row["claim"], row["verdict"]) for row in rows] == [
        ("smoke", "learns", "reproduced"),
        ("smoke", "beats", "reproduced"),
        ("small", "learns", "not run"),
        ("small", "beats", "not run"),
    ]
    keys = ["experiment", "claim", "scale", "verdict", "value", "interval", "seeds"]
    keys += ["thin", "thin_because", "paper", "public"]
    assert all(list(row) == keys for row in rows)
    why = ["2 seeds", "interval reaches the bar"]
    interval = [pytest.approx(0.3424, abs=1e-3), 1]
    assert rows[0] == dict(
        zip(
            keys,
            ["toy/learn", "learns", "smoke", "reproduced", 1, interval, 2, True, why, "100 %", "90 %"],
            strict=True,
        )
    )
    assert rows[1]["thin_because"] == ["2 seeds"]
    assert (rows[2]["thin"], rows[2]["thin_because"]) == (False, [])
    assert rows[1]["interval"] == [10, 10]
    assert (rows[2]["value"], rows[2]["interval"], rows[2]["seeds"]) == (None, None, 0)


def test_check_fails_where_a_verdict_changed(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    edit(record_path(judged), lambda record: [run["measures"].update(solved=False) for run in record["runs"]])
    assert main(["check"]) == 1
    assert "learns was reproduced (2 of 2" in capsys.readouterr().err
    assert main(["check", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["verdict"] == "not reproduced"


def test_check_fails_where_a_claim_comes_or_goes(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    edit(record_path(judged), lambda record: record["verdicts"][0].update(claim="learnt"))
    assert main(["check"]) == 1
    printed = capsys.readouterr().err
    assert "learnt is on record and no longer a claim" in printed
    assert "learns was not on record, is reproduced" in printed


def test_check_notes_changed_settings_and_allows_them(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    judged.write("learn")
    assert main(["check"]) == 0
    assert capsys.readouterr().err == ("toy/learn smoke: the settings of bad have changed since its record was made\n")


def test_a_record_of_another_format_is_refused(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    edit(record_path(judged), lambda record: record.update(format=99))
    assert main(["check"]) == 2
    assert "smoke.json has format 99, this version reads 2" in capsys.readouterr().err


def test_tables_are_filled_in_once(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tables", "--check"]) == 1
    assert "README.md is not up to date" in capsys.readouterr().out
    assert main(["tables"]) == 0
    assert capsys.readouterr().out.count("updated ") == 3
    readme = (judged.root / "README.md").read_text()
    assert readme.startswith(
        "# Top\n\n<!-- summary:begin -->\n\n**2 claims: 2 reproduced (2 thin).**\n\n<!-- summary:end -->"
    )
    assert readme.endswith("<!-- models:end -->\n\nThe end.\n")
    assert (
        "| [toy/learn](experiments/toy/learn/README.md) | A toy that learns | 2 of 2 (2 thin) | smoke, 2 seeds |"
        in readme
    )
    claims = (judged.root / "docs/claims.md").read_text()
    assert "## [toy/learn](../experiments/toy/learn/README.md)" in claims
    verdict = "**reproduced**, thin: 2 seeds, interval reaches the bar"
    assert f"| It learns \\| always. | {verdict} | 2 of 2 seeds [34%, 100%] | at least 50% of seeds |" in claims
    card = (judged.experiments / "toy/learn/README.md").read_text()
    assert "### Scale: smoke" in card
    assert f"| {verdict} |" in card
    assert "| good | `configs/toy.yaml` | 2 of 2 | 7 | 80 | 5 |" in card
    assert "Hardware: " in card
    assert main(["tables", "--check"]) == 0
    assert main(["tables"]) == 0
    assert "all pages are up to date" in capsys.readouterr().out
    assert (judged.root / "README.md").read_text() == readme


def test_tables_put_records_into_the_words_of_the_claims_and_never_changes_a_verdict(
    judged: World, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["tables"])
    path = judged.experiments / "toy/learn/experiment.py"
    path.write_text(path.read_text().replace('unit="times"', 'unit="times the cost"'))
    assert main(["tables", "--check"]) == 1
    assert main(["tables"]) == 0
    assert "10 times the cost" in record_path(judged).read_text()
    assert "10 times the cost" in (judged.experiments / "toy/learn/README.md").read_text()
    assert main(["tables", "--check"]) == 0
    path.write_text(path.read_text().replace('Typical("at least", 10)', 'Typical("at least", 11.5)'))
    before = record_path(judged).read_text()
    main(["tables"])
    assert record_path(judged).read_text() == before
    assert main(["check"]) == 1


@pytest.mark.parametrize("page", ["no marks", "<!-- summary:end --><!-- summary:begin -->"])
def test_tables_want_their_marks(judged: World, capsys: pytest.CaptureFixture[str], page: str) -> None:
    (judged.root / "README.md").write_text(page)
    assert main(["tables"]) == 2
    assert "README.md needs the line <!-- summary:begin --> once" in capsys.readouterr().err
    (judged.root / "README.md").unlink()
    assert main(["tables"]) == 2
    assert "README.md is missing" in capsys.readouterr().err


def test_the_largest_scale_with_a_verdict_is_shown(judged: World) -> None:
    judged.reproduce("small", commit=True)
    rows = claims_tables.strongest(judged.experiment, judged.experiments)
    assert [(row.claim.name, row.scale) for row in rows] == [("learns", "small"), ("beats", "smoke")]


def test_reproduce_prints_the_verdicts(
    judged: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        runner.reproduce, "__kwdefaults__", {**runner.reproduce.__kwdefaults__, "command": judged.command}
    )
    assert main(["reproduce", "toy/learn"]) == 0
    shown = capsys.readouterr().out
    assert "0 runs to do, 4 done" in shown
    assert "at least 50% of seeds" in shown
    assert "toy/learn, scale smoke: 2 claims: 2 reproduced" in shown
    assert (
        "pictures  runs/toy/learn/smoke/figures/learning.png\n          runs/toy/learn/smoke/figures/bad-0.png\n"
        in shown
    )
    assert "page      runs/toy/learn/smoke/index.html" in shown
    assert "next      augrnn reproduce toy/learn --scale small  (3 seeds, about 1 min)" in shown
    assert "\nrecord " not in shown
    assert main(["reproduce", "toy/learn", "--record"]) == 0
    assert "\nrecord    experiments/toy/learn/results/smoke.json" in capsys.readouterr().out
    assert main(["reproduce", "toy/learn", "--variants", "good,", "--seeds", "1"]) == 0
    assert "not the whole scale" in capsys.readouterr().out


def test_reproduce_extends_a_record(
    judged: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        runner.reproduce, "__kwdefaults__", {**runner.reproduce.__kwdefaults__, "command": judged.command}
    )
    shutil.rmtree(judged.runs / "toy/learn/smoke/good")
    shutil.copytree(Path(__file__).parents[2] / "configs/cluster", judged.root / "configs/cluster")
    for launcher in ("local", "slurm"):
        asked = ["reproduce", "toy/learn", "--record", "--extend", "--dry-run", "--launcher", launcher]
        assert whole_command(asked) == 0
        shown = capsys.readouterr().out
        if launcher == "local":
            assert shown == (
                "good/seed-0: on record\nbad/seed-0: finished\ngood/seed-1: on record\nbad/seed-1: finished\n"
                "toy/learn at scale smoke: 0 of 4 runs to do (the whole scale: 0.1 min)\n"
            )
        else:
            assert "# 0 jobs" in shown
    assert main(["reproduce", "toy/learn", "--record", "--extend"]) == 0
    assert "toy/learn at scale smoke: 0 runs to do, 2 done, 2 on record, 1 at once" in capsys.readouterr().out
    assert main(["reproduce", "toy/learn", "--extend"]) == 2
    assert capsys.readouterr().err == "augrnn: --extend says which runs --record need not train: give both\n"
    assert main(["reproduce", "toy/learn", "--record", "--extend", "--fresh"]) == 2
    assert capsys.readouterr().err == (
        "augrnn: --extend keeps runs as they are on record and --fresh is for all runs: choose one\n"
    )
    capsys.readouterr()
    assert whole_command(["reproduce", "toy/learn", "--record", "--extend", "--launcher", "slurm"]) == 0
    assert "toy/learn, scale smoke: 2 claims: 2 reproduced" in capsys.readouterr().out


@pytest.mark.parametrize("variants", ["", ",", " , "])
def test_no_variant_is_not_all_of_them(judged: World, variants: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "toy/learn", "--variants", variants]) == 2
    assert capsys.readouterr().err == "augrnn: --variants names none; toy/learn has good, bad\n"


def test_a_misspelt_name_is_told_before_anything_trains(judged: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "toy/learn", "toy/lern", "--fresh"]) == 2
    assert "did you mean toy/learn?" in capsys.readouterr().err
    assert main(["reproduce", "toy/learn", "--scale", "smal", "--fresh"]) == 2
    assert judged.folder("good", 0).joinpath("summary.json").exists()


def test_reproduce_measures_again(
    judged: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        runner.reproduce, "__kwdefaults__", {**runner.reproduce.__kwdefaults__, "command": judged.command}
    )
    assert main(["reproduce", "toy/learn", "--measure-again", "--variants", "good", "--seeds", "1"]) == 0
    assert "1 runs to do, 0 done" in capsys.readouterr().out
    assert main(["reproduce", "toy/learn", "--measure-again", "--fresh"]) == 2
    assert capsys.readouterr().err == (
        "augrnn: --fresh trains finished runs over and --measure-again keeps what they learned: choose one\n"
    )


def test_reproduce_fails_where_a_run_broke(
    judged: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judged.write("crash")
    monkeypatch.setattr(
        runner.reproduce, "__kwdefaults__", {**runner.reproduce.__kwdefaults__, "command": judged.command}
    )
    assert main(["reproduce", "toy/learn", "--retry", "--jobs", "2"]) == 1
    shown = capsys.readouterr().out
    assert "bad seed 1 broke: exit status 1: RuntimeError: a bug; the same command resumes it" in shown
    assert main(["reproduce", "toy/lear"]) == 2
    assert capsys.readouterr().err == "augrnn: there is no experiment called toy/lear; did you mean toy/learn?\n"
