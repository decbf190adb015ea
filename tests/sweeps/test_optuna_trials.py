"""Trials of many processes at once: none lost, none twice, each found again by its task."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning as L
import optuna
import pytest
from optuna.trial import TrialState
from wandb.sdk.sweeps.scheduler.optuna import sweep_parameter_to_distribution

from augrnn.errors import UserError
from augrnn.sweeps.optuna_trials import (
    PRUNED,
    REAPED,
    TASK,
    attach,
    choices,
    distribution,
    open_study,
    pruner,
    reap,
    states,
    tell,
    values_of,
)
from augrnn.sweeps.reporting import Reporting
from augrnn.sweeps.sweep_file import Parameter, Sweep, read_sweep
from augrnn.training.command import Command
from tests.tiny import CONFIG, tiny, train

ROOT = Path(__file__).parents[2]
CAP = 40
WORKERS = 8
FILE = """
method: bayes
metric: {name: val/cost_bits, goal: minimize}
run_cap: 40
parameters:
  lr: {distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-1}
  size: {min: 1, max: 1000}
  optimizer: {values: [{class_path: torch.optim.Adam}, {class_path: torch.optim.SGD, init_args: {momentum: 0.9}}]}
  kind: {value: lstm}
  seed_everything: {values: [0, 1]}
command: [augrnn, fit, --config, configs/copy/lstm.yaml, "${args}"]
"""


def sweep_of(folder: Path, text: str = FILE, name: str = "search") -> Sweep:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return read_sweep(path, ROOT)


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return sweep_of(tmp_path)


@pytest.fixture(params=["journal", "postgres"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty storage of each kind."""
    if request.param == "journal":
        yield str(tmp_path / "studies" / "journal.log")
        return
    url = request.getfixturevalue("postgres")
    _no_tables(url)
    yield url
    _no_tables(url)


def _no_tables(url: str) -> None:
    from sqlalchemy import NullPool, create_engine, text

    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))


# Workers in processes of their own: `python test_trials.py`


