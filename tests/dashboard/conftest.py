"""A made-up folder of experiments: two papers, three experiments, records at some scales."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it is built with what pydantic deprecates
    import wandb_workspaces.reports.v2
    import wandb_workspaces.workspaces  # noqa: F401

EXPERIMENT = """
from augrnn.lab.claims import Claim, SuccessRate
from augrnn.lab.experiment import Experiment
from augrnn.lab.plan import Scale, Variant

experiment = Experiment(
    name="{name}",
    title="The {name} title",
    paper="Nobody {year}: a paper",
    variants={{"with": Variant("{config}"), "without": Variant("configs/plain.yaml")}},
    scales={{name: Scale(seeds=1, minutes=1) for name in ("smoke", "small", "paper")}},
    curves={curves},
    claims=(
        Claim(
            name="learns",
            sentence="It learns | always.",
            source="section {year}",
            quantity=lambda results: results.each("with", lambda run: run["solved"]),
            rules=dict.fromkeys(("smoke", "small", "paper"), SuccessRate(needed=0.5)),
            paper="100 %",
            public="90 %",
        ),
    ),
)
"""

CONFIGS = {
    "plain": "model: {class_path: a.Plain}\n",
    "ntm": (
        "model: {init_args: {cell: {class_path: augrnn.cells.ntm.NTM}}}\ndata: {class_path: augrnn.tasks.copy.Copy}\n"
    ),
    "words": "model: {class_path: a.Plain}\ndata: {class_path: augrnn.tasks.translation.Translation}\n",
}


def experiment(root: Path, name: str, config: str, year: int, curves: tuple[str, ...]) -> None:
    folder = root / "experiments" / name
    folder.mkdir(parents=True)
    filled = EXPERIMENT.format(name=name, config=f"configs/{config}.yaml", year=year, curves=curves)
    (folder / "experiment.py").write_text(filled)


def record(root: Path, name: str, scale: str, verdict: str) -> None:
    """A committed record with what the dashboard reads: a verdict on two runs, and these."""
    kept = {"claim": "learns", "verdict": verdict, "value": 1, "interval": None, "seeds": 2, "text": "2 of 2 seeds"}
    solved = {"measures": {"solved": verdict == "reproduced"}}
    runs = [{"variant": "with", "seed": seed, "status": "finished", **solved} for seed in range(2)]
    path = root / "experiments" / name / "results" / f"{scale}.json"
    path.parent.mkdir(exist_ok=True)
    found: dict[str, Any] = {"variants": {"with": {"seeds": 2}}, "provenance": {}, "runs": runs, "verdicts": [kept]}
    path.write_text(json.dumps({"format": 2, "experiment": name, "scale": scale, **found}))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The made-up repository, which is the working directory."""
    (tmp_path / "configs").mkdir()
    for name, text in CONFIGS.items():
        (tmp_path / "configs" / f"{name}.yaml").write_text(text)
    experiment(tmp_path, "first/copy", "ntm", 2014, ("val/cost", "val/wrong"))
    experiment(tmp_path, "first/sort", "plain", 2014, ("val/cost",))
    experiment(tmp_path, "second/words", "words", 2015, ("val/bleu",))
    record(tmp_path, "first/copy", "smoke", "reproduced")
    record(tmp_path, "first/copy", "small", "not reproduced")
    record(tmp_path, "second/words", "smoke", "reproduced")
    monkeypatch.chdir(tmp_path)
    return tmp_path
