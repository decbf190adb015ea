"""`augrnn fit` as its users meet it: a folder for each run, what may change on resume, and what is said."""

import csv
import os
import re
import signal
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
import yaml

from augrnn import files
from augrnn.checkpoints import CONFIG_KEY
from augrnn.cli import main
from augrnn.signals import STOPPED
from augrnn.training.command import Command
from tests.tiny import CONFIG, tiny

TINY = [*CONFIG, *tiny(3), "--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
CHOOSING = """
trainer:
  callbacks:
    - class_path: lightning.pytorch.callbacks.ModelCheckpoint
      init_args: {monitor: val/cost_bits, filename: "best-{step}"}
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fit(*words: str, steps: int = 3) -> int:
    return main(["fit", *TINY, f"--trainer.max_steps={steps}", *words])


def runs() -> list[Path]:
    return sorted(path for path in Path("runs/adhoc").glob("*") if path.is_dir())


def updates(folder: Path) -> int:
    return torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["global_step"]


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("augrnn: error: ")
    return last


# Folders -------------------------------------------------------------------------------------------------------------


def test_each_fit_has_a_folder_that_it_names_first_and_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit() == 0
    lines = capsys.readouterr().out.strip().splitlines()
    (folder,) = runs()
    assert re.fullmatch(r"copy-lstm-\d{8}-\d{6}", folder.name)
    assert [line for line in lines if line.startswith("run folder: ")] == [f"run folder: {folder}"] * 2
    assert lines[0] == f"run folder: {folder}"
    names = {path.name for path in folder.iterdir()}
    assert {"config.yaml", "metrics.csv", "curves.png", "checkpoints"} <= names
    assert f"augrnn validate --config {folder}/config.yaml" in lines[-2]
    with open(folder / "metrics.csv", newline="") as file:
        last = [row for row in csv.DictReader(file) if row["val/cost_bits"]][-1]
    measures = ("val/cost_bits", "val/wrong_bits", "val/wrong_sequences")
    numbers = [f"{name} {float(last[name]):.4g}" for name in measures]
    assert lines[lines.index(f"run folder: {folder}", 1) - 1] == f"last validation: {', '.join(numbers)}"
    before = (folder / "metrics.csv").read_bytes()
    assert fit("--data.init_args.width=8") == fit() == 0
    assert len(runs()) == 3
    assert (folder / "metrics.csv").read_bytes() == before


def test_a_folder_with_a_run_is_refused_unless_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    named = "--trainer.default_root_dir=mine"
    assert fit(named) == 0
    before = Path("mine/config.yaml").read_bytes()
    for others in ([], ["--data.init_args.max_length=2"]):
        assert fit(named, *others) == 2
        assert "mine holds a run: take it up again with --ckpt_path last" in refusal(capsys)
    assert Path("mine/config.yaml").read_bytes() == before
    assert fit(named, "--ckpt_path=last", steps=5) == 0
    assert updates(Path("mine")) == 5
    assert fit("--ckpt_path=mine/checkpoints/last.ckpt", steps=6) == 0  # the checkpoint says where
    assert updates(Path("mine")) == 6
    assert not Path("runs").exists()
    assert fit("--trainer.default_root_dir=other", "--ckpt_path=mine/checkpoints/last.ckpt", steps=7) == 0
    assert (updates(Path("mine")), updates(Path("other"))) == (6, 7)


def test_a_run_that_saved_nothing_starts_again_in_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit("--trainer.default_root_dir=m y", RATE + "1e30") == 2
    assert "the training loss is" in refusal(capsys)
    assert fit("--trainer.default_root_dir=m y") == 0
    assert "augrnn validate --config 'm y/config.yaml'" in capsys.readouterr().out
    assert len(rates("m y")) == 3


def test_two_in_one_folder_are_locked_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit("--trainer.default_root_dir=mine") == 0
    with files.locked(Path("mine")):
        assert fit("--trainer.default_root_dir=mine", "--ckpt_path=last", steps=5) == 2
    assert "another process is at work in mine" in refusal(capsys)
    assert updates(Path("mine")) == 3


@pytest.mark.parametrize("command", ["validate", "test"])
def test_evaluation_takes_the_checkpoint_of_the_folder_or_none(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate = [command, *TINY]
    assert main(evaluate) == 2
    assert "there is no trained model: name a checkpoint with --ckpt_path" in refusal(capsys)
    assert fit("--trainer.default_root_dir=mine") == 0
    found = []
    for words in (
        [*evaluate, "--ckpt_path=mine/checkpoints/last.ckpt"],
        [*evaluate, "--trainer.default_root_dir=mine"],
        [command, "--config=mine/config.yaml"],
        [*evaluate, "--trainer.default_root_dir=mine", "--ckpt_path=last"],
    ):
        capsys.readouterr()
        assert main(words) == 0
        found.append(capsys.readouterr().out)
    assert len(set(found)) == 1
    assert "cost_bits" in found[0]
    Path("empty").mkdir()
    assert main([*evaluate, "--trainer.default_root_dir=empty"]) == 2
    assert "there is no trained model in empty" in refusal(capsys)
    assert main([*evaluate, "--trainer.default_root_dir=mine", "--ckpt_path=best"]) == 2
    assert "mine has no checkpoints/model.ckpt" in refusal(capsys)


def test_the_config_that_fit_leaves_starts_another_run() -> None:
    assert fit() == 0
    (folder,) = runs()
    assert not {"ckpt_path", "weights_only"} & set(yaml.safe_load((folder / "config.yaml").read_text()))
    assert main(["fit", "--config", str(folder / "config.yaml")]) == 0
    assert len(runs()) == 2


def test_what_fit_trained_predicts_and_translates(capsys: pytest.CaptureFixture[str]) -> None:
    import gzip

    text = {"en": "a red dog is here .\na blue hat is there .\n", "fr": "un chien rouge est ici .\nun chapeau bleu .\n"}
    Path("toy").mkdir()
    for split in ("train", "val", "test_2016_flickr"):
        for language, lines in text.items():
            with gzip.open(f"toy/{split}.{language}.gz", "wt", encoding="utf-8") as file:
                file.write(lines * 8)
    root = Path(__file__).parents[2]
    sizes = ["encoder.init_args.vocabulary=60", "decoder.init_args.vocabulary=60"]
    words = [f"--model.init_args.{size}" for size in sizes]
    words += ["--data.init_args.vocabulary=60", "--data.init_args.directory=toy", "--data.init_args.batch_size=4"]
    words += ["--data.init_args.cache=cache", "--trainer.max_steps=2", "--trainer.accelerator=cpu"]
    words += ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
    config = str(root / "configs/translation/rnnsearch.yaml")
    assert main(["fit", "--config", config, "--trainer.default_root_dir=mine", *words]) == 0
    assert "augrnn translate --run mine FILE" in capsys.readouterr().out
    Path("two.en").write_text("a red hat is there .\na dog .\n")
    assert main(["translate", "--run", "mine", "two.en"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["predict", "mine", "two.en"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


# Resuming ------------------------------------------------------------------------------------------------------------


def test_a_model_that_an_earlier_leg_chose_is_not_taken_for_this_ones() -> None:
    Path("choosing.yaml").write_text(CHOOSING)
    assert fit("--config=choosing.yaml", "--trainer.default_root_dir=mine") == 0
    assert Path("mine/checkpoints/model.ckpt").exists()
    assert fit("--trainer.default_root_dir=mine", "--ckpt_path=last", steps=6) == 0
    assert not Path("mine/checkpoints/model.ckpt").exists()


def early(patience: int, **others: float) -> str:
    rules = {"monitor": "val/cost_bits", "mode": "max", "patience": patience, **others}  # it falls: no better one
    callback = {"class_path": "lightning.pytorch.callbacks.EarlyStopping", "init_args": rules}
    Path("early.yaml").write_text(yaml.safe_dump({"trainer": {"callbacks": [callback]}}))
    return "--config=early.yaml"


@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [
        ({"patience": 1}, {"patience": 1}, False),
        ({"patience": 1}, {"patience": 3}, True),
        ({"patience": 9, "stopping_threshold": 0.1}, {"patience": 9, "stopping_threshold": 0.1}, False),
        ({"patience": 9, "stopping_threshold": 0.1}, {"patience": 9}, True),
        ({"patience": 2}, {"patience": 1}, False),
    ],
)
def test_more_patience_on_resume_trains_on(
    before: dict[str, Any], after: dict[str, Any], goes_on: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    named = "--trainer.default_root_dir=mine"
    assert fit(early(**before), named, steps=60) == 0
    stopped = updates(Path("mine"))
    assert stopped < 60
    assert fit(early(**after), named, "--ckpt_path=last", steps=60) == 0
    assert (updates(Path("mine")) > stopped) is goes_on
    assert ("early stopping on val/cost_bits has ended this run" in capsys.readouterr().err) is not goes_on


def scheduled(path: str, **arguments: Any) -> str:
    content = {"class_path": f"torch.optim.lr_scheduler.{path}", "init_args": arguments}
    Path("scheduler.yaml").write_text(yaml.safe_dump({"model": {"init_args": {"scheduler": content}}}))
    return "--config=scheduler.yaml"


RATE = "--model.init_args.optimizer.init_args.lr="


def rates(folder: str) -> list[float]:
    with Path(folder, "metrics.csv").open() as file:
        return [float(row["lr"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([("CosineAnnealingLR", {"T_max": 12})], [("CosineAnnealingLR", {"T_max": 24})]),
        ([("CosineAnnealingLR", {"T_max": 12})], [("CosineAnnealingLR", {"T_max": 12})]),
        ([("StepLR", {"step_size": 2})], [("ExponentialLR", {"gamma": 0.9})]),
        ([("ExponentialLR", {"gamma": 0.5})], [("ConstantLR", {"factor": 0.5, "total_iters": 3})]),
    ],
)
def test_another_rate_or_schedule_on_resume_counts(before: list[Any], after: list[Any]) -> None:
    (old, new) = before[0], after[0]
    assert fit(scheduled(old[0], **old[1]), RATE + "0.01", "--trainer.default_root_dir=mine", steps=4) == 0
    assert fit(scheduled(new[0], **new[1]), RATE + "0.1", "--trainer.default_root_dir=whole", steps=9) == 0
    again = [scheduled(new[0], **new[1]), RATE + "0.1", "--trainer.default_root_dir=mine", "--ckpt_path=last"]
    assert fit(*again, steps=9) == 0
    assert rates("mine")[4:] == rates("whole")[4:]
    assert rates("mine")[:4] != rates("whole")[:4]


def test_another_optimizer_on_resume_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit("--trainer.default_root_dir=mine") == 0
    other = "--model.init_args.optimizer=torch.optim.SGD"
    assert fit(other, "--trainer.default_root_dir=mine", "--ckpt_path=last", steps=5) == 2
    assert "keeps its optimizer, torch.optim.Adam: start a new one for torch.optim.SGD" in refusal(capsys)


@pytest.mark.parametrize("content", [b"", b"text", "half", b"\x80\x02}q\x00.", "directory"])
def test_a_damaged_checkpoint_is_one_line_with_a_way_on(
    content: bytes | str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit("--trainer.default_root_dir=mine") == 0
    last = Path("mine/checkpoints/last.ckpt")
    whole = last.read_bytes()
    last.unlink()
    if content == "directory":
        last.mkdir()
    else:
        last.write_bytes(whole[: len(whole) // 2] if isinstance(content, str) else content)
    for words in (["fit", "--ckpt_path=last"], ["test"], ["validate", f"--ckpt_path={last}"]):
        assert main([words[0], *TINY, "--trainer.default_root_dir=mine", *words[1:]]) == 2
        told = refusal(capsys)
        assert "mine/checkpoints/last.ckpt" in told
        assert "delete it" in told or content == "directory"


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("pytorch-lightning_version", None),
        ("epoch", "1"),
        ("loops", [1]),
        ("callbacks", "x"),
        ("optimizer_states", {}),
        ("lr_schedulers", None),
        (CONFIG_KEY, "x"),
    ],
)
def test_a_checkpoint_with_a_damaged_part_is_one_line(
    part: str, content: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit("--trainer.default_root_dir=mine") == 0
    last = Path("mine/checkpoints/last.ckpt")
    whole = torch.load(last, weights_only=True)
    del whole[part]
    torch.save(whole if content is None else {**whole, part: content}, last)
    assert fit("--trainer.default_root_dir=mine", "--ckpt_path=last", steps=5) == 2
    assert "checkpoint" in refusal(capsys)


class Asks(L.Callback):
    """Sends this process Ctrl-C before an update."""

    def on_train_batch_start(self, trainer: L.Trainer, module: Any, batch: Any, i: int) -> None:
        if trainer.global_step == 4:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_saves_and_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Command.instantiate_trainer

    def instantiate_trainer(self: Command, **kwargs: Any) -> L.Trainer:
        trainer = make(self, **kwargs)
        trainer.callbacks.insert(0, Asks())  # type: ignore[attr-defined]
        return trainer

    with monkeypatch.context() as patch:
        patch.setattr(Command, "instantiate_trainer", instantiate_trainer)
        with pytest.raises(SystemExit) as left:
            fit(steps=9)
    assert left.value.code == STOPPED
    (folder,) = runs()
    assert updates(folder) == 5
    command = capsys.readouterr().err.strip().splitlines()[-1].partition("augrnn ")[2]
    assert main(command.split()) == 0
    assert updates(folder) == 9
    assert len(rates(str(folder))) == 9
