"""Checkpoints: whatever a callback keeps, they load without running code, and a full disk is told."""

import errno
from collections import Counter, OrderedDict, defaultdict, deque
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from augrnn.errors import UserError
from augrnn.training.run_files import RunCheckpoints, plain


class Point(NamedTuple):
    x: int
    y: float


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


STATE = {
    "tuple": Point(1, 2.5),
    "numbers": [np.float64(0.5), np.int64(3), np.bool_(True), np.float32(0.25)],
    "array": np.arange(3.0),
    "path": Path("a") / "b",
    "enums": (Colour.RED, Level.HIGH),
    "collections": [deque([1, 2]), defaultdict(list, a=[1]), frozenset({1, 2}), {3}, Counter("aab")],
    "dict": OrderedDict(a=torch.ones(2)),
    "others": (None, True, 1j, b"x", torch.float32, torch.device("cpu"), torch.Size([2])),
    1: {Level.HIGH: [Point(np.int64(4), 1.0)]},
}


def test_whatever_a_callback_keeps_loads_with_weights_only(tmp_path: Path) -> None:
    RunCheckpoints("a: 1").save_checkpoint(
        {"callbacks": STATE, "state_dict": {"w": torch.ones(2)}}, tmp_path / "x.ckpt"
    )
    found = torch.load(tmp_path / "x.ckpt", weights_only=True)["callbacks"]
    assert found["tuple"] == (1, 2.5)
    assert found["numbers"] == [0.5, 3, True, 0.25]
    assert torch.equal(found["array"], torch.arange(3.0, dtype=torch.float64))
    assert found["path"] == "a/b"
    assert found["enums"] == ("red", 3)
    assert found["collections"] == [[1, 2], {"a": [1]}, {1, 2}, {3}, Counter("aab")]
    assert torch.equal(found["dict"]["a"], torch.ones(2))
    assert found["others"] == STATE["others"]
    assert found[1] == {3: [(4, 1.0)]}


@pytest.mark.parametrize("value", [object(), slice(1, 2), range(3), Path.exists, np.random.default_rng()])
def test_what_has_no_such_form_is_refused_by_its_place(value: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot save a .* \(checkpoint\['callbacks'\]\['Mine'\]\[0\]\)"):
        RunCheckpoints("").save_checkpoint({"callbacks": {"Mine": [value]}}, tmp_path / "x.ckpt")
    assert not list(tmp_path.iterdir())


def test_the_versions_of_a_modules_parts_are_kept() -> None:
    state = torch.nn.BatchNorm1d(3).state_dict()
    assert plain(state)._metadata == state._metadata  # type: ignore[attr-defined]


def test_what_lightning_keeps_stays_as_it_is() -> None:
    state = {"loops": {"epoch": 3, "done": [1, 2.5]}, "state_dict": OrderedDict(w=torch.ones(2)), "none": None}
    found = plain(state)
    assert found == state
    assert found["state_dict"]["w"] is state["state_dict"]["w"]  # type: ignore[index]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_full_disk_is_told(number: int, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.ckpt"
    checkpoints = RunCheckpoints("")
    checkpoints.save_checkpoint({"w": torch.ones(2)}, path)
    before, writes = path.read_bytes(), []

    def write(self: Any, data: bytes) -> int:
        writes.append(data)
        if len(writes) > at:
            self.failure = OSError(number, "full")
            raise self.failure
        return self._file.write(data)

    monkeypatch.setattr("augrnn.training.run_files._Writer.write", write)
    with pytest.raises(UserError, match="the disk is full"):
        checkpoints.save_checkpoint({"w": torch.ones(3000), "v": torch.ones(5)}, path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["x.ckpt"]
