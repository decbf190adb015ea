from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from augrnn.errors import UserError
from augrnn.inference.load import load
from augrnn.lab import runner
from augrnn.lab.check import check
from augrnn.lab.committed_record import read_record, results_path
from augrnn.lab.ensembles import assembled, require_measurable, startable
from augrnn.lab.experiment import Experiment
from augrnn.lab.pages import _seeds
from augrnn.lab.plan import Run, Scale, Variant
from augrnn.lab.provenance import Leg
from augrnn.lab.run_process import Kept, work
from augrnn.report.sides import side
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.ensemble import EncoderDecoderEnsemble, Writer
from tests.lab.conftest import World

if TYPE_CHECKING:
    from augrnn.lab.outcome import Outcome

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
    "trainer": {"max_steps": 60, "accelerator": "cpu", "log_every_n_steps": 10},
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


ROOT = Path(__file__).parents[2]


def reversing(world: World, seeds: int = 2, rate: str = "0.01") -> World:
    (world.root / "configs/reversal.yaml").write_text((ROOT / "configs/reversal/rnnsearch.yaml").read_text())
    text = EXPERIMENT.replace("LR", rate).replace("seeds=2", f"seeds={seeds}")
    (world.experiments / "toy/learn/experiment.py").write_text(text)
    return world


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world in which two models and their ensemble are on record; tests work on copies of it."""
    world = reversing(World(tmp_path_factory.mktemp("trained")).write())
    assert again(world, commit=True).complete
    return world


@pytest.fixture
def there(trained: World, tmp_path: Path) -> World:
    shutil.copytree(trained.root, tmp_path, dirs_exist_ok=True)
    return World(tmp_path)


def again(world: World, **options: Any) -> Outcome:
    """Reproduce with the real worker."""
    return world.reproduce(**{"command": runner.worker_command, "jobs": 2, **options})


class Started:
    """The real worker's command; knows what was started, and may have it fail."""

    def __init__(self, fail: tuple[str, ...] = ()) -> None:
        self.names: list[str] = []
        self.fail = fail

    def __call__(self, run: Any, experiments: Path, runs: Path) -> list[str]:
        self.names.append(run.name)
        return ["false"] if run.name in self.fail else runner.worker_command(run, experiments, runs)


def ensemble(world: World) -> Run:
    return world.experiment.run("smoke", world.experiments, "together", 0)


def change(world: World, seed: int) -> None:
    """Another result of a model, as after it was trained anew."""
    path = world.folder("one", seed) / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seconds": 1.5}))


TOGETHER = "together/seed-0"


def right(writer: Writer, task: Any, length: str) -> float:
    """What is right of a test set, by the task's own score."""
    decoded: dict[int, list[int]] = {}
    with torch.inference_mode():
        for batch in task.evaluation(f"length_{length}", task.test_sequences):
            decoded.update(zip(batch.index_B.tolist(), (each.tokens for each in writer.decode(batch)), strict=True))
    return task.score(list(decoded.values()), list(decoded), f"length_{length}")["symbols_right"]


def test_an_ensemble_is_measured_as_one_model(trained: World) -> None:
    record = read_record(results_path(trained.experiments, "toy/learn", "smoke"))
    assert record is not None
    assert [(run.variant, run.seed, run.status) for run in record.runs] == [
        ("one", 0, "finished"), ("one", 1, "finished"), ("together", 0, "finished")
    ]  # fmt: skip
    *members, found = record.runs
    assert (found.updates, found.sequences, found.curves) == (None, None, {})
    assert found.parameters == sum(member.parameters or 0 for member in members)
    assert found.measures["members"] == 2
    models = [load(trained.folder("one", seed)) for seed in (0, 1)]
    systems = [model.system for model in models if isinstance(model.system, EncoderDecoder)]
    writers: list[Writer] = [*systems, EncoderDecoderEnsemble(systems).eval()]
    for length in ("2", "3"):
        expected = [right(writer, models[0].task, length) for writer in writers]
        assert [run.measures["symbols_right"][length] for run in record.runs] == pytest.approx(expected, rel=1e-5)
    assert len({run.measures["symbols_right"]["2"] for run in record.runs}) == 3
    assert {name: kept.get("ensemble_of") for name, kept in record.variants.items()} == {"one": None, "together": "one"}
    assert _seeds(record) == "2 seeds"
    assert check(trained.experiments).notes == []


def test_the_folder_of_an_ensemble_says_whose_models_to_load(trained: World) -> None:
    names = ", ".join(str(trained.folder("one", seed)) for seed in (0, 1))
    with pytest.raises(UserError, match="is an ensemble, which has no weights of its own") as refused:
        load(trained.folder("together", 0))
    assert f"give its models ({names})" in str(refused.value)