class Crews:
    """Starts workers; a process that has imported everything forks them, which saves each of them the imports."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def start(self, sweep: Sweep, storage: str, folder: Path, workers: int) -> None:
        """Let workers do the sweep's tasks at the same time, and keep a log each in a folder."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([str(sweep.path), storage, str(folder), workers]).encode() + b"\n")
        self.process.stdin.flush()

    def wait(self) -> list[int]:
        """The workers' exit statuses."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def crews() -> Iterator[Crews]:
    crews = Crews()
    yield crews
    crews.process.communicate()
    assert crews.process.returncode == 0


def _serve() -> None:
    context = multiprocessing.get_context("fork")
    for line in sys.stdin:
        path, storage, folder, workers = json.loads(line)
        together = context.Barrier(workers)
        arguments = [(read_sweep(Path(path), ROOT), storage, Path(folder), i, together) for i in range(workers)]
        processes = [context.Process(target=_work, args=each) for each in arguments]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        print(json.dumps([process.exitcode for process in processes]), flush=True)


def _work(sweep: Sweep, storage: str, folder: Path, worker: int, together: Any) -> None:
    together.wait()  # all of them make the study
    study = open_study(sweep, storage)
    with (folder / f"worker-{worker}.jsonl").open("a") as log:
        for task in _claimed(folder, sweep.file.run_cap or 0):
            trial = attach(study, sweep, task)
            assert trial is not None
            values = values_of(trial, sweep)
            row = {"task": task, "trial": trial.number, "values": values, "process": os.getpid()}
            print(json.dumps(row), file=log, flush=True)
            trial.report(values["lr"], 1)
            if (folder / "hang").exists():
                time.sleep(600)
            tell(study, trial, [values["lr"], values["size"] / 1000])


def _claimed(folder: Path, cap: int) -> Iterator[int]:
    for task in range(cap):
        try:
            (folder / f"task-{task}").open("x").close()
        except FileExistsError:
            continue
        yield task


def logged(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in folder.glob("worker-*.jsonl") for line in path.read_text().splitlines()]


def test_workers_at_once_lose_no_trial_and_do_none_twice(
    sweep: Sweep, storage: str, tmp_path: Path, crews: Crews
) -> None:
    crews.start(sweep, storage, tmp_path, WORKERS)
    assert crews.wait() == [0] * WORKERS
    done = logged(tmp_path)
    assert sorted(each["task"] for each in done) == list(range(CAP))
    assert sorted(each["trial"] for each in done) == list(range(CAP))
    assert len({json.dumps(each["values"], sort_keys=True) for each in done}) == CAP
    study = open_study(sweep, storage)
    trials = study.trials
    for each in done:
        trial = trials[each["trial"]]
        assert trial.user_attrs == {TASK: each["task"]}
        assert trial.state == TrialState.COMPLETE
        assert trial.value == pytest.approx((each["values"]["lr"] + each["values"]["size"] / 1000) / 2)
        assert trial.intermediate_values == {1: each["values"]["lr"]}
    assert states(study) == dict.fromkeys(range(CAP), TrialState.COMPLETE)


def test_a_killed_task_finds_its_trial_again(sweep: Sweep, storage: str, tmp_path: Path, crews: Crews) -> None:
    (tmp_path / "hang").touch()
    crews.start(sweep, storage, tmp_path, 2)
    deadline = time.monotonic() + 120
    study = None
    while study is None or sum(len(trial.intermediate_values) for trial in study.trials) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        if len(logged(tmp_path)) == 2:
            study = study or open_study(sweep, storage)
    for each in logged(tmp_path):
        os.kill(each["process"], signal.SIGKILL)
    assert crews.wait() == [-signal.SIGKILL] * 2
    before = {each["task"]: each for each in logged(tmp_path)}
    assert set(before) == {0, 1}
    again = attach(study, sweep, 0)
    assert again is not None
    assert again.number == before[0]["trial"]
    assert values_of(again, sweep) == before[0]["values"]
    assert len(study.trials) == 2
    assert reap(study, alive={0}) == [1]
    reaped = attach(open_study(sweep, storage), sweep, 1)
    assert reaped is not None
    assert reaped.number == before[1]["trial"]
    assert values_of(reaped, sweep) == before[1]["values"]
    for trial in (again, reaped):
        tell(study, trial, [1.0, 3.0])
    assert [trial.value for trial in study.trials] == [2.0, 2.0]


# Tasks and their trials, one process


def test_an_ended_task_is_not_done_twice(sweep: Sweep, storage: str) -> None:
    study = open_study(sweep, storage)
    for task, (values, pruned) in enumerate([([1.0, 2.0], False), ([None, 1.0], False), ([None], True)]):
        trial = attach(study, sweep, task)
        assert trial is not None
        values_of(trial, sweep)
        trial.report(7.0, 1)
        for _ in range(2):
            tell(study, trial, values, pruned)
        tell(study, trial, [0.0])
        assert attach(study, sweep, task) is None
    ended = [(trial.state, trial.value) for trial in study.trials]
    assert ended == [(TrialState.COMPLETE, 1.5), (TrialState.FAIL, None), (TrialState.PRUNED, 7.0)]


@pytest.mark.parametrize("values", [[], [float("nan")], [1.0, float("inf")], [None]])
def test_a_value_that_is_not_finite_is_a_failure(values: list[float | None], sweep: Sweep, tmp_path: Path) -> None:
    study = open_study(sweep, str(tmp_path / "journal"))
    trial = attach(study, sweep, 0)
    assert trial is not None
    tell(study, trial, values)
    assert study.trials[0].state == TrialState.FAIL


def test_two_processes_of_a_task_get_the_same_trial(sweep: Sweep, storage: str, monkeypatch: Any) -> None:
    study, other = open_study(sweep, storage), open_study(sweep, storage)
    add = study.add_trial

    def late(trial: Any) -> None:  # both have seen that there is none
        attach(other, sweep, 5)
        add(trial)

    monkeypatch.setattr(study, "add_trial", late)
    mine, theirs = attach(study, sweep, 5), attach(other, sweep, 5)
    assert mine is not None
    assert theirs is not None
    assert mine.number == theirs.number == 0
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING, TrialState.FAIL]
    tell(study, mine, [1.0])
    assert attach(other, sweep, 5) is None
    assert states(study) == {5: TrialState.COMPLETE}


def test_reaping(sweep: Sweep, storage: str) -> None:
    study = open_study(sweep, storage)
    trials = [attach(study, sweep, task) for task in range(4)]
    values = [values_of(trial, sweep) for trial in trials if trial is not None]
    assert trials[3] is not None
    tell(study, trials[3], [1.0])
    assert reap(study, alive={1}) == [0, 2]
    assert reap(study, alive={1}) == []
    assert states(study) == {
        0: TrialState.WAITING,
        1: TrialState.RUNNING,
        2: TrialState.WAITING,
        3: TrialState.COMPLETE,
    }
    again = attach(study, sweep, 2)
    assert again is not None
    assert values_of(again, sweep) == values[2]
    assert study.trials[2].state == TrialState.RUNNING
    assert study.trials[2].user_attrs == {TASK: 2, REAPED: 1}
    assert len(study.trials) == 4


def test_a_task_that_was_reaped_while_at_work_loses_nothing(sweep: Sweep, storage: str) -> None:
    study = open_study(sweep, storage)
    trial = attach(study, sweep, 0)
    assert trial is not None
    values_of(trial, sweep)
    reap(open_study(sweep, storage), alive=set())
    trial.report(3.0, 1)
    tell(study, trial, [4.0])
    assert (study.trials[0].state, study.trials[0].value) == (TrialState.COMPLETE, 4.0)
    assert study.trials[0].intermediate_values == {1: 3.0}


def test_tasks_that_start_together_search_different_places(sweep: Sweep, tmp_path: Path) -> None:
    study = open_study(sweep, str(tmp_path / "journal"))
    drawn = []
    for task in range(30):
        trial = attach(study, sweep, task)
        assert trial is not None
        drawn.append(values_of(trial, sweep)["lr"])
        if task < 12:  # enough for the model to take over
            tell(study, trial, [drawn[-1]])
    assert len(set(drawn)) == 30


def test_another_version_of_the_file_is_refused(sweep: Sweep, tmp_path: Path) -> None:
    journal = str(tmp_path / "journal")
    open_study(sweep, journal)
    open_study(sweep_of(tmp_path, FILE.replace("run_cap: 40", "run_cap: 50")), journal)
    for old, new, changed in [
        ("max: 1000", "max: 900", "parameters"),
        ("minimize", "maximize", "metric"),
        ("lstm.yaml", "ntm-lstm.yaml", "command"),
    ]:
        with pytest.raises(UserError, match=f"begun with other {changed} than search.yaml has"):
            open_study(sweep_of(tmp_path, FILE.replace(old, new)), journal)


# Storages that cannot be used


@pytest.mark.parametrize(
    ("storage", "told"),
    [
        ("postgresql+psycopg://me:secret@127.0.0.1:1/db", r"cannot use postgresql\+psycopg://me:\*\*\*@127.0.0.1:1/db"),
        ("oracle+oracledb://me@host/db", "the driver of oracle.*is not installed"),
        ("nothing://host/db", "is not the URL of a database"),
    ],
)
def test_a_database_that_cannot_be_used(storage: str, told: str, sweep: Sweep) -> None:
    with pytest.raises(UserError, match=told) as caught:
        open_study(sweep, storage)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_journal_that_cannot_be_used(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "journal", tmp_path):
        with pytest.raises(UserError, match=f"cannot use {path}"):
            open_study(sweep, str(path))
    journal = tmp_path / "journal"
    open_study(sweep, str(journal))
    with journal.open("a") as file:
        file.write("half a li\n{}\n")
    with pytest.raises(UserError, match="damaged"):
        open_study(sweep, str(journal))


def test_a_storage_that_went_away(sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/folder/study.db"
    (tmp_path / "folder").mkdir()
    study = open_study(sweep, url)
    trial = attach(study, sweep, 0)
    assert trial is not None
    (tmp_path / "folder").rename(tmp_path / "away")
    for use in (lambda: attach(study, sweep, 1), lambda: tell(study, trial, [1.0]), lambda: reap(study, set())):
        with pytest.raises(UserError, match=r"cannot use the study search: .*unable to open"):
            use()


# Parameters


@pytest.mark.parametrize(
    "spec",
    [
        {"value": 3},
        {"values": ["adam", "sgd"]},
        {"values": [0.1, 2, None, False]},
        {"distribution": "categorical", "values": [1, 2]},
        {"min": 1, "max": 8},
        {"min": 0.0, "max": 1},
        {"distribution": "int_uniform", "min": -2, "max": 2},
        {"distribution": "uniform", "min": 1, "max": 2},
        {"distribution": "log_uniform_values", "min": 1e-5, "max": 1},
        {"distribution": "q_uniform", "min": 0, "max": 100, "q": 10},
        {"distribution": "q_uniform", "min": 0, "max": 95, "q": 10},
        {"distribution": "q_uniform", "min": 0, "max": 7},
        {"distribution": "q_uniform", "min": 0.0, "max": 0.95, "q": 0.1},
        {"distribution": "q_log_uniform_values", "min": 1, "max": 512},
        {"distribution": "q_log_uniform_values", "min": 8, "max": 512, "q": 8},
        {"distribution": "q_log_uniform_values", "min": 0.5, "max": 512.0, "q": 0.25},
    ],
)
def test_distributions_are_those_of_wandb(spec: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of ranges that are no multiples of q
        oracle = sweep_parameter_to_distribution(spec)
    assert distribution("name", Parameter(**spec)) == oracle


def test_distributions_that_wandb_has_not() -> None:
    inverse = Parameter(distribution="inv_log_uniform_values", min=0.1, max=10)
    assert distribution("name", inverse) == optuna.distributions.FloatDistribution(0.1, 10, log=True)
    for spec in ({"distribution": "normal"}, {"distribution": "q_log_normal"}, {"distribution": "beta"}):
        with pytest.raises(ValueError, match="no optuna equivalent"):
            sweep_parameter_to_distribution(spec)
        with pytest.raises(UserError, match=f"width: bayes cannot search the distribution {spec['distribution']}"):
            distribution("width", Parameter(**spec))
    with pytest.raises(UserError, match="width: bayes cannot weigh values"):
        distribution("width", Parameter(values=(1, 2), probabilities=(0.2, 0.8)))


@pytest.mark.parametrize(
    "values",
    [
        ({"class_path": "A", "init_args": {"size": 1}}, {"class_path": "B"}),
        ([0.9, 0.95], [0.9, 0.999]),
        (True, 1, 1.0, "1", None, [1]),
        ("a", "b", "b"),
        (1, 2.5, "three", None, True, False),
    ],
)
def test_every_choice_comes_back_as_it_was(values: tuple[Any, ...]) -> None:
    parameter = Parameter(values=values)
    kept = choices(parameter)
    space = distribution("name", parameter)
    assert isinstance(space, optuna.distributions.CategoricalDistribution)
    assert all(choice is None or isinstance(choice, bool | int | float | str) for choice in space.choices)
    back = [kept[space.to_external_repr(space.to_internal_repr(choice))] for choice in space.choices]
    assert [json.dumps(value) for value in back] == list(dict.fromkeys(json.dumps(value) for value in values))


def test_values_on_a_log_scale_with_steps(tmp_path: Path) -> None:
    text = FILE.replace("{min: 1, max: 1000}", "{distribution: q_log_uniform_values, min: 8, max: 512, q: 8}")
    sweep = sweep_of(tmp_path, text)
    study = open_study(sweep, str(tmp_path / "journal"))
    for task in range(10):
        trial = attach(study, sweep, task)
        assert trial is not None
        size = values_of(trial, sweep)["size"]
        assert isinstance(size, int)
        assert size % 8 == 0
        assert 8 <= size <= 512


def test_values_have_the_sweeps_order_and_types(sweep: Sweep, storage: str) -> None:
    study = open_study(sweep, storage)
    trial = attach(study, sweep, 0)
    assert trial is not None
    values = values_of(trial, sweep)
    assert list(values) == ["lr", "size", "optimizer", "kind"]
    assert isinstance(values["optimizer"], dict)
    assert type(values["size"]) is int
    assert values["kind"] == "lstm"


def test_an_impossible_parameter_is_told_before_a_study_is_made(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, FILE.replace("{min: 1, max: 1000}", "{distribution: normal}"))
    with pytest.raises(UserError, match="size: bayes cannot search"):
        open_study(sweep, str(tmp_path / "journal"))
    assert not (tmp_path / "journal").exists()


# Pruning


TINY = [*CONFIG, *tiny(2), "--trainer.max_steps=8"]
TAGS = {"experiment": "e", "variant": "v", "scale": "smoke", "seed": 0}
METRIC = "val/cost_bits"
EARLY = "early_terminate: {type: hyperband, min_iter: 2, eta: 3}\n"


def trained(folder: Path, callbacks: list[L.Callback], patch: pytest.MonkeyPatch) -> Any:
    """Train a tiny model with further callbacks, from where it was left."""
    make = Command.instantiate_trainer

    def instantiate_trainer(self: Command, **kwargs: Any) -> L.Trainer:
        trainer = make(self, **kwargs)
        trainer.callbacks[:0] = callbacks  # type: ignore[attr-defined]
        return trainer

    with patch.context() as patched:
        patched.setattr(Command, "instantiate_trainer", instantiate_trainer)
        return train(TINY, folder, TAGS)


class Dying(L.Callback):
    """Ends a process before an update, as a crash does."""

    def __init__(self, update: int) -> None:
        self.update = update

    def on_train_batch_start(self, trainer: L.Trainer, module: L.LightningModule, batch: Any, i: int) -> None:
        if trainer.global_step == self.update:
            raise ZeroDivisionError


class Before(L.Callback):
    """Ends a process after a validation's report and before its checkpoint."""

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        if trainer.global_step == 4:
            raise ZeroDivisionError


