from __future__ import annotations

import errno
import json
import signal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from augrnn.lab import records, run_process
from augrnn.signals import STOPPED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.conftest import World


TRAINED = """
from augrnn.lab.experiment import Experiment
from augrnn.lab.plan import Scale, Variant


SETTINGS = {
    "model": {"init_args": {"cell": {"init_args": {"hidden_size": 4}}}},
    "data": {
        "init_args": {
            "max_length": 3,
            "test_lengths": [2, 4],
            "test_sequences": 100,
            "validation_sequences": 32,
            "epoch_batches": 3,
        }
    },
    "trainer": {"max_steps": 5, "accelerator": "cpu", "log_every_n_steps": 1},
}
experiment = Experiment(
    name="toy/learn",
    title="A small LSTM",
    paper="Nobody (2026)",
    variants={"good": Variant("configs/copy.yaml", SETTINGS)},
    scales={"smoke": Scale(seeds=1, minutes=0.1)},
    curves=("val/cost_bits",),
    claims=(),
)
"""


def trained(cost: float = 0.25) -> Any:
    system = SimpleNamespace(parameters=lambda: [SimpleNamespace(numel=lambda: 7)])
    return SimpleNamespace(system=system, task=None, trainer=None, updates=5, sequences=80, cost=cost, publish=print)


def call(world: World, train: Any, variant: str = "good", scale: str = "smoke") -> int:
    place = ["--experiments", str(world.experiments), "--runs", str(world.runs)]
    return run_process.main(["toy/learn", scale, variant, "0", *place], train=train)


def test_training_gets_its_options_its_folder_and_its_tags(world: World) -> None:
    seen = []
    assert call(world, lambda *arguments, **others: seen.append((*arguments, others)) or trained()) == 0
    settings, folder, tags, others = seen[0]
    assert others == {"placement": []}
    assert settings == {"model": {"behaviour": "learn"}, "trainer": {"max_steps": 5}, "seed_everything": 0}
    assert folder == world.folder("good", 0)
    assert tags == {"experiment": "toy/learn", "scale": "smoke", "variant": "good", "seed": 0}
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock",
        "exhibits.json",
        "provenance.json",
        "summary.json",
    ]


@pytest.mark.parametrize("kept", ['{"fingerprint": "another", "legs": []}', None])
def test_a_run_of_other_or_unknown_settings_is_not_taken_up(
    world: World, kept: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = world.folder("good", 0) / "checkpoints/last.ckpt"
    weights.parent.mkdir(parents=True)
    weights.write_text("2")
    path = world.folder("good", 0) / "provenance.json"
    if kept is not None:
        path.write_text(kept)
    assert call(world, lambda *_, **__: pytest.fail("it is taken up")) == 2
    assert "good seed 0 cannot be taken up: its settings have changed" in capsys.readouterr().err
    assert (path.read_text() if path.exists() else None) == kept


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_run_that_is_asked_to_stop_leaves_no_result(world: World, number: signal.Signals) -> None:
    def train(*_: Any, **__: Any) -> Any:
        signal.raise_signal(number)

    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as stopped:
        call(world, train)
    assert stopped.value.code == STOPPED
    assert not (world.folder("good", 0) / "summary.json").exists()
    provenance = json.loads((world.folder("good", 0) / "provenance.json").read_text())
    assert provenance["legs"][0]["outcome"] == f"SystemExit: {STOPPED}"
    assert signal.getsignal(number) is before


def test_an_exit_of_its_own_keeps_its_status(world: World) -> None:
    def train(*_: Any, **__: Any) -> Any:
        raise SystemExit(3)

    with pytest.raises(SystemExit) as stopped:
        call(world, train)
    assert stopped.value.code == 3


def test_a_full_disk_while_training_is_one_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def train(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert call(world, train) == 2
    assert capsys.readouterr().err == (
        "cannot train toy/learn: the disk is full; free some space and run the same command again\n"
    )
    assert not (world.folder("good", 0) / "summary.json").exists()


def test_other_errors_are_the_codes(world: World) -> None:
    def train(*_: Any, **__: Any) -> Any:
        raise FileNotFoundError(errno.ENOENT, "gone")

    with pytest.raises(FileNotFoundError):
        call(world, train)
    provenance = json.loads((world.folder("good", 0) / "provenance.json").read_text())
    assert provenance["legs"][0]["outcome"].startswith("FileNotFoundError")


def test_a_finished_run_without_its_summary_trains_no_further(world: World, root: Path) -> None:
    (world.root / "configs/copy.yaml").write_text((root / "configs/copy/lstm.yaml").read_text())
    (world.experiments / "toy/learn/experiment.py").write_text(TRAINED)
    run = world.experiment.plan("smoke", world.experiments)[0]
    folder = world.folder("good", 0)
    kept = [folder / name for name in ("summary.json", "exhibits.json", "metrics.csv", "checkpoints/last.ckpt")]
    assert call(world, None) == 0
    before = [file.read_bytes() for file in kept]
    summary = json.loads(before[0])
    assert (summary["updates"], summary["sequences"]) == (5, 5 * 16)
    assert summary["curves"]["val/cost_bits"]["updates"] == [2]
    assert set(summary["measures"]) == {"wrong_bits", "accurate_prefix", "faultless"}  # of the copy task, with an LSTM
    records.forget_measures(run, world.runs)
    assert run.state(world.runs) == "broken"
    assert call(world, None) == 0
    assert [file.read_bytes() for file in kept] == before
    assert len(json.loads((folder / "provenance.json").read_text())["legs"]) == 2


def test_an_unknown_scale_is_one_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(world, trained, scale="smok") == 2
    assert capsys.readouterr().err == "there is no scale of toy/learn called smok; did you mean smoke?\n"
