import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augrnn.errors import UserError
from augrnn.files import write_json
from augrnn.lab import records
from augrnn.lab.plan import Run
from augrnn.lab.results import Curve, Results, RunRecord, part, thinned
from augrnn.run_folder import PROVENANCE, SUMMARY


def test_curves_of_a_resumed_run_count_repeated_updates_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(
        "step,epoch,sequences,train/cost,val/cost\n"
        "10,0,160,8.0,\n10,0,,,9.0\n20,0,320,7.0,\n30,0,480,6.0,\n"  # killed here, resumed from update 10
        "20,0,320,5.0,\n20,0,320,,4.0\n30,0,480,nan,\n"
    )
    curves = records.read_curves(path)
    assert curves == {
        "train/cost": {"updates": [10, 20, 30], "sequences": [160, 320, 480], "values": [8.0, 5.0, None]},
        "val/cost": {"updates": [10, 20], "sequences": [160, 320], "values": [9.0, 4.0]},
    }
    assert records.read_curves(tmp_path / "none.csv") == {}


@given(st.integers(1, 400), st.integers(2, 100))
def test_thinning_keeps_both_ends(length: int, points: int) -> None:
    updates: list[float | None] = [float(i) for i in range(length)]
    kept = thinned({"updates": updates, "sequences": updates, "values": updates}, points)["values"]
    assert len(kept) == min(length, points)
    assert (kept[0], kept[-1]) == (0, length - 1)
    steps = {b - a for a, b in pairwise(kept)}
    assert not steps or max(steps) - min(steps) <= 1


def run(variant: str, seed: int, cost: float | None = None, **fields: Any) -> RunRecord:
    return RunRecord(variant, seed, "failed" if cost is None else "finished", {"cost": cost}, **fields)


def results(*runs: RunRecord, **planned: int) -> Results:
    return Results("a/b", "small", planned, {(run.variant, run.seed): run for run in runs})


def test_each_seed_is_observed_or_counted() -> None:
    found = results(run("a", 0, 1.0), run("a", 1), run("a", 2, math.nan), a=4)
    observed = found.each("a", lambda run: run["cost"])
    assert (observed.values, observed.missing, observed.excluded) == ((1.0, None, None), 1, 0)
    observed = found.each("a", lambda run: run["cost"], where=lambda run: run["cost"] == 1)
    assert (observed.values, observed.missing, observed.excluded) == ((1.0,), 1, 2)
    assert not found.complete
    assert [run.seed for run in found["a"]] == [0, 1, 2]


def test_pairs_share_a_seed_and_fail_together() -> None:
    found = results(run("a", 0, 1.0), run("b", 0, 5.0), run("a", 1, 2.0), run("b", 1), run("a", 2, 3.0), a=3, b=3)
    observed = found.paired(("a", "b"), lambda a, b: b["cost"] / a["cost"])
    assert (observed.values, observed.missing) == ((5.0, None), 1)
    assert found.each("c", lambda run: run["cost"]).values == ()


def test_a_run_tells_when_it_reached_a_value() -> None:
    curve: Curve = {"updates": [10, 20, 30], "sequences": [160, 320, 480], "values": [9.0, None, 0.04]}
    record = run("a", 0, 1.0, curves={"val/cost": curve})
    assert record.reached("val/cost", at_most=0.05) == 480
    assert record.reached("val/cost", at_most=9) == 160
    assert record.reached("val/cost", at_most=0.01) is None
    assert record.reached("val/other", at_most=0.01) is None
    with pytest.raises(UserError, match=r"a seed 0 has no measure speed; it has .*cost.*--measure-again"):
        record["speed"]


def ending(variant: str, seed: int, *values: float | None) -> RunRecord:
    updates = list(range(len(values)))
    curve: Any = {"updates": updates, "sequences": updates, "values": list(values)}
    return RunRecord(variant, seed, "finished", curves={"cost": curve})


def test_the_end_of_a_curve() -> None:
    assert ending("a", 0, 5.0, 2.0).final("cost") == 2.0
    assert ending("a", 0, 5.0, 2.0).below("cost", 2.5)
    assert not ending("a", 0, 1.0, 2.0).below("cost", 2.0)
    assert not ending("a", 0, 1.0, None).below("cost", 9.0)


