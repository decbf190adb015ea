"""What the dashboard shows of the experiments and sweeps: words, filters and names, without any of W&B's classes."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from augrnn.dotted import named
from augrnn.errors import UserError
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.text_table import TextTable
from augrnn.files import jsonable
from augrnn.known_names import known
from augrnn.lab.claims_tables import Judged, committed, markdown, marked, strongest
from augrnn.lab.experiment import Experiment, discover
from augrnn.lab.places import config_path
from augrnn.lab.settings import merged
from augrnn.yaml_files import read_config

STEP = "trainer/global_step"
"""The axis of every curve: `_step` starts again on every leg of a run that resumes offline."""

VITALS = ("grad_norm", "throughput")
"""What `augrnn.tracking.loggers.Vitals` logs of every run."""


@dataclass(frozen=True)
class SweepPanel:
    """A sweep, as far as the dashboard needs it.

    Attributes:
      name: its runs are in W&B's group `sweeps/<name>`.
      metric: what it tunes.
      goal: whether less or more of it is better.
      parameters: the axes, by their dotted names ("model.init_args.optimizer.init_args.lr").
    """

    name: str
    metric: str
    goal: Literal["minimize", "maximize"]
    parameters: tuple[str, ...]

    @property
    def group(self) -> str:
        """W&B's group of its runs."""
        return f"sweeps/{self.name}"


@dataclass(frozen=True)
class Shown:
    """An experiment with what the dashboard shows of it.

    Attributes:
      scale: the runs that are shown are of this scale: curves of different sizes must not be averaged.
      rows: its claims with their verdicts.
      pictures, tables: the media that its variants log.
      card: where its card is, as Markdown.
    """

    experiment: Experiment
    scale: str
    rows: tuple[Judged, ...]
    pictures: tuple[str, ...]
    tables: tuple[str, ...]
    card: str

    @property
    def name(self) -> str:
        """The experiment's name, which is W&B's group of its runs."""
        return self.experiment.name

    @property
    def paper(self) -> str:
        """The first part of the name."""
        return self.name.split("/")[0]


def experiments_shown(experiments: Path, scale: str | None = None, cards: str | None = None) -> list[Shown]:
    """All experiments of a folder as the dashboard shows them.

    Args:
      experiments: the folder.
      scale: whose runs are shown, where an experiment has it; otherwise the largest one on record, or the smallest.
      cards: the address of that folder on the web, for links to the cards.

    Raises:
      UserError: there are no experiments, none has the scale, or a config is missing.
    """
    found = discover(experiments)
    if not found:
        raise UserError(f"there are no experiments in {experiments}")
    if scale is not None:
        known(scale, sorted({name for experiment in found for name in experiment.scales}), "scale")
    return [_shown(experiment, experiments, scale, cards) for experiment in found]


def _shown(experiment: Experiment, experiments: Path, scale: str | None, cards: str | None) -> Shown:
    on_record = list(committed(experiment, experiments)) or list(experiment.scales)[:1]
    chosen = scale if scale in experiment.scales else on_record[-1]
    media = _media(experiment, str(chosen), experiments)
    path = f"{experiments.name}/{experiment.name}/README.md"
    card = f"[card]({cards.rstrip('/')}/{experiment.name}/README.md)" if cards else f"card: `{path}`"
    rows = tuple(strongest(experiment, experiments))
    tables = tuple(key for key, kind in media.items() if issubclass(kind, TextTable))
    return Shown(experiment, str(chosen), rows, tuple(key for key in media if key not in tables), tables, card)


def _media(experiment: Experiment, scale: str, experiments: Path) -> dict[str, type[Exhibit]]:
    """The keys and kinds of what the variants log to W&B, as their tasks' measures say."""
    from augrnn.measures.measure import measure_of
    from augrnn.tracking.wandb_server import MEDIA

    found: dict[str, type[Exhibit]] = {}
    for name, variant in experiment.variants.items():
        config = read_config(config_path(experiments.parent, variant.config), experiment.name)
        settings = merged(config, experiment.changes(scale, name))
        if task := settings.get("data", {}).get("class_path"):
            previews = measure_of(named(task, object, "task")).previews(settings.get("model", {}))
            found |= {f"{MEDIA}/{name}": kind for name, kind in previews.items()}
    return found


def by_paper(shown: Sequence[Shown]) -> dict[str, list[Shown]]:
    """The experiments of each paper."""
    papers: dict[str, list[Shown]] = {}
    for each in shown:
        papers.setdefault(each.paper, []).append(each)
    return papers


def verdicts_table(rows: Sequence[Judged]) -> str:
    """Markdown: each claim with its verdict, our number, the bar and the paper's number."""
    head = ["claim", "verdict", "ours", "the bar", "paper", "best public", "scale"]
    return markdown(head, [_line(row) for row in rows])


def _line(row: Judged) -> list[str]:
    claim, verdict = row.claim, row.verdict
    bar = claim.bar(row.scale) if row.scale else ""
    return [claim.sentence, marked(verdict), verdict.text, bar, claim.paper, claim.public, row.scale]


def identity(*words: Any, length: int = 12) -> str:
    """An id that is the same every time, where W&B's library draws one."""
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:length]


def plain(name: str) -> str:
    """A name that W&B takes for a view: it refuses symbols."""
    return re.sub(r"[^\w/.:, -]", "-", name)


def compiled(model: Any) -> Any:
    """A view of W&B's library as the plain JSON values that its server gets."""
    return jsonable(json.loads(model.model_dump_json(by_alias=True, exclude_none=True)))
