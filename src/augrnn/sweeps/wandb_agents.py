"""Sweeps on W&B's server: it hands out the points, and each task of a sweep runs one of W&B's agents for one point.

`register` gives the server the sweep file as it is; `runs/sweeps/<name>/server.json` says where it went. A task is then
`wandb agent --count 1`, which asks for a point and starts the file's command, `augrnn fit ...`; that is `fit` here, and
trains the point in `agents/<task>/seed-<k>` with a record as all runs have it. A task that was interrupted asks for no
second point: the agent leaves the one that it was given in the task's folder, and the next leg trains it directly, as
the same W&B run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augrnn import files
from augrnn.errors import UserError
from augrnn.lab import records
from augrnn.lab.plan import Run, fingerprint
from augrnn.lab.run_process import Kept, exit_status, lightning, work
from augrnn.lab.settings import from_words, merged, nested, require_sections
from augrnn.run_folder import METRICS, PROVENANCE
from augrnn.signals import STOPPED, handled
from augrnn.sweeps.kept import kept
from augrnn.sweeps.points import point, run_of
from augrnn.sweeps.sweep_file import SEED, Sweep, read_sweep
from augrnn.sweeps.work import AGENTS, SERVER, ServerPoint, folder_of, frozen
from augrnn.tracking.wandb_server import PROJECT, refusals
from augrnn.yaml_files import parsed

if TYPE_CHECKING:
    from augrnn.measures.measure import Measured

TASK = "AUGRNN_AGENT"
"""The variable in which a task tells `augrnn fit`, which the agent starts, its folder and placement, as JSON."""

SERVICE = "AUGRNN_WANDB_SERVICE"
"""The variable in which it passes on the job's W&B service: the agent takes WANDB_SERVICE away from what it starts."""


@dataclass(frozen=True)
class Server:
    """Where a sweep is on W&B's server.

    Attributes:
      id: the sweep's, which the server has made up.
      entity, project: whose it is, and in which project.
      file: the frozen copy of the sweep file that the server has.
      root: what paths in it are relative to.
    """

    id: str
    entity: str
    project: str
    file: str
    root: str

    @property
    def path(self) -> str:
        """Its name for `wandb agent`."""
        return f"{self.entity}/{self.project}/{self.id}"


@dataclass(frozen=True)
class Given:
    """A point that an agent was given.

    Attributes:
      run: the id of its W&B run.
      file: the agent's file of it.
      values: for each option its value, the seed among them.
    """

    run: str
    file: Path
    values: Mapping[str, Any]


def server_of(folder: Path) -> Server | None:
    """Where the sweep in a folder is on W&B's server; None where it was not registered."""
    path = folder / SERVER
    if not path.exists():
        return None
    found = files.read_json(path, *(field.name for field in fields(Server)))
    return Server(**{field.name: found[field.name] for field in fields(Server)})


def register(sweep: Sweep, runs: Path, entity: str) -> Server:
    """Give a sweep to W&B's server, once.

    Args:
      sweep: the sweep.
      runs: the folder of all run records.
      entity: whose it is to be where the file names none.

    Raises:
      UserError: the server refuses, or has another content of the file.
    """
    folder = folder_of(sweep, runs)
    with files.locked(folder, wait=True):
        file, known = frozen(sweep, runs), server_of(folder)
        if known is not None and known.file != str(file):
            raise UserError(f"{sweep.path.name} has changed since it became {known.path}: give it another name")
        if known is None:
            project = sweep.file.project or PROJECT
            entity = sweep.file.entity or entity
            known = Server(_created(sweep, entity, project), entity, project, str(file), str(sweep.root))
            files.write_json(folder / SERVER, asdict(known))
    return known


def _created(sweep: Sweep, entity: str, project: str) -> str:
    import wandb

    content = {"name": sweep.name, **parsed(sweep.path.read_text(encoding="utf-8"))}
    with refusals(f"W&B did not take {sweep.name}"):
        return wandb.sweep(content, entity=entity, project=project)


# A task


def train_task(sweep: Sweep, task: int, runs: Path, placement: Sequence[str]) -> None:
    """Train the point of a task: with an agent where it has none yet, else from where it was left.

    Raises:
      SystemExit: it was asked to stop, and will resume.
      UserError: the user has to mend something.
    """
    planned = ServerPoint(sweep.name, task)
    folder = planned.folder(runs)
    server = server_of(folder_of(sweep, runs))
    if server is None:
        raise UserError(f"{sweep.name} is on no server: augrnn sweep register")
    with files.locked(folder):
        given = _left(server, folder)
        if given is None:
            asked = _agent(server, folder, placement)
            given = _left(server, folder)
            run = None if given is None else _run(sweep, given, folder.name)
            recorded = run is not None and records.read_run(run, runs) is not None
            if asked and not recorded:
                raise SystemExit(STOPPED)
            if run is not None and not recorded and _was_stopped(run.folder(runs)):
                planned.conclude(runs, "PRUNED")
        if given is None:
            planned.conclude(runs, "EMPTY")
        else:
            _finish(sweep, server, given, planned, runs, placement)