def test_a_ratio_of_ends_pairs_seeds_and_keeps_its_divisor_away_from_zero() -> None:
    found = results(
        ending("a", 0, 8.0), ending("b", 0, 2.0), ending("a", 1, 8.0), ending("b", 1, 0.0), ending("a", 2, None),
        ending("b", 2, 1.0), RunRecord("a", 3, "failed"), ending("b", 3, 1.0), a=5, b=5,
    )  # fmt: skip
    ratio = found.final_ratio("cost", "a", "b", least=0.5)
    assert ratio.values == (4.0, 16.0, None, None)
    assert ratio.missing == 1


def test_the_lower_end_of_a_paired_bootstrap() -> None:
    def resampled(variant: str, seed: int, values: list[float]) -> RunRecord:
        return RunRecord(variant, seed, "finished", {"bleu": values})

    better = [float((7 * n) % 200) for n in range(200)]  # 0 to 199 in some order, over what the other has
    base = [float(n % 13) for n in range(200)]
    ahead = resampled("a", 0, [b + other for b, other in zip(better, base, strict=True)])
    found = results(ahead, resampled("b", 0, base), RunRecord("a", 1, "failed"), resampled("b", 1, base), a=3, b=3)
    lower = found.paired_lower_end("a", "b", "bleu")
    assert (lower.values, lower.missing) == ((5.0, None), 1)  # 2.5 % of 200 differences are below
    assert found.paired_lower_end("b", "a", "bleu").values[0] == -194.0
    short = results(ahead, resampled("b", 0, base[1:]), a=1, b=1)
    with pytest.raises(ValueError, match="shorter"):
        short.paired_lower_end("a", "b", "bleu")


def test_a_part_of_a_measure() -> None:
    run = RunRecord("a", 0, "finished", {"bits": {"20": 3.0}})
    assert part("bits", "20")(run) == 3.0
    with pytest.raises(UserError, match="a seed 0 has no 30 in its bits: use --measure-again"):
        part("bits", "30")(run)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"finished"', "{}", '{"seconds": 1}', "{", "\x00", "[" * 10**5])
def test_a_damaged_record_is_one_line_that_names_it(text: str, tmp_path: Path) -> None:
    run = Run("e/x", "smoke", "v", 0, "f", {})
    for name, other in ((SUMMARY, PROVENANCE), (PROVENANCE, SUMMARY)):
        write_json(run.folder(tmp_path) / other, {"status": "finished", "fingerprint": "f", "legs": []})
        (run.folder(tmp_path) / name).write_text(text)
        with pytest.raises(UserError, match=f"{name} is damaged") as raised:
            records.read_run(run, tmp_path)
        assert "\n" not in str(raised.value)


FINE = {"status": "finished", "curves": {"c": {"updates": [1], "sequences": [2], "values": [0.5]}}, "measures": {}}


@pytest.mark.parametrize(
    "content",
    [
        FINE | {"loss": 1},
        FINE | {"measures": []},
        FINE | {"updates": "many"},
        FINE | {"curves": []},
        FINE | {"curves": {"c": 3}},
        FINE | {"curves": {"c": {}}},
        FINE | {"curves": {"c": {"values": []}}},
        FINE | {"curves": {"c": {"values": ["a"]}}},
    ],
)
def test_a_record_of_another_form_is_one_line(content: dict[str, object], tmp_path: Path) -> None:
    run = Run("e/x", "smoke", "v", 0, "f", {})
    write_json(run.folder(tmp_path) / PROVENANCE, {"fingerprint": "f"})
    write_json(run.folder(tmp_path) / SUMMARY, content)
    with pytest.raises(UserError, match="is damaged, or of another version"):
        records.read_run(run, tmp_path)
    write_json(run.folder(tmp_path) / SUMMARY, FINE)
    found = records.read_run(run, tmp_path)
    assert found is not None
    assert found.curves == FINE["curves"]
    write_json(run.folder(tmp_path) / SUMMARY, {"status": 3})
    with pytest.raises(UserError, match="its status is 3"):
        run.state(tmp_path)


def test_a_method_has_the_finished_runs_of_its_variants() -> None:
    runs = {(name, seed): RunRecord(name, seed, "finished", {"x": seed}) for name in "ab" for seed in range(2)}
    runs["b", 1] = RunRecord("b", 1, "failed")
    results = Results("p/f", "small", {"a": 2, "b": 2}, runs)
    found = results.by_method({"both": ("a", "b"), "one": ("b",), "none": ("c",)}, lambda run: (run.variant, run["x"]))
    assert found == {"both": [("a", 0), ("a", 1), ("b", 0)], "one": [("b", 0)], "none": []}
