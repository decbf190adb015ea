"""Averaging checkpoints."""

import random
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from augrnn.checkpoints import mean_weights, read_checkpoint
from augrnn.errors import UserError


def checkpoint(path: Path, **weights: torch.Tensor) -> Path:
    torch.save({"state_dict": weights, "epoch": 1}, path)
    return path


def test_the_mean_is_that_of_each_number(tmp_path: Path) -> None:
    paths = [checkpoint(tmp_path / f"{i}", w=torch.tensor([1.0, 2.0]) * i, n=torch.tensor(i)) for i in (1, 2, 6)]
    found = mean_weights(paths)
    assert found["w"].tolist() == [3.0, 6.0]
    assert found["n"].item() == 6


def test_the_mean_of_one_is_itself(tmp_path: Path) -> None:
    weights = torch.randn(3, 4)
    assert torch.equal(mean_weights([checkpoint(tmp_path / "one", w=weights)])["w"], weights)


def test_the_mean_of_copies_is_the_copy(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "one", w=torch.randn(3, 4), n=torch.tensor(7))
    for name, tensor in mean_weights([path] * 3).items():
        assert torch.equal(tensor, mean_weights([path])[name])
        assert tensor.dtype == mean_weights([path])[name].dtype


@pytest.mark.parametrize("other", [{"w": torch.zeros(3)}, {"v": torch.zeros(2)}, {}])
def test_other_parameters_are_refused(tmp_path: Path, other: dict[str, torch.Tensor]) -> None:
    paths = [checkpoint(tmp_path / "one", w=torch.zeros(2)), checkpoint(tmp_path / "other", **other)]
    with pytest.raises(UserError, match="other is of another model"):
        mean_weights(paths)
    with pytest.raises(UserError, match="no checkpoint"):
        mean_weights([])


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    torch.save([1], tmp_path / "list")
    torch.save({"state_dict": [1]}, tmp_path / "rows")
    torch.save({"state_dict": {"w": 1}}, tmp_path / "numbers")
    (tmp_path / "half").write_bytes(checkpoint(tmp_path / "whole", w=torch.zeros(99)).read_bytes()[:600])
    faults = {"none": "cannot read", "text": "not a checkpoint", "half": "not a checkpoint"}
    faults |= dict.fromkeys(("list", "rows", "numbers"), "no state_dict")
    for name, why in faults.items():
        with pytest.raises(UserError, match=why):
            mean_weights([tmp_path / name])


def test_damaged_bytes_are_a_users_error_whatever_they_are(tmp_path: Path) -> None:
    raw, chance = checkpoint(tmp_path / "whole", w=torch.zeros(99)).read_bytes(), random.Random(0)
    for number in range(150):
        cut, spoilt = raw[: chance.randrange(len(raw))], bytearray(raw)
        for _ in range(20):
            spoilt[chance.randrange(len(raw))] = chance.randrange(256)
        path = tmp_path / f"damaged-{number}"  # a new file each: torch keeps the one before in memory
        path.write_bytes((cut, spoilt, chance.randbytes(chance.randrange(200)))[number % 3])
        with suppress(UserError):  # some of the damaged ones can still be read
            read_checkpoint(path)


def test_a_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the checkpoint .*: Is a directory"):
        read_checkpoint(tmp_path)
