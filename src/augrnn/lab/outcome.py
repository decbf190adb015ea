"""What `reproduce` comes to: record, verdicts, exhibits and a page in the runs folder.

`runs/<experiment>/<scale>/` gets results.json, exhibits.json, figures/ and index.html. What is committed with the
experiment is only written on request, and only from the whole plan of a scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.errors import UserError
from augrnn.files import replacing
from augrnn.lab import committed_record
from augrnn.lab.claims import Verdict
from augrnn.lab.claims_tables import Judged, judged
from augrnn.lab.committed_record import Record
from augrnn.lab.experiment import Experiment
from augrnn.lab.page import FIGURES, body, page
from augrnn.lab.plan import Run
from augrnn.lab.work import Work
from augrnn.run_folder import EXHIBITS

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

PAGE = "index.html"
"""The name of the page in the folder of a scale."""


@dataclass(frozen=True)
class Outcome:
    """What `reproduce` gives; a notebook shows it as its page.

    Attributes:
      experiment: what was reproduced.
      record: the record, with the verdicts.
      exhibits: what there is to see, by name; each draws itself.
      folder: where record, exhibits, pictures and page were written.
      complete: whether every run of the scale's own plan has ended.
      crashed: for each run that broke, why.
      committed: the committed record, where it was written.
    """

    experiment: Experiment
    record: Record
    exhibits: "Mapping[str, Exhibit]"
    folder: Path
    complete: bool
    crashed: Mapping[Work, str]
    committed: Path | None = None

    @property
    def scale(self) -> str:
        """The scale's name."""
        return self.record.scale

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The verdict on each claim, by the claim's name."""
        return self.record.verdicts

    @property
    def rows(self) -> list[Judged]:
        """The claims that the scale judges, with their verdicts."""
        return [row for row in judged(self.experiment, self.record, self.scale) if row.verdict.state != "unjudged"]

    @property
    def pictures(self) -> list[Path]:
        """The pictures of the exhibits."""
        return [self.folder / FIGURES / f"{name}.png" for name in self.exhibits]

    @property
    def page(self) -> Path:
        """Verdicts and pictures on one page, for a browser."""
        return self.folder / PAGE

    def _repr_html_(self) -> str:
        return body(self, embedded=True)


def whole(experiment: Experiment, plan: Sequence[Run], experiments: Path) -> bool:
    """Whether a plan has every run of its scale's own plan."""
    return set(experiment.plan(plan[0].scale, experiments)) <= set(plan)


def require_whole(experiment: Experiment, plan: Sequence[Run], experiments: Path) -> None:
    """Refuse to commit the record of a part of a scale, before it is trained; a UserError."""
    if not whole(experiment, plan, experiments):
        raise UserError(
            f"--record needs every run of {experiment.name} at scale {plan[0].scale}: leave out --variants, and "
            "--seeds below the scale's own"
        )


def conclude(
    experiment: Experiment,
    plan: Sequence[Run],
    experiments: Path,
    runs: Path,
    crashed: Mapping[Work, str],
    commit: bool = False,
    before: Record | None = None,
) -> Outcome:
    """Judge what has run of a plan, and write what there is to see.

    Args:
      experiment: whose plan.
      plan: the runs.
      experiments: the folder of all experiments.
      runs: the folder of all run records.
      crashed: for each run that broke, why.
      commit: write the committed record, exhibits and pictures as well.
      before: the committed record, where its runs are kept.

    Raises:
      UserError: they are to be committed, and a run of the scale's own plan has not ended; or a file is too large.
    """
    from augrnn.exhibits.exhibit import read_exhibits, write_exhibits
    from augrnn.lab import committed_exhibits

    scale = plan[0].scale
    record = committed_record.distill(experiment, plan, runs, before)
    complete = whole(experiment, plan, experiments) and record.results.complete
    shown = {(run.variant, run.seed): read_exhibits(run.folder(runs) / EXHIBITS) for run in plan}
    shown = {key: found for key, found in shown.items() if found}
    if before or (commit and not shown):
        made = committed_exhibits.kept(experiment, record, shown, experiments)
    else:
        made = committed_exhibits.made(experiment, record, shown) if shown else {}
    folder = runs / experiment.name / scale
    record.write(committed_record.own_path(runs, experiment.name, scale))
    write_exhibits(folder / EXHIBITS, made)
    for name, exhibit in made.items():
        exhibit.save(folder / FIGURES / f"{name}.png")
    committed = None
    if commit:
        if not complete:
            raise UserError(
                f"--record needs every run of {experiment.name} at scale {scale} to have ended; what there is stands "
                f"in {folder}"
            )
        committed = committed_record.results_path(experiments, experiment.name, scale)
        committed_exhibits.write(experiment, record, made, experiments)
        record.write(committed)
    outcome = Outcome(experiment, record, made, folder, complete, crashed, committed)
    with replacing(outcome.page) as file:
        file.write(page(outcome).encode())
    return outcome
