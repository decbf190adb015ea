from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from rich.console import Console

from augrnn.errors import UserError
from augrnn.inference.load import load
from augrnn.lab import records, runner
from augrnn.lab.check import check
from augrnn.lab.committed_record import read_record, results_path
from augrnn.lab.experiment import Experiment
from augrnn.lab.pages import _seeds
from augrnn.lab.plan import Scale, Variant
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.ensemble import EncoderDecoderEnsemble
from tests.lab.conftest import World

if TYPE_CHECKING:
    from pathlib import Path

EXPERIMENT = """
from augrnn.lab.claims import Claim, Typical
from augrnn.lab.experiment import Experiment
from augrnn.lab.plan import Scale, Variant

SETTINGS = {
    "model": {
        "init_args": {
            "encoder": {"init_args": {"vocabulary": 10, "embedding_size": 4, "hidden_size": 8}},
            "decoder": {
                "init_args": {
                    "vocabulary": 10,
                    "embedding_size": 4,
                    "hidden_size": 8,
                    "start_size": 8,
                    "attention": {"init_args": {"query_size": 8, "annotation_size": 16, "size": 8}},
                }
            },
            "optimizer": {"init_args": {"lr": LR}},
        }
    },
    "data": {
        "init_args": {
            "symbols": 6,
            "max_length": 3,
            "test_lengths": [2, 3],
            "test_sequences": 40,
            "validation_sequences": 32,
            "epoch_batches": 10,
        }
    },
    "trainer": {"max_steps": 10, "accelerator": "cpu", "log_every_n_steps": 1},
}
experiment = Experiment(
    name="toy/learn",
    title="A small translator",
    paper="Nobody (2026)",
    variants={
        "one": Variant("configs/reversal.yaml", SETTINGS),
        "together": Variant("configs/reversal.yaml", SETTINGS, ensemble_of="one"),
    },
    scales={"smoke": Scale(seeds=2, minutes=0.1)},
    curves=("val/loss",),
    claims=(
        Claim(
            name="right",
            sentence="They are right together.",
            source="section 1",
            quantity=lambda results: results.each("together", lambda run: run["symbols_right"]["2"]),
            rules={"smoke": Typical("at least", 0)},
            paper="none",
            public="none",
        ),
    ),
)
"""


def reversing(world: World, root: Path, rate: str = "0.001") -> World:
    (world.root / "configs/reversal.yaml").write_text((root / "configs/reversal/rnnsearch.yaml").read_text())
    (world.experiments / "toy/learn/experiment.py").write_text(EXPERIMENT.replace("LR", rate))
    return world


def summary(world: World, variant: str, seed: int) -> Any:
    return json.loads((world.folder(variant, seed) / "summary.json").read_text())


def in_turn(world: World, **options: Any) -> Any:
    """Reproduce with the real worker."""
    return world.reproduce(**{"command": runner.worker_command, "jobs": 2, **options})


def test_an_ensemble_is_measured_after_its_members_and_made_again_when_they_change(world: World, root: Path) -> None:
    outcome = in_turn(reversing(world, root), commit=True)
    assert outcome.complete
    assert {(run.variant, run.seed): run.status for run in outcome.record.runs} == dict.fromkeys(
        [("one", 0), ("one", 1), ("together", 0)], "finished"
    )
    [ensemble] = outcome.record.results["together"]
    members = outcome.record.results["one"]
    assert (ensemble.updates, ensemble.sequences, ensemble.curves) == (None, None, {})
    assert ensemble.parameters == sum(member.parameters or 0 for member in members)

    models = [load(world.folder("one", seed)) for seed in (0, 1)]
    systems = [model.system for model in models if isinstance(model.system, EncoderDecoder)]
    task, writer = models[0].task, EncoderDecoderEnsemble(systems).eval()
    right: Any = {"0": [], "decoded": {}}
    with torch.inference_mode():
        for batch in task.evaluation("length_2", task.test_sequences):  # type: ignore[attr-defined]
            right["decoded"] |= dict(zip(batch.index_B.tolist(), (h.tokens for h in writer.decode(batch)), strict=True))
    score = task.score(list(right["decoded"].values()), list(right["decoded"]), "length_2")  # type: ignore[attr-defined]
    assert ensemble.measures["symbols_right"]["2"] == pytest.approx(score["symbols_right"], rel=1e-5)

    record = read_record(results_path(world.experiments, "toy/learn", "smoke"))
    assert record is not None
    assert {name: kept.get("ensemble_of") for name, kept in record.variants.items()} == {"one": None, "together": "one"}
    assert _seeds(record) == "2 seeds"
    assert check(world.experiments).notes == []

    [*_, run] = world.experiment.plan("smoke", world.experiments)
    assert run.state(world.runs) == "finished"
    in_turn(world, command=lambda *_: pytest.fail("nothing is left to do"))
    changed = summary(world, "one", 1) | {"seconds": 1.5}
    (world.folder("one", 1) / "summary.json").write_text(json.dumps(changed))
    assert run.state(world.runs) == "broken"
    started = []

    def command(each: Any, experiments: Path, runs: Path) -> list[str]:
        started.append(each.name)
        return runner.worker_command(each, experiments, runs)

    assert in_turn(world, command=command).complete
    assert started == ["together/seed-0"]
    assert run.state(world.runs) == "finished"

    in_turn(world, measure_again=True, command=command)
    assert started[1:] == ["one/seed-0", "one/seed-1", "together/seed-0"]
    assert in_turn(world, variants=["together"], measure_again=True, command=command).record.runs[0].measures
    assert started[4:] == ["together/seed-0"]