def test_every_validation_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = sweep_of(tmp_path)
    study = open_study(sweep, str(tmp_path / "journal"))
    curves = []
    for task, deaths in enumerate([[], [Dying(3)], [Dying(1), Before(), Dying(6)]]):
        for death in [*deaths, None]:
            trial = attach(study, sweep, task)
            assert trial is not None
            callbacks = [Reporting(trial, METRIC, prune=True), *([death] if death else [])]
            if death is None:
                assert trained(tmp_path / str(task), callbacks, monkeypatch).updates == 8
            else:
                with pytest.raises(ZeroDivisionError):
                    trained(tmp_path / str(task), callbacks, monkeypatch)
        curves.append(study.trials[task].intermediate_values)
    assert list(curves[0]) == [1, 2, 3, 4]
    assert curves[0] == curves[1] == curves[2]


def test_the_pruner_ends_training_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = sweep_of(tmp_path, FILE + EARLY)
    study = open_study(sweep, str(tmp_path / "journal"))
    for task in range(3):  # so good that a tiny model is none of the best third
        good = attach(study, sweep, task)
        assert good is not None
        good.report(0.0, 1)
        good.report(0.0, 2)
        assert not good.should_prune()
        tell(study, good, [0.0])
    trial = attach(study, sweep, 3)
    assert trial is not None
    for _ in range(2):  # the second time it comes back before anyone was told
        reporting = Reporting(trial, METRIC, prune=True)
        assert trained(tmp_path / "run", [reporting], monkeypatch).updates == 4
        assert reporting.pruned
        trial = attach(study, sweep, 3)
        assert trial is not None
        assert trial.user_attrs[PRUNED]
    tell(study, trial, [None], pruned=True)
    last = study.trials[3]
    assert last.state == TrialState.PRUNED
    assert last.value == last.intermediate_values[2]
    assert list(last.intermediate_values) == [1, 2]


