"""Sweeps of the method bayes: each task is one Optuna trial, in a study that all tasks share.

Tasks are killed and come back, on other machines, so a trial belongs to its task (the user attribute "task") and not
to a process: `attach` finds it again, and `reap` gives back the trials of tasks that have left the queue.
"""

import contextlib
import hashlib
import json
import math
import random
import re
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from augrnn.errors import UserError
from augrnn.files import explained
from augrnn.sweeps.points import quantized
from augrnn.sweeps.sweep_file import RANGED, Parameter, Sweep

TASK = "task"
"""The user attribute that says whose trial it is."""

REAPED = "reaped"
"""The user attribute that counts how often a trial's task has left the queue before its end."""

PRUNED = "pruned"
"""The user attribute of a trial whose training the pruner has ended."""

SWEEP = "sweep"
"""The user attribute of a study: what its trials have in common."""

OPENINGS = 10
"""Tries to open a new database, whose tables other tasks may be making at the same time."""

PATIENCE = 15
"""Seconds that a database has to answer in."""


# The study


def open_study(sweep: Sweep, storage: str) -> optuna.Study:
    """The study of a sweep, made where there is none.

    Args:
      sweep: one of the method bayes.
      storage: the path of a journal on a file system that all tasks see, or the URL of a database.

    Raises:
      UserError: the storage cannot be used, Optuna cannot search a parameter, or the study is of another sweep.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    identity, cut = _identity(sweep), pruner(sweep)
    for name, parameter in sweep.axes.items():
        distribution(name, parameter)
    with _one_clear_line(_shown(storage)):
        study = _opened(sweep, storage, cut)
        saved = study.user_attrs.get(SWEEP)
        if saved is None:
            study.set_user_attr(SWEEP, saved := identity)
    if saved != identity:
        changed = " and ".join(key for key in identity if saved.get(key) != identity[key])
        raise UserError(
            f"the study {sweep.name} in {_shown(storage)} was begun with other {changed} than {sweep.path.name} has: "
            "give the changed file another name, or delete the study"
        )
    return study


def _identity(sweep: Sweep) -> dict[str, Any]:
    chosen = sweep.file.model_dump(include={"metric": {"name", "goal"}, "parameters": True}, exclude_defaults=True)
    return json.loads(json.dumps({**chosen, "command": list(sweep.options)}, default=str))


def _opened(sweep: Sweep, storage: str, cut: optuna.pruners.BasePruner) -> optuna.Study:
    for tries_left in reversed(range(OPENINGS)):
        try:
            return optuna.create_study(
                storage=_database(storage) if "://" in storage else _journal(Path(storage)),
                study_name=sweep.name,
                direction=sweep.file.metric.goal,
                pruner=cut,
                load_if_exists=True,
            )
        except SQLAlchemyError as error:
            made_by_another = isinstance(error, IntegrityError) or "already exists" in str(error)
            if not (made_by_another and tries_left):
                raise
            time.sleep(random.uniform(0.1, 0.5))
    raise AssertionError


def _journal(path: Path) -> JournalStorage:
    path = path.resolve()  # the lock is a link to it, and a link to a relative path leads nowhere
    path.parent.mkdir(parents=True, exist_ok=True)
    # A link is made by one process only on every network file system, where locks of the fcntl kind may do nothing.
    return JournalStorage(JournalFileBackend(str(path), JournalFileSymlinkLock(str(path))))


def _database(url: str) -> RDBStorage:
    # Tasks train for hours between two queries: kept connections would use up the server's, or be cut by a firewall.
    settings: dict[str, Any] = {"poolclass": NullPool}
    if make_url(url).get_driver_name() in ("psycopg", "psycopg2"):
        settings["connect_args"] = {"connect_timeout": PATIENCE}
    # No heartbeat: it would fail the trial of a task that waits in the queue to be resumed. The queue knows better.
    return RDBStorage(url, settings)


def pruner(sweep: Sweep) -> optuna.pruners.BasePruner:
    """What ends unpromising trials, by `early_terminate`: successive halving, W&B's one bracket of hyperband.

    Raises:
      UserError: it asks for what Optuna has not.
    """
    early = sweep.file.early_terminate
    if early is None:
        return optuna.pruners.NopPruner()
    if early.strict:
        raise UserError(f"{sweep.path}: early_terminate.strict has no counterpart here: leave it out")
    first = early.min_iter
    if early.max_iter is not None and "min_iter" not in early.model_fields_set:
        if early.s is None:
            raise UserError(f"{sweep.path}: early_terminate.max_iter needs s, the number of brackets; or give min_iter")
        first = max(1, int(early.max_iter / early.eta**early.s))
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=first, reduction_factor=early.eta)


def _sampler(sweep: Sweep, task: int) -> optuna.samplers.TPESampler:
    """The search; its draws differ from task to task, because tasks that start together know the same trials."""
    seed = int(hashlib.sha256(f"{sweep.name} {task}".encode()).hexdigest()[:8], 16)
    return optuna.samplers.TPESampler(multivariate=True, constant_liar=True, seed=seed)


def _shown(storage: str) -> str:
    return re.sub(r"(://[^:/@]*):[^/]*@", r"\1:***@", storage)


@contextlib.contextmanager
def _one_clear_line(place: str) -> Iterator[None]:
    """Turn what storages raise into a UserError of one line."""
    try:
        yield
    except ImportError as error:
        raise UserError(
            f"the driver of {place} is not installed ({error.__cause__ or error}); PostgreSQL's comes with "
            "pip install 'augrnn[postgres]', for a URL that begins with postgresql+psycopg://"
        ) from error
    except ArgumentError as error:
        raise UserError(f"{place} is not the URL of a database that SQLAlchemy knows: {first_line(error)}") from error
    except (SQLAlchemyError, StorageInternalError) as error:
        raise UserError(f"cannot use {place}: {first_line(error)}") from error
    except OSError as error:
        raise UserError(f"cannot use {place}: {explained(error)}") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{place} is damaged: delete its line that is not JSON, usually the last one") from error
    except RuntimeError as error:
        if "table schema" not in str(error):
            raise
        raise UserError(f"cannot use {place}: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """What a storage's error says, in a line."""
    cause = error.__cause__ if isinstance(error, StorageInternalError) else error
    return str(getattr(cause, "orig", None) or cause or error).strip().splitlines()[0]


