"""Runs an experiment's plan in parallel processes, and judges its claims.

What happens to a run is decided by its record. Finished and failed (diverged) runs are kept; new ones start; broken
ones (stopped, killed, crashed) resume from their last checkpoint. Outdated runs, whose settings have changed since,
are refused, because they may have taken hours: `retry` starts outdated and failed runs over, `fresh` all.
`measure_again` takes the results of finished runs away, which then resume at their end and are measured. To `extend` a
committed record is to take its runs as they are there, and to start only those that it lacks.

What that comes to stands in the runs folder (`augrnn.lab.outcome`); nothing beside the experiment changes, unless its
record is asked for with `commit`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn, TypeVar

from rich.console import Console

from augrnn import files
from augrnn.counts import MOST_JOBS, require_count
from augrnn.errors import UserError
from augrnn.lab import records
from augrnn.lab.committed_record import Record, on_record, read_record, require_extendable, results_path
from augrnn.lab.ensembles import ended_all, require_measurable, require_members
from augrnn.lab.experiment import Experiment, load
from augrnn.lab.outcome import Outcome, conclude, require_whole
from augrnn.lab.places import own_place, place_of
from augrnn.lab.plan import Run
from augrnn.lab.progress import HEARTBEAT, Progress, duration
from augrnn.lab.work import Work, ended
from augrnn.run_folder import LAST, LOG, PROVENANCE
from augrnn.signals import handled
from augrnn.threads import cores
from augrnn.tracking.wandb_server import usable_mode

Command = Callable[[Run, Path, Path], list[str]]
"""From a run, the experiments and the runs folder to the command that does it."""

AnyWork = TypeVar("AnyWork", bound=Work)

GRACE = 30.0
"""Seconds that a run has to stop in before it is killed; it resumes either way."""


def worker_command(run: Run, experiments: Path, runs: Path) -> list[str]:
    """The command that does one run; see `augrnn.lab.run_process`."""
    place = ["--experiments", str(experiments), "--runs", str(runs)]
    which = [run.experiment, run.scale, run.variant, str(run.seed)]
    return [sys.executable, "-m", "augrnn.lab.run_process", *which, *place]


def reproduce(
    name: str,
    scale: str = "smoke",
    *,
    seeds: int | None = None,
    jobs: int | None = None,
    runs: str | Path = "runs",
    variants: str | Sequence[str] | None = None,
    retry: bool = False,
    fresh: bool = False,
    measure_again: bool = False,
    commit: bool = False,
    extend: bool = False,
    experiments: Path | None = None,
    console: Console | None = None,
    command: Command = worker_command,
    heartbeat: float = HEARTBEAT,
) -> Outcome:
    """Do what is left to do of an experiment at a scale, judge its claims and write what there is to see.

    Args:
      name: the experiment.
      scale: one of its scales.
      seeds: another number of seeds than the scale's.
      jobs: runs at once; as many as the processor's cores allow when None.
      runs: the folder of all run records.
      variants: only these, or the one of that name.
      retry: start outdated and failed runs over.
      fresh: start all of them over.
      measure_again: measure finished runs again, from their last checkpoints.
      commit: write the experiment's committed record, exhibits and pictures as well.
      extend: keep the runs that the committed record has with the same settings, and train those that it lacks.
      experiments: the folder of all experiments, when it is not where it usually is.
      console: where progress goes.
      command: how a run is started.
      heartbeat: seconds between two reports where the console is not a terminal.

    Raises:
      UserError: a name is unknown, runs are outdated or have nothing left to measure, or a run met something that the
        user has to mend.
      SystemExit: stopped by Ctrl-C or SIGTERM; calling again resumes.
    """
    runs, console = Path(runs).resolve(), console or Console()
    if jobs is not None:
        require_count("--jobs", jobs, MOST_JOBS)
    chosen = [variants] if isinstance(variants, str) else variants
    request = planned(name, scale, seeds, chosen, commit, extend, experiments)
    experiment, experiments, plan, before = request
    own = request.own(runs)
    todo = request.left_to_do(runs, retry, fresh, measure_again)
    size = experiment.scale(scale)
    slots = max(1, min(jobs or cores(), len(todo)))
    seconds = size.minutes * 60 * slots / sum(experiment.seeds(scale).values())
    with Progress(
        console, total=len(todo), jobs=slots, seconds=seconds, curves=experiment.curves, heartbeat=heartbeat
    ) as progress:
        progress.say(
            f"{name} at scale {scale}: {len(todo)} runs to do, {len(own) - len(todo)} done, "
            + (f"{len(plan) - len(own)} on record, " if before else "")
            + f"{slots} at once"
            + (f", about {duration(seconds * len(todo) / slots)}" if todo else "")
        )
        pool = Pool(lambda run: command(run, experiments, runs), runs, slots, 1, progress)
        pool.do([run for run in todo if not run.members])
        ensembles = [run for run in todo if run.members and not ended_all([run], runs)]
        whole = [run for run in ensembles if ended_all(run.members, runs)]
        crashed = dict(pool.do(whole))
        crashed |= {run: "its models have not all ended" for run in ensembles if run not in whole}
    return conclude(experiment, plan, experiments, runs, crashed, commit, before)


class Planned(NamedTuple):
    """What is asked for.

    Attributes:
      experiment, experiments: an experiment, and the folder of all experiments that it is in.
      plan: its runs.
      before: the committed record, where it is to be extended.
    """

    experiment: Experiment
    experiments: Path
    plan: list[Run]
    before: Record | None = None

    def own(self, runs: Path) -> list[Run]:
        """The runs that are not taken from the record."""
        kept = on_record(self.plan, self.before, runs) if self.before else {}
        return [run for run in self.plan if run not in kept]

    def left_to_do(
        self, runs: Path, retry: bool = False, fresh: bool = False, measure_again: bool = False, dry: bool = False
    ) -> list[Run]:
        """The runs that have not ended, and the ensembles of which some are; see the function of that name."""
        if self.before and (fresh or measure_again):
            option = "--fresh" if fresh else "--measure-again"
            raise UserError(f"--extend keeps runs as they are on record and {option} is for all runs: choose one")
        own = self.own(runs)
        if measure_again:
            require_checkpoints(own, runs)
        todo = left_to_do(own, runs, retry, fresh, measure_again, dry=True)
        changing = [run for run in own if run not in todo and any(member in todo for member in run.members)]
        require_members([*todo, *changing], runs)
        if not dry:
            left_to_do(own, runs, retry, fresh, measure_again)
        return [*todo, *changing]


def planned(
    name: str,
    scale: str,
    seeds: int | None = None,
    variants: Sequence[str] | None = None,
    commit: bool = False,
    extend: bool = False,
    experiments: Path | None = None,
) -> Planned:
    """What `reproduce` is asked for, by its arguments.

    Raises:
      UserError: a name is unknown, a record is to be committed that would not have every run of the scale, or one is to
        be extended that is not to be committed, is not there, or has other runs than the plan.
    """
    if extend and not commit:
        raise UserError("--extend says which runs --record need not train: give both")
    experiments = (experiments or (own_place() if commit else place_of(name))).resolve()
    experiment = load(name, experiments)
    plan = experiment.plan(scale, experiments, seeds, variants)
    for run in plan:
        require_measurable(run, by_its_task=experiment.measure is None)
    if commit:
        require_whole(experiment, plan, experiments)
    before = read_record(results_path(experiments, experiment.name, scale)) if extend else None
    if extend and before is None:
        raise UserError(f"{experiment.name} has no record at scale {scale} to extend: leave out --extend")
    if before:
        require_extendable(plan, before)
    return Planned(experiment, experiments, plan, before)


def left_to_do(
    plan: Sequence[AnyWork],
    runs: Path,
    retry: bool = False,
    fresh: bool = False,
    measure_again: bool = False,
    dry: bool = False,
) -> list[AnyWork]:
    """The work of a plan that has not ended, after deleting what is to be made again (but where it is a `dry` run)."""
    if fresh and measure_again:
        raise UserError("--fresh trains finished runs over and --measure-again keeps what they learned: choose one")
    states = {run: run.state(runs) for run in plan}
    outdated = [run for run, state in states.items() if state == "outdated"]
    if outdated and not (retry or fresh):
        unknown = [run for run in outdated if not (run.folder(runs) / PROVENANCE).exists()]
        changed = [run for run in outdated if run not in unknown]
        why = [f"the settings of {len(changed)} runs have changed since they ran ({few(changed)})"] if changed else []
        why += [f"no {PROVENANCE} says how these were trained: {few(unknown)}"] if unknown else []
        raise UserError(f"{'; '.join(why)}; start them over with --retry, or choose another --runs")
    measured = {run for run, state in states.items() if measure_again and state == "finished"}
    over = {run for run, state in states.items() if fresh or (retry and state in ("outdated", "failed"))}
    if not dry:
        for run in over:
            records.start_over(run, runs)
        for run in measured:
            records.forget_measures(run, runs)
    return [run for run, state in states.items() if run in over | measured or state in ("new", "broken")]


def require_checkpoints(plan: Sequence[Run], runs: Path) -> None:
    """Refuse to measure finished runs again whose checkpoints are gone; an ensemble has none of its own."""
    finished = [run for run in plan if run.state(runs) == "finished" and not run.members]
    bare = [run for run in finished if not (run.folder(runs) / LAST).exists()]
    if bare:
        raise UserError(
            f"the last checkpoints of {len(bare)} finished runs are gone ({few(bare)}), so they cannot be measured: "
            "leave them out with --variants or --seeds, or train with --fresh"
        )


def few(runs: Sequence[Work]) -> str:
    """The names of the first few of some runs."""
    return ", ".join([*map(str, runs[:3]), *(["..."] if len(runs) > 3 else [])])


class Pool:
    """Does work in processes of its own, some at once.

    Args:
      command: how a run is started.
      runs: the folder of all run records.
      slots: how many at once.
      threads: the most for each (see `augrnn.threads`).
      progress: told what happens.
    """

    def __init__(
        self, command: Callable[[Any], list[str]], runs: Path, slots: int, threads: int, progress: Progress
    ) -> None:
        self._command, self._runs, self._slots, self._progress = command, runs, slots, progress
        # In an allocation, whoever sees SLURM's variables takes itself for one of the tasks that srun starts.
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
        self._environment = {**ours, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        self._children: dict[Work, subprocess.Popen[bytes]] = {}
        self._crashed: dict[Work, str] = {}
        self._mistake: str | None = None

    def do(self, todo: Sequence[Work]) -> dict[Work, str]:
        """Do all runs; for each that broke, why. A run that only the user can mend stops new ones from starting."""
        waiting = list(todo)
        if waiting:  # asked once for all of them
            mode, told = usable_mode(self._runs)
            self._environment["WANDB_MODE"] = mode
            if told:
                self._progress.say(told)
        with handled(_interrupt):  # as Ctrl-C
            try:
                while self._children or (waiting and not self._mistake):
                    while waiting and not self._mistake and len(self._children) < self._slots:
                        self._start(waiting.pop(0))
                    self._collect()
                    self._progress.beat()
            except KeyboardInterrupt:
                self._stop("stopped; the same command resumes")
            except BaseException:
                self._end_children()
                raise
        if self._mistake:
            raise UserError(self._mistake)
        return self._crashed

    def _start(self, run: Work) -> None:
        folder = run.folder(self._runs)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            log = open(folder / LOG, "ab")  # noqa: SIM115 (the child's, once it runs)
        except OSError as error:
            raise UserError(f"cannot write in {folder}: {files.explained(error)}") from error
        with log:
            # A session of its own: Ctrl-C on the terminal reaches this process only, which then stops the runs.
            self._children[run] = subprocess.Popen(
                self._command(run),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        self._progress.started(run, folder)

    def _collect(self) -> None:
        time.sleep(0.05)
        for run, child in list(self._children.items()):
            status = child.poll()
            if status is not None:
                del self._children[run]
                self._progress.ended(run, self._outcome(run, status))

    def _outcome(self, run: Work, status: int) -> str:
        state = ended(run.folder(self._runs))
        if status == 0 and state is not None:
            return "finished" if state == "finished" else "failed: training diverged"
        reason = last_line(run.folder(self._runs) / LOG)
        if status == 2:
            self._mistake = self._mistake or reason
            return reason
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}: {reason}"
        self._crashed[run] = how
        return f"broken ({how})"

    def _stop(self, message: str) -> NoReturn:
        self._progress.say(f"stopping {len(self._children)} runs ...")
        self._end_children()
        self._progress.say(message)
        raise SystemExit(130)

    def _end_children(self) -> None:
        for child in self._children.values():
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            for child in self._children.values():
                child.wait(max(0.0, deadline - time.monotonic()))
        for child in self._children.values():
            _signal(child, signal.SIGKILL)
            child.wait()


def _signal(child: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def last_line(path: Path) -> str:
    """The last line of a log that says anything."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    return next((line for line in reversed(lines) if line), f"see {path}")