def test_nothing_is_left_to_do(there: World) -> None:
    assert ensemble(there).state(there.runs) == "finished"
    again(there, command=lambda *_: pytest.fail("nothing is left to do"))
    assert (
        again(there, seeds=1, command=lambda *_: pytest.fail("nothing is left to do")).record.results["together"] == []
    )


def test_an_ensemble_is_made_again_when_a_member_changes_and_its_old_result_is_none_until_then(there: World) -> None:
    change(there, 1)
    assert ensemble(there).state(there.runs) == "broken"
    died = again(there, command=Started(fail=(TOGETHER,)))
    assert (died.complete, list(died.record.results["together"])) == (False, [])
    assert [run.name for run in died.crashed] == [TOGETHER]
    started = Started()
    assert again(there, command=started).complete
    assert started.names == [TOGETHER]
    assert ensemble(there).state(there.runs) == "finished"
    assert len(json.loads((there.folder("together", 0) / "provenance.json").read_text())["legs"]) == 1


def test_an_ensemble_is_made_again_in_the_call_that_makes_a_member_again(there: World) -> None:
    shutil.rmtree(there.folder("one", 0))
    assert ensemble(there).state(there.runs) == "finished"  # a model that is gone has not changed
    started = Started()
    assert again(there, command=started).complete
    assert started.names == ["one/seed-0", TOGETHER]


def test_an_ensemble_is_measured_again_from_the_models_of_its_members(there: World) -> None:
    started = Started()
    assert again(there, variants="together", measure_again=True, command=started).record.runs[0].measures
    assert started.names == [TOGETHER]
    shutil.rmtree(there.folder("one", 1) / "checkpoints")
    with pytest.raises(UserError, match="together seed 0 needs the model of one seed 1, which is not in"):
        again(there, variants="together", measure_again=True, command=lambda *_: pytest.fail("it is measured"))
    assert ensemble(there).state(there.runs) == "finished"


def test_fewer_seeds_make_another_ensemble_even_where_the_first_attempt_dies(there: World) -> None:
    reversing(there, seeds=1)
    run = ensemble(there)
    assert run.state(there.runs) == "broken"
    Leg(run, run.folder(there.runs))  # as of a process that is killed later
    assert run.state(there.runs) == "broken"
    assert again(there).record.results["together"][0].measures["members"] == 1


def test_a_run_and_a_record_with_ensembles_can_be_compared(there: World) -> None:
    assert list(side(str(there.folder("together", 0)), None).models) == ["together"]
    assert list(side(str(results_path(there.experiments, "toy/learn", "smoke")), None).models) == ["one", "together"]
    again(there, variants="together")
    assert list(side(str(there.runs / "toy/learn/smoke/results.json"), None).models) == ["together"]
    ours = side("attention/strong-translation@small", None).models
    assert {name: found.settings.kind for name, found in ours.items()} == dict.fromkeys(ours, "named")
    assert ours["en-de-ensemble"].settings.values["ensemble_of"] == "en-de"


def test_more_seeds_make_another_ensemble(there: World) -> None:
    reversing(there, seeds=3)
    assert ensemble(there).state(there.runs) == "broken"
    started = Started()
    outcome = again(there, commit=True, extend=True, command=started)
    assert started.names == ["one/seed-2", TOGETHER]
    assert outcome.record.results["together"][0].measures["members"] == 3
    assert again(there, seeds=4).record.results["together"][0].measures["members"] == 3


def test_a_record_is_extended_with_the_ensemble_on_it_alone_if_that_is_the_planned_one(there: World) -> None:
    shutil.rmtree(there.runs)
    kept = again(there, commit=True, extend=True, command=lambda *_: pytest.fail("all is on record"))
    assert kept.complete
    shutil.rmtree(there.runs)
    reversing(there, seeds=3)
    with pytest.raises(UserError, match="together seed 0 needs the model of one seed 0, which is not in"):
        again(there, commit=True, extend=True, command=lambda *_: pytest.fail("it trains"))


def test_an_ensemble_of_a_model_that_diverged_has_failed(there: World) -> None:
    for seed in (0, 1):
        path = there.folder("one", seed) / "summary.json"
        fingerprint = json.loads(path.read_text())["fingerprint"]
        path.write_text(
            json.dumps({"fingerprint": fingerprint, "status": "failed", "error": "too large", "curves": {}})
        )
    outcome = again(there)
    assert [(run.variant, run.status) for run in outcome.record.runs] == [
        ("one", "failed"), ("one", "failed"), ("together", "failed")
    ]  # fmt: skip
    assert outcome.record.runs[-1].error == "one seed 0 diverged"
    assert outcome.record.results.each("together", lambda run: run["symbols_right"]).values == (None,)