# Parameters


def distribution(name: str, parameter: Parameter) -> BaseDistribution:
    """What Optuna searches for a parameter, as W&B's own Optuna scheduler has it.

    Raises:
      UserError: Optuna has nothing like it.
    """
    if parameter.kind in ("constant", "categorical"):
        if parameter.probabilities is not None:
            raise UserError(f"{name}: bayes cannot weigh values; leave the probabilities out, or use random")
        return CategoricalDistribution(list(choices(parameter)))
    if parameter.kind not in RANGED:
        raise UserError(
            f"{name}: bayes cannot search the distribution {parameter.kind}; use uniform or log_uniform_values with "
            "min and max, or the method random"
        )
    return _ranged(parameter)


def _ranged(parameter: Parameter) -> BaseDistribution:
    low, high, step = parameter.min, parameter.max, parameter.q
    assert low is not None
    assert high is not None
    whole = all(isinstance(number, int) for number in (low, high, step))
    match parameter.kind:
        case "int_uniform":
            return IntDistribution(int(low), int(high))
        case "uniform":
            return FloatDistribution(low, high)
        case "q_uniform":
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "The distribution is specified by .* not divisible", UserWarning)
                if whole:
                    return IntDistribution(int(low), int(high), step=int(step))
                return FloatDistribution(low, high, step=step)
        case "q_log_uniform_values" if whole and step == 1:
            return IntDistribution(int(low), int(high), log=True)
    return FloatDistribution(low, high, log=True)


def choices(parameter: Parameter) -> dict[Any, Any]:
    """For each choice that Optuna keeps the value that it stands for: itself, or JSON text for lists and dicts."""
    values = (parameter.value,) if parameter.kind == "constant" else parameter.values or ()
    plain = all(value is None or isinstance(value, bool | int | float | str) for value in values)
    if plain and len(set(values)) == len(values):  # which is less where 1, 1.0 and true are among them
        return {value: value for value in values}
    return {json.dumps(value, sort_keys=True, default=str): value for value in values}


def values_of(trial: optuna.Trial, sweep: Sweep) -> dict[str, Any]:
    """A trial's value for each parameter, the seed apart: drawn once, the same ones ever after.

    Raises:
      UserError: the storage cannot be reached.
    """
    with _one_clear_line(f"the study {sweep.name}"):
        return {name: _suggested(trial, name, parameter) for name, parameter in sweep.axes.items()}