def test_no_one_is_pruned_who_is_only_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = sweep_of(tmp_path, FILE + EARLY)
    study = open_study(sweep, str(tmp_path / "journal"))
    trial = attach(study, sweep, 0)
    assert trial is not None
    monkeypatch.setattr(trial, "should_prune", lambda: True)
    reporting = Reporting(trial, METRIC, prune=False)
    assert trained(tmp_path / "run", [reporting], monkeypatch).updates == 8
    assert not reporting.pruned


def trainer_of(broadcast: Any, rank: int) -> Any:
    return SimpleNamespace(
        callback_metrics={METRIC: 1.0},
        state=SimpleNamespace(fn="fit"),
        sanity_checking=False,
        global_step=2,
        is_global_zero=rank == 0,
        strategy=SimpleNamespace(broadcast=broadcast),
        should_stop=False,
    )


def test_all_processes_do_what_the_first_decides(sweep: Sweep, tmp_path: Path) -> None:
    module: Any = None
    other = Reporting(None, METRIC, prune=True)
    trainer = trainer_of(lambda decision: True, rank=1)
    other.on_validation_end(trainer, module)
    assert other.pruned
    assert trainer.should_stop
    sent = []
    trial = attach(open_study(sweep, str(tmp_path / "journal")), sweep, 0)
    first = Reporting(trial, METRIC, prune=True)
    first.on_validation_end(trainer_of(lambda decision: sent.append(decision) or decision, rank=0), module)
    assert sent == [False]


