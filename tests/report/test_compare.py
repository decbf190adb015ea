"""Two records or runs side by side."""

from __future__ import annotations

import json
import shutil
import statistics as naive
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from augrnn.cli import main
from augrnn.lab import statistics
from augrnn.lab.claims import Verdict
from augrnn.lab.results import RunRecord
from augrnn.report.compare_page import comparison
from augrnn.report.comparison import AT_THE_END, curves, measures, pairs, settings
from augrnn.report.html import element, together
from augrnn.report.sides import Known, Model, Side, sides
from tests.report.conftest import EXPERIMENTS
from tests.report.test_pages import faults, too_wide

if TYPE_CHECKING:
    from tests.report.conftest import Open

HOSTILE = "</script><img src=x onerror=\"document.title='run'\"><b>&amp;"
COPY = EXPERIMENTS / "ntm/copy/results"
CURVE = {"updates": [1], "sequences": [2], "values": [0.5]}


@pytest.fixture(autouse=True)
def _here(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)


def model(name: str, options: dict[str, Any] | None = None, *runs: RunRecord, kind: str = "named") -> Model:
    return Model(name, Known(kind, options or {}), runs, len(runs))


def run(seed: int = 0, status: str = "finished", curve: list[float] | None = None, **found: Any) -> RunRecord:
    numbers = list(range(10, 10 + len(curve or [])))
    curves = {"val/loss": {"updates": numbers, "sequences": [8 * each for each in numbers], "values": curve}}
    return RunRecord("v", seed, status, measures=found, curves=curves if curve else {})


def side(*models: Model) -> Side:
    return Side("s", "", (Path(), ""), {each.name: each for each in models})


# What differs


def test_settings_that_differ_are_told_and_equal_ones_counted() -> None:
    one = model("a", {"x.lr": 0.1, "x.size": 4, "same": [1, 2], "seed_everything": 1, "none": None})
    other = model("b", {"x.lr": 0.2, "x.layers": 2, "same": [1, 2], "none": None})
    found = settings(one, other)
    assert [tuple(each) for each in found.differ] == [
        ("x.lr", "0.1", "0.2"),
        ("x.size", "4", ""),
        ("x.layers", "", "2"),
    ]
    assert found.equal == 2
    assert settings(model("a", {"config": "x.yaml", "lr": 1}), model("a", {"lr": 1})) == ([], 1)  # a record and a run
    seeds = settings(model("a", {"seed_everything": 1}), model("a", {"seed_everything": 2}))
    assert [tuple(each) for each in seeds.differ] == [("seed_everything", "1", "2")]


def test_settings_of_which_less_is_known_decide_what_is_compared() -> None:
    few = model("a", {"config": "x.yaml", "lr": 1}, kind="changed")
    more = model("a", {"config": "x.yaml", "lr": 2, "size": 3}, kind="named")
    for pair, row in (((few, more), ("lr", "1", "2")), ((more, few), ("lr", "2", "1"))):
        found = settings(*pair)
        text = together(comparison(*map(side, pair)).body)
        assert f"Of {'A' if pair[0] is few else 'B'} only what was changed of its configs is known" in text
        assert [tuple(each) for each in found.differ] == [row]
        assert found.equal == 1


def test_models_are_paired_by_name_and_two_single_ones_anyhow() -> None:
    found = pairs(side(model("a"), model("b")), side(model("c"), model("b")))
    assert [(each.name, each.one is None, each.other is None) for each in found] == [
        ("b", False, False),
        ("a", False, True),
        ("c", True, False),
    ]
    (only,) = pairs(side(model("a")), side(model("b")))
    assert only.name == "a and b"


def test_measures_are_medians_over_the_seeds_that_have_them() -> None:
    one = model("v", {}, *(run(i, cost={"10": value}, solved=value > 2) for i, value in enumerate((1.0, 5, 3))))
    failed = run(3, "failed", cost={"10": 9.0})
    other = model("v", {}, run(0, cost={"10": 7, "20": 1.0}, solved=True, words="text", series=[1, 2]), failed)
    rows, others = measures(pairs(side(one), side(other))[0])
    found = {row.name: row for row in rows}
    assert others == ["words", "series"]
    assert list(found) == ["cost.10", "solved", "cost.20"]
    cost = found["cost.10"]
    assert cost.one is not None
    assert (cost.one.value, cost.one.values) == (3.0, (1.0, 5.0, 3.0))
    assert cost.one.interval == statistics.bootstrap([1.0, 5.0, 3.0], statistics.median)
    assert (cost.difference, cost.interval) == (4.0, None)  # a single seed
    solved = found["solved"].one
    assert solved is not None
    assert (solved.value, solved.interval, solved.share) == (2 / 3, statistics.wilson(2, 3), True)
    assert found["cost.20"].one is None
    assert found["cost.20"].difference is None


