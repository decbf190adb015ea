"""Options of a training that takes seconds, for tests that are about something else."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augrnn.lab.settings import from_words
from augrnn.training import command

ROOT = Path(__file__).parents[1]
CONFIG = ("--config", str(ROOT / "configs/copy/lstm.yaml"))


def tiny(batches: int) -> list[str]:
    """A small LSTM on short sequences, every update logged, a validation after so many batches; without its config."""
    return [
        "--model.init_args.cell.init_args.hidden_size=8",
        "--data.init_args.max_length=3",
        "--data.init_args.validation_sequences=32",
        f"--data.init_args.epoch_batches={batches}",
        "--trainer.accelerator=cpu",
        "--trainer.log_every_n_steps=1",
    ]


def train(words: Sequence[str], folder: Path, tags: Mapping[str, Any]) -> command.Trained:
    """Train what the words of a command line say; see `augrnn.training.command.train`."""
    return command.train(from_words(words, ROOT, "a test"), folder, tags)