def test_an_ensemble_waits_for_members_that_break(world: World) -> None:
    started = Started(fail=("one/seed-0", "one/seed-1"))
    outcome = again(reversing(world), command=started)
    assert sorted(started.names) == ["one/seed-0", "one/seed-1"]
    assert {run.name: why for run, why in outcome.crashed.items()}[TOGETHER] == "its models have not all ended"
    with pytest.raises(UserError, match="together seed 0 needs the model of one seed 0, which is not in"):
        again(world, variants=["together"], command=started)


def test_members_with_other_vocabularies_are_no_ensemble(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(folder: Path) -> Any:
        model = load(folder)
        monkeypatch.setattr(model.task, "state_dict", lambda: {"words": folder.name})
        return model

    monkeypatch.setattr("augrnn.inference.load.load", other)
    with pytest.raises(UserError, match="have other vocabularies: they cannot be an ensemble"):
        assembled(ensemble(there), there.runs)


def test_of_several_processes_the_first_alone_makes_an_ensemble(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_PROCID", "1")
    change(there, 1)
    before = (there.folder("together", 0) / "provenance.json").read_bytes()
    work(ensemble(there), Kept(()), there.runs, lambda *_, **__: pytest.fail("it trains"))
    assert (there.folder("together", 0) / "provenance.json").read_bytes() == before


def test_a_plan_has_ensembles_last_and_never_of_fewer_seeds(world: World) -> None:
    experiment = reversing(world).experiment
    plan = experiment.plan("smoke", world.experiments)
    assert [run.name for run in plan] == ["one/seed-0", "one/seed-1", TOGETHER]
    assert [member.name for member in plan[-1].members] == ["one/seed-0", "one/seed-1"]
    assert [run.name for run in startable(plan)] == ["one/seed-0", "one/seed-1"]
    assert [run.name for run in startable(plan[1:])] == ["one/seed-1"]
    assert [run.name for run in startable(plan[2:])] == [TOGETHER]
    assert [run.name for run in experiment.plan("smoke", world.experiments, 1)] == ["one/seed-0"]
    more = experiment.plan("smoke", world.experiments, 3)
    assert [run.name for run in more] == ["one/seed-0", "one/seed-1", "one/seed-2", TOGETHER]
    assert more[-1] == plan[-1] == experiment.run("smoke", world.experiments, "together", 0)
    assert experiment.run("smoke", world.experiments, "one", 4).name == "one/seed-4"
    with pytest.raises(UserError, match="variant of toy/learn at scale smoke called on; did you mean one"):
        experiment.run("smoke", world.experiments, "on", 0)
    with pytest.raises(UserError, match="together is an ensemble: its only run has seed 0, and not 1"):
        experiment.run("smoke", world.experiments, "together", 1)
    with pytest.raises(UserError, match="--seeds 1 leaves out models of together"):
        experiment.plan("smoke", world.experiments, 1, ["one", "together"])
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


def test_what_cannot_be_an_ensemble_is_refused_before_it_trains(world: World) -> None:
    (world.root / "configs/copy.yaml").write_text((ROOT / "configs/copy/lstm.yaml").read_text())
    text = EXPERIMENT.replace("configs/reversal.yaml", "configs/copy.yaml").replace("LR", "0.001")
    start, end = text.index('    "model": {'), text.index('    "data": {')
    text = f"{text[:start]}{text[end:]}".replace('"symbols": 6,\n            ', "").replace("[2, 3]", "[2, 4]")
    (world.experiments / "toy/learn/experiment.py").write_text(text)
    with pytest.raises(UserError, match="together seed 0: no ensemble of models of Copy can be measured"):
        again(world, command=lambda *_: pytest.fail("it trains"))


@pytest.mark.parametrize("by_its_task", [True, False])
def test_an_experiment_with_a_measure_of_its_own_may_measure_any_ensemble(by_its_task: bool) -> None:
    settings = {
        "model": {"class_path": "augrnn.systems.encoder_decoder.EncoderDecoder"},
        "data": {"class_path": "augrnn.tasks.scenes.Scenes"},
    }
    one = Run("e/x", "smoke", "one", 0, "f", settings)
    run = Run("e/x", "smoke", "together", 0, "g", settings, members=(one,))
    require_measurable(one, by_its_task)
    with pytest.raises(UserError, match="no ensemble of models of Scenes") if by_its_task else nullcontext():
        require_measurable(run, by_its_task)
