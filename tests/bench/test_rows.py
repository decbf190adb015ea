"""The benchmark's rows, on sequences short enough for a test."""

import json

import pytest
import torch

from augrnn.bench import captions, pondering, tables
from augrnn.bench import rows as bench
from augrnn.cli import main


def test_every_task_of_the_paper_has_a_row_at_batch_16() -> None:
    names = {workload.name.split(",")[0] for workload in bench.WORKLOADS if 16 in workload.batches}
    assert names == {"copy", "repeat copy", "associative recall", "dynamic N-grams", "priority sort"}


def test_bench_json_has_the_promised_keys(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    short = [work._replace(size=tuple(min(part, 20) for part in work.size)) for work in bench.WORKLOADS]
    monkeypatch.setattr(bench, "WORKLOADS", short)
    monkeypatch.setattr(bench, "PAIRS", 3)
    monkeypatch.setattr(bench, "HIDDEN", 8)
    monkeypatch.setattr(pondering, "SIZES", ((8, 4, 2, 3),))
    monkeypatch.setattr("augrnn.bench.conditions.condition_rows", lambda seconds: iter(()))
    for name, size in {"CHANNELS": 16, "HIDDEN": 8, "IMAGES": 2, "PICTURES": 4, "SIDE": 32}.items():
        monkeypatch.setattr(captions, name, size)
    for name, size in {"SIZE": 8, "BATCH": 2, "ROWS": (2, 3)}.items():
        monkeypatch.setattr(tables, name, size)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["bench", "--json", "--seconds", "0.01"]) == 0
    rows = json.loads(capsys.readouterr().out)
    keys = {"name", "device", "batch", "value", "unit", "reference"}
    assert all(set(row) == keys for row in rows)
    measured = [(row["name"], row["batch"]) for row in rows if row["unit"] == "sequences/s"]
    ours = [(work.name, batch) for work in bench.WORKLOADS for batch in work.batches]
    assert measured == [*ours, *((f"{name}, as a plain loop", batch) for name, batch in ours[:3])]
    assert {batch for name, batch in measured if name.startswith("copy")} == {1, 16, 64}
    assert [row["name"] for row in rows if row["unit"] == "pictures/s"] == ["features of MobileNetV2, kept on disk"]
    assert "captions, soft attention" in [row["name"] for row in rows]
    assert [row["name"] for row in rows if row["unit"] == "questions/s"] == [
        "questions about tables, Neural Programmer"
    ]
    translators = [row["name"] for row in rows if row["name"].startswith("translation")]
    assert len(translators) == 2 * len(bench.TRANSLATORS)
    assert all(row["value"] > 0 for row in rows)
    assert all((row["reference"] is None) == ("beam" in row["name"] or "loop" in row["name"]) for row in rows)
