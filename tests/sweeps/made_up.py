"""Sweeps whose runs are made up: records as training leaves them, with numbers of the test's choice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augrnn.files import write_json
from augrnn.lab.plan import Run
from augrnn.sweeps.sweep_file import Sweep, read_sweep

ROOT = Path(__file__).parents[2]
METRIC = "val/cost_bits"
GRID = """
method: grid
metric: {name: val/cost_bits}
parameters:
  model.init_args.optimizer:
    values: [{class_path: torch.optim.Adam, init_args: {lr: 0.1}}, {class_path: torch.optim.SGD}]
  model.init_args.cell.init_args.hidden_size: {values: [8, 16, 32]}
  seed_everything: {values: [0, 1]}
command: [augrnn, fit, --config, configs/copy/lstm.yaml, "${args}"]
"""
BAYES = """
method: bayes
metric: {name: val/cost_bits, goal: minimize}
run_cap: 30
parameters:
  model.init_args.optimizer.init_args.lr: {distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-1}
  model.init_args.optimizer.class_path: {values: [torch.optim.Adam, torch.optim.SGD]}
  model.init_args.cell.init_args.hidden_size: {min: 8, max: 64}
  model.init_args.cell.init_args.layers: {value: 1}
  config: {values: [configs/copy/lstm.yaml, configs/copy/ntm-lstm.yaml]}
  seed_everything: {values: [0, 1, 2]}
command: [augrnn, fit, --trainer.max_steps=10, "${args}"]
"""
LEG = {
    "commit": "c0ffee",
    "python": "3.11",
    "versions": {"torch": "2.0"},
    "hardware": "a processor, 2 cores",
    "threads": 1,
}


def sweep_of(folder: Path, text: str, name: str = "search") -> Sweep:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return read_sweep(path, ROOT)


def record(
    run: Run,
    runs: Path,
    final: float | None,
    status: str = "finished",
    before: Sequence[float | None] = (50.0,),
    seconds: float | None = None,
    **measures: Any,
) -> None:
    """Leave the record of a run that has ended, whose metric was `before` and then `final`."""
    folder = run.folder(runs)
    write_json(
        folder / "provenance.json",
        {"fingerprint": run.fingerprint, "seed": run.seed, "values": run.values, "legs": [LEG]},
    )
    values = [*before, final]
    updates = list(range(1, len(values) + 1))
    curve = {"updates": updates, "sequences": [16 * each for each in updates], "values": values}
    summary = {"status": status, "measures": measures, "curves": {METRIC: curve}, "seconds": seconds}
    write_json(folder / "summary.json", {"fingerprint": run.fingerprint, **summary})
