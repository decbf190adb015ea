"""What every test gets: one thread, eager steps, no dashboard, and the real data where it is."""

import os
from pathlib import Path

os.environ.setdefault("AUGRNN_COMPILE", "0")
os.environ["WANDB_MODE"] = "disabled"

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The real data sets: AUGRNN_DATA, or `shared/data` beside the repository."""
    folder = Path(os.environ.get("AUGRNN_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real data here: set AUGRNN_DATA to a directory laid out as `multi30k/`, ...")
    return folder
