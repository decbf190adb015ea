"""A small world for the lab: an experiment on disk, and a trainer that only pretends."""

import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from augrnn.lab import runner
from augrnn.lab.experiment import Experiment, load
from augrnn.lab.outcome import Outcome

EXPERIMENT = """
from pathlib import Path

from augrnn.lab.claims import AllOf, Claim, SuccessRate, Typical
from augrnn.lab.experiment import Experiment
from augrnn.lab.plan import Scale, Variant


def measure(trained):
    import numpy as np

    from augrnn.exhibits.text_table import TextTable
    from augrnn.measures.measure import Measured

    numbers = {"solved": trained.cost < 0.5, "cost": np.float32(trained.cost), "by length": {"10": trained.cost}}
    return Measured(numbers, {"texts": TextTable(("cost",), ((f"{trained.cost:.3g}",),))})


def exhibits(results, shown):
    from augrnn.exhibits.curves import LearningCurves

    texts = {f"{name}-{seed}": found["texts"] for (name, seed), found in sorted(shown.items())}
    return {"learning": LearningCurves(results.curves("val/cost"), "cost"), **texts}


experiment = Experiment(
    name="toy/learn",
    title="A toy that learns",
    paper="Nobody (2026)",
    variants={
        "good": Variant("configs/toy.yaml"),
        "bad": Variant("configs/toy.yaml", {"model": {"behaviour": "BEHAVIOUR"}}),
    },
    scales={
        "smoke": Scale(seeds=2, minutes=0.1, settings={"trainer": {"max_steps": 5}}),
        "small": Scale(seeds=3, minutes=1, variants=("good",), settings={"trainer": {"max_steps": 5}}),
    },
    curves=("val/cost",),
    exhibits=exhibits,
    measure=measure,
    claims=(
        Claim(
            name="learns",
            sentence="It learns | always.",
            source="section 1",
            quantity=lambda results: results.each("good", lambda run: run["solved"]),
            rules={"smoke": SuccessRate(needed=0.5), "small": SuccessRate(needed=1.0)},
            paper="100 %",
            public="90 %",
        ),
        Claim(
            name="beats",
            sentence="The good one costs less than the bad one.",
            source="figure 2",
            quantity=lambda results: results.paired(("good", "bad"), lambda a, b: b["cost"] / a["cost"]),
            rules={"smoke": Typical("at least", 10)},
            paper="12",
            public="none",
            unit="times",
        ),
    ),
)
"""


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """A shell starts what it runs in the background with SIGINT ignored, and the tests with it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@dataclass
class World:
    """A repository in a temporary folder."""

    root: Path

    @property
    def experiments(self) -> Path:
        return self.root / "experiments"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def write(self, behaviour: str = "slow") -> "World":
        """Put the experiment on disk, its variant `bad` behaving that way (see fake_run_process.py)."""
        folder = self.experiments / "toy" / "learn"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "experiment.py").write_text(EXPERIMENT.replace("BEHAVIOUR", behaviour))
        (self.root / "configs").mkdir(exist_ok=True)
        (self.root / "configs" / "toy.yaml").write_text("model: {behaviour: learn}\n")
        return self

    @property
    def experiment(self) -> Experiment:
        return load("toy/learn", self.experiments)

    def folder(self, variant: str, seed: int, scale: str = "smoke") -> Path:
        return self.runs / "toy" / "learn" / scale / variant / f"seed-{seed}"

    def reproduce(self, scale: str = "smoke", **options: Any) -> Outcome:
        """Reproduce with the pretended trainer."""
        options = {"console": Console(quiet=True), "jobs": 2, "command": self.command, **options}
        return runner.reproduce("toy/learn", scale, experiments=self.experiments, runs=self.runs, **options)

    @staticmethod
    def command(run: Any, experiments: Path, runs: Path) -> list[str]:
        """The worker's command, with the pretended trainer in it."""
        arguments = runner.worker_command(run, experiments, runs)[3:]
        return [sys.executable, str(Path(__file__).with_name("fake_run_process.py")), *arguments]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose experiment has run at smoke scale; tests work on copies of it."""
    world = World(tmp_path_factory.mktemp("example")).write()
    world.reproduce(commit=True)
    return world


@pytest.fixture
def finished(example: World, tmp_path: Path) -> World:
    shutil.copytree(example.root, tmp_path, dirs_exist_ok=True)
    return World(tmp_path)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path).write()