def _agent(server: Server, folder: Path, placement: Sequence[str]) -> bool:
    """Run an agent for one point; whether this process was asked to stop meanwhile."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    told = {TASK: json.dumps({"folder": str(folder), "placement": list(placement)}), "WANDB_DIR": str(folder)}
    environment = {**os.environ, **told, "PATH": path}
    if service := environment.pop("WANDB_SERVICE", None):
        environment[SERVICE] = service
    command = [sys.executable, "-m", "wandb", "agent", "--count", "1", "--forward-signals", server.path]
    asked: list[int] = []
    agent = subprocess.Popen(command, cwd=server.root, env=environment, stdin=subprocess.DEVNULL)

    def forward(number: int, _: object) -> None:
        asked.append(number)
        agent.send_signal(number)

    with handled(forward):
        status = agent.wait()
    if status != 0 and not asked and _left(server, folder) is None:
        raise UserError(f"W&B's agent got no point of {server.path} (status {status}): its words are in the log")
    return bool(asked)


def _left(server: Server, folder: Path) -> Given | None:
    """The point that a task's agent was given, from the file that the agent leaves before it starts a run."""
    found = sorted((folder / "wandb" / f"sweep-{server.id}").glob("config-*.yaml"))
    return _read(found[0].stem.removeprefix("config-"), found[0]) if found else None


def _read(run: str, file: Path) -> Given:
    content = parsed(file.read_text(encoding="utf-8"))
    return Given(run, file, {name: each["value"] for name, each in content.items() if name != "wandb_version"})


def _run(sweep: Sweep, given: Given, name: str) -> Run:
    values = dict(given.values)
    seed = values.pop(SEED, sweep.seeds[0])
    return run_of(sweep, point(values), seed, AGENTS, name)


def _was_stopped(folder: Path) -> bool:
    """Whether a run's last leg was asked to stop. Where we were not, the server has told the agent to do so."""
    path = folder / PROVENANCE
    return path.exists() and files.read_json(path, "legs")["legs"][-1].get("outcome") == f"SystemExit: {STOPPED}"


def _finish(
    sweep: Sweep, server: Server, given: Given, planned: ServerPoint, runs: Path, placement: Sequence[str]
) -> None:
    """Train what is left of a point, nothing where the server has stopped it, and say what has become of it."""
    run, pruned = _run(sweep, given, planned.name), planned.state(runs) == "finished"
    if pruned and sweep.file.metric.name not in records.read_curves(run.folder(runs) / METRICS):
        return  # stopped before its first validation: there is nothing to measure
    if records.read_run(run, runs) is None:
        os.environ |= {
            "WANDB_SWEEP_ID": server.id,
            "WANDB_ENTITY": server.entity,
            "WANDB_PROJECT": server.project,
            "WANDB_RUN_ID": given.run,
            "WANDB_SWEEP_PARAM_PATH": str(given.file),
        }
        train = lightning()
        if pruned:
            from augrnn.training.stopping import StopAtOnce

            train = partial(train, callbacks=[StopAtOnce()])
        work(run, kept(sweep, lambda: pruned), runs, train, placement)
    if not pruned:
        record = records.read_run(run, runs)
        planned.conclude(runs, "FAIL" if record is None or record.status == "failed" else "COMPLETE")


# A run of an agent's


def fit(words: Sequence[str]) -> int:
    """`augrnn fit` as an agent starts it: a record in a folder of its own, and the config before what overrides it.

    A sweep that was given to the server by other means than `register` is called after its id, and its records keep no
    curve, because its metric is not known here; `augrnn.sweeps.results` reads it from what was logged.

    Args:
      words: `fit` and its options, among them the point's as the agent has spelled them.

    Returns:
      The exit status, that of `augrnn.lab.run_process`.
    """
    if service := os.environ.get(SERVICE):
        os.environ["WANDB_SERVICE"] = service
    given = _read(os.environ["WANDB_RUN_ID"], Path(os.environ["WANDB_SWEEP_PARAM_PATH"]))
    task = json.loads(os.environ.get(TASK) or "{}")
    if task:
        folder = Path(task["folder"])
    else:
        folder = _home(Path("runs").resolve(), os.environ["WANDB_SWEEP_ID"]) / AGENTS / given.run

    def do() -> None:
        server = server_of(folder.parents[1])
        if server is None:
            run, keeping = _unregistered(words, given, folder), Kept((), _nothing)
        else:
            sweep = read_sweep(Path(server.file), Path(server.root), folder.parents[1].name)
            run, keeping = _run(sweep, given, folder.name), kept(sweep)
        work(run, keeping, folder.parents[3], lightning(), task.get("placement", ()))

    return exit_status(do, folder.parents[1].name)


def _home(runs: Path, identity: str) -> Path:
    """The folder of the sweep that the server knows by an id."""
    for path in (runs / "sweeps").glob(f"*/{SERVER}"):
        if files.read_json(path, "id")["id"] == identity:
            return path.parent
    return runs / "sweeps" / identity


def _nothing(trained: Any) -> "Measured":
    from augrnn.measures.measure import Measured

    return Measured({}, {})


def _unregistered(words: Sequence[str], given: Given, folder: Path) -> Run:
    """The run of a point whose sweep is not known here: the words that the agent was told, those of the point apart."""
    spelled = tuple(f"--{option}=" for option in given.values)
    shared = [word for word in words[1:] if not word.startswith(spelled)]
    sweep, values = folder.parents[1].name, dict(given.values)
    seed = values.pop(SEED, 0)
    first = {"config": values.pop("config")} if "config" in values else {}
    options = [f"--{name}={value}" for name, value in first.items()] + shared
    settings = merged(from_words(options, Path.cwd(), sweep), nested({**values, SEED: seed}))
    require_sections(settings, sweep)
    return Run(f"sweeps/{sweep}", AGENTS, folder.name, seed, fingerprint(settings), settings, {**first, **values})
