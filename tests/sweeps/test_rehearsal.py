"""One update before a sweep's first run: a misspelt metric, and what else is found before hours are spent."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from augrnn.cli import main
from augrnn.errors import UserError
from augrnn.sweeps import rehearsal
from augrnn.sweeps.rehearsal import rehearse, rehearsed
from augrnn.sweeps.sweep_file import Sweep, read_sweep
from tests.tiny import CONFIG, ROOT, tiny

LR = "model.init_args.optimizer.init_args.lr"
WORDS = [
    "augrnn",
    "fit",
    *CONFIG,
    *tiny(3),
    "--trainer.max_steps=5000",
    "--trainer.accumulate_grad_batches=2",
    "${args}",
]


def file(folder: Path, metric: str, **changed: Any) -> Path:
    content = {
        "method": "grid",
        "metric": {"name": metric},
        "parameters": {LR: {"values": [0.01, 0.1]}, "seed_everything": {"values": [0, 1]}},
        "command": WORDS,
    }
    path = folder / "s.yaml"
    path.write_text(yaml.safe_dump(content | changed, sort_keys=False))
    return path


def sweep(folder: Path, metric: str, **changed: Any) -> Sweep:
    return read_sweep(file(folder, metric, **changed), ROOT)


BAYES = {"method": "bayes", "run_cap": 3}


@pytest.mark.parametrize(
    ("metric", "changed"),
    [("val/cost_bits", {}), ("train/cost_bits", BAYES), ("grad_norm", {"method": "random", "run_cap": 2})],
)
def test_what_is_logged_is_found(metric: str, changed: dict[str, Any], tmp_path: Path) -> None:
    rehearse(sweep(tmp_path, metric, **changed))
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


@pytest.mark.parametrize(
    ("metric", "changed", "told"),
    [
        ("val/cost_bit", {}, "there is no logged metric called val/cost_bit; did you mean val/cost_bits"),
        ("val_wrong_bits", BAYES, "did you mean val/wrong_bits"),
        ("Val/Cost", {"method": "random", "run_cap": 2}, "did you mean val/cost_bits"),
        ("accuracy", {}, "there are: grad_norm, lr, throughput, train/cost_bits, val/cost_bits, val/wrong_bits"),
    ],
)
def test_a_misspelt_metric_offers_near_names(metric: str, changed: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        rehearse(sweep(tmp_path, metric, **changed))
    assert told in str(raised.value)


def test_every_config_is_tried(tmp_path: Path) -> None:
    configs = {"values": [CONFIG[1], str(ROOT / "configs/reversal/rnnsearch.yaml")]}
    words = ["augrnn", "fit", "--trainer.max_steps=5000", "${args}"]
    for method in ({}, BAYES):
        whole = sweep(tmp_path, "val/cost_bits", parameters={"config": configs}, command=words, **method)
        with pytest.raises(UserError, match="no logged metric called val/cost_bits"):
            rehearse(whole)


def test_a_sweep_with_a_mistake_does_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    assert main(["sweep", "run", str(file(tmp_path, "val/cost")), "--runs", str(runs)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("augrnn: error: there is no logged metric called val/cost; did you mean val/cost_bits")
    assert not runs.exists()
    wrong = {LR: {"value": 0.1}, "model.init_args.cell.init_args.hiden_size": {"value": 3}}
    assert main(["sweep", "run", str(file(tmp_path, "val/cost_bits", parameters=wrong)), "--runs", str(runs)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "hiden_size" in line
    assert not runs.exists()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print(1); print(' 2 ')", (0, "2")),
        ("import sys; print('a mistake', file=sys.stderr); sys.exit(2)", (2, "a mistake")),
        ("import sys; sys.exit(1)", (1, "exit status 1")),
        ("import time; time.sleep(60)", (1, "not done after 0.5 seconds")),
    ],
)
def test_what_becomes_of_the_process_is_told(
    code: str, expected: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "SECONDS", 0.5 if "sleep" in code else 60)
    assert rehearsed([sys.executable, "-c", code]) == expected