def test_the_difference_has_its_interval_where_both_have_several_seeds() -> None:
    one = model("v", {}, *(run(i, cost=each, solved=False) for i, each in enumerate((1.0, 2.0, 3.0))))
    other = model("v", {}, *(run(i, cost=each, solved=True) for i, each in enumerate((8.0, 9.0, 11.0))))
    (cost, solved), _ = measures(pairs(side(one), side(other))[0])
    assert cost.difference == 7.0
    assert cost.interval == statistics.median_difference([8.0, 9.0, 11.0], [1.0, 2.0, 3.0])
    assert solved.difference == 1.0
    assert solved.interval == statistics.rate_difference(3, 3, 0, 3)
    text = together(comparison(side(one), side(other)).body)
    assert "<strong>7 [5, 10]</strong>" in text


def test_curves_that_both_have_are_drawn_together_and_others_named() -> None:
    one, other = model("v", {}, run(0, curve=[3.0, 2.0])), model("w", {}, run(0, curve=[5.0]), run(1, curve=[4.0, 1.0]))
    found, single = curves(pairs(side(one), side(other)))
    assert single == []
    assert (found[0].metric, found[0].x) == ("val/loss", "sequences")
    assert found[0].runs == [([([80, 88], [3, 2])], [([80], [5]), ([80, 88], [4, 1])])]
    chart = comparison(side(one), side(other)).charts["val/loss"]
    assert [(each["name"], each["colour"], each["dash"]) for each in chart["series"]] == [
        ("A: v", 0, 0),
        ("B: w", 1, 1),
    ]
    rows, _ = measures(pairs(side(one), side(other))[0])
    assert [row.name for row in rows] == [f"val/loss {AT_THE_END}"]


def test_curves_without_sequences_are_drawn_over_updates() -> None:
    bare = {"val/loss": {"updates": [1, 2], "sequences": [None, None], "values": [1.0, 2.0]}, "val/a": CURVE}
    one, other = model("v", {}, run(0, curve=[3.0, 2.0])), model("w", {}, RunRecord("w", 0, "finished", curves=bare))
    found, single = curves(pairs(side(one), side(other)))
    assert found[0].x == "updates"
    assert found[0].runs == [([([10, 11], [3, 2])], [([1, 2], [1, 2])])]
    assert single == ["val/a"]
    chart = comparison(side(one), side(other)).charts["val/loss"]
    assert chart["x"] == "training updates"
    assert "by training updates." in chart["caption"]


# What may be compared


def test_records_by_name_have_the_numbers_of_their_files() -> None:
    one, other = sides(["ntm/copy", "ntm/copy@smoke"], None)  # the largest on record is the small one
    content = {scale: json.loads((COPY / f"{scale}.json").read_text()) for scale in ("small", "smoke")}
    body = together(comparison(one, other).body)
    for each in content["small"]["verdicts"]:
        assert Verdict.read(each).state in body
    (pair,) = [each for each in pairs(one, other) if each.name == "ntm-lstm"]
    (row,) = [each for each in measures(pair)[0] if each.name == "wrong_bits.20"]
    values = {
        scale: [each["measures"]["wrong_bits"]["20"] for each in found["runs"] if each["variant"] == "ntm-lstm"]
        for scale, found in content.items()
    }
    assert row.one is not None
    assert row.one.value == naive.median(values["small"])
    assert row.difference == naive.median(values["smoke"]) - naive.median(values["small"])
    assert pair.one is not None
    assert pair.other is not None
    differ = {each.option: each[1:] for each in settings(pair.one, pair.other).differ}
    assert differ["model.init_args.cell.init_args.rows"] == ("128", "64")
    assert "config" not in differ


def test_variants_files_and_folders_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "own: 1"
    folder.mkdir()
    shutil.copy(COPY / "smoke.json", folder / "results.json")
    for name in (str(folder), str(folder / "results.json"), str(COPY / "smoke.json")):
        one, other = sides([f"{name}:lstm", "ntm/copy@small:ntm-lstm"], None)
        assert list(one.models) == ["lstm"]
        assert not one.rows
        (pair,) = pairs(one, other)
        assert pair.name == "lstm and ntm-lstm"
    whole, _ = sides([str(folder), "ntm/copy@small"], None)
    assert len(whole.rows) == 8


