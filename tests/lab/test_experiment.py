from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from augrnn.errors import UserError
from augrnn.lab.experiment import Experiment, discover, load
from augrnn.lab.places import names
from augrnn.lab.plan import Scale, Variant

if TYPE_CHECKING:
    from tests.lab.conftest import World


def experiment(**scales: Scale) -> Experiment:
    variants = {"a": Variant("configs/toy.yaml", {"x": 1}), "b": Variant("configs/toy.yaml")}
    return Experiment("p/f", "t", "p", variants, scales, claims=())


def test_a_plan_goes_seed_by_seed_with_options_from_general_to_particular(world: World) -> None:
    small = Scale(2, 1.0, {"x": 2, "y": 2}, seeds_of={"b": 1}, settings_of={"a": {"y": 3, "z": 3}})
    plan = experiment(small=small).plan("small", world.experiments)
    assert [str(run) for run in plan] == ["a seed 0", "b seed 0", "a seed 1"]
    assert plan[2].settings == {"model": {"behaviour": "learn"}, "x": 2, "y": 3, "z": 3, "seed_everything": 1}
    assert plan[1].settings == {"model": {"behaviour": "learn"}, "x": 2, "y": 2, "seed_everything": 0}
    assert plan[2].folder(Path("runs")) == Path("runs/p/f/small/a/seed-1")
    assert len({run.fingerprint for run in plan}) == 3


def test_a_plan_can_be_cut_down(world: World) -> None:
    small = Scale(2, 1.0)
    plan = experiment(small=small).plan("small", world.experiments, seeds=3, variants=["b"])
    assert [str(run) for run in plan] == ["b seed 0", "b seed 1", "b seed 2"]


def test_it_does_not_matter_where_a_value_stands(world: World) -> None:
    plain = experiment(small=Scale(1, 1.0, {"z": 3})).plan("small", world.experiments)
    (world.root / "configs/toy.yaml").write_text("z: 3\nmodel: {behaviour: learn}\ntrainer: {accelerator: auto}\n")
    moved = experiment(small=Scale(1, 1.0)).plan("small", world.experiments)
    assert [run.fingerprint for run in moved] == [run.fingerprint for run in plain]
    changed = experiment(small=Scale(1, 1.0, {"trainer": {"accelerator": "cpu"}})).plan("small", world.experiments)
    assert not {run.fingerprint for run in changed} & {run.fingerprint for run in plain}


def test_the_same_settings_at_another_scale_are_another_run(world: World) -> None:
    found = experiment(small=Scale(1, 1.0), paper=Scale(1, 1.0))
    plans = [found.plan(scale, world.experiments)[0].fingerprint for scale in ("small", "paper")]
    assert len(set(plans)) == 2


def test_mistakes_in_an_experiment_are_named(world: World) -> None:
    with pytest.raises(UserError, match="scale small names unknown variants: c"):
        experiment(small=Scale(1, 1.0, variants=("a", "c")))
    (world.root / "configs/toy.yaml").write_text("a: [")
    with pytest.raises(UserError, match=r"toy.yaml is not valid YAML"):
        experiment(small=Scale(1, 1.0)).plan("small", world.experiments)
    (world.root / "configs/toy.yaml").unlink()
    with pytest.raises(UserError, match=r"there is no config .*toy.yaml"):
        experiment(small=Scale(1, 1.0)).plan("small", world.experiments)


def test_experiments_are_found_by_their_folders(world: World) -> None:
    assert names(world.experiments) == ["toy/learn"]
    assert [found.name for found in discover(world.experiments)] == ["toy/learn"]
    with pytest.raises(UserError, match="no experiment called toy/lern; did you mean toy/learn"):
        load("toy/lern", world.experiments)
    with pytest.raises(UserError, match="there are: toy/learn"):
        load("xyz", world.experiments)


def test_an_experiment_file_must_define_one_of_its_folders_name(world: World) -> None:
    path = world.experiments / "toy" / "other" / "experiment.py"
    path.parent.mkdir()
    path.write_text("import augrnn\n")
    with pytest.raises(UserError, match=r"must define `experiment = Experiment\(...\)`"):
        load("toy/other", world.experiments)
    path.write_text((world.experiments / "toy/learn/experiment.py").read_text())
    with pytest.raises(UserError, match="calls its experiment toy/learn"):
        load("toy/other", world.experiments)


def test_an_edit_counts_even_where_time_and_size_stay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = world.experiments / "toy/learn/experiment.py"
    before = path.stat()
    assert load("toy/learn", world.experiments).scales["smoke"].seeds == 2
    path.write_text(path.read_text().replace('"smoke": Scale(seeds=2', '"smoke": Scale(seeds=3'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert load("toy/learn", world.experiments).scales["smoke"].seeds == 3
    assert not list(path.parent.glob("__pycache__"))


def test_an_experiment_file_that_leaves_the_program_is_named(world: World) -> None:
    (world.experiments / "toy/learn/experiment.py").write_text("import augrnn\nraise SystemExit(3)\n")
    with pytest.raises(UserError, match=r"experiment.py, line 2: SystemExit: 3"):
        load("toy/learn", world.experiments)


def test_nothing_of_the_lab_is_slow_to_import() -> None:
    slow = ("torch", "lightning", "scipy", "numpy", "matplotlib", "wandb", "jsonargparse")
    modules = ("commands", "run_process", "runner", "claims_tables", "check")
    code = f"import sys, {', '.join(f'augrnn.lab.{name}' for name in modules)}\n"
    code += f"print([name for name in {slow} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "[]"
