"""What every test gets: one thread, eager steps, no dashboard, and the real data where it is."""

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("AUGRNN_COMPILE", "0")
os.environ["WANDB_MODE"] = "disabled"

import hypothesis
import pytest
import torch

from augrnn import kernels, native, products
from augrnn.cells import recurrent_sequence
from augrnn.threads import EXACT
from tests.wandb_server import WandbServer

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Whatever the work: after a test on two threads oneDNN rounds otherwise, and golden curves are exact."""
    torch.set_num_threads(1)
    os.environ[EXACT] = "1"


@pytest.fixture(autouse=True)
def _no_open_pictures() -> Iterator[None]:
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture
def compiled_functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our functions in C++, where a compiler is here, beside steps that run eagerly; tests else have no compiler."""
    monkeypatch.setattr("augrnn.cells.compilation.available", lambda: False)
    monkeypatch.setenv(native.SWITCH, "1")
    caches = native.library, products.functions, kernels.function, recurrent_sequence.functions
    for cached in caches:
        cached.cache_clear()
    if not (products.available() and kernels.available()):
        pytest.skip("needs a C++ compiler")
    yield
    for cached in caches:
        cached.cache_clear()


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


@pytest.fixture
def weights_root(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights of backbones: the directory AUGRNN_WEIGHTS, or `shared/weights` beside the repository; sets it."""
    folder = Path(os.environ.get("AUGRNN_WEIGHTS", ROOT.parent / "shared" / "weights"))
    if not folder.is_dir():
        pytest.skip("no weights here: set AUGRNN_WEIGHTS to a directory laid out as `mobilenet_v2/`, ...")
    monkeypatch.setenv("AUGRNN_WEIGHTS", str(folder))
    return folder


@pytest.fixture
def wandb_server(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WandbServer]:
    """A W&B server on this machine that W&B is set up for, with a key made up now and folders of its own.

    Use its clients in processes of their own: in this one, W&B keeps the address that it saw first.
    """
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    home = str(tmp_path_factory.mktemp("wandb"))
    folders = dict.fromkeys(("WANDB_DIR", "WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"), home)
    with WandbServer() as server:
        account = {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": secrets.token_hex(20), "WANDB_MODE": "online"}
        for name, value in {**folders, **account, "NETRC": os.devnull, "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        yield server