def test_training_goes_on_where_a_report_is_lost(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    trial = attach(open_study(sweep, f"sqlite:///{tmp_path}/folder/study.db"), sweep, 0)
    (tmp_path / "folder").rename(tmp_path / "away")
    reporting = Reporting(trial, METRIC, prune=True)
    module: Any = None
    with pytest.warns(UserWarning, match="goes on without the report of val/cost_bits: .*unable to open"):
        reporting.on_validation_end(trainer_of(lambda decision: decision, rank=0), module)
    assert not reporting.pruned


def test_pruners(tmp_path: Path) -> None:
    def rungs(early: str) -> tuple[int | None, int]:
        made = pruner(sweep_of(tmp_path, FILE + early))
        assert isinstance(made, optuna.pruners.SuccessiveHalvingPruner)
        return made._min_resource, made._reduction_factor

    assert isinstance(pruner(sweep_of(tmp_path)), optuna.pruners.NopPruner)
    assert rungs("early_terminate: {type: hyperband}\n") == (1, 3)
    assert rungs("early_terminate: {type: hyperband, min_iter: 5, eta: 2}\n") == (5, 2)
    assert rungs("early_terminate: {type: hyperband, max_iter: 27, s: 2}\n") == (3, 3)
    for early in ("max_iter: 27", "strict: true"):
        with pytest.raises(UserError, match=early.partition(":")[0]):
            rungs(f"early_terminate: {{type: hyperband, {early}}}\n")


if __name__ == "__main__":
    _serve()
