"""The report: every paper, experiment and claim on one page, with the verdicts and the curves of the runs."""

from collections.abc import Sequence
from typing import Any

import wandb_workspaces.reports.v2 as wr

from augrnn.dashboard import panels
from augrnn.dashboard.shown import Shown, SweepPanel, by_paper, identity, verdicts_table
from augrnn.lab.claims_tables import counted

TITLE = "augrnn: what the papers claim, and what came of it"
ABOUT = "Verdicts come from the records that are committed with the code; curves are those of the runs in this project."


def report(
    shown: Sequence[Shown], sweeps: Sequence[SweepPanel], entity: str, project: str, runs_of: tuple[str, str] = ("", "")
) -> Any:
    """The report, not saved yet.

    Args:
      shown: the experiments.
      sweeps: the sweeps.
      entity: who will own it.
      project: where it will be.
      runs_of: entity and project of the runs; with them, compiling asks the server for the project's id.
    """
    rows = [row for each in shown for row in each.rows]
    blocks: list[Any] = [wr.P(f"{counted(rows)}. {ABOUT}"), wr.TableOfContents()]
    for paper, group in by_paper(shown).items():
        blocks += [wr.H1(paper), *(wr.P(citation) for citation in _citations(group))]
        for each in group:
            blocks += _experiment(each, runs_of)
    if sweeps:
        blocks.append(wr.H1("sweeps"))
    for sweep in sweeps:
        blocks += _sweep(sweep, runs_of)
    return wr.Report(project=project, entity=entity, title=TITLE, description=ABOUT, blocks=blocks, width="fluid")


def _citations(shown: Sequence[Shown]) -> list[str]:
    return list(dict.fromkeys(each.experiment.paper for each in shown))


def _experiment(shown: Shown, runs_of: tuple[str, str]) -> list[Any]:
    sources: list[Any] = [f"{row.claim.name}: “{row.claim.sentence}” ({row.claim.source})" for row in shown.rows]
    grid = [*panels.curves(shown), *panels.media(shown.pictures, shown.tables, shown.name)]
    runs = _runs(f"{shown.name}, {shown.scale}", panels.filter_of(shown), runs_of, groupby=["JobType"])
    return [
        wr.H2(f"{shown.name}: {shown.experiment.title}"),
        wr.MarkdownBlock(text=f"{shown.card}\n\n{verdicts_table(shown.rows)}"),
        wr.H3("What the paper says, and where"),
        wr.UnorderedList(items=sources),
        wr.H3(f"The runs: scale {shown.scale}, mean and range over seeds"),
        _grid(shown.name, grid, runs),
    ]


def _sweep(sweep: SweepPanel, runs_of: tuple[str, str]) -> list[Any]:
    words = f"{sweep.goal} {sweep.metric} over {', '.join(sweep.parameters)}"
    runs = _runs(sweep.group, panels.sweep_filter(sweep), runs_of, groupby=[])
    return [wr.H2(sweep.group), wr.P(words), _grid(sweep.group, panels.sweep_panels(sweep), runs)]


def _grid(name: str, shows: Sequence[Any], runs: Any) -> Any:
    return wr.PanelGrid(runsets=[runs], panels=panels.laid_out(panels.pinned(shows, "report", name)))


def _runs(name: str, filters: Any, runs_of: tuple[str, str], groupby: list[str]) -> Any:
    entity, project = runs_of
    runs = wr.Runset(entity=entity, project=project, name=name, filters=filters, groupby=groupby)
    runs._id = identity("report runs", name)
    return runs