def test_thin_verdicts_are_marked_however_the_record_is_named() -> None:
    paths = [str(COPY / f"{scale}.json") for scale in ("small", "smoke")]
    by_path, by_name = sides(paths, None), sides(["ntm/copy@small", "ntm/copy@smoke"], None)
    marks = [[row.verdict.mark for each in both for row in each.rows] for both in (by_path, by_name)]
    assert marks[0] == marks[1]
    assert any(marks[0])
    body = together(comparison(*by_path).body)
    assert all(element("span", mark, class_="note") in body for mark in filter(None, marks[0]))


def test_names_may_have_the_signs_of_scales_and_variants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = "pa:per/x@y"
    shutil.copytree(EXPERIMENTS / "ntm/copy", tmp_path / "experiments" / odd)
    for path in (tmp_path / "experiments" / odd).rglob("*.*"):
        if path.suffix in (".json", ".py"):
            text = path.read_text().replace('"ntm/copy"', f'"{odd}"').replace('"lstm"', '"l:stm"')
            path.write_text(text)
    monkeypatch.chdir(tmp_path)
    record = f"experiments/{odd}/results/smoke.json"
    for name in (odd, f"{odd}@small", f"{odd}:l:stm", f"{odd}@small:l:stm", f"{record}:l:stm", record):
        found = sides([name, "ntm/copy@smoke:ntm-lstm" if name.endswith("stm") else "ntm/copy"], None)[0]
        assert found.name == name
        assert found.place[1] == ("l:stm" if name.endswith("stm") else "")
        assert found.place[0].stem == ("smoke" if name.startswith(record) else "small")


def test_the_file_of_a_page_has_a_name_that_every_disk_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "here"
    long = [replace(side(model("a")), name=sign * 70, place=(place, "")) for sign in "字度"]
    assert comparison(*long).path == f"compare/{'字' * 20}--{'度' * 20}.html"
    here = [replace(each, name=name) for each, name in zip(long, (".", ".."), strict=True)]
    assert comparison(*here).path == "compare/here--here.html"
    monkeypatch.chdir(fitted(tmp_path / "run", 0.5, "9,0,80,0.1,3\n"))
    both = sides([".", "ntm/copy:lstm"], None)
    assert comparison(*both).path == "compare/run--ntm-copy-lstm.html"
    assert list(both[0].models) == ["run"]


def test_experiments_that_have_nothing_in_common_are_set_beside_each_other() -> None:
    one, other = sides(["ntm/copy@smoke", "attention/reversal@smoke"], None)
    body = together(comparison(one, other).body)
    assert "They have kept no curve of the same metric." in body
    assert "only A has it" in body
    assert "only B has it" in body
    assert "no claim of its experiment" in body


def test_a_record_whose_config_has_changed_is_compared_by_what_was_changed_of_it(tmp_path: Path) -> None:
    content = json.loads((COPY / "smoke.json").read_text())
    for variant in content["variants"].values():
        variant["fingerprint"] = "another"
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content))
    one, other = sides([str(path), "ntm/copy@small"], None)
    assert {each.settings.kind for each in one.models.values()} == {"changed"}
    assert one.models["lstm"].settings.values["trainer.max_steps"] == 1000
    assert "Of A only what was changed of its configs is known" in together(comparison(one, other).body)