def _suggested(trial: optuna.Trial, name: str, parameter: Parameter) -> Any:
    space = distribution(name, parameter)
    if isinstance(space, CategoricalDistribution):
        return choices(parameter)[trial.suggest_categorical(name, space.choices)]
    if isinstance(space, IntDistribution):
        return trial.suggest_int(name, space.low, space.high, step=space.step, log=space.log)
    assert isinstance(space, FloatDistribution)
    value = trial.suggest_float(name, space.low, space.high, step=space.step, log=space.log)
    if parameter.kind == "q_log_uniform_values":  # Optuna has no steps on a log scale
        return quantized(value, parameter)
    return value


# Tasks and their trials


def attach(study: optuna.Study, sweep: Sweep, task: int) -> optuna.Trial | None:
    """The trial of a task: its own one where it has begun before, else a new one; None where it has ended.

    A trial is made with its task on it in one step, so that a crash leaves none without an owner. Where two processes
    of a task do so at once, both get the first trial, and the other one is put out of the way.

    Raises:
      UserError: the storage cannot be reached.
    """
    study.sampler = _sampler(sweep, task)
    with _one_clear_line(f"the study {study.study_name}"):
        if not _of(study, task):
            study.add_trial(optuna.trial.create_trial(state=TrialState.RUNNING, user_attrs={TASK: task}))
        first, *others = _of(study, task)
        for other in others:
            _set_state(study, other, TrialState.FAIL)
        if first.state.is_finished():
            return None
        if first.state == TrialState.WAITING:
            _set_state(study, first, TrialState.RUNNING)
        return optuna.Trial(study, first._trial_id)


def _of(study: optuna.Study, task: int) -> list[FrozenTrial]:
    """The trials of a task in the order in which they were made, which is the same for all processes."""
    found = [trial for trial in study.get_trials(deepcopy=False) if trial.user_attrs.get(TASK) == task]
    return sorted(found, key=lambda trial: trial.number)


def _set_state(study: optuna.Study, trial: FrozenTrial, state: TrialState) -> bool:
    """Give a trial that has not ended another state; whether it had not ended."""
    with contextlib.suppress(UpdateFinishedTrialError):
        study._storage.set_trial_state_values(trial._trial_id, state)
        return True
    return False


def tell(study: optuna.Study, trial: optuna.Trial, values: Iterable[float | None], pruned: bool = False) -> None:
    """Put on record how a trial has ended; nothing where it has already.

    Args:
      study: the study.
      trial: the trial.
      values: the metric at the end of training, by seed; the trial's value is their mean. With one that is missing or
        not finite the trial has failed.
      pruned: whether the pruner has ended it. Its value is then the last one reported.

    Raises:
      UserError: the storage cannot be reached; tell again later.
    """
    numbers = [math.nan if value is None else float(value) for value in values]
    mean = fmean(numbers) if numbers else math.nan
    with _one_clear_line(f"the study {study.study_name}"):
        now = study._storage.get_trial(trial._trial_id)
        if now.state == TrialState.WAITING:  # reaped although its task was still at work
            _set_state(study, now, TrialState.RUNNING)
        if pruned:
            study.tell(trial, state=TrialState.PRUNED, skip_if_finished=True)
        elif math.isfinite(mean):
            study.tell(trial, mean, skip_if_finished=True)
        else:
            study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)


def reap(study: optuna.Study, alive: set[int]) -> list[int]:
    """Take the running trials of tasks that are not in the queue any more out of the search; gives the tasks.

    They become WAITING, and `attach` takes them up where their tasks are submitted again. Optuna's own way, to fail
    the trial and to enqueue a copy, needs two steps with a crash between them, counts the trial twice in the pruner's
    rungs, and fails for good a trial whose task is at work after all; a waiting one still takes its reports.

    Raises:
      UserError: the storage cannot be reached.
    """
    reaped = []
    with _one_clear_line(f"the study {study.study_name}"):
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            task = trial.user_attrs.get(TASK)
            if task is not None and task not in alive and _set_state(study, trial, TrialState.WAITING):
                study._storage.set_trial_user_attr(trial._trial_id, REAPED, trial.user_attrs.get(REAPED, 0) + 1)
                reaped.append(task)
    return sorted(set(reaped))


def states(study: optuna.Study) -> dict[int, TrialState]:
    """For each task that has begun the state of its trial; WAITING is one that was reaped.

    Raises:
      UserError: the storage cannot be reached.
    """
    found: dict[int, TrialState] = {}
    with _one_clear_line(f"the study {study.study_name}"):
        for trial in sorted(study.get_trials(deepcopy=False), key=lambda trial: trial.number):
            if TASK in trial.user_attrs:
                found.setdefault(trial.user_attrs[TASK], trial.state)
    return dict(sorted(found.items()))
