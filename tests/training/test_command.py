"""LightningCLI with the project's defaults: every config on disk, resuming, and what a user's mistake looks like."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from augrnn.cli import main
from augrnn.dotted import named
from augrnn.errors import UserError
from augrnn.lab.experiment import Experiment, discover
from augrnn.tracking.loggers import CSVFile
from augrnn.training import command as training
from augrnn.training.command import Command
from augrnn.yaml_files import parsed
from tests import real_data
from tests.tasks.pictures import small
from tests.tiny import train

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(path for path in (ROOT / "configs").glob("*/*.yaml") if path.parent.name not in ("cluster", "sweeps"))
PLANS = [(experiment, scale) for experiment in discover(ROOT / "experiments") for scale in experiment.scales]
TAGS = {"experiment": "e", "variant": "v", "scale": "smoke", "seed": 0}
TINY = (
    "--config",
    str(ROOT / "configs/copy/ntm-lstm.yaml"),
    "--model.init_args.cell.init_args.rows=6",
    "--data.init_args.max_length=3",
    "--data.init_args.validation_sequences=32",
    "--data.init_args.epoch_batches=3",
    "--trainer.accelerator=cpu",
    "--trainer.log_every_n_steps=1",
    "--trainer.enable_progress_bar=false",
    "--trainer.enable_model_summary=false",
)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_config_loads_and_trains_two_batches(
    config: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    extra = real_data.options(config, request)
    if extra:
        extra.append("--trainer.limit_val_batches=1")
    if config.parent.name == "captioning":
        extra = small(config, tmp_path)
    quiet = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false", "--trainer.accelerator=cpu"]
    limits = ["--trainer.fast_dev_run=2", "--trainer.logger=false"]
    command = Command(["--config", str(config), *quiet, *limits, *extra], run=False, folder=tmp_path)
    command.trainer.fit(command.model, command.datamodule)
    assert command.trainer.global_step == 2


def contained(written: object, kept: object) -> bool:
    """Whether all that was written is in what is kept; the parser may name a class by a shorter path."""
    if isinstance(written, dict):
        return isinstance(kept, dict) and all(
            named(value, object, key) is named(kept[key], object, key)
            if key == "class_path"
            else contained(value, kept.get(key))
            for key, value in written.items()
        )
    if isinstance(written, list):
        return isinstance(kept, list) and len(written) == len(kept) and all(map(contained, written, kept))
    return written == kept


@pytest.mark.parametrize(("experiment", "scale"), PLANS, ids=lambda part: getattr(part, "name", part))
def test_every_plan_can_be_built(
    experiment: Experiment, scale: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    extra = []
    if experiment.name in ("attention/translation", "attention/strong-translation"):
        extra = [f"--data.init_args.directory={request.getfixturevalue('data_root') / 'multi30k'}"]
    if experiment.name in ("attention/scenes", "attention/flickr8k"):
        request.getfixturevalue("weights_root")
    for run in experiment.plan(scale, ROOT / "experiments", seeds=1):
        (tmp_path / "settings.yaml").write_text(training.as_yaml(run.settings))
        words = ["--config", str(tmp_path / "settings.yaml"), "--trainer.logger=false", *extra]
        command = Command(words, run=False, folder=tmp_path)
        resolved = yaml.safe_load(command.parser.dump(command.config, skip_none=False))
        assert contained(run.settings, {**resolved, "seed_everything": 0})
        command.model.configure_optimizers()
        if hasattr(command.datamodule, "input_size"):
            cell = command.model.cell
            sizes = (command.datamodule.input_size, command.datamodule.output_size)
            assert (cell.input_size, cell.output_size) == sizes


@pytest.mark.parametrize("number", [math.inf, -math.inf, np.float64("inf"), torch.tensor(2.5), 1e-30, None])
def test_numbers_of_settings_stay_what_they_are(number: object) -> None:
    assert parsed(training.as_yaml({"a": {"b": [number]}})) == {"a": {"b": [number]}}


def test_no_cosine_ends_before_its_training() -> None:
    settings = [yaml.safe_load(config.read_text()) for config in CONFIGS]
    for experiment, scale in PLANS:
        settings += [run.settings for run in experiment.plan(scale, ROOT / "experiments", seeds=1)]
    for each in settings:
        scheduler = each["model"]["init_args"].get("scheduler") or {}
        if scheduler.get("class_path", "").endswith("CosineAnnealingLR") and "max_steps" in each["trainer"]:
            assert each["trainer"]["max_steps"] <= scheduler["init_args"]["T_max"]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_config_resolves_to_itself(config: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if config.parent.name == "captioning":
        request.getfixturevalue("weights_root")
    # Whatever the file says must be in what runs: a misspelt or dropped key would train another model.
    command = Command(["--config", str(config), "--trainer.logger=false"], run=False, folder=tmp_path)
    resolved = yaml.safe_load(command.parser.dump(command.config, skip_none=False))

    assert contained(yaml.safe_load(config.read_text()), resolved)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as file:
        return [{name: value for name, value in row.items() if name != "throughput"} for row in csv.DictReader(file)]


def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(tmp_path: Path) -> None:
    options = list(TINY)
    whole = train([*options, "--trainer.max_steps=9"], tmp_path / "whole", TAGS)
    train([*options, "--trainer.max_steps=4"], tmp_path / "parts", TAGS)
    resumed = train([*options, "--trainer.max_steps=9"], tmp_path / "parts", TAGS)
    assert resumed.updates == whole.updates == 9
    assert resumed.sequences == whole.sequences
    for name, tensor in whole.system.state_dict().items():
        assert torch.equal(tensor, resumed.system.state_dict()[name]), name
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")


CHOOSING = """
trainer:
  callbacks:
    - class_path: lightning.pytorch.callbacks.ModelCheckpoint
      init_args: {monitor: val/cost_bits, mode: MODE, save_top_k: KEPT, filename: "best-{step}"}
    - class_path: lightning.pytorch.callbacks.EarlyStopping
      init_args: {monitor: val/cost_bits, mode: MODE, patience: 2}
