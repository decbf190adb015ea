"""`reproduce --launcher slurm`, and what the commands that use a cluster share."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.lab import commands as lab
from augrnn.lab.places import config_path
from augrnn.run_folder import METRICS

if TYPE_CHECKING:
    from augrnn.cluster.slurm import Job, Profile
    from augrnn.cluster.standings import Standing
    from augrnn.cluster.submissions import Submissions, Task

SHOWN = 40
"""Units of work that a table shows."""


def add_launcher(reproducing: argparse.ArgumentParser) -> None:
    """Add to `reproduce` the places to run."""
    reproducing.add_argument("--launcher", choices=("local", "slurm"), default="local", help="where (default: local)")
    add_options(reproducing)
    reproducing.set_defaults(run=reproduce)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what says how jobs are submitted."""
    default = Path("configs/cluster/default.yaml")
    parser.add_argument("--cluster", type=Path, default=default, metavar="FILE", help=f"profile (default: {default})")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")


def submit_tasks(submissions: "Submissions", tasks: Sequence["Task"], profile: "Profile", dry: bool) -> int:
    """Submit tasks that are not in the queue, or show what would be submitted; gives the exit status."""
    from augrnn.cluster.submissions import parts
    from augrnn.tracking.wandb_server import asked_mode

    asked_mode()  # the jobs get it with the environment
    if dry:
        print(submissions.script(profile), end="")
        arrays = parts(tasks, profile.largest_array)
        print(f"# {len(tasks):,} jobs in arrays of {', '.join(str(len(part)) for part in arrays) or 'none'}")
        return 0
    jobs, new = submissions.submit(tasks, profile)
    print(f"{new} jobs submitted ({', '.join(jobs) or 'none'}), {len(tasks) - new} already in the queue")
    return 0


def queued(submissions: "Submissions") -> "dict[str, Job]":
    """The tasks in the queue, by name; none where this machine has no SLURM."""
    from augrnn.cluster import slurm

    return submissions.queued() if slurm.available() else {}


def show_standings(found: Sequence["Standing"], runs: Path, metrics: tuple[str, ...]) -> None:
    """Those that are neither done nor untouched, at most so many."""
    from augrnn.lab.progress import latest_metrics, training_in

    shown = [each for each in found if each.state not in ("new", "waiting", "finished")]
    for each in shown[:SHOWN]:
        latest = latest_metrics(training_in(each.work.folder(runs)) / METRICS, metrics)
        print(f"{each.work.name:24} {each.state:9} {each.where:12} {latest}".rstrip())
    if len(shown) > SHOWN:
        print(f"... and {len(shown) - SHOWN} more (--json shows all)")


def reproduce(options: argparse.Namespace) -> int:
    """`augrnn reproduce`, here or on a cluster; there, a call when all runs have ended judges the claims."""
    if options.launcher == "local":
        return lab.reproduce(options)
    return max([_submit(name, options) for name in options.experiment])


def _submit(name: str, options: argparse.Namespace) -> int:
    from augrnn.cluster.slurm import read_profile, require_here
    from augrnn.cluster.standings import counted, standings
    from augrnn.cluster.submissions import Submissions, task_of
    from augrnn.lab.ensembles import startable
    from augrnn.lab.outcome import conclude
    from augrnn.lab.runner import planned, worker_command

    runs, profile = options.runs.resolve(), read_profile(config_path(Path(), options.cluster))
    request = planned(name, options.scale, options.seeds, options.variants, options.record, options.extend)
    experiment, experiments, whole, before = request
    submissions = Submissions(runs / experiment.name / options.scale)
    placement = [f"--placement={option}" for option in profile.placement]
    asked = runs, options.retry, options.fresh, options.measure_again
    todo = request.left_to_do(*asked, dry=True)
    if todo and not options.dry_run:
        require_here()
        request.left_to_do(*asked)
    if not todo and not options.dry_run:
        return lab.show_outcome(conclude(experiment, whole, experiments, runs, {}, options.record, before))
    ready = startable(todo)
    tasks = [task_of(run, runs, [*worker_command(run, experiments, runs), *placement]) for run in ready]
    code = submit_tasks(submissions, tasks, profile, options.dry_run)
    if len(ready) < len(todo):
        told = "say this again, without --fresh or --measure-again, when their models have ended"
        print(f"{len(todo) - len(ready)} ensembles wait: {told}")
    if not options.dry_run:
        found = standings(request.own(runs), runs, submissions.queued())
        show_standings(found, runs, experiment.curves)
        print(f"{experiment.name} at scale {options.scale}: {counted(found)}; the same command shows how they do")
    return code