def fitted(folder: Path, rate: float, rows: str) -> Path:
    """What `augrnn fit` leaves."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"seed_everything: 0\nmodel: {{class_path: x.Y, init_args: {{lr: {rate}}}}}\n")
    (folder / "metrics.csv").write_text(f"step,epoch,sequences,lr,val/loss\n{rows}")
    return folder


def ran(folder: Path, ended: bool = True) -> Path:
    """What a run of an experiment leaves."""
    fitted(folder, 0.5, "9,0,80,0.1,3\n19,0,160,0.1,1\n")
    leg = {"commit": None, "python": "3.11", "versions": {"torch": "2"}, "hardware": "a chip", "threads": 1}
    origin = {"experiment": "mine/one", "scale": "small", "variant": "v", "seed": 3, "fingerprint": "f", "legs": [leg]}
    options = {"model": {"init_args": {"lr": 0.5}}, "seed_everything": 3}
    (folder / "provenance.json").write_text(json.dumps({**origin, "settings": options}))
    if ended:
        summary = {"status": "finished", "fingerprint": "f", "measures": {"wrong": 7}, "curves": {}, "updates": 20}
        (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_folders_of_fit_are_compared_by_what_they_logged(tmp_path: Path) -> None:
    folders = [fitted(tmp_path / str(i), rate, f"9,0,80,0.1,3\n19,0,,0.1,{i}\n") for i, rate in enumerate((0.1, 0.2))]
    one, other = sides([str(each) for each in folders], None)
    (pair,) = pairs(one, other)
    assert pair.one is not None
    assert pair.other is not None
    assert [tuple(each) for each in settings(pair.one, pair.other).differ] == [("model.init_args.lr", "0.1", "0.2")]
    assert (pair.one.runs[0].updates, pair.one.runs[0].sequences) == (20, 80)
    found, _ = curves([pair])
    assert [each.metric for each in found] == ["val/loss"]  # the rate is no metric
    assert found[0].runs == [([([80, 80], [3, 0])], [([80, 80], [3, 1])])]
    assert "not kept" in together(comparison(one, other).body)


def test_the_folder_of_a_run_has_measures_origins_and_its_seed(tmp_path: Path) -> None:
    names = [str(ran(tmp_path / "a")), str(ran(tmp_path / "b", ended=False))]
    one, other = sides(names, None)
    assert one.about.endswith("mine/one at scale small, v, seed 3")
    assert other.about.endswith("which has not ended")
    body = together(comparison(one, other).body)
    assert "a chip" in body
    assert "only A has it" in body  # what was measured
    mixed, fit = sides([str(ran(tmp_path / "c")), str(fitted(tmp_path / "d", 0.5, ""))], None)
    assert mixed.models["v"].settings.kind == "named"
    assert "What A does not name is left to defaults" in together(comparison(mixed, fit).body)


DAMAGE: dict[str, Any] = {
    "{": "is damaged",
    "[]": "not a JSON object",
    '{"format": 1}': "has format 1, this version reads 2",
    '{"format": 2}': "is damaged, or no record (experiment",
    '{"format": 1, "sweep": "mine"}': "is the record of a sweep",
}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["ntm/copy", "ntm/copy@small"], "are the same"),
        (["ntm/copy", "ntm/copy:lstm"], "name a variant of it on both sides"),
        (["ntm/copy:lstm", "ntm/copy@small:lstm"], "are the same"),
        (["ntm/copy@smoke", "ntm/coppy"], "did you mean ntm/copy"),
        (["ntm/copy@smoke", "ntm/copy@smal"], "did you mean small?"),
        (["ntm/copy@smoke", "ntm/copy@paper"], "no record at scale paper; it has smoke and small"),
        (["ntm/copy@smoke", "ntm/copy:lstn"], "did you mean lstm"),
        (["ntm/copy@smoke", "nowhere/runs/1"], "no experiment and no path called nowhere/runs/1"),
        (["ntm/copy@smoke", ""], "no experiment and no path called"),
        (["ntm/copy@smoke", "x" * 300], "no experiment and no path called xxx"),
        (["ntm/copy@smoke", "src"], "src holds neither a record"),
        (["ntm/copy@smoke", "README.md"], "README.md holds neither a record"),
        (["ntm/copy@smoke", "attention/reversal:rnnenc"], "name one of these, ntm/copy@smoke:ntm-lstm"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    names: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--committed", "--out", str(tmp_path / "out"), "--compare", *names]) == 2
    said = capsys.readouterr().err
    assert said.startswith("augrnn: error: ")
    assert said.count("\n") == 1
    assert told in said
    assert not (tmp_path / "out").exists()


def test_an_experiment_without_a_record_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("augrnn.report.sides.committed", lambda experiment, place: {})
    assert main(["report", "--committed", "--out", str(tmp_path / "out"), "--compare", "ntm/copy", "dnc/copy"]) == 2
    said = capsys.readouterr().err
    assert said == "augrnn: error: ntm/copy has no record yet: augrnn reproduce ntm/copy makes one\n"


@pytest.mark.parametrize(("text", "told"), DAMAGE.items())
def test_a_damaged_record_is_one_line(text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results.json").write_text(text)
    assert main(["report", "--out", str(tmp_path / "out"), "--compare", "ntm/copy", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("runs", lambda content: content["runs"][0].pop("seed")),
        ("runs", lambda content: content["runs"][0].update(new=1)),
        ("runs", lambda content: content["runs"][0]["curves"]["val/cost_bits"]["updates"].pop()),
        ("variants", lambda content: content["variants"]["lstm"].pop("seeds")),
        ("verdicts", lambda content: content["verdicts"][0].update(verdict="perhaps")),
        ("provenance", lambda content: content["provenance"].update(commit=3)),
    ],
)
def test_a_record_damaged_by_hand_is_one_line(
    name: str, change: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads((COPY / "smoke.json").read_text())
    change(content)
    (tmp_path / "results.json").write_text(json.dumps(content))
    assert main(["report", "--out", str(tmp_path / "out"), "--compare", "ntm/copy", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert f"is damaged, or no record ({name}" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("summary.json", '{"status": "perhaps"}', "is damaged, or of another version"),
        ("summary.json", '{"status": "finished", "curves": 3}', "is damaged, or of another version"),
        ("provenance.json", '{"experiment": "a"}', "is damaged, or no record"),
        ("metrics.csv", "step,val/loss\nx,1\n", "metrics.csv is damaged"),
        ("metrics.csv", "step,val/loss\n1,\xff\n", "metrics.csv is damaged"),
    ],
)
def test_a_damaged_run_is_one_line(
    file: str, text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ran(tmp_path / "run")
    (folder / file).write_bytes(text.encode("latin-1"))
    assert main(["report", "--out", str(tmp_path / "out"), "--compare", "ntm/copy:lstm", str(folder)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


# The page


def test_the_command_writes_the_page_beside_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["report", "--committed", "--out", str(tmp_path)]
    two = ["--compare", "attention/reversal:rnnsearch", "attention/reversal:rnnenc"]
    path = tmp_path / "compare/attention-reversal-rnnsearch--attention-reversal-rnnenc.html"
    assert main([*words, *two]) == 0
    assert capsys.readouterr().out.startswith(f"{path}  (")
    assert "index.html" not in path.read_text()  # there is none yet
    assert main([*words, "--experiment", "attention/reversal"]) == 0
    assert path.exists()
    assert main([*words, *two]) == 0
    assert "../index.html" in path.read_text()
    assert main([*words, *two, "--experiment", "ntm/copy"]) == 2
    assert "not allowed with" in capsys.readouterr().err


in_browser = pytest.mark.xdist_group("browser")


@in_browser
def test_the_page_fits_every_screen_draws_its_charts_and_has_no_serious_fault(tmp_path: Path, opened: Open) -> None:
    out = ["report", "--committed", "--out", str(tmp_path)]
    assert main([*out, "--compare", "ntm/copy@small", "ntm/copy@smoke"]) == 0
    path = tmp_path / "compare/ntm-copy@small--ntm-copy@smoke.html"
    for width in (360, 1440):
        page = opened(path, width=width)
        assert too_wide(page) <= 0
        charts = page.locator("[data-chart]")
        assert charts.count() == 2
        assert all(charts.nth(i).locator("svg").count() for i in range(2))
    assert faults(page) == []
    # one colour for both sides of a model, whole lines for A and broken ones for B
    lines = page.locator("[data-chart]").first.locator('svg path[stroke="#009e73"], svg g[stroke="#009e73"]')
    dashes = set(lines.evaluate_all("all => all.map(each => each.getAttribute('stroke-dasharray') || '')"))
    assert dashes == {"", "7 4"}


@in_browser
def test_hostile_texts_are_shown_and_never_run(tmp_path: Path, opened: Open) -> None:
    bad = RunRecord("v", 0, "finished", {HOSTILE: 1.0, f"t{HOSTILE}": "text"}, {HOSTILE: CURVE})
    model = Model(HOSTILE, Known("named", {HOSTILE: HOSTILE}), (bad,), 1)
    other = Model(HOSTILE, Known("named", {HOSTILE: "x"}), (bad,), 1)
    both = [
        Side(HOSTILE, HOSTILE, (Path(), ""), {HOSTILE: each}, provenance={"commit": [HOSTILE]})
        for each in (model, other)
    ]
    found = comparison(*both)
    assert "<" not in found.path
    assert main(["report", "--committed", "--out", str(tmp_path), "--experiment", "ntm/copy"]) == 0
    path = tmp_path / "compare" / "page.html"
    path.parent.mkdir()
    path.write_text(found.page(alone=False), encoding="utf-8")
    page = opened(path)
    assert page.locator("main").text_content().count(HOSTILE) > 10
    assert HOSTILE in page.locator("[data-chart] .controls").first.text_content()
    assert page.locator("img").count() == 0
    assert page.title() == f"{HOSTILE} and {HOSTILE}"
