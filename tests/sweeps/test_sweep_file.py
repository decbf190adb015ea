"""The sweep file and its points: W&B's grammar, every shipped file, counts, draws and bad input."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import yaml

from augrnn.errors import UserError
from augrnn.lab.settings import merged, nested
from augrnn.sweeps.points import draw, points, run_of, runs_of
from augrnn.sweeps.sweep_file import Parameter, Sweep, read_sweep

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "configs/sweeps").glob("*.yaml"))
CONFIG = "configs/copy/lstm.yaml"
LR = "model.init_args.optimizer.init_args.lr"


def sweep(folder: Path, name: str = "s", **changed: object) -> Sweep:
    content = {
        "method": "grid",
        "metric": {"name": "val/cost_bits"},
        "parameters": {LR: {"values": [0.1, 0.01]}, "trainer.max_steps": {"value": 5}},
        "command": ["augrnn", "fit", "--config", CONFIG, "${args}"],
    }
    path = folder / f"{name}.yaml"
    path.write_text(
        yaml.safe_dump({key: value for key, value in (content | changed).items() if value is not None}, sort_keys=False)
    )
    return read_sweep(path, ROOT)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_sweep_can_be_planned(path: Path) -> None:
    found = read_sweep(path, ROOT)
    if found.file.method != "bayes":
        runs = runs_of(found, points(found))
        assert len({run.folder(Path("runs")) for run in runs}) == len(runs) >= 6
    assert len(found.seeds) >= 3


def test_a_grid_is_every_combination_with_every_seed(tmp_path: Path) -> None:
    axes = {
        LR: {"values": [1, 2, 3]},
        "data.init_args.width": {"min": 4, "max": 5},
        "seed_everything": {"values": [7, 3]},
    }
    found = sweep(tmp_path, parameters=axes)
    places = points(found)
    expected = [{LR: lr, "data.init_args.width": width} for lr, width in itertools.product([1, 2, 3], [4, 5])]
    assert [dict(each.values) for each in places] == expected
    runs = runs_of(found, places)
    assert [(run.variant, run.seed) for run in runs] == [(each.id, seed) for seed in (7, 3) for each in places]
    written = yaml.safe_load((ROOT / CONFIG).read_text())
    changes = {LR: 1, "data.init_args.width": 4, "seed_everything": 7}
    assert runs[0].settings == merged(written, nested(changes))
    assert runs[0].values == {LR: 1, "data.init_args.width": 4}
    assert len({run.fingerprint for run in runs}) == 12


def test_a_point_is_the_same_in_another_sweep_and_its_settings_are_in_its_fingerprint(tmp_path: Path) -> None:
    one, other = (
        sweep(tmp_path),
        sweep(tmp_path, "t", command=["augrnn", "fit", "--config", CONFIG, "--x=1", "${args}"]),
    )
    assert points(one) == points(other)
    mine, theirs = (run_of(each, points(each)[0], 0) for each in (one, other))
    assert mine.fingerprint != theirs.fingerprint
    assert mine == run_of(one, points(one)[0], 0)


def test_a_config_that_is_an_axis_comes_before_what_overrides_it(tmp_path: Path) -> None:
    axes = {LR: {"value": 0.1}, "config": {"values": [CONFIG, "configs/copy/ntm-lstm.yaml"]}}
    found = sweep(tmp_path, parameters=axes, command=["augrnn", "fit", "--trainer.max_steps=5", "${args}"])
    run = run_of(found, points(found)[1], 0)
    written = yaml.safe_load((ROOT / "configs/copy/ntm-lstm.yaml").read_text())
    assert run.settings == merged(written, nested({"trainer.max_steps": 5, LR: 0.1, "seed_everything": 0}))
    assert run.values == {LR: 0.1, "config": "configs/copy/ntm-lstm.yaml"}


def test_values_reach_the_settings_as_they_are(tmp_path: Path) -> None:
    values = {"a": None, "b": True, "c": "x y; $(rm)", "d": {"class_path": "m.C", "init_args": {"n": 1}}, "e": [1, 2.5]}
    found = sweep(tmp_path, parameters={name: {"value": value} for name, value in values.items()})
    settings = run_of(found, points(found)[0], 0).settings
    assert {name: settings[name] for name in values} == values


def test_random_points_are_the_same_every_time_and_none_twice(tmp_path: Path) -> None:
    axes = {
        LR: {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1},
        "trainer.max_steps": {"min": 1, "max": 9},
    }
    found = sweep(tmp_path, method="random", run_cap=50, parameters=axes)
    assert points(found) == points(found)
    assert len({each.id for each in points(found)}) == 50
    few = sweep(tmp_path, method="random", run_cap=50, parameters={"trainer.max_steps": {"min": 1, "max": 9}})
    assert sorted(each.values["trainer.max_steps"] for each in points(few)) == list(range(1, 10))
    alike = sweep(tmp_path, method="random", run_cap=9, parameters={"trainer.max_steps": {"values": [1, 1.0, 2]}})
    assert len(points(alike)) == 2  # 1 and 1.0 train the same
    other = sweep(tmp_path, "other", method="random", run_cap=50, parameters=axes)
    assert points(other) != points(found)


@pytest.mark.parametrize(
    ("given", "law"),
    [
        ({"min": 2.0, "max": 5.0}, scipy.stats.uniform(2, 3)),
        ({"distribution": "log_uniform_values", "min": 0.01, "max": 10.0}, scipy.stats.loguniform(0.01, 10)),
        ({"distribution": "inv_log_uniform_values", "min": 0.01, "max": 10.0}, scipy.stats.loguniform(0.01, 10)),
        ({"distribution": "normal", "mu": 3.0, "sigma": 2.0}, scipy.stats.norm(3, 2)),
        ({"distribution": "log_normal", "mu": 1.0, "sigma": 0.5}, scipy.stats.lognorm(0.5, scale=np.e)),
        ({"distribution": "beta", "a": 2.0, "b": 3.0}, scipy.stats.beta(2, 3)),
    ],
    ids=lambda part: part.get("distribution", "uniform") if isinstance(part, dict) else "",
)
def test_draws_follow_their_law(given: dict[str, object], law: scipy.stats.rv_continuous) -> None:
    random = np.random.default_rng(0)
    drawn = [draw(Parameter.model_validate(given), random) for _ in range(10_000)]
    assert scipy.stats.kstest(drawn, law.cdf).pvalue > 1e-3


def test_draws_of_lists_and_steps() -> None:
    random = np.random.default_rng(0)
    weighed = Parameter.model_validate({"values": ["a", "b"], "probabilities": [0.25, 0.75]})
    share = np.mean([draw(weighed, random) == "b" for _ in range(2000)])
    assert share == pytest.approx(0.75, abs=0.04)
    stepped = Parameter.model_validate({"distribution": "q_uniform", "min": 8, "max": 64, "q": 8})
    assert {draw(stepped, random) for _ in range(500)} == set(range(8, 65, 8))
    half = Parameter.model_validate({"distribution": "q_uniform", "min": 0.0, "max": 1.0, "q": 0.5})
    assert {draw(half, random) for _ in range(200)} == {0.0, 0.5, 1.0}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"method": "annealing"}, "method: Input should be 'grid', 'random' or 'bayes'"),
        ({"metod": "grid"}, "metod: there is no such key"),
        ({"parameters": {}}, "parameters: Dictionary should have at least 1 item"),
        ({"parameters": {LR: {"valus": [1]}}}, f"parameters.{LR}.valus: there is no such key"),
        ({"parameters": {LR: {"values": []}}}, "at least 1 item"),
        ({"parameters": {LR: {"value": 1, "values": [1]}}}, "give one of value, values"),
        ({"parameters": {LR: {}}}, "uniform needs min and max"),
        ({"parameters": {LR: {"min": 2.0, "max": 1.0}}}, "min must be below max"),
        ({"parameters": {LR: {"min": 0.0, "max": 1.0}}}, f"grid needs listed values, and {LR} is uniform"),
        ({"parameters": {LR: {"distribution": "log_uniform_values", "min": 0, "max": 1}}}, "a min above 0"),
        ({"parameters": {LR: {"values": [1, 2], "probabilities": [0.5]}}}, "2 values have 1 probabilities"),
        ({"parameters": {"a; rm -rf": {"value": 1}}}, "not the name of an option"),
        ({"parameters": {"config": {"value": CONFIG}}}, "name the config either in the command"),
        ({"parameters": {"seed_everything": {"values": [0.5]}}}, "seed_everything needs listed whole numbers"),
        ({"parameters": {"seed_everything": {"values": [2**32]}}}, "whole numbers from 0 to 4,294,967,295"),
        ({"parameters": {LR: {"values": [1e-3, float("nan")]}}}, f"{LR} has a value that is infinite or not a number"),
        ({"parameters": {LR: {"value": {"a": [float("inf")]}}}}, f"{LR} has a value that is infinite or not a number"),
        ({"method": "random"}, "random needs run_cap"),
        ({"early_terminate": {"type": "hyperband"}}, "early_terminate needs method bayes"),
        ({"command": ["bash", "-c", "rm", "${args}"]}, "command must be [augrnn, fit"),
        ({"command": ["augrnn", "fit", "--config", CONFIG]}, "command must be [augrnn, fit"),
        ({"command": ["augrnn", "fit", "${program}", "${args}"]}, "no other macro"),
        ({"command": ["augrnn", "fit", "${args}"]}, "name the config either in the command"),
        ({"metric": None}, "metric: Field required"),
        ({"metric": {"name": 3}}, 'metric.name: 3 is not text: put it in quotes, "3"'),
        ({"description": 12}, 'description: 12 is not text: put it in quotes, "12"'),
        ({"parameters": {"config": {"values": [3]}}}, "config needs listed paths"),
        ({"parameters": {"config": {"min": 1, "max": 3}}}, "config needs listed paths"),
        ({"parameters": {"config": {"values": [CONFIG, None]}}}, "config needs listed paths"),
        ({"parameters": {LR: {"value": {1: 2}}}}, "put it in quotes"),
        ({"parameters": {LR: {"value": b"ab"}}}, "not a valid JSON value"),
        ({"parameters": {LR: {"min": 0, "max": 10**30}}}, "is too wide"),
        ({"parameters": {LR: {"min": 0.0, "max": float("inf")}}}, "finite number"),
        ({"parameters": {"seed_everything": {"min": 0, "max": 10**9}}}, "1,000,000,001 seeds make more than 100,000"),
        ({"method": "bayes", "run_cap": 10**11}, "run_cap: Input should be less than or equal to 100000"),
        ({"method": "random", "run_cap": 0}, "run_cap: Input should be greater"),
        ({"method": "random", "run_cap": -1}, "run_cap: Input should be greater"),
    ],
)
def test_a_mistake_is_one_line_that_names_its_place(tmp_path: Path, changed: dict[str, object], told: str) -> None:
    with pytest.raises(UserError) as raised:
        sweep(tmp_path, **changed)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert str(tmp_path / "s.yaml") in str(raised.value)


def text(folder: Path, values: str) -> Sweep:
    (folder / "t.yaml").write_text(
        f"method: grid\nmetric: {{name: val/cost_bits}}\nparameters: {{{LR}: {values}}}\n"
        f'command: [augrnn, fit, --config, {CONFIG}, --trainer.logger, false, --a, 1e-3, "${{args}}"]\n'
    )
    return read_sweep(folder / "t.yaml", ROOT)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("{values: [1e-1, 1e-2, 1e-3, 3e-4, 1e-4]}", [0.1, 0.01, 0.001, 0.0003, 0.0001]),
        ("{values: [1e-3, 0.001, 1.0e-3]}", [0.001]),
        ("{values: [1, 1.0, 2, true]}", [1, 2, True]),
        ("{values: [[1.0], [1], {a: 2.0}, {a: 2}]}", [[1.0], {"a": 2.0}]),
        ("{value: 2024-01-02}", ["2024-01-02"]),
    ],
)
def test_values_are_numbers_as_lightning_cli_reads_them_and_none_twice(
    tmp_path: Path, values: str, expected: list[object]
) -> None:
    found = text(tmp_path, values)
    assert [each.values[LR] for each in points(found)] == expected
    assert [type(each.values[LR]) for each in points(found)] == [type(value) for value in expected]
    run = run_of(found, points(found)[0], 0)
    assert (run.settings["trainer"]["logger"], run.settings["a"]) == (False, 0.001)


@pytest.mark.parametrize(
    ("name", "value"), [("trainer", 3), ("trainer", [1]), ("trainer", "x"), ("model", 1), ("data", None)]
)
def test_a_section_without_options_is_one_line(tmp_path: Path, name: str, value: object) -> None:
    told = f"s: {name} cannot be "
    one = sweep(tmp_path, parameters={name: {"value": value}})
    with pytest.raises(UserError, match=told):
        run_of(one, points(one)[0], 0)
    words = ["augrnn", "fit", "--config", CONFIG, f"--{name}={json.dumps(value)}", "${args}"]
    other = sweep(tmp_path, parameters={"x": {"value": 1}}, command=words)
    with pytest.raises(UserError, match=told):
        run_of(other, points(other)[0], 0)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the sweep"):
        read_sweep(tmp_path / "none.yaml", ROOT)
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(UserError, match="not valid YAML"):
        read_sweep(tmp_path / "bad.yaml", ROOT)
    astray = sweep(tmp_path, command=["augrnn", "fit", "--config", "nowhere.yaml", "${args}"])
    with pytest.raises(UserError, match="there is no config"):
        run_of(astray, points(astray)[0], 0)
    with pytest.raises(UserError, match="not known beforehand"):
        points(sweep(tmp_path, method="bayes", run_cap=3))
    huge = {f"a{number}": {"min": 1, "max": 1000} for number in range(3)}
    with pytest.raises(UserError, match="1,000,000,000 points"):
        points(sweep(tmp_path, parameters=huge))