def test_an_ensemble_of_a_model_that_diverged_has_failed(world: World, root: Path) -> None:
    outcome = in_turn(reversing(world, root, rate="1.0e+35"))
    assert [(run.variant, run.status) for run in outcome.record.runs] == [
        ("one", "failed"), ("one", "failed"), ("together", "failed")
    ]  # fmt: skip
    assert outcome.record.runs[-1].error == "one seed 0 diverged"
    assert outcome.record.results.each("together", lambda run: run["symbols_right"]).values == (None,)


def test_an_ensemble_whose_members_break_waits_for_them(world: World, root: Path) -> None:
    reversing(world, root)

    def command(run: Any, experiments: Path, runs: Path) -> list[str]:
        assert run.variant == "one"
        return ["false"]

    outcome = in_turn(world, command=command)
    assert {str(run): why for run, why in outcome.crashed.items() if run.name == "together/seed-0"} == {
        "together seed 0": "it needs one seeds 0 to 1"
    }
    assert not outcome.complete


def test_members_that_are_gone_do_not_undo_an_ensemble(world: World, root: Path) -> None:
    in_turn(reversing(world, root), commit=True)
    [*members, run] = world.experiment.plan("smoke", world.experiments)
    for member in members:
        records.start_over(member, world.runs)
    assert run.state(world.runs) == "finished"
    again = in_turn(world, commit=True, extend=True, command=lambda *_: pytest.fail("all is on record"))
    assert again.complete


def test_a_plan_has_ensembles_last_and_never_of_fewer_seeds(world: World, root: Path) -> None:
    experiment = reversing(world, root).experiment
    plan = experiment.plan("smoke", world.experiments)
    assert [run.name for run in plan] == ["one/seed-0", "one/seed-1", "together/seed-0"]
    assert [member.name for member in plan[-1].members] == ["one/seed-0", "one/seed-1"]
    assert [run.name for run in experiment.plan("smoke", world.experiments, 1)] == ["one/seed-0"]
    more = experiment.plan("smoke", world.experiments, 3)
    assert [run.name for run in more] == ["one/seed-0", "one/seed-1", "one/seed-2", "together/seed-0"]
    assert more[-1] == plan[-1] == experiment.run("smoke", world.experiments, "together", 0)
    assert experiment.run("smoke", world.experiments, "one", 4).name == "one/seed-4"
    with pytest.raises(UserError, match="variant of toy/learn at scale smoke called on; did you mean one"):
        experiment.run("smoke", world.experiments, "on", 0)
    with pytest.raises(UserError, match="--seeds 1 are too few for together"):
        experiment.plan("smoke", world.experiments, 1, ["together"])
    assert len({run.fingerprint for run in plan}) == 3


def made(together: Variant, **scale: Any) -> Experiment:
    variants = {"one": Variant("a.yaml", {"x": {"y": 1}}), "two": Variant("b.yaml"), "together": together}
    return Experiment("toy/learn", "", "", variants, {"smoke": Scale(2, 1, **scale)}, ())


@pytest.mark.parametrize(
    ("together", "scale", "why"),
    [
        (Variant("a.yaml", {"x": {"y": 1}}, "three"), {}, "together is of three, which is not trained at scale smoke"),
        (Variant("b.yaml", {}, "two"), {"variants": ("one", "together")}, "is of two, which is not trained"),
        (Variant("a.yaml", {"x": {"y": 1}}, "together"), {}, "is of together, which is not trained"),
        (Variant("a.yaml", {}, "one"), {}, "together must have the config and the settings of one"),
        (Variant("a.yaml", {"x": {"y": 1}}, "two"), {}, "together must have the config and the settings of two"),
        (Variant("b.yaml", {}, "two"), {"seeds_of": {"together": 3}}, "must change two, not its ensemble together"),
        (Variant("b.yaml", {}, "two"), {"settings_of": {"together": {}}}, "must change two, not its ensemble"),
    ],
)
def test_an_impossible_ensemble_is_refused(together: Variant, scale: dict[str, Any], why: str) -> None:
    with pytest.raises(UserError, match=why):
        made(together, **scale)


def test_a_scale_changes_an_ensemble_as_it_changes_its_members() -> None:
    experiment = made(Variant("a.yaml", {"x": {"y": 1}}, "one"), settings_of={"one": {"x": {"z": 2}}})
    assert experiment.changes("smoke", "together") == experiment.changes("smoke", "one") == {"x": {"y": 1, "z": 2}}
    assert experiment.seeds("smoke") == {"one": 2, "two": 2, "together": 1}


def test_what_has_no_measure_for_ensembles_is_refused(world: World, root: Path) -> None:
    (world.root / "configs/copy.yaml").write_text((root / "configs/copy/lstm.yaml").read_text())
    text = EXPERIMENT.replace("configs/reversal.yaml", "configs/copy.yaml").replace("LR", "0.001")
    start, end = text.index('    "model": {'), text.index('    "data": {')
    text = f"{text[:start]}{text[end:]}".replace('"symbols": 6,\n            ', "").replace("[2, 3]", "[2, 4]")
    (world.experiments / "toy/learn/experiment.py").write_text(text)
    with pytest.raises(UserError, match="together seed 0: no ensemble of models of Copy can be measured"):
        in_turn(world, console=Console(quiet=True))
