"""Stopping on request: the run that resumes is the uninterrupted one, wherever in an epoch it was asked."""

import csv
import os
import signal
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch

from augrnn.errors import UserError
from augrnn.signals import STOPPED, leaving_when_asked
from augrnn.training.command import Command
from tests.tiny import CONFIG, tiny, train

ROOT = Path(__file__).parents[2]
TAGS = {"experiment": "e", "variant": "v", "scale": "smoke", "seed": 0}
TINY = [*CONFIG, *tiny(4), "--trainer.max_steps=10"]


class Asking(L.Callback):
    """Sends this process a signal before an update, or at the start of a validation."""

    def __init__(self, update: int | None = None, validation: bool = False, number: int = signal.SIGTERM) -> None:
        self.update, self.validation, self.number = update, validation, number

    def on_train_batch_start(self, trainer: L.Trainer, module: L.LightningModule, batch: Any, i: int) -> None:
        if trainer.global_step == self.update:
            os.kill(os.getpid(), self.number)

    def on_validation_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if self.validation:
            os.kill(os.getpid(), self.number)


def with_callback(callback: L.Callback, patch: pytest.MonkeyPatch) -> None:
    """Let every Trainer call this callback first."""
    make = Command.instantiate_trainer

    def instantiate_trainer(self: Command, **kwargs: Any) -> L.Trainer:
        trainer = make(self, **kwargs)
        trainer.callbacks.insert(0, callback)  # type: ignore[attr-defined]
        return trainer

    patch.setattr(Command, "instantiate_trainer", instantiate_trainer)


def asked(folder: Path, asking: L.Callback, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> int:
    """Train until the callback's signal stops it; how many updates the checkpoint has."""
    with monkeypatch.context() as patch:
        with_callback(asking, patch)
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGUSR1)
        with pytest.raises(SystemExit) as left, leaving_when_asked():
            train(options, folder, TAGS)
        assert left.value.code == STOPPED
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGUSR1)) == before
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=False)["global_step"]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as file:
        return [{name: value for name, value in row.items() if name != "throughput"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, torch.Tensor], list[dict[str, str]]]:
    folder = tmp_path_factory.mktemp("whole")
    return train(TINY, folder, TAGS).system.state_dict(), rows(folder)


@pytest.mark.parametrize(
    ("asking", "updates"),
    [
        (Asking(update=0), 1),
        (Asking(update=2, number=signal.SIGUSR1), 3),
        (Asking(update=3), 4),  # the last one of an epoch: its validation comes first
        (Asking(update=4), 5),
        (Asking(validation=True), 4),
        (Asking(update=9), 10),  # the last one of all
    ],
    ids=["first", "inside", "end-of-epoch", "start-of-epoch", "validation", "end"],
)
def test_a_stopped_run_resumes_as_if_it_had_not_stopped(
    asking: Asking, updates: int, whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(tmp_path, asking, monkeypatch, TINY) == updates
    assert len(rows(tmp_path)) == updates
    resumed = train(TINY, tmp_path, TAGS)
    for name, tensor in whole[0].items():
        assert torch.equal(tensor, resumed.system.state_dict()[name]), name
    assert rows(tmp_path) == whole[1]


def test_a_killed_run_resumes_from_its_last_epoch(whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dying(L.Callback):
        def on_train_batch_start(self, trainer: L.Trainer, module: L.LightningModule, batch: Any, i: int) -> None:
            if trainer.global_step == 6:
                raise ZeroDivisionError  # no one saves a checkpoint on that

    with monkeypatch.context() as patch:
        with_callback(Dying(), patch)
        with pytest.raises(ZeroDivisionError):
            train(TINY, tmp_path, TAGS)
    train(TINY, tmp_path, TAGS)
    assert rows(tmp_path) == whole[1]


def test_a_kill_right_after_a_stops_checkpoint_loses_no_row(
    whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = L.Trainer.save_checkpoint

    def save_and_die(trainer: L.Trainer, *arguments: Any, **options: Any) -> None:
        save(trainer, *arguments, **options)
        if trainer.global_step == 7:  # nothing after the checkpoint of the stop is done
            raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(L.Trainer, "save_checkpoint", save_and_die)
        with_callback(Asking(6), patch)
        with pytest.raises(ZeroDivisionError), leaving_when_asked():
            train(TINY, tmp_path, TAGS)
    train(TINY, tmp_path, TAGS)
    assert rows(tmp_path) == whole[1]


def test_validations_in_the_middle_of_an_epoch_are_all_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = [
        *TINY,
        "--trainer.check_val_every_n_epoch=null",
        "--trainer.val_check_interval=3",
        "--trainer.max_epochs=-1",
    ]
    train(options, tmp_path / "whole", TAGS)
    for update in (2, 4, 8):
        folder = tmp_path / f"stopped-{update}"
        asked(folder, Asking(update=update), monkeypatch, options)
        train(options, folder, TAGS)
        assert rows(folder) == rows(tmp_path / "whole")


def test_a_checkpoint_is_whole_or_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train([*TINY, "--trainer.max_steps=4"], tmp_path, TAGS)
    before = (tmp_path / "checkpoints" / "last.ckpt").read_bytes()

    def cut(content: Any, file: Any) -> None:
        file.write(b"half")
        raise InterruptedError

    monkeypatch.setattr("augrnn.training.run_files.torch.save", cut)
    with pytest.raises(UserError, match="cannot write"):
        train(TINY, tmp_path, TAGS)
    assert (tmp_path / "checkpoints" / "last.ckpt").read_bytes() == before
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["last.ckpt"]
