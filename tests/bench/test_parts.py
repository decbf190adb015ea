"""Where an update's time goes."""

import json

import pytest
import torch
from torch import nn

from augrnn.bench import parts, rows
from augrnn.cli import main


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PAIRS", 3)
    monkeypatch.setattr(rows, "HIDDEN", 8)
    monkeypatch.setattr(parts, "SIDE", 16)
    monkeypatch.setattr(parts, "LARGE", 2**10)


def test_products_are_counted_as_they_are_on_paper() -> None:
    counted = parts.operations()
    copy = counted[f"copy, NTM with LSTM controller, batch {parts.BATCH}"]
    steps, inputs, hidden, read, outputs, asked, memory = 21, 9, 100, 20, 8, 92, 128 * 20
    weights = 4 * hidden * (inputs + read + hidden) + asked * hidden + outputs * (hidden + read)
    looks = 2 * memory + memory + memory  # cosines of two heads, one read, one write
    assert copy["forward"] == 2 * steps * parts.BATCH * (weights + looks)
    assert copy["loss"] == 0
    assert copy["backward"] > 1.9 * copy["forward"]


def test_what_autograd_keeps_is_counted_without_the_parameters() -> None:
    layer, x = nn.Linear(5, 3), torch.randn(7, 5, requires_grad=True)
    update = parts.Update("layer", layer, lambda: layer(x).exp(), lambda y: y.sum())
    assert parts._kept(update) == 4 * (7 * 5 + 7 * 3)


def test_parts_are_told_as_tables_and_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parts, "_counted", parts.operations)
    before = torch.get_num_threads()
    try:
        assert main(["bench", "--parts", "--seconds", "0.01"]) == 0
        told = capsys.readouterr().out
        assert told.count("| **together** |") == 2
        assert told.count("| backward |") == 2
        assert main(["bench", "--parts", "--seconds", "0.01", "--json"]) == 0
    finally:
        torch.set_num_threads(before)
    found = json.loads(capsys.readouterr().out)
    assert [part["name"] for part in found] == 2 * list(parts.PARTS)
    assert all(part["spent"] > 0 for part in found)
    assert main(["bench", "--parts", "--against", "HEAD"]) == 2