"""


def choosing(folder: Path, mode: str, kept: int) -> list[str]:
    """TINY, validated after every third update, with checkpoints chosen by validation."""
    (folder / "choosing.yaml").write_text(CHOOSING.replace("MODE", mode).replace("KEPT", str(kept)))
    return [*TINY, "--config", str(folder / "choosing.yaml")]


def test_the_model_is_the_mean_of_the_checkpoints_that_validation_chose(tmp_path: Path) -> None:
    found = train([*choosing(tmp_path, "min", 2), "--trainer.max_steps=12"], tmp_path / "run", TAGS)
    folder = tmp_path / "run" / "checkpoints"
    costs = {int(row["step"]) + 1: float(row["val/cost_bits"]) for row in rows(folder.parent) if row["val/cost_bits"]}
    best = sorted(costs, key=costs.__getitem__)[:2]
    assert {path.name for path in folder.glob("best-*")} == {f"best-step={step}.ckpt" for step in best}
    members = [torch.load(folder / f"best-step={step}.ckpt", weights_only=False)["state_dict"] for step in best]
    saved = torch.load(folder / "model.ckpt", weights_only=False)["state_dict"]
    for name, value in found.system.state_dict().items():
        assert torch.equal(saved[name], value)
        if value.is_floating_point():
            torch.testing.assert_close(value, (members[0][name] + members[1][name]) / 2)
    assert found.sequences == 12 * 16


def test_a_run_that_stopped_early_stays_stopped(tmp_path: Path) -> None:
    options = [*choosing(tmp_path, "max", 1), "--trainer.max_steps=60"]  # the cost falls, so the first one is "best"
    first = train(options, tmp_path / "run", TAGS)
    again = train(options, tmp_path / "run", TAGS)
    assert again.updates == first.updates < 60
    for name, value in first.system.state_dict().items():
        assert torch.equal(again.system.state_dict()[name], value)


def test_the_chosen_model_outlives_the_checkpoints_it_was_made_of(tmp_path: Path) -> None:
    """Where a finished run is only measured again, and the checkpoints that were its best have been deleted."""
    options = [*choosing(tmp_path, "min", 2), "--trainer.max_steps=12"]
    first = train(options, tmp_path / "run", TAGS)
    for path in (tmp_path / "run" / "checkpoints").glob("best-*"):
        path.unlink()
    again = train(options, tmp_path / "run", TAGS)
    assert again.updates == first.updates
    for name, value in first.system.state_dict().items():
        assert torch.equal(again.system.state_dict()[name], value)
    assert (tmp_path / "run" / "checkpoints" / "model.ckpt").exists()


def test_without_such_a_choice_the_last_model_counts(tmp_path: Path) -> None:
    found = train([*TINY, "--trainer.max_steps=3"], tmp_path, TAGS)
    last = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=False)["state_dict"]
    assert all(torch.equal(last[name], value) for name, value in found.system.state_dict().items())
    assert not (tmp_path / "checkpoints" / "model.ckpt").exists()


def test_a_run_leaves_its_resolved_config_and_metrics(tmp_path: Path) -> None:
    train([*TINY, "--trainer.max_steps=3"], tmp_path, TAGS)
    config = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert config["seed_everything"] == 0
    assert config["data"]["init_args"]["width"] == 8
    names = {name for row in rows(tmp_path) for name, value in row.items() if value}
    assert {"step", "sequences", "grad_norm", "train/cost_bits", "val/cost_bits", "val/wrong_bits"} <= names


def test_the_csv_file_goes_on_after_the_checkpoint(tmp_path: Path) -> None:
    first = CSVFile(tmp_path / "metrics.csv")
    for step in range(4):
        first.log_metrics({"loss": float(step)}, step)
    first.save()
    second = CSVFile(tmp_path / "metrics.csv")
    second.resume_at(2)
    second.log_metrics({"other": 9.0}, 2)
    second.save()
    with (tmp_path / "metrics.csv").open() as file:
        assert [(row["step"], row["loss"], row["other"]) for row in csv.DictReader(file)] == [
            ("0", "0.0", ""),
            ("1", "1.0", ""),
            ("2", "", "9.0"),
        ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--trainer.max_stepz=3"], "max_stepz"),
        (["--trainer.max_steps=soon"], "max_steps"),
        (["--model.init_args.cell.init_args.row=3"], "row"),
        (["--model.init_args.cell.init_args.rows=0"], "rows of at least 1"),
        (["--data.init_args.width=4"], "Copy gives 5 input and 4 output channels"),
        (["--config=nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_bad_input_is_one_clear_line(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *TINY, "--trainer.max_steps=1", *options]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("augrnn: error: ")
    assert told in last


def test_a_checkpoint_of_another_model_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train([*TINY, "--trainer.max_steps=3"], tmp_path, TAGS)
    checkpoint = str(tmp_path / "checkpoints" / "last.ckpt")
    other = [*TINY, "--model.init_args.cell.init_args.rows=9", "--trainer.logger=false"]
    assert main(["validate", *other, f"--trainer.default_root_dir={tmp_path}", "--ckpt_path", checkpoint]) == 2
    assert "the checkpoint is of another model" in capsys.readouterr().err
    assert main(["validate", *other, f"--trainer.default_root_dir={tmp_path}", "--ckpt_path", "nowhere.ckpt"]) == 2
    assert "nowhere.ckpt" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match="training loss is nan"):
        train(
            [
                *TINY,
                "--trainer.max_steps=3",
                "--trainer.log_every_n_steps=1",
                "--model.init_args.optimizer.init_args.lr=1e30",
            ],
            tmp_path,
            TAGS,
        )


def test_no_library_error_is_swallowed() -> None:
    with pytest.raises(RuntimeError, match="of our own"), training.one_clear_line():
        raise RuntimeError("a fault of our own")
    with pytest.raises(UserError, match="disk is full"), training.one_clear_line():
        raise OSError(28, "No space left on device", "x.ckpt")
